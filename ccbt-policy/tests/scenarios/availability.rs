//! 5 to 18: what a peer says that it has, and when.

use ccbt_policy::{Availability, PeerView, Reason, Time};

use crate::scene::{Scene, ms, s, under};

/// All that is ours: none of these closes a peer for having nothing to say or to give for a while.
const GENTLE: &[&str] = &["standard", "seed", "balanced", "libtorrent", "off"];

fn announces(
    now: Time,
    availability: Availability,
    wanted: u32,
) -> impl FnOnce(&mut PeerView) + Clone {
    move |peer| {
        peer.set_availability(now, availability);
        peer.set_wanted(now, wanted);
        peer.set_am_interested(now, wanted > 0);
    }
}

/// Is interested in 9 pieces that we have.
fn interested(now: Time) -> impl FnOnce(&mut PeerView) {
    move |peer| {
        peer.set_offered(now, 9);
        peer.set_peer_interested(now, true);
    }
}

#[test]
fn s05_have_all_is_availability() {
    under(&[GENTLE, &["transmission"]].concat(), |scene| {
        scene.connect(1, s(0), |peer| peer.fast = true);
        scene.peer(ms(100), announces(ms(100), Availability::All, 100));
        scene.assert_alive(s(61));
        assert_eq!(scene.told, []);
    });
}

#[test]
fn s06_a_leecher_with_have_none_that_is_interested_stays_for_ever_while_slots_are_free() {
    under(&["standard", "balanced", "strict", "libtorrent", "off"], |scene| {
        scene.connect(1, s(0), |peer| peer.fast = true);
        scene.peer(ms(100), announces(ms(100), Availability::None, 0));
        scene.peer(s(2), interested(s(2)));
        scene.assert_alive(s(1_000_000));
    });
}

#[test]
fn s07_a_new_leecher_may_skip_the_bitfield_and_is_served() {
    under(&["standard", "balanced", "strict", "libtorrent", "off"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(2), interested(s(2)));
        scene.peer(s(20), |peer| peer.set_am_choking(s(20), false));
        for at in (21..2_000).step_by(20) {
            scene.peer(s(at), |peer| {
                peer.last_request_at = Some(s(at));
                peer.last_upload_at = Some(s(at));
            });
        }
        scene.assert_alive(s(2_000));
    });
}

#[test]
fn s08_one_have_at_59_9_s_is_enough() {
    under(GENTLE, |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(ms(59_900), |peer| {
            peer.new_have(ms(59_900));
            peer.set_wanted(ms(59_900), 1);
        });
        scene.assert_alive(s(100_000));
    });
}

/// HAVE_NONE, one HAVE at 5 s that we have by 20 s.
fn super_seeder(scene: &mut Scene) {
    scene.connect(1, s(0), |peer| peer.fast = true);
    scene.peer(ms(100), announces(ms(100), Availability::None, 0));
    scene.peer(s(5), |peer| {
        peer.new_have(s(5));
        peer.set_wanted(s(5), 1);
    });
    scene.peer(s(20), |peer| peer.set_wanted(s(20), 0));
}

#[test]
fn s09_a_super_seeder_may_pause_while_slots_are_free() {
    under(&["balanced", "libtorrent", "off"], |scene| {
        super_seeder(scene);
        scene.assert_alive(s(199));
        scene.peer(s(200), |peer| {
            peer.new_have(s(200));
            peer.set_wanted(s(200), 1);
        });
        scene.assert_alive(s(10_000));
    });
}

#[test]
fn s09_a_super_seeder_may_pause_for_240_s_when_slots_are_scarce() {
    under(&["balanced"], |scene| {
        super_seeder(scene);
        scene.fill(s(30));
        assert_eq!(scene.spare(ms(244_999)), None);
        assert_eq!(scene.spare(s(245)), Some((1, Reason::NO_MUTUAL_INTEREST)));
        scene.assert_alive(s(10_000));
    });
}

