//! Which addresses are dialed, let in and left alone.

use super::*;
use crate::{Addresses, Blocklist};

pub(super) fn found(hand: &mut Hand, addrs: impl IntoIterator<Item = SocketAddr>) {
    let peers = addrs.into_iter().collect();
    hand.handle(Input::Found { source: Source::Tracker, peers });
}

fn of(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The `n`-th address of a public network.
fn public(n: u8) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, n], 6881))
}

fn blocks(list: &str) -> Arc<Blocklist> {
    Arc::new(Blocklist::parse(list.as_bytes()).unwrap())
}

#[test]
fn an_evicted_peer_gets_no_dial_in_the_first_60_s_and_one_in_185_s_however_often_it_is_named() {
    let mut hand = Hand::with(having([0]), |_| {});
    let mut dials = Vec::new();
    let mut evicted_at = None;
    hand.found(1);
    while evicted_at.is_none_or(|at| hand.now < at + Duration::from_secs(185)) {
        let taken = hand.take();
        for action in taken {
            match action {
                Action::Dial { key, .. } => {
                    dials.push(hand.now);
                    hand.opened(key, 1, Direction::Outgoing);
                    hand.session(key, SessionEvent::Has(Announced::Some(having([0]))));
                }
                Action::Close { reason: CloseReason::Evicted { reason, .. }, .. } => {
                    assert_eq!(reason, "no-interest");
                    evicted_at.get_or_insert(hand.now);
                }
                _ => {}
            }
        }
        hand.found(1);
        hand.pass(1_000);
    }
    let evicted_at = evicted_at.unwrap();
    let waits: Vec<_> = dials.iter().map(|at| at.saturating_since(evicted_at).as_secs()).collect();
    assert_eq!(waits, [0, 60]);
}

#[test]
fn a_useful_peer_that_was_lost_is_dialed_after_1_2_and_4_seconds() {
    let mut hand = Hand::new();
    hand.found(1);
    let [(key, _)] = hand.dials()[..] else { panic!() };
    hand.opened(key, 1, Direction::Outgoing);
    hand.session(key, SessionEvent::Has(Announced::All));
    hand.session(key, SessionEvent::Unchoked);
    (0..2).for_each(|n| hand.receive(key, block(0, n), 0));
    hand.handle(Input::Stored(PieceIndex(0)));
    hand.close(key, CloseReason::PeerLeft);
    for wait in [1_000, 2_000, 4_000] {
        hand.take();
        hand.pass(wait - 1);
        assert_eq!(hand.dials(), []);
        hand.pass(1);
        let [(key, _)] = hand.dials()[..] else { panic!() };
        hand.handle(Input::DialFailed { key, error: "refused".into() });
    }
}

#[test]
fn a_blocked_address_is_neither_dialed_nor_let_in_and_counted() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.blocklist = blocks("10.0.0.1/32"));
    hand.found(1);
    assert_eq!(hand.dials(), []);
    for addr in [addr(1), of("10.0.0.1:50000"), of("[::ffff:10.0.0.1]:1")] {
        assert_eq!(hand.core.admit(hand.now, addr), Err(Refusal::Blocked));
    }
    assert_eq!(hand.core.progress().blocked, 4);
    assert!(hand.core.admit(hand.now, addr(2)).is_ok());
}

#[test]
fn another_blocklist_closes_whom_it_names_and_frees_whom_it_does_not() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.blocklist = blocks("10.0.0.1/32"));
    hand.found(1);
    let [named, other] = [2, 3].map(|n| hand.open(n));
    hand.take();
    hand.handle(Input::Blocklist(blocks("x:10.0.0.2-10.0.0.2")));
    let actions = hand.take();
    let closed = |key| {
        actions.iter().any(|action| {
            let blocked = CloseReason::Refused(Refusal::Blocked);
            matches!(action, Action::Close { key: of, reason } if *of == key && *reason == blocked)
        })
    };
    assert!(closed(named) && !closed(other));
    assert!(actions.iter().any(|a| matches!(a, Action::Dial { addr: to, .. } if *to == addr(1))));
    hand.found(2);
    assert_eq!(hand.dials(), []);
}

/// A swarm with 10 slots of which 8 are one public network's, and one somebody else's.
fn crowded() -> Hand {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = 10);
    for n in 1..=8 {
        let key = hand.core.admit(hand.now, public(n)).unwrap();
        hand.opened(key, n, Direction::Incoming);
    }
    hand.open(100);
    hand
}

