//! What is taken of peers that tell of peers, and what they are told.

use ccbt_wire::{PexMessage, PexPeer};

use super::*;

fn of(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Somebody connects from there and tells of a peer.
fn tell_of(hand: &mut Hand, from: &str, id: u8, peer: &str) -> PeerKey {
    let key = hand.core.admit(hand.now, of(from)).unwrap();
    hand.opened(key, id, Direction::Incoming);
    let added = vec![PexPeer { addr: of(peer), flags: 0 }];
    let message = PexMessage { added, dropped: Vec::new() };
    hand.session(key, SessionEvent::Pex(Box::new(message)));
    key
}

fn dialed(hand: &mut Hand) -> Vec<SocketAddr> {
    hand.dials().into_iter().map(|(_, addr)| addr).collect()
}

#[test]
fn a_new_connection_gives_a_host_no_new_turn_to_tell_of_peers() {
    let mut hand = Hand::new();
    let key = tell_of(&mut hand, "203.0.113.1:5000", 1, "198.51.100.1:1");
    assert_eq!(dialed(&mut hand), [of("198.51.100.1:1")]);
    hand.close(key, CloseReason::PeerLeft);
    hand.pass(29_999);
    let key = tell_of(&mut hand, "203.0.113.1:5001", 2, "198.51.100.2:1");
    assert_eq!(dialed(&mut hand), []);
    hand.close(key, CloseReason::PeerLeft);
    hand.pass(1);
    tell_of(&mut hand, "203.0.113.1:5002", 3, "198.51.100.3:1");
    assert_eq!(dialed(&mut hand), [of("198.51.100.3:1")]);
    // Nor do the addresses of one network of IPv6.
    tell_of(&mut hand, "[2001:db8::1]:5000", 4, "198.51.100.4:1");
    tell_of(&mut hand, "[2001:db8::2]:5000", 5, "198.51.100.5:1");
    assert_eq!(dialed(&mut hand), [of("198.51.100.4:1")]);
    // Another host has its own turn, and many may live behind an address near us.
    tell_of(&mut hand, "203.0.113.2:5000", 6, "198.51.100.6:1");
    tell_of(&mut hand, "10.0.0.1:5000", 7, "198.51.100.7:1");
    tell_of(&mut hand, "10.0.0.1:5001", 8, "198.51.100.8:1");
    assert_eq!(dialed(&mut hand), ["6", "7", "8"].map(|n| of(&format!("198.51.100.{n}:1"))));
}
