use super::*;
use crate::NoticeKind;

#[test]
fn a_snapshot_shows_each_peer_with_what_the_rules_have_in_store_for_it() {
    let mut hand = Hand::new();
    let (mute, useful) = (hand.open(1), hand.open(2));
    hand.session(useful, SessionEvent::Has(Announced::Some(having([1]))));
    hand.pass(5_000);
    let snapshot = hand.core.snapshot(hand.now);
    let [first, second] = &snapshot.peers[..] else { panic!() };
    assert_eq!(first.view.addr, hand.core.view(mute).unwrap().addr);
    let notice = first.notice.as_ref().unwrap();
    // It could lose its slot earlier, but this is when it loses it for sure.
    assert_eq!((notice.kind, notice.eviction.at), (NoticeKind::Evict, Time::from_secs(60)));
    assert_eq!(notice.evidence.policy, "bitfield-timeout");
    assert!(second.notice.is_none() && second.has_slot);
    assert_eq!(snapshot.swarm.need, 4);
}

#[test]
fn a_snapshot_names_the_pieces_that_nobody_has() {
    let mut hand = Hand::new();
    let some = hand.open(1);
    hand.session(some, SessionEvent::Has(Announced::Some(having([1]))));
    let snapshot = hand.core.snapshot(hand.now);
    assert_eq!(snapshot.nobody_has, [0..1, 2..4]);
    assert_eq!(snapshot.nobody_has_count(), 3);
    hand.seed(2);
    assert_eq!(hand.core.snapshot(hand.now).nobody_has, []);
}

#[test]
fn who_only_looks_asks_for_nothing_and_shows_interest() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.observe = true);
    let seed = hand.seed(1);
    hand.pass(5_000);
    assert_eq!(hand.told(seed), [Tell::Interested(true)]);
}
