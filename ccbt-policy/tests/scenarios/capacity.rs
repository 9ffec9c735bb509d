//! 28 to 35: who gives way when slots are scarce.

use std::sync::Arc;
use std::time::Duration;

use ccbt_policy::rules::Snubbed;
use ccbt_policy::{
    Availability, Candidate, PeerView, Reason, Source, SwarmView, Time, WhenCrowded, Worth,
    median_worth, worst_first,
};

use crate::scene::{Scene, ms, s, under};

/// Those that have a turnover.
const TURNING: &[&str] = &["standard", "balanced", "libtorrent"];
const NOW: Time = Time::from_secs(300);

fn candidates(count: u16) -> Vec<Candidate> {
    (0..count).map(|n| Candidate::new(([198, 51, 100, 1], n).into(), Source::Tracker)).collect()
}

/// Peers of which each has sent more than the one before, all interesting and all of one age.
fn peers(count: u64) -> Vec<PeerView> {
    let peer = |n: u64| {
        PeerView::new(([192, 0, 2, 1], 6881).into(), s(0)).with(|peer| {
            peer.set_availability(s(0), Availability::Some);
            peer.set_wanted(s(0), 1);
            peer.downloaded = n * n * n * 300;
            peer.download_rate = n * n * n;
        })
    };
    (0..count).map(peer).collect()
}

fn crowded(peers: u32) -> SwarmView {
    SwarmView::new().with(|swarm| {
        (swarm.peers, swarm.limit, swarm.need) = (peers, peers, 1);
        (swarm.crowded, swarm.median_worth) = (true, Some(120_000));
    })
}

fn turn(
    scene: &Scene,
    peers: &[PeerView],
    candidates: &[Candidate],
    swarm: &SwarmView,
    now: Time,
) -> Vec<usize> {
    let turnover = scene.selection.turnover().expect("the preset has a turnover");
    let peers = peers.iter().enumerate();
    let displaced = turnover.choose(peers, candidates, swarm, now, scene.selection.ranking());
    displaced.into_iter().map(|displaced| displaced.key).collect()
}

#[test]
fn s28_without_candidates_nobody_is_turned_over() {
    under(TURNING, |scene| {
        for hour in 1..=24 {
            let now = s(hour * 3_600);
            assert_eq!(turn(scene, &peers(100), &[], &crowded(100), now), []);
        }
    });
}

#[test]
fn s29_of_a_hundred_the_four_worst_are_turned_over() {
    under(TURNING, |scene| {
        assert_eq!(
            scene.selection.turnover().expect("the preset has a turnover").period,
            NOW - Time::ZERO
        );
        assert_eq!(turn(scene, &peers(100), &candidates(50), &crowded(100), NOW), [0, 1, 2, 3]);
        assert_eq!(turn(scene, &peers(100), &candidates(2), &crowded(100), NOW), [0, 1]);
        let roomy = crowded(100).with(|swarm| swarm.limit = 112);
        assert_eq!(turn(scene, &peers(100), &candidates(50), &roomy, NOW), []);
    });
}

#[test]
fn s30_the_sole_holder_of_a_wanted_piece_stays_until_there_is_another() {
    under(TURNING, |scene| {
        let mut peers = peers(100);
        peers[0].sole_holder = true;
        assert_eq!(turn(scene, &peers, &candidates(50), &crowded(100), NOW), [1, 2, 3, 4]);
        peers[0].sole_holder = false;
        assert_eq!(turn(scene, &peers, &candidates(50), &crowded(100), NOW), [0, 1, 2, 3]);
    });
}

#[test]
fn s31_a_peer_of_59_s_is_safe_and_one_of_61_s_is_not() {
    under(TURNING, |scene| {
        let chosen = |now| turn(scene, &peers(100), &candidates(1), &crowded(100), now).len();
        assert_eq!((chosen(s(59)), chosen(s(61))), (0, 1));
    });
    under(&["balanced"], |scene| {
        scene.connect(1, s(0), |_| ());
        scene.peer(s(1), |peer| {
            peer.set_peer_choking(s(1), false);
            peer.snubbed_since = Some(s(1));
        });
        let impatient = WhenCrowded::new(Snubbed::new(Duration::from_secs(5)));
        scene.watch.set_policy(Arc::new(impatient), s(1));
        scene.fill(s(1));
        assert_eq!((scene.spare(s(59)), scene.spare(s(61))), (None, Some((1, Reason::SNUBBED))));
    });
}

#[test]
fn s34_when_the_limit_falls_from_100_to_60_the_40_worst_go() {
    under(TURNING, |scene| {
        let peers = peers(100);
        let ranking = scene.selection.ranking();
        let gone = worst_first(peers.iter().enumerate(), 40, &crowded(100), NOW, ranking);
        assert_eq!(gone, (0..40).collect::<Vec<_>>());
    });
}

#[test]
fn s35_a_candidate_that_promises_as_much_displaces_nobody_within_an_hour() {
    under(&["standard", "balanced", "strict"], |scene| {
        let turnover = scene.selection.turnover().expect("the preset has a turnover");
        let ranking = scene.selection.ranking();
        let equal: Vec<_> =
            (0..50).map(|_| peers(1)[0].clone().with(|peer| peer.download_rate = 10_000)).collect();
        let mut now = s(60);
        while now < s(3_660) {
            let swarm = crowded(50);
            let median = median_worth(&equal, &swarm, now, ranking);
            let swarm = swarm.with(|swarm| swarm.median_worth = median.map(Worth::get));
            assert_eq!(
                ranking.promise(&candidates(1)[0], &swarm).get(),
                swarm.median_worth.unwrap()
            );
            assert_eq!(turn(scene, &equal, &candidates(50), &swarm, now), []);
            now = now + turnover.period;
        }
    });
}

#[test]
fn s47_who_starves_us_gives_way_at_180_s_when_slots_are_scarce_and_stays_otherwise() {
    let choking_seed = |peer: &mut PeerView| {
        peer.set_availability(s(0), Availability::All);
        peer.set_wanted(s(0), 100);
        peer.set_am_interested(s(0), true);
    };
    under(&["balanced"], |scene| {
        scene.connect(1, s(0), choking_seed);
        assert_eq!(scene.spare(s(1_000)), None);
        scene.assert_alive(s(100_000));
    });
    under(&["balanced"], |scene| {
        scene.connect(1, s(0), choking_seed);
        scene.fill(s(1));
        assert_eq!((scene.spare(s(179)), scene.spare(ms(179_999))), (None, None));
        assert_eq!(scene.spare(s(180)), Some((1, Reason::STARVED)));
        scene.assert_alive(s(100_000));
    });
}
