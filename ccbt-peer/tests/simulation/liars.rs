//! Peers that send wrong blocks: what they cost, and whom.

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::{EventKind, Geometry};

use super::host::Host;
use super::world::World;
use super::{kinds, ms, secs};

const PIECES: u32 = 8;
/// Of 16 blocks: few enough that peers have to share them.
const PIECE_LENGTH: u32 = 16 * 16384;

struct Outcome {
    took: Duration,
    liars: Vec<SocketAddr>,
    world: World,
}

impl Outcome {
    fn failures(&self) -> usize {
        let failed = |event: &&(Time, EventKind)| matches!(event.1, EventKind::PieceFailed { .. });
        self.world.log.iter().filter(failed).count()
    }

    fn banned(&self) -> usize {
        let closes = |addr: &&SocketAddr| self.world.closes(**addr);
        let banned = self.liars.iter().filter(|addr| {
            closes(addr).iter().any(|(_, reason)| reason.code() == "sent-bad-piece")
        });
        banned.count()
    }
}

/// Downloads from so many honest peers and these liars. No honest peer is lost or distrusted.
fn download(seed: u64, honest: u32, liars: &[Host]) -> Outcome {
    let geometry = Geometry::new(u64::from(PIECES) * u64::from(PIECE_LENGTH), PIECE_LENGTH);
    let mut world = World::with(geometry, PolicySet::standard(), |config| config.seed = seed);
    let liars: Vec<SocketAddr> = liars.iter().map(|liar| world.place(liar.clone())).collect();
    let honest: Vec<_> = (0..honest).map(|_| world.place(kinds::seed(PIECES, ms(50)))).collect();
    world.found(liars.iter().chain(&honest).copied());
    world.run_until(Time::from_secs(1));
    while !world.core.have().all() {
        for (_, view) in world.core.views().filter(|(_, view)| honest.contains(&view.addr)) {
            assert!(view.trust >= 0, "{} has a trust of {}", view.addr, view.trust);
        }
        world.run_for(ms(250));
        assert!(world.now < Time::from_secs(60), "seed {seed} stands still");
    }
    for addr in honest {
        let end = (world.finished(), "redundant: redundant".to_owned());
        assert_eq!((world.closes(addr).len(), world.close(addr)), (1, end), "seed {seed}");
    }
    Outcome { took: world.finished() - Time::ZERO, liars, world }
}

/// What these liars cost at the most, against a swarm without them.
#[track_caller]
fn assert_cost(honest: u32, liars: &[Host], most: Duration) {
    for seed in 0..20 {
        let without = download(seed, honest, &[]).took;
        let with = download(seed, honest, liars);
        let cost = with.took.saturating_sub(without);
        assert!(cost <= most, "seed {seed}: {without:?} without, {:?} with", with.took);
        assert_eq!(with.banned(), liars.len(), "seed {seed}: every liar is found out");
    }
}

#[test]
fn a_liar_among_honest_peers_costs_one_piece_and_hardly_any_time() {
    let liar = kinds::liar(PIECES, 0..PIECES, ms(50));
    assert_cost(3, std::slice::from_ref(&liar), ms(500));
    for seed in 0..20 {
        assert_eq!(download(seed, 3, std::slice::from_ref(&liar)).failures(), 1, "seed {seed}");
    }
}

#[test]
fn a_liar_that_falls_silent_when_it_is_suspected_stalls_nobody() {
    for blocks in [1, 4, 17] {
        assert_cost(1, &[kinds::muting_liar(PIECES, blocks, ms(50))], secs(3));
        assert_cost(3, &[kinds::muting_liar(PIECES, blocks, ms(50))], secs(3));
    }
}

#[test]
fn five_silent_liars_against_one_honest_peer_cost_five_seconds() {
    for blocks in [3, 20] {
        assert_cost(1, &vec![kinds::muting_liar(PIECES, blocks, ms(50)); 5], secs(5));
    }
}

#[test]
fn a_slow_peer_does_not_keep_a_suspect_piece_while_another_has_nothing_to_do() {
    let mut world = World::new(Geometry::new(PIECE_LENGTH.into(), PIECE_LENGTH));
    let liar = world.add(kinds::liar(1, [0], ms(50)));
    world.add(kinds::seed(1, ms(50)));
    world.run_until(Time::from_millis(100));
    // It has no part in the wrong piece, so it gets it: it would take 48 s.
    world.add(kinds::seed(1, secs(3)));
    world.finish(Time::from_secs(60));
    assert_eq!(world.close(liar).1, "sent-bad-piece");
    let failed = |event: &EventKind| matches!(event, EventKind::PieceFailed { .. });
    let after = world.finished() - world.first(failed).unwrap();
    assert!((secs(5)..secs(7)).contains(&after), "{after:?}");
}

#[test]
fn a_majority_of_liars_is_banned_with_at_most_two_wrong_pieces_for_each() {
    let liars = vec![kinds::liar(PIECES, 0..PIECES, ms(50)); 9];
    assert_cost(3, &liars, secs(3));
    for seed in 0..20 {
        let failures = download(seed, 3, &liars).failures();
        assert!(failures <= 2 * liars.len(), "seed {seed}: {failures} wrong pieces");
    }
}

#[test]
fn liars_that_come_again_and_again_under_new_names_do_not_stop_a_download() {
    for piece_length in [PIECE_LENGTH, 16 * PIECE_LENGTH] {
        let geometry = Geometry::new(u64::from(PIECES) * u64::from(PIECE_LENGTH), piece_length);
        let pieces = geometry.pieces();
        let mut world = World::new(geometry);
        world.add(kinds::seed(pieces, ms(50)));
        world.run_for(ms(100));
        let mut here = Vec::new();
        while !world.core.have().all() {
            here.retain(|liar| world.core.views().any(|(_, view)| view.addr == *liar));
            while here.len() < 10 {
                here.push(world.come(kinds::liar(pieces, 0..pieces, ms(25))));
            }
            world.run_for(ms(50));
            // The honest peer alone needs 7 s.
            assert!(world.now < Time::from_secs(40), "pieces of {piece_length}");
        }
    }
}
