//! How many dials there are at once, for how long, and what is left to others.

use super::addresses::found;
use super::*;

/// As many public addresses, each in a network of its own.
fn many(count: u16) -> impl Iterator<Item = SocketAddr> {
    (0..count).map(|n| {
        let [high, low] = n.to_be_bytes();
        SocketAddr::from(([203, high, low, 1], 6881))
    })
}

fn listening(max_peers: u32) -> Hand {
    Hand::with(Bitfield::new(4), |config| {
        config.max_peers = max_peers;
        config.listen = Some("0.0.0.0:6881".parse().unwrap());
    })
}

#[test]
fn dials_leave_5_percent_of_the_slots_to_those_that_come_in() {
    for (max_peers, dials) in [(100, 95), (40, 38), (10, 9), (2, 1), (1, 1)] {
        let mut hand = listening(max_peers);
        found(&mut hand, many(200));
        assert_eq!(hand.dials().len(), dials, "{max_peers} slots");
    }
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = 40);
    found(&mut hand, many(200));
    assert_eq!(hand.dials().len(), 40, "nobody can come in");
}

#[test]
fn a_dial_that_comes_late_does_not_take_the_slot_of_those_that_come_in() {
    let mut hand = listening(2);
    hand.found(1);
    let [(dial, _)] = hand.dials()[..] else { panic!() };
    hand.seed(2);
    hand.opened(dial, 1, Direction::Outgoing);
    hand.session(dial, SessionEvent::Has(Announced::All));
    hand.seed(3);
    hand.take();
    hand.pass(2_000);
    assert_eq!(hand.closes(), [(dial, CloseReason::NoSlot)]);
}

/// After how many milliseconds the first of these dials is given up.
fn given_up_after(hand: &mut Hand) -> u128 {
    let start = hand.now;
    while !hand.actions.iter().any(|action| matches!(action, Action::Close { .. })) {
        let at = hand.core.deadline().unwrap();
        let wait = at.saturating_since(hand.now);
        hand.pass(u64::try_from(wait.as_millis()).unwrap());
    }
    hand.now.saturating_since(start).as_millis()
}

#[test]
fn a_dial_has_15_s_and_the_less_the_more_addresses_wait_down_to_4_s() {
    for (waiting, limit) in [(0, 15_000), (100, 7_500), (200, 5_000), (1_000, 4_000)] {
        let mut hand = Hand::new();
        found(&mut hand, many(100 + waiting));
        assert_eq!(hand.dials().len(), 100);
        assert_eq!(given_up_after(&mut hand), limit, "{waiting} wait");
    }
}

#[test]
fn a_dial_that_was_given_up_counts_as_failed() {
    let mut hand = Hand::new();
    hand.found(1);
    let [(dial, _)] = hand.dials()[..] else { panic!() };
    hand.pass(15_000);
    let failed = |action: &Action| {
        let Action::Emit(EventKind::DialFailed { error, .. }) = action else { return false };
        error == "no connection in 15.0s"
    };
    assert!(hand.actions.iter().any(failed));
    assert_eq!(hand.closes().len(), 1);
    // What is still on its way comes too late.
    hand.handle(Input::Dialed(dial));
    hand.pass(59_000);
    assert_eq!(hand.dials(), []);
    hand.pass(1_000);
    assert_eq!(hand.dials().len(), 1);
}

#[test]
fn mute_listeners_give_up_their_place_only_to_those_that_wait_for_it() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.half_open = 2);
    found(&mut hand, many(2));
    for (key, _) in hand.dials() {
        hand.handle(Input::Dialed(key));
    }
    hand.pass(9_000);
    assert_eq!(hand.closes(), []);
    found(&mut hand, many(12));
    hand.pass(1);
    let closes = hand.closes();
    assert!(closes.len() == 2);
    let late = CloseReason::TimedOut(crate::close::Timeout::Handshake);
    assert!(closes.iter().all(|(_, reason)| *reason == late));
}

