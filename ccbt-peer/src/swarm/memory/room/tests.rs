use std::time::Duration;

use ccbt_policy::Time;

use super::super::tests::USELESS;
use super::super::{BAN, LOST, STRANGER};
use super::*;

const TRACKER: &str = "198.51.100.1:6881";

fn made_up(n: usize) -> SocketAddr {
    SocketAddr::from((u32::try_from(n + (1 << 24)).unwrap().to_be_bytes(), 6881))
}

/// As many addresses from there, as far as they are taken.
fn name(memory: &mut Memory, now: Time, source: Source, numbers: std::ops::Range<usize>) -> usize {
    numbers.filter(|n| memory.found(now, made_up(*n), source)).count()
}

/// Dials whatever may be dialed, in vain.
fn fail_all(memory: &mut Memory, now: Time) {
    while let Some((addr, _)) = memory.next(now) {
        memory.lost(now, addr);
    }
}

#[test]
fn what_peers_name_fills_a_quarter_and_the_trackers_peers_are_dialed() {
    let mut memory = Memory::default();
    assert_eq!(name(&mut memory, Time::ZERO, Source::Pex, 0..20_000), FROM_PEERS);
    let addr = TRACKER.parse().unwrap();
    assert!(memory.found(Time::ZERO, addr, Source::Tracker));
    let dialed = std::iter::from_fn(|| memory.next(Time::ZERO));
    assert!(dialed.into_iter().any(|(dialed, _)| dialed == addr));
}

#[test]
fn addresses_that_failed_make_room_and_those_that_peers_named_go_first() {
    let mut memory = Memory::default();
    let rest = ADDRESSES - FROM_PEERS;
    name(&mut memory, Time::ZERO, Source::Pex, 0..FROM_PEERS);
    assert_eq!(name(&mut memory, Time::ZERO, Source::Dht, 20_000..40_000), rest);
    let addr = TRACKER.parse().unwrap();
    assert!(!memory.found(Time::ZERO, addr, Source::Tracker), "nothing has failed yet");
    fail_all(&mut memory, Time::ZERO);
    let now = Time::from_secs(1);
    assert!(memory.found(now, addr, Source::Tracker));
    assert_eq!(memory.next(now), Some((addr, Source::Tracker)));
    assert_eq!(name(&mut memory, now, Source::Tracker, 50_000..50_100), 100);
    let left = |source| memory.records.values().filter(|r| r.source == source).count();
    assert_eq!((left(Source::Pex), left(Source::Dht)), (FROM_PEERS - 101, rest));
    assert_eq!(memory.records.len(), ADDRESSES);
    // And new ones of peers push out old ones of peers, and nothing else.
    assert_eq!(name(&mut memory, now, Source::Pex, 60_000..80_000), FROM_PEERS - 101);
    assert_eq!(memory.records.values().filter(|r| r.source == Source::Dht).count(), rest);
}

#[test]
fn the_oldest_failure_is_forgotten_and_what_is_good_wanted_busy_or_banned_is_not() {
    let mut memory = Memory::default();
    let [given, good, busy, banned, first] = [1, 2, 3, 4, 5].map(made_up);
    for addr in [given, good, busy, banned, first] {
        let source = if addr == given { Source::Given } else { Source::Pex };
        memory.found(Time::ZERO, addr, source);
        memory.connect(addr);
    }
    memory.was_good(good);
    memory.lost(Time::ZERO, given);
    memory.lost(Time::ZERO, good);
    memory.shun(Time::ZERO, banned, BAN, true);
    memory.shun(Time::ZERO, first, STRANGER, false);
    let rest = name(&mut memory, Time::ZERO, Source::Tracker, 100..ADDRESSES + 95);
    assert_eq!(rest, ADDRESSES - 5);
    let addr = TRACKER.parse().unwrap();
    assert!(memory.found(Time::ZERO, addr, Source::Tracker));
    let here = [given, good, busy, banned, first].map(|addr| memory.records.contains_key(&addr));
    assert_eq!(here, [true, true, true, true, false]);
    assert!(!memory.found(Time::ZERO, made_up(90_000), Source::Tracker), "nobody else has failed");
}

#[test]
fn a_policys_word_is_forgotten_last() {
    let mut memory = Memory::default();
    name(&mut memory, Time::ZERO, Source::Tracker, 0..ADDRESSES);
    let Some((evicted, _)) = memory.next(Time::ZERO) else { panic!() };
    memory.evicted(Time::ZERO, evicted, "no-interest", USELESS);
    let Some((lost, _)) = memory.next(Time::ZERO) else { panic!() };
    memory.lost(Time::ZERO, lost);
    assert_eq!(name(&mut memory, Time::ZERO, Source::Tracker, 50_000..50_001), 1);
    assert!(!memory.records.contains_key(&lost) && memory.records.contains_key(&evicted));
    assert_eq!(name(&mut memory, Time::ZERO, Source::Tracker, 50_001..50_003), 1);
    assert!(!memory.records.contains_key(&evicted));
}

#[test]
fn a_flood_of_peers_that_come_in_leaves_the_room_of_those_that_can_be_dialed() {
    let mut memory = Memory::default();
    for n in 0..ADDRESSES + 10 {
        memory.connect(made_up(n));
        memory.lost(Time::ZERO, made_up(n));
    }
    assert!(memory.found(Time::ZERO, TRACKER.parse().unwrap(), Source::Tracker));
}

#[test]
fn what_a_tracker_names_too_is_no_hearsay() {
    let mut memory = Memory::default();
    let addr = TRACKER.parse().unwrap();
    memory.found(Time::ZERO, addr, Source::Pex);
    memory.found(Time::ZERO, addr, Source::Tracker);
    memory.found(Time::ZERO, addr, Source::Dht);
    assert_eq!(memory.next(Time::ZERO), Some((addr, Source::Tracker)));
    assert_eq!(memory.room.from_peers, 0);
}

#[test]
fn whatever_happens_the_counts_are_those_of_the_records() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut memory = Memory::default();
    let sources = [Source::Pex, Source::Tracker, Source::Dht, Source::Given, Source::Lsd];
    for step in 0..20_000 {
        let now = Time::ZERO + Duration::from_secs(step);
        let [addr, other] = [0; 2].map(|_| made_up(rng.usize(0..40)));
        match rng.u8(0..9) {
            0..2 => _ = memory.found(now, addr, sources[rng.usize(0..sources.len())]),
            2 => _ = memory.next(now),
            3 => _ = memory.connect(addr),
            4 => memory.lost(now, addr),
            5 => memory.evicted(now, addr, "no-interest", USELESS),
            6 => memory.was_good(addr),
            7 => memory.listens(addr, other),
            _ => memory.end_waits(now, |wait| wait.reason == LOST),
        }
        let mut counted = Room::default();
        memory.records.iter().for_each(|(addr, record)| counted.add(*addr, record));
        assert_eq!(memory.room.spent, counted.spent, "step {step}");
        let counts = |room: &Room| (room.dialable, room.from_peers);
        assert_eq!(counts(&memory.room), counts(&counted));
    }
}