#[test]
fn a_crowded_swarm_has_at_most_8_peers_of_one_network() {
    let mut hand = crowded();
    assert!(hand.core.swarm_view().crowded);
    assert_eq!(hand.core.admit(hand.now, public(9)), Err(Refusal::SamePrefix));
    found(&mut hand, [public(10)]);
    assert_eq!(hand.dials(), []);
    // A place is free again: it is dialed at the next try.
    let gone = hand.core.views().find(|(_, view)| view.addr == public(1)).unwrap().0;
    hand.close(gone, CloseReason::PeerLeft);
    hand.pass(60_000);
    assert!(hand.dials().iter().any(|(_, addr)| *addr == public(10)));
}

#[test]
fn a_crowded_swarm_has_one_connection_of_a_host_for_every_16_slots_and_one_at_least() {
    for (slots, most) in [(4, 1), (10, 1), (40, 2), (64, 4)] {
        let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = slots);
        let crowd = slots - slots / 20;
        for n in 0..crowd {
            let [.., n] = n.to_be_bytes();
            let addr = SocketAddr::from(([198, 51, n, 1], 6881));
            let key = hand.core.admit(hand.now, addr).unwrap();
            hand.opened(key, n + 100, Direction::Incoming);
        }
        let from = |port| SocketAddr::from(([203, 0, 113, 1], port));
        let came = (1..=most + 1).map(|port| hand.core.admit(hand.now, from(port)));
        let came: Vec<_> = came.collect();
        let (last, first) = came.split_last().unwrap();
        assert!(first.iter().all(Result::is_ok), "{slots} slots: {came:?}");
        assert_eq!(*last, Err(Refusal::SamePrefix), "{slots} slots");
    }
}

#[test]
fn what_one_network_may_have_binds_neither_uncrowded_swarms_nor_local_networks() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = 10);
    for n in 1..=10 {
        let key = hand.core.admit(hand.now, addr(n)).unwrap();
        hand.opened(key, n, Direction::Incoming);
    }
    assert!(hand.core.swarm_view().crowded && hand.core.admit(hand.now, addr(11)).is_ok());
    let mut hand = Hand::new();
    assert!((1..=20).all(|n| hand.core.admit(hand.now, public(n)).is_ok()));
}

#[test]
fn a_policy_sees_how_many_others_are_of_the_same_network() {
    let mut hand = crowded();
    let seen = |hand: &Hand, addr| {
        hand.core.views().find(|(_, view)| view.addr == addr).unwrap().1.same_prefix
    };
    assert_eq!((seen(&hand, public(8)), seen(&hand, addr(100))), (7, 0));
    hand.pass(10_000);
    assert_eq!(seen(&hand, public(1)), 7);
}

#[test]
fn peers_tell_us_where_they_listen_and_where_we_are_seen() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.half_open = 0);
    found(&mut hand, [of("98.76.54.32:6881"), of("123.213.33.234:6881")]);
    for (n, from) in [(1, of("192.0.2.1:50000")), (2, of("198.51.100.1:50000"))] {
        let key = hand.core.admit(hand.now, from).unwrap();
        hand.opened(key, n, Direction::Incoming);
        let hello = ccbt_wire::ExtensionHandshake {
            yourip: Some(of("123.213.32.10:0").ip()),
            p: Some(6881),
            ..Default::default()
        };
        hand.session(key, SessionEvent::Extended(Box::new(hello)));
    }
    // By BEP 40 the second is the dearer one. Those that are here are not dialed.
    found(&mut hand, [of("192.0.2.1:6881")]);
    hand.core.config.half_open = 100;
    hand.pass(1);
    hand.found(9);
    let dials: Vec<_> = hand.dials().into_iter().map(|(_, addr)| addr).collect();
    assert_eq!(dials, [of("123.213.33.234:6881"), of("98.76.54.32:6881"), addr(9)]);
}

#[test]
fn a_swarm_that_starts_again_goes_on_where_the_last_one_ended() {
    let mut hand = Hand::with(having([0]), |_| {});
    hand.found(1);
    let [(key, _)] = hand.dials()[..] else { panic!() };
    hand.opened(key, 1, Direction::Outgoing);
    hand.session(key, SessionEvent::Has(Announced::Some(having([0]))));
    hand.pass(20_000);
    let text = hand.core.addresses(hand.now).to_bytes(5_000);

    let mut next = Hand::with(having([0]), |_| {});
    next.core.recall(Time::ZERO, &Addresses::parse(&text, 5_010).unwrap());
    next.found(1);
    // 10 s of the 60 went by in the last run, and 10 between the two.
    next.pass(39_000);
    assert_eq!(next.dials(), []);
    next.pass(1_000);
    assert_eq!(next.dials().len(), 1);
}
