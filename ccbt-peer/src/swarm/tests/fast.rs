use super::*;

/// A peer that has nothing and waits for one of our four pieces, while there is no slot for it.
fn waiting(change: impl FnOnce(&mut SwarmConfig)) -> (Hand, PeerKey) {
    let mut hand = Hand::with(having([0, 2]), |config| {
        config.unchoked = 0;
        change(config);
    });
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::None));
    hand.take();
    (hand, key)
}

#[test]
fn a_choked_peer_with_nothing_is_allowed_some_of_our_pieces_once() {
    let (mut hand, key) = waiting(|_| {});
    hand.session(key, SessionEvent::Interested(true));
    assert_eq!(hand.told(key), [Tell::AllowFast(vec![PieceIndex(0), PieceIndex(2)])]);
    hand.session(key, SessionEvent::Interested(false));
    hand.session(key, SessionEvent::Interested(true));
    assert_eq!(hand.told(key), []);
}

#[test]
fn whoever_gets_a_slot_needs_no_allowance() {
    let (mut hand, key) = waiting(|config| config.unchoked = 1);
    hand.session(key, SessionEvent::Interested(true));
    assert_eq!(hand.told(key), [Tell::Choke(false)]);
}

#[test]
fn an_allowance_is_ten_pieces_or_16_mib() {
    for (length, expected) in [(1 << 20, 10), (8 << 20, 2), (64 << 20, 1)] {
        let mut config = SwarmConfig::new(Geometry::new(100 * u64::from(length), length));
        config.unchoked = 0;
        let core = SwarmCore::new(config, Bitfield::full(100), PolicySet::standard());
        let mut hand = Hand { core, now: Time::ZERO, actions: Vec::new() };
        let key = hand.open(1);
        hand.session(key, SessionEvent::Has(Announced::None));
        hand.session(key, SessionEvent::Interested(true));
        let [Tell::AllowFast(pieces)] = &hand.told(key)[..] else { panic!() };
        assert_eq!(pieces.len(), expected, "pieces of {length} bytes");
    }
}

#[test]
fn whoever_has_something_to_trade_with_is_allowed_nothing() {
    let config = SwarmConfig::new(Geometry::new(100 * 32768, 32768));
    let config = SwarmConfig { unchoked: 0, ..config };
    let core = SwarmCore::new(config, Bitfield::full(100), PolicySet::standard());
    let mut hand = Hand { core, now: Time::ZERO, actions: Vec::new() };
    let key = hand.open(1);
    (0..10).for_each(|piece| hand.session(key, SessionEvent::Have(PieceIndex(piece))));
    hand.session(key, SessionEvent::Interested(true));
    assert_eq!(hand.told(key), []);
}

/// A seed that chokes us and allows piece 1; it was asked for what came of it.
fn choking() -> (Hand, PeerKey) {
    let mut hand = Hand::new();
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::All));
    hand.session(key, SessionEvent::AllowedFast(PieceIndex(1)));
    (hand, key)
}

#[test]
fn a_choking_seed_is_asked_for_what_it_allows_and_for_nothing_else() {
    let (mut hand, key) = choking();
    assert_eq!(hand.asked(key), [block(1, 0), block(1, 1)]);
    hand.receive(key, block(1, 0), 0);
    hand.receive(key, block(1, 1), 0);
    hand.handle(Input::Stored(PieceIndex(1)));
    hand.pass(5_000);
    assert_eq!(hand.asked(key), []);
}

#[test]
fn a_choke_leaves_us_the_requests_for_what_is_allowed() {
    let (mut hand, key) = choking();
    hand.session(key, SessionEvent::Unchoked);
    assert_eq!(hand.asked(key).len(), 8);
    hand.session(key, SessionEvent::Choked);
    assert_eq!(hand.core.view(key).unwrap().in_flight, 2);
    // The rest is for others.
    let other = hand.seed(2);
    assert_eq!(hand.asked(other).len(), 6);
}

#[test]
fn a_seed_that_does_not_keep_what_it_allowed_is_no_snubber_and_holds_nothing_up() {
    let (mut hand, key) = choking();
    hand.pass(20_000);
    assert_eq!(hand.core.view(key).unwrap().snubbed_since, None);
    let other = hand.seed(2);
    assert_eq!(hand.asked(other).len(), 8);
    hand.pass(41_000);
    let told = hand.told(key);
    let cancelled =
        told.iter().any(|tell| matches!(tell, Tell::Cancel(blocks) if blocks.len() == 2));
    assert!(cancelled, "{told:?}");
}

#[test]
fn an_allowed_piece_that_the_peer_lacks_is_not_asked_for() {
    let mut hand = Hand::new();
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::Some(having([0]))));
    hand.session(key, SessionEvent::AllowedFast(PieceIndex(1)));
    assert_eq!(hand.asked(key), []);
}
