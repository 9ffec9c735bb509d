//! 1 to 4: what the three founding rules were made for.

use ccbt_policy::{Availability, PeerView, Reason};

use crate::scene::{ms, s, under};

/// Announces at `now` that it has some pieces, of which we need `wanted`.
fn announces(now: ccbt_policy::Time, wanted: u32) -> impl FnOnce(&mut PeerView) {
    move |peer| {
        peer.have = 5;
        peer.set_availability(now, Availability::Some);
        peer.set_wanted(now, wanted);
        peer.set_am_interested(now, wanted > 0);
    }
}

#[test]
fn s01_a_mute_peer_with_the_fast_extension_goes_at_60_s() {
    under(&["standard", "seed", "balanced"], |scene| {
        scene.connect(1, s(0), |peer| peer.fast = true);
        scene.assert_goes(s(60), Reason::NO_AVAILABILITY);
        assert!(scene.gone[0].cooldown.wait(1) >= std::time::Duration::from_secs(60));
    });
}

#[test]
fn s01_a_mute_peer_without_the_fast_extension_goes_at_60_s_too() {
    under(&["standard", "seed", "balanced"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.assert_goes(s(60), Reason::NO_AVAILABILITY);
    });
}

#[test]
fn s02_a_peer_without_needed_pieces_is_told_once_and_goes_10_s_later() {
    under(&["standard", "seed"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), announces(s(1), 0));
        scene.peer(s(9), |peer| peer.last_message_at = Some(s(9)));
        assert_eq!(scene.told, [(1, s(1))]);
        scene.assert_goes(s(11), Reason::NO_INTEREST);
        assert_eq!(scene.told, [(1, s(1))]);
    });
}

#[test]
fn s03_a_useless_peer_goes_at_the_first_check_after_the_grace_whatever_it_chatters() {
    under(&["standard", "seed"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), announces(s(1), 1));
        scene.peer(s(5), |peer| peer.set_wanted(s(5), 0));
        for keep_alive in [s(10), s(25)] {
            scene.peer(keep_alive, |peer| peer.last_message_at = Some(keep_alive));
        }
        scene.assert_alive(s(30));
        scene.assert_goes(s(60), Reason::BECAME_USELESS);
    });
}

#[test]
fn s04_a_have_of_a_wanted_piece_within_the_grace_pardons_for_good() {
    under(&["standard", "seed", "balanced"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), announces(s(1), 1));
        scene.peer(ms(1_500), |peer| peer.set_wanted(ms(1_500), 0));
        scene.peer(s(29), |peer| {
            peer.new_have(s(29));
            peer.set_wanted(s(29), 1);
            peer.set_am_interested(s(29), true);
        });
        scene.assert_alive(s(1_000));
    });
}
