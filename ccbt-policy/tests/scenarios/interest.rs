//! 19 to 27: interest on both sides, and peers that never will be of use.

use ccbt_policy::{Availability, PeerView, Reason, Time};

use crate::scene::{Scene, ms, s, under};

/// Those who keep leechers and close redundant peers at once.
const AT_ONCE: &[&str] = &["standard", "libtorrent", "aria2"];
/// Those who first exchange peers with them.
const LINGERING: &[&str] = &["balanced", "transmission"];

/// Ten peers of which neither side is interested in the other, with that many slots.
fn ten_uninteresting(scene: &mut Scene, limit: u32) {
    scene.swarm(s(0), |swarm| {
        (swarm.peers, swarm.limit, swarm.free_slots) = (10, limit, limit - 10);
    });
    for key in 0..10 {
        scene.connect(key, s(0), |peer| peer.set_availability(s(0), Availability::Some));
    }
}

#[test]
fn s19_near_the_limit_libtorrent_closes_the_uninteresting_at_600_s() {
    under(&["libtorrent"], |scene| {
        ten_uninteresting(scene, 15);
        scene.assert_alive(ms(599_999));
        assert_eq!(scene.gone_at(s(600), Reason::NO_MUTUAL_INTEREST), 10);
    });
}

#[test]
fn s20_with_more_than_five_free_slots_libtorrent_keeps_them() {
    under(&["libtorrent"], |scene| {
        ten_uninteresting(scene, 20);
        scene.assert_alive(s(100_000));
        // The swarm fills later.
        scene.swarm(s(100_000), |swarm| swarm.free_slots = 5);
        scene.until(s(100_010));
        assert_eq!(scene.gone.len(), 10);
    });
}

#[test]
fn s21_saying_not_interested_again_moves_no_clock() {
    let repeating = |scene: &mut Scene| {
        ten_uninteresting(scene, 15);
        for at in (100..600).step_by(100) {
            for key in 0..10 {
                scene.change(key, s(at), |peer| {
                    peer.last_message_at = Some(s(at));
                    peer.set_peer_interested(s(at), false);
                    peer.set_am_interested(s(at), false);
                });
            }
        }
    };
    under(&["libtorrent"], |scene| {
        repeating(scene);
        scene.assert_alive(ms(599_999));
        assert_eq!(scene.gone_at(s(600), Reason::NO_MUTUAL_INTEREST), 10);
    });
    under(&["balanced"], |scene| {
        scene.fill(s(0));
        repeating(scene);
        assert_eq!(scene.watch.spare(3).map(|spare| spare.at), Some(s(60)));
    });
}

#[test]
fn s22_a_leecher_with_nothing_for_us_is_kept_and_served_while_slots_are_free() {
    under(
        &["standard", "balanced", "strict", "libtorrent", "transmission", "aria2", "off"],
        |scene| {
            scene.connect(1, s(0), |peer| {
                peer.set_availability(s(0), Availability::Some);
                peer.set_offered(s(0), 9);
                peer.set_peer_interested(s(0), true);
                peer.set_am_choking(s(0), false);
            });
            for at in (10..3_000).step_by(20) {
                scene.peer(s(at), |peer| {
                    (peer.last_request_at, peer.last_upload_at) = (Some(s(at)), Some(s(at)));
                    peer.uploaded += 16_384;
                });
            }
            scene.assert_alive(s(3_000));
        },
    );
}

/// Ten leechers and four seeds at hand, and we complete the download at 50 s.
fn completes_at_50(scene: &mut Scene, pex: bool) {
    for key in 0..10 {
        scene.connect(key, s(0), |peer| {
            peer.set_availability(s(0), Availability::Some);
            peer.set_offered(s(0), 9);
            peer.set_peer_interested(s(0), true);
        });
    }
    for key in 10..14 {
        scene.connect(key, s(0), |peer| {
            (peer.extended, peer.pex) = (true, pex);
            peer.set_availability(s(0), Availability::All);
            peer.set_wanted(s(0), 100);
            peer.set_am_interested(s(0), true);
        });
    }
    for key in 0..14 {
        scene.change(key, s(49), |peer| peer.last_request_at = Some(s(49)));
    }
    scene.assert_alive(s(49));
    for key in 10..14 {
        scene.change(key, s(50), |peer| {
            peer.set_wanted(s(50), 0);
            peer.set_am_interested(s(50), false);
        });
    }
    scene.swarm(s(50), |swarm| swarm.upload_only_since = Some(s(50)));
}

