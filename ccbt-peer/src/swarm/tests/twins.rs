//! Two connections to one peer, and two peers under one name.

use super::addresses::found;
use super::*;

const DUPLICATE: CloseReason = CloseReason::Refused(Refusal::Duplicate);

fn come(hand: &mut Hand, from: &str, id: u8) -> PeerKey {
    let key = hand.core.admit(hand.now, from.parse().unwrap()).unwrap();
    hand.opened(key, id, Direction::Incoming);
    key
}

#[test]
fn a_thief_of_a_peer_id_does_not_keep_the_honest_peer_out() {
    let mut hand = Hand::new();
    let thief = come(&mut hand, "192.0.2.1:1000", 7);
    let honest = come(&mut hand, "198.51.100.1:1000", 7);
    assert_eq!(hand.closes(), []);
    hand.session(honest, SessionEvent::Has(Announced::All));
    hand.session(honest, SessionEvent::Unchoked);
    assert!(!hand.asked(honest).is_empty() && hand.core.view(thief).is_some());
    // And neither has a second connection.
    for (from, id) in [("192.0.2.1:1001", 7), ("198.51.100.1:1001", 7)] {
        let second = come(&mut hand, from, id);
        assert_eq!(hand.closes(), [(second, DUPLICATE)]);
    }
}

#[test]
fn several_peers_of_one_address_are_fine() {
    let mut hand = Hand::new();
    (1..=5).for_each(|n| _ = come(&mut hand, &format!("192.0.2.1:{n}"), n));
    assert_eq!(hand.closes(), []);
    assert_eq!(hand.core.views().count(), 5);
}

/// Two swarms that connect to each other twice. Each connection: the address of the other end as each side
/// sees it, and whether the first side dialed. `order` says which connection each side sees open first.
fn both_sides(connections: [(&str, &str, bool); 2], orders: [[usize; 2]; 2]) -> [Vec<usize>; 2] {
    let stays = |side: usize| {
        let (ours, theirs) = if side == 0 { (1, 2) } else { (2, 1) };
        let mut hand = Hand::with(Bitfield::new(4), |config| config.peer_id = PeerId([ours; 20]));
        let keys = connections.map(|(second, first, first_dialed)| {
            let addr: SocketAddr = if side == 0 { second } else { first }.parse().unwrap();
            if first_dialed == (side == 0) {
                found(&mut hand, [addr]);
                (hand.dials()[0].0, Direction::Outgoing)
            } else {
                (hand.core.admit(hand.now, addr).unwrap(), Direction::Incoming)
            }
        });
        for at in orders[side] {
            hand.opened(keys[at].0, theirs, keys[at].1);
        }
        (0..2).filter(|at| hand.core.view(keys[*at].0).is_some()).collect()
    };
    [stays(0), stays(1)]
}

#[test]
fn both_ends_keep_the_same_one_of_two_connections_over_ipv4_and_ipv6() {
    let over_four = ("192.0.2.2:6881", "192.0.2.1:50000", true);
    let over_six = ("[2001:db8::2]:6881", "[2001:db8::1]:50000", true);
    for orders in [[[0, 1], [0, 1]], [[0, 1], [1, 0]], [[1, 0], [0, 1]], [[1, 0], [1, 0]]] {
        assert_eq!(both_sides([over_four, over_six], orders), [[1], [1]]);
    }
}

#[test]
fn both_ends_keep_the_same_one_of_two_connections_that_cross() {
    let dialed = ("192.0.2.2:6881", "192.0.2.1:50000", true);
    for came in [
        ("192.0.2.2:50000", "192.0.2.1:6881", false),
        ("[2001:db8::2]:50000", "[2001:db8::1]:6881", false),
    ] {
        for orders in [[[0, 1], [0, 1]], [[0, 1], [1, 0]], [[1, 0], [0, 1]], [[1, 0], [1, 0]]] {
            // The second side has the greater id, and it dialed the second connection.
            assert_eq!(both_sides([dialed, came], orders), [[1], [1]]);
        }
    }
}

#[test]
fn a_connection_that_works_is_not_closed_for_one_over_ipv6() {
    let mut hand = Hand::new();
    let works = come(&mut hand, "192.0.2.1:1000", 7);
    hand.session(works, SessionEvent::Has(Announced::All));
    hand.session(works, SessionEvent::Unchoked);
    hand.receive(works, block(0, 0), 0);
    hand.take();
    let second = come(&mut hand, "[2001:db8::1]:1000", 7);
    assert_eq!(hand.closes(), [(second, DUPLICATE)]);
}

#[test]
fn where_a_connected_peer_listens_is_not_dialed_again_and_again() {
    let mut hand = Hand::new();
    let here = come(&mut hand, "10.0.0.1:50000", 99);
    hand.session(here, SessionEvent::Has(Announced::All));
    hand.session(here, SessionEvent::Unchoked);
    hand.handle(Input::Found { source: Source::Given, peers: vec![addr(1)] });
    let [(dial, _)] = hand.dials()[..] else { panic!() };
    hand.opened(dial, 99, Direction::Outgoing);
    // Our id is the smaller one of the two: the peer's own dial stays.
    assert_eq!(hand.closes(), [(dial, DUPLICATE)]);
    hand.pass(50_000);
    assert_eq!(hand.dials(), []);
    hand.close(here, CloseReason::PeerLeft);
    hand.pass(999);
    assert_eq!(hand.dials(), []);
    hand.pass(1);
    assert_eq!(hand.dials().len(), 1);
}

#[test]
fn a_port_that_a_peer_only_dialed_from_is_not_dialed_when_it_is_gone() {
    let mut hand = Hand::new();
    come(&mut hand, "10.0.0.1:50000", 9);
    hand.found(1);
    let [(dial, _)] = hand.dials()[..] else { panic!() };
    // Our id is the greater one of the two: our dial stays.
    hand.opened(dial, 9, Direction::Outgoing);
    hand.close(dial, CloseReason::PeerLeft);
    hand.take();
    hand.pass(200_000);
    assert!(hand.dials().iter().all(|(_, to)| *to == addr(1)));
}
