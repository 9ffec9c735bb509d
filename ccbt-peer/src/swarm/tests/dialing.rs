use super::*;

#[test]
fn no_more_dials_are_under_way_than_allowed() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.half_open = 2);
    (1..=5).for_each(|n| hand.found(n));
    let dials = hand.dials();
    assert_eq!(dials.iter().map(|(_, addr)| *addr).collect::<Vec<_>>(), [addr(1), addr(2)]);
    // A dial that stands is a handshake under way; one that failed makes room.
    hand.handle(Input::Dialed(dials[0].0));
    assert_eq!(hand.dials(), []);
    hand.handle(Input::DialFailed { key: dials[1].0, error: "refused".into() });
    assert_eq!(hand.dials().len(), 1);
    hand.opened(dials[0].0, 1, Direction::Outgoing);
    assert_eq!(hand.dials().len(), 1);
}

#[test]
fn no_more_are_dialed_than_slots_are_free() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = 2);
    (1..=5).for_each(|n| hand.found(n));
    assert_eq!(hand.dials().len(), 2);
}

#[test]
fn an_address_is_connected_once() {
    let mut hand = Hand::new();
    hand.found(1);
    assert_eq!(hand.dials().len(), 1);
    hand.found(1);
    assert_eq!(hand.dials(), []);
    assert_eq!(hand.core.admit(hand.now, addr(1)), Err(Refusal::Duplicate));
    let mapped = "[::ffff:10.0.0.1]:6881".parse().unwrap();
    assert_eq!(hand.core.admit(hand.now, mapped), Err(Refusal::Duplicate));
}

#[test]
fn with_slots_and_lobby_full_nobody_comes_in() {
    let mut hand = Hand::with(Bitfield::new(4), |config| {
        config.max_peers = 1;
        config.lobby = 1;
    });
    hand.seed(1);
    hand.core.admit(hand.now, addr(2)).unwrap();
    assert_eq!(hand.core.admit(hand.now, addr(3)), Err(Refusal::Full));
}

#[test]
fn a_peer_that_broke_the_protocol_is_banned_for_10_minutes() {
    let mut hand = Hand::new();
    let key = hand.open(1);
    hand.close(key, Violation::FastNotNegotiated("HAVE_ALL").into());
    assert_eq!(hand.core.admit(hand.now, addr(1)), Err(Refusal::Banned));
    hand.pass(600_000);
    assert!(hand.core.admit(hand.now, addr(1)).is_ok());
}

#[test]
fn of_two_connections_to_a_peer_the_older_stays() {
    let mut hand = Hand::new();
    let first = hand.open(1);
    let other_port = SocketAddr::from(([10, 0, 0, 1], 50_000));
    let second = hand.core.admit(hand.now, other_port).unwrap();
    hand.take();
    hand.opened(second, 1, Direction::Incoming);
    assert_eq!(hand.closes(), [(second, CloseReason::Refused(Refusal::Duplicate))]);
    assert!(hand.core.view(first).is_some());
}

/// Which connection stays when a peer at `addr(1)`, whose id is `theirs`, and we dial each other; the
/// dial of the peer is in first, from another port.
fn crossing(theirs: u8) -> Direction {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.peer_id = PeerId([5; 20]));
    let other_port = SocketAddr::from(([10, 0, 0, 1], 50_000));
    let incoming = hand.core.admit(hand.now, other_port).unwrap();
    hand.opened(incoming, theirs, Direction::Incoming);
    hand.found(1);
    let [(outgoing, _)] = hand.dials()[..] else { panic!() };
    hand.opened(outgoing, theirs, Direction::Outgoing);
    let [(closed, CloseReason::Refused(Refusal::Duplicate))] = hand.closes()[..] else { panic!() };
    if closed == incoming { Direction::Outgoing } else { Direction::Incoming }
}

#[test]
fn of_two_connections_that_cross_the_one_stays_that_the_greater_peer_id_dialed() {
    assert_eq!(crossing(4), Direction::Outgoing);
    assert_eq!(crossing(6), Direction::Incoming);
}

#[test]
fn every_connection_is_closed_once_and_after_a_stop_nothing_happens() {
    let mut hand = Hand::new();
    hand.found(1);
    let [(dial, _)] = hand.dials()[..] else { panic!() };
    let open = hand.seed(2);
    let gone = hand.seed(3);
    hand.close(gone, CloseReason::PeerLeft);
    hand.close(gone, CloseReason::PeerLeft);
    hand.handle(Input::Stop);
    let closes: Vec<PeerKey> = hand.closes().into_iter().map(|(key, _)| key).collect();
    assert_eq!(closes, [gone, dial, open]);
    hand.close(open, CloseReason::PeerLeft);
    hand.found(9);
    assert_eq!(hand.core.deadline(), None);
    assert_eq!(hand.core.admit(hand.now, addr(8)), Err(Refusal::Full));
    assert!(hand.take().is_empty());
}