#[test]
fn s23_when_we_complete_the_seeds_go_and_no_leecher_does() {
    let seeds = |scene: &Scene| scene.gone.iter().all(|gone| (10..14).contains(&gone.key));
    for pex in [false, true] {
        under(AT_ONCE, |scene| {
            completes_at_50(scene, pex);
            assert_eq!(scene.gone_at(s(50), Reason::REDUNDANT), 4);
            scene.until(s(108));
            assert!(seeds(scene) && scene.gone.len() == 4, "{:?}", scene.gone);
        });
    }
    under(LINGERING, |scene| {
        completes_at_50(scene, false);
        assert_eq!(scene.gone_at(s(50), Reason::REDUNDANT), 4);
        assert!(seeds(scene));
    });
    under(LINGERING, |scene| {
        completes_at_50(scene, true);
        scene.assert_alive(ms(79_999));
        assert_eq!(scene.gone_at(s(80), Reason::REDUNDANT), 4);
        assert!(seeds(scene));
    });
}

/// Becomes upload-only at 40 s.
fn turns_upload_only(scene: &mut Scene) {
    scene.connect(1, s(0), |peer| {
        peer.metadata_done = true;
        peer.set_availability(s(0), Availability::Some);
    });
    scene.peer(s(40), |peer| peer.upload_only_since = Some(s(40)));
}

#[test]
fn s24_a_peer_that_turns_upload_only_is_redundant_to_a_seed() {
    let presets = ["standard", "seed", "balanced", "libtorrent", "transmission"];
    under(&presets, |scene| {
        scene.swarm(s(0), |swarm| swarm.upload_only_since = Some(s(0)));
        turns_upload_only(scene);
        assert_eq!(scene.gone_at(s(40), Reason::REDUNDANT), 1);
    });
}

#[test]
fn s25_a_partial_seed_without_our_files_is_kept_if_we_choose_one_of_its_within_the_delay() {
    let partial_seed = |peer: &mut PeerView| {
        (peer.extended, peer.pex, peer.metadata_done) = (true, true, true);
        peer.set_availability(s(0), Availability::Some);
        peer.upload_only_since = Some(s(0));
    };
    under(&["balanced"], |scene| {
        scene.connect(1, s(0), partial_seed);
        scene.assert_goes(s(30), Reason::REDUNDANT);
    });
    under(&["balanced"], |scene| {
        scene.connect(1, s(0), partial_seed);
        scene.peer(s(10), |peer| peer.set_wanted(s(10), 40));
        scene.assert_alive(s(10_000));
    });
    under(&["libtorrent"], |scene| {
        scene.connect(1, s(0), partial_seed);
        assert_eq!(scene.gone_at(s(0), Reason::REDUNDANT), 1);
    });
}

#[test]
fn s26_nobody_is_redundant_before_the_files_are_checked() {
    let presets = ["standard", "seed", "balanced", "strict", "libtorrent"];
    under(&presets, |scene| {
        scene.swarm(s(0), |swarm| (swarm.checked_at, swarm.need) = (None, 120));
        scene.connect(1, s(0), |peer| {
            peer.metadata_done = true;
            peer.set_availability(s(0), Availability::All);
            peer.upload_only_since = Some(s(0));
        });
        scene.assert_alive(s(9_000));
        scene.peer(s(9_000), |peer| peer.set_wanted(s(9_000), 120));
        scene.swarm(s(9_000), |swarm| swarm.checked_at = Some(s(9_000)));
        scene.assert_alive(s(10_000));
    });
}

#[test]
fn s27_a_pinned_peer_is_kept_by_every_preset() {
    let faults: [fn(&mut PeerView); 4] = [
        |_| (),
        |peer| peer.set_availability(s(0), Availability::None),
        |peer| peer.snubbed_since = Some(s(0)),
        |peer| peer.flood = true,
    ];
    let presets =
        ["standard", "seed", "balanced", "strict", "libtorrent", "transmission", "aria2", "off"];
    for fault in faults {
        under(&presets, |scene| {
            scene.fill(s(0));
            scene.connect(1, s(0), |peer| {
                peer.pinned = true;
                fault(peer);
            });
            assert_eq!(scene.spare(Time::from_secs(100_000)), None);
            scene.assert_alive(s(100_000));
        });
    }
}
