//! 44 to 50: peers that do not deliver, and peers that do harm.

use ccbt_policy::{Availability, Cooldown, Reason};

use crate::scene::{Scene, s, under};

const OURS: &[&str] = &["standard", "balanced"];

/// A seed that does not choke us.
fn seed(scene: &mut Scene, key: u32) {
    scene.connect(key, s(0), |peer| {
        peer.set_availability(s(0), Availability::All);
        peer.set_wanted(s(0), 100);
        peer.set_am_interested(s(0), true);
        peer.set_peer_choking(s(0), false);
    });
}

#[test]
fn s44_a_snub_closes_nobody_and_one_block_ends_it() {
    under(OURS, |scene| {
        seed(scene, 1);
        scene.peer(s(9), |peer| (peer.snubbed_since, peer.in_flight) = (Some(s(2)), 1));
        scene.assert_alive(s(10_000));
    });
    under(&["balanced"], |scene| {
        seed(scene, 1);
        scene.peer(s(9), |peer| peer.snubbed_since = Some(s(2)));
        scene.fill(s(10));
        assert_eq!(scene.spare(s(121)), None);
        assert_eq!(scene.spare(s(122)), Some((1, Reason::SNUBBED)));
        scene.peer(s(123), |peer| (peer.snubbed_since, peer.last_block_at) = (None, Some(s(123))));
        assert_eq!(scene.spare(s(200)), None);
    });
}

#[test]
fn s45_fifty_rejects_in_a_row_close_a_peer_and_a_block_starts_anew() {
    under(OURS, |scene| {
        seed(scene, 1);
        for reject in 1..50 {
            scene.peer(s(5), |peer| peer.consecutive_rejects = reject);
        }
        scene.peer(s(6), |peer| (peer.consecutive_rejects, peer.last_block_at) = (0, Some(s(6))));
        for reject in 1..50 {
            scene.peer(s(7), |peer| peer.consecutive_rejects = reject);
        }
        scene.assert_alive(s(8));
        scene.peer(s(8), |peer| peer.consecutive_rejects = 50);
        assert_eq!(scene.gone_at(s(8), Reason::REJECTER), 1);
        assert_eq!(scene.gone[0].cooldown.wait(1).as_secs(), 30 * 60);
    });
}

#[test]
fn s46_the_liar_is_banned_and_the_honest_contributor_stays() {
    under(&[OURS, &["libtorrent", "strict"]].concat(), |scene| {
        seed(scene, 1);
        seed(scene, 2);
        for key in [1, 2] {
            scene.change(key, s(5), |peer| peer.trust -= 2);
        }
        scene.assert_alive(s(9));
        // The good piece shows whose blocks were bad.
        scene.change(1, s(10), |peer| peer.proven_liar = true);
        scene.change(2, s(10), |peer| peer.trust += 1);
        assert_eq!(scene.gone_at(s(10), Reason::BAD_DATA), 1);
        assert_eq!((scene.gone[0].key, scene.gone[0].cooldown), (1, Cooldown::BAN));
    });
}

#[test]
fn s46_who_has_a_part_in_bad_piece_after_bad_piece_is_banned_without_a_proof() {
    under(OURS, |scene| {
        seed(scene, 1);
        for failure in 1..=4 {
            scene.assert_alive(s(failure));
            scene.peer(s(failure), |peer| peer.trust -= 2);
        }
        assert_eq!(scene.gone_at(s(4), Reason::BAD_DATA), 1);
    });
}

#[test]
fn s50_who_floods_is_closed_and_two_flips_in_five_seconds_are_none() {
    under(OURS, |scene| {
        seed(scene, 1);
        for flip in 0..4 {
            scene.peer(s(1 + flip), |peer| peer.set_peer_choking(s(1 + flip), flip % 2 == 0));
        }
        scene.assert_alive(s(50));
        scene.peer(s(60), |peer| (peer.flood, peer.last_message_at) = (true, Some(s(60))));
        assert_eq!(scene.gone_at(s(60), Reason::FLOOD), 1);
        assert_eq!(scene.gone[0].cooldown.wait(1).as_secs(), 30 * 60);
    });
}

/// A complete client has unchoked an interested peer at once.
fn served(scene: &mut Scene) {
    scene.swarm(s(0), |swarm| (swarm.upload_only_since, swarm.need) = (Some(s(0)), 0));
    scene.connect(1, s(0), |peer| {
        peer.set_availability(s(0), Availability::None);
        peer.set_offered(s(0), 120);
        peer.set_peer_interested(s(0), true);
        peer.set_am_choking(s(0), false);
    });
}

#[test]
fn libtorrent_closes_who_requests_nothing_at_60_s_and_60_s_after_the_last_block_it_was_sent() {
    under(&["libtorrent"], |scene| {
        served(scene);
        scene.assert_goes(s(60), Reason::NO_REQUEST);
    });
    under(&["libtorrent"], |scene| {
        served(scene);
        scene.peer(s(1), |peer| peer.last_request_at = Some(s(1)));
        scene.peer(s(13), |peer| peer.last_upload_at = Some(s(13)));
        scene.assert_goes(s(73), Reason::NO_REQUEST);
    });
}

#[test]
fn transmission_waits_for_a_block_300_s_in_an_empty_and_60_s_in_a_full_swarm() {
    for (peers, wait) in [(0, 300), (45, 60), (50, 60)] {
        under(&["transmission"], |scene| {
            scene.swarm(s(0), |swarm| swarm.peers = peers);
            seed(scene, 1);
            scene.assert_goes(s(wait), Reason::IDLE);
        });
    }
    under(&["transmission"], |scene| {
        scene.swarm(s(0), |swarm| swarm.peers = 0);
        seed(scene, 1);
        scene.fill(s(100));
        scene.until(s(110));
        assert_eq!(scene.gone.len(), 1, "the swarm filled, and the wait is over");
    });
}

#[test]
fn aria2_waits_for_a_request_or_a_block_30_s_without_interest_and_60_s_with() {
    under(&["aria2"], |scene| {
        scene.connect(1, s(0), |peer| peer.set_availability(s(0), Availability::Some));
        scene.assert_goes(s(30), Reason::INACTIVE);
    });
    under(&["aria2"], |scene| {
        seed(scene, 1);
        scene.assert_goes(s(60), Reason::INACTIVE);
    });
}
