//! Becoming complete, other rules at run time, and the same run twice.

use std::time::Duration;

use ccbt_peer::EventKind;
use ccbt_peer::policy::rules::BitfieldTimeout;
use ccbt_peer::policy::{DryRun, PolicySet, Time};

use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

#[test]
fn when_we_are_complete_complete_peers_go_and_leechers_stay() {
    let mut world = World::new(pieces(PIECES));
    let complete = world.add_all([kinds::seed(PIECES, ms(20)), kinds::choker(PIECES)]);
    let leechers = world.add_all([kinds::leecher(PIECES, true), kinds::leecher(PIECES, false)]);
    let partial = world.add(kinds::partial(PIECES, [1], secs(1)));
    world.finish(Time::from_secs(60));
    let finished = world.finished();
    let late = world.come(kinds::seed(PIECES, ms(20)));
    world.run_for(secs(300));
    for addr in complete {
        assert_eq!(world.close(addr), (finished, "redundant: redundant".into()));
    }
    // A leecher that has all in the end is redundant then; until it has, it takes.
    for addr in leechers {
        let (at, why) = world.close(addr);
        assert!(at > finished && why == "redundant: redundant", "{at} {why}");
    }
    assert!(world.is_open(partial), "a complete client judges nobody by pieces");
    assert_eq!(world.close(late), (world.connect(late), "redundant: redundant".into()));
    world.stop();
}

#[test]
fn a_dry_run_reports_and_keeps_everybody() {
    let policy = DryRun::new(PolicySet::standard());
    let mut world = World::with(pieces(PIECES), policy, |_| {});
    let mute = world.add(kinds::mute(PIECES));
    let empty = world.add(kinds::empty(PIECES));
    world.run_until(Time::from_secs(100));
    assert!(world.is_open(mute) && world.is_open(empty));
    for (addr, why, after) in [(mute, "no-availability", 60), (empty, "no-interest", 10)] {
        let shadow = |event: &EventKind| {
            matches!(event, EventKind::EvictShadow { peer, reason, .. }
                if *peer == addr && *reason == why)
        };
        assert_eq!(world.first(shadow), Some(world.connect(addr) + secs(after)));
    }
    world.stop();
}

#[test]
fn other_rules_hold_from_the_moment_they_are_set() {
    let mut world = World::with(pieces(PIECES), PolicySet::new(), |_| {});
    let mute = world.add(kinds::mute(PIECES));
    world.run_until(Time::from_secs(20));
    world.set_policy(BitfieldTimeout::new(secs(30)));
    world.run_until(Time::from_secs(25));
    assert!(world.is_open(mute));
    world.run_until(Time::from_secs(35));
    let expected = (world.connect(mute) + secs(30), "bitfield-timeout: no-availability".to_owned());
    assert_eq!(world.close(mute), expected);
    world.stop();
}

#[test]
fn stricter_rules_take_at_once_who_is_over_due() {
    let mut world = World::with(pieces(PIECES), PolicySet::new(), |_| {});
    let mute = world.add(kinds::mute(PIECES));
    world.run_until(Time::from_secs(100));
    world.set_policy(PolicySet::standard());
    world.run_for(Duration::ZERO);
    assert_eq!(world.close(mute).0, Time::from_secs(100));
    world.stop();
}

#[test]
fn without_rules_only_the_transport_ends_a_connection() {
    let mut world = World::with(pieces(PIECES), PolicySet::new(), |_| {});
    let mute = world.add(kinds::mute(PIECES));
    world.run_until(Time::from_secs(1000));
    assert_eq!(world.closes(mute), []);
    world.stop();
}

fn run(seed: u64, lag: Duration) -> Vec<String> {
    let mut world = World::with(pieces(PIECES), PolicySet::standard(), |config| config.seed = seed);
    world.pace.lag = lag;
    world.add_all([
        kinds::seed(PIECES, ms(100)),
        kinds::liar(PIECES, [2, 3], ms(50)),
        kinds::partial(PIECES, 0..9, ms(70)),
        kinds::empty(PIECES),
        kinds::leecher(PIECES, true),
    ]);
    world.run_until(Time::from_secs(90));
    world.stop();
    world.trace
}

#[test]
fn the_same_seed_gives_the_same_actions_and_another_one_does_not() {
    assert_eq!(run(1, ms(5)), run(1, ms(5)));
    assert_ne!(run(1, Duration::ZERO), run(2, Duration::ZERO));
}
