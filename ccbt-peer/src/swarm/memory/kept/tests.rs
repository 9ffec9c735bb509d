use super::super::BAN;
use super::super::tests::{USELESS, addrs, dialed_at, known, order};
use super::*;

fn kept(memory: &Memory, now: Time) -> Addresses {
    let (peers, hosts) = memory.known(now);
    let addresses = Addresses { peers, hosts, ..Default::default() };
    let text = addresses.to_bytes(1000);
    assert_eq!(Addresses::parse(&text, 1000).as_ref(), Ok(&addresses));
    addresses
}

/// The memory of a swarm that begins when the other one ends.
fn next_run(memory: &Memory, now: Time, gone: &[Clears]) -> Memory {
    let mut next = Memory::default();
    next.recall(Time::ZERO, &kept(memory, now), gone);
    next
}

#[test]
fn a_back_off_survives_a_restart_with_its_reason_and_doubles_there() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.evicted(Time::ZERO, addr, "no-interest", USELESS);
    let mut next = next_run(&memory, Time::from_secs(20), &[]);
    assert_eq!(next.next_at(), None, "nobody has named it yet");
    next.found(Time::ZERO, addr, Source::Tracker);
    assert!(next.is_cooling(Time::from_secs(39), addr));
    let at = dialed_at(&mut next);
    assert_eq!(at, Time::from_secs(40));
    next.evicted(at, addr, "no-interest", USELESS);
    assert_eq!(next.next_at(), Some(at + Duration::from_secs(120)));
}

#[test]
fn what_is_gone_since_the_last_run_clears_its_waits() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.evicted(Time::ZERO, addr, "redundant", USELESS);
    for (gone, at) in [([Clears::ModeChanged], 0), ([Clears::OfferGrew], 60)] {
        let mut next = next_run(&memory, Time::ZERO, &gone);
        next.found(Time::ZERO, addr, Source::Tracker);
        assert_eq!(next.next_at(), Some(Time::from_secs(at)));
    }
    // It is cleared in the next run as it would have been in this one.
    let mut next = next_run(&memory, Time::ZERO, &[]);
    next.found(Time::ZERO, addr, Source::Tracker);
    next.clear(Time::ZERO, Clears::ModeChanged);
    assert_eq!(next.next_at(), Some(Time::ZERO));
}

#[test]
fn good_addresses_are_dialed_first_in_the_next_run_though_no_source_names_them() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.was_good(addr);
    memory.lost(Time::ZERO, addr);
    let mut next = next_run(&memory, Time::from_secs(9), &[]);
    let [other, ..] = addrs();
    next.found(Time::ZERO, other, Source::Tracker);
    assert_eq!(order(&mut next, Time::ZERO), [addr, other]);
}

#[test]
fn bans_survive_a_restart_and_what_lies_in_one_run_does_not() {
    let mut memory = Memory::default();
    let [liar, full, ourselves, _] = addrs();
    for (addr, why, bans) in
        [(liar, BAN, true), (full, NO_SLOT, false), (ourselves, STRANGER, false)]
    {
        memory.found(Time::ZERO, addr, Source::Tracker);
        memory.connect(addr);
        memory.shun(Time::ZERO, addr, why, bans);
    }
    assert_eq!(kept(&memory, Time::ZERO).peers.len(), 1);
    let next = next_run(&memory, Time::ZERO, &[]);
    let mut other_port = liar;
    other_port.set_port(1);
    for addr in [liar, other_port] {
        assert!(next.is_banned(Time::from_secs(86_399), addr));
        assert!(!next.is_banned(Time::from_secs(86_400), addr));
    }
}
