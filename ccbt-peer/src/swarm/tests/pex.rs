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

/// Somebody whom we dialed; it wants to hear of peers.
fn dial(hand: &mut Hand, addr: &str, id: u8) -> PeerKey {
    hand.handle(Input::Found { source: Source::Tracker, peers: vec![of(addr)] });
    let [(key, _)] = hand.dials()[..] else { panic!() };
    hand.opened(key, id, Direction::Outgoing);
    hand.session(key, SessionEvent::Has(Announced::All));
    let m = vec![(ccbt_wire::UT_PEX.to_owned(), 1)];
    let hello = ccbt_wire::ExtensionHandshake { m, ..Default::default() };
    hand.session(key, SessionEvent::Extended(Box::new(hello)));
    key
}

#[test]
fn peers_near_us_are_told_of_to_those_near_us_alone() {
    let mut hand = Hand::new();
    let addrs = ["198.51.100.1:1", "203.0.113.1:1", "192.168.1.5:1", "10.0.0.9:1", "127.0.0.1:1"];
    let keys: Vec<PeerKey> = (1..).zip(addrs).map(|(n, addr)| dial(&mut hand, addr, n)).collect();
    hand.pass(10_000);
    let told: BTreeMap<PeerKey, BTreeSet<SocketAddr>> = (hand.take().into_iter())
        .filter_map(|action| match action {
            Action::Tell { key, tell: Tell::Pex(message) } => {
                Some((key, message.added.into_iter().map(|peer| peer.addr).collect()))
            }
            _ => None,
        })
        .collect();
    let expected =
        |which: &[usize]| -> BTreeSet<SocketAddr> { which.iter().map(|n| of(addrs[*n])).collect() };
    assert_eq!(told[&keys[0]], expected(&[1]));
    assert_eq!(told[&keys[1]], expected(&[0]));
    assert_eq!(told[&keys[2]], expected(&[0, 1, 3]));
    assert_eq!(told[&keys[3]], expected(&[0, 1, 2]));
    assert_eq!(told[&keys[4]], expected(&[0, 1, 2, 3]));
}

#[test]
fn many_peers_near_us_do_not_hide_the_others() {
    let mut hand = Hand::new();
    let public = ["198.51.100.1:1", "203.0.113.1:1"];
    let keys = [1, 2].map(|n| dial(&mut hand, public[usize::from(n) - 1], n));
    hand.take();
    for n in 3..=110 {
        dial(&mut hand, &format!("10.0.0.{n}:1"), n);
    }
    hand.pass(10_000);
    let told = hand.told(keys[0]);
    let named = told.iter().any(|tell| match tell {
        Tell::Pex(message) => message.added.iter().any(|peer| peer.addr == of(public[1])),
        _ => false,
    });
    assert!(named, "{told:?}");
}