#[test]
fn s10_what_may_come_before_the_bitfield_does_no_harm_and_counts_for_nothing() {
    under(&["standard", "seed", "balanced"], |scene| {
        for (key, announced) in [(1, false), (2, true)] {
            scene.connect(key, s(0), |peer| (peer.fast, peer.extended) = (true, true));
            scene.change(key, s(0), |peer| {
                (peer.last_message_at, peer.dht) = (Some(s(0)), true);
                if announced {
                    announces(s(0), Availability::Some, 7)(peer);
                }
            });
        }
        scene.assert_goes(s(60), Reason::NO_AVAILABILITY);
    });
}

#[test]
fn s11_a_bitfield_after_a_have_takes_its_place() {
    under(GENTLE, |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), |peer| peer.new_have(s(1)));
        scene.peer(s(3), announces(s(3), Availability::Some, 12));
        assert_eq!(scene.watch.get(1).map(|peer| peer.unwanted_since), Some(None));
        scene.assert_alive(s(1_000));
    });
}

#[test]
fn s12_a_second_bitfield_is_as_good_as_many_haves() {
    under(&["standard", "seed"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), announces(s(1), Availability::Some, 0));
        scene.peer(s(9), announces(s(9), Availability::Some, 3));
        scene.assert_alive(s(1_000));
    });
}

#[test]
fn s13_a_bitfield_of_zeroes_says_what_have_none_says() {
    under(&["standard", "seed"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.connect(2, s(0), |_| ());
        scene.change(1, s(1), announces(s(1), Availability::None, 0));
        scene.change(2, s(1), announces(s(1), Availability::Some, 0));
        assert_eq!(scene.gone_at(s(11), Reason::NO_INTEREST), 2);
        assert_eq!(scene.told, [(1, s(1)), (2, s(1))]);
    });
}

#[test]
fn s16_before_the_metadata_nobody_is_judged_and_clocks_start_with_it() {
    under(&["standard", "seed", "balanced"], |scene| {
        scene.swarm(s(0), |swarm| (swarm.metadata_at, swarm.checked_at) = (None, None));
        scene.connect(1, s(0), |peer| peer.extended = true);
        scene.assert_alive(s(299));
        scene.swarm(s(300), |swarm| {
            (swarm.metadata_at, swarm.checked_at) = (Some(s(300)), Some(s(300)));
        });
        scene.assert_goes(s(360), Reason::NO_AVAILABILITY);
    });
}

#[test]
fn s17_a_peer_without_the_metadata_is_not_redundant_to_a_seed() {
    let ours = ["standard", "seed", "balanced", "strict", "libtorrent"];
    under(&ours, |scene| {
        scene.swarm(s(0), |swarm| swarm.upload_only_since = Some(s(0)));
        scene.connect(1, s(0), |peer| peer.extended = true);
        scene.peer(s(1), |peer| {
            peer.set_availability(s(1), Availability::None);
            peer.upload_only_since = Some(s(1));
        });
        scene.assert_alive(s(29));
        scene.peer(s(29), |peer| peer.metadata_done = true);
        assert_eq!(scene.gone_at(s(29), Reason::REDUNDANT), 1);
    });
}

#[test]
fn s18_losing_the_last_wanted_piece_starts_the_clock() {
    let dont_have = |scene: &mut Scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), announces(s(1), Availability::Some, 1));
        scene.peer(s(2), |peer| peer.set_peer_choking(s(2), false));
        scene.peer(s(500), |peer| {
            peer.have -= peer.have.min(1);
            peer.set_wanted(s(500), 0);
        });
        assert_eq!(scene.told, [(1, s(500))]);
    };
    under(&["standard", "seed"], |scene| {
        dont_have(scene);
        scene.assert_goes(s(540), Reason::BECAME_USELESS);
    });
    under(&["balanced"], |scene| {
        dont_have(scene);
        scene.fill(s(501));
        assert_eq!(scene.spare(ms(559_999)), None);
        assert_eq!(scene.spare(s(560)), Some((1, Reason::NO_MUTUAL_INTEREST)));
    });
    under(&["strict"], |scene| {
        dont_have(scene);
        scene.assert_goes(s(530), Reason::NO_MUTUAL_INTEREST);
    });
}