/// A machine with so many descriptors on which every dial that gets one stands and nobody says a word; the
/// last address is another: there a seed listens. Gives the time at which the seed is connected.
fn few_descriptors(descriptors: usize, mute: u16, shake_hands: bool) -> (Time, Vec<SocketAddr>) {
    let mut hand = Hand::new();
    let seed = addr(200);
    found(&mut hand, many(mute).chain([seed]));
    let mut open = BTreeSet::new();
    let mut failed = Vec::new();
    loop {
        let mut id = 0;
        for action in hand.take() {
            match action {
                Action::Dial { key, addr } if open.len() >= descriptors => {
                    failed.push(addr);
                    hand.handle(Input::NoDescriptor(key));
                }
                Action::Dial { addr, .. } if addr == seed => return (hand.now, failed),
                Action::Dial { key, .. } => {
                    open.insert(key);
                    hand.handle(Input::Dialed(key));
                    if shake_hands {
                        id += 1;
                        let peer_id = PeerId([id; 20]);
                        let (direction, fast) = (Direction::Outgoing, true);
                        let (extended, dht) = (true, false);
                        let event =
                            SessionEvent::Opened { direction, peer_id, fast, extended, dht };
                        hand.session(key, event);
                    }
                }
                Action::Close { key, .. } => _ = open.remove(&key),
                _ => {}
            }
        }
        assert!(hand.now < Time::from_secs(60), "the seed was never dialed");
        hand.pass(10);
    }
}

#[test]
fn with_54_descriptors_a_seed_behind_100_mute_listeners_is_dialed_within_10_s() {
    let (at, failed) = few_descriptors(54, 100, false);
    assert!(at <= Time::from_secs(10), "{at:?}");
    assert!(failed.len() < 60, "{} dials had no descriptor", failed.len());
}

#[test]
fn with_54_descriptors_a_seed_behind_100_mute_peers_is_dialed_within_15_s() {
    let (at, _) = few_descriptors(54, 100, true);
    assert!(at <= Time::from_secs(15), "{at:?}");
}

/// A swarm with 20 dials under way and ten that had no descriptor.
fn short() -> (Hand, Vec<PeerKey>) {
    let mut hand = Hand::new();
    found(&mut hand, many(30));
    let dials = hand.dials();
    let (stand, fail) = dials.split_at(20);
    fail.iter().for_each(|(key, _)| hand.handle(Input::NoDescriptor(*key)));
    assert_eq!(hand.dials(), [], "no dial before the next look");
    hand.pass(250);
    let stand = stand.iter().map(|(key, _)| *key).collect();
    (hand, stand)
}

#[test]
fn without_descriptors_8_are_left_to_files_and_no_address_is_to_blame() {
    let (mut hand, stand) = short();
    let closed: Vec<PeerKey> = hand.closes().into_iter().map(|(key, _)| key).collect();
    assert_eq!(closed, stand[12..].iter().rev().copied().collect::<Vec<_>>(), "the youngest");
    assert_eq!(hand.core.swarm_view().limit, 6, "half of 12, the rest is lobby");
    hand.pass(60_000);
    assert_eq!(hand.core.swarm_view().limit, 256, "tried again");
    // All that are not dialed yet are dialed now: nobody had to wait for having failed.
    assert_eq!(hand.core.memory.reserve(), 0);
}

#[test]
fn a_number_of_slots_that_the_person_says_meanwhile_outlives_the_shortage() {
    let (mut hand, _) = short();
    hand.handle(Input::MaxPeers(40));
    hand.pass(120_000);
    assert_eq!(hand.core.swarm_view().limit, 40);
}

#[test]
fn when_dials_are_more_than_a_tenth_the_oldest_makes_room_for_somebody_who_comes_in() {
    let mut hand = Hand::with(Bitfield::new(4), |config| {
        config.max_peers = 20;
        config.lobby = 0;
    });
    found(&mut hand, many(20));
    let dials = hand.dials();
    for (n, (key, _)) in (1..).zip(&dials[..17]) {
        hand.opened(*key, n, Direction::Outgoing);
    }
    let oldest = dials[17].0;
    hand.take();
    assert!(hand.core.admit(hand.now, addr(1)).is_ok());
    hand.collect();
    assert_eq!(hand.closes(), [(oldest, CloseReason::ClosedByUs)]);
    // Two are a tenth, and stay.
    assert_eq!(hand.core.admit(hand.now, addr(2)), Err(Refusal::Full));
}
