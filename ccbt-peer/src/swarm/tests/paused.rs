//! The store fails, and works again.

use super::*;

fn fails(hand: &mut Hand, of: StoreUse, fails: bool) {
    hand.handle(Input::Store { of, fails });
}

#[test]
fn nothing_is_asked_for_while_nothing_can_be_kept() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    let asked = hand.asked(key);
    assert_eq!(asked.len(), 8);
    fails(&mut hand, StoreUse::Write, true);
    let told = hand.told(key);
    let [Tell::Cancel(cancelled)] = &told[..] else { panic!("{told:?}") };
    let mut cancelled = cancelled.clone();
    cancelled.sort_unstable_by_key(|block| (block.piece, block.begin));
    let mut expected = asked.clone();
    expected.sort_unstable_by_key(|block| (block.piece, block.begin));
    assert_eq!(cancelled, expected);
    // Neither later, nor of others, and nobody is to blame.
    hand.pass(50_000);
    let other = hand.seed(2);
    hand.session(key, SessionEvent::Unchoked);
    hand.pass(5_000);
    let (told, views) = (hand.take(), hand.core.views().collect::<Vec<_>>());
    assert!(views.iter().all(|(_, view)| view.snubbed_since.is_none() && view.in_flight == 0));
    let asks = |action: &&Action| matches!(action, Action::Tell { tell: Tell::Request(_), .. });
    assert_eq!(told.iter().filter(asks).count(), 0);
    fails(&mut hand, StoreUse::Write, false);
    hand.pass(1_000);
    let asked = hand.take().into_iter().filter_map(|action| match action {
        Action::Tell { key, tell: Tell::Request(_) } => Some(key),
        _ => None,
    });
    let asked: BTreeSet<PeerKey> = asked.collect();
    assert!(asked.contains(&key) || asked.contains(&other));
}

#[test]
fn a_block_that_is_on_its_way_when_the_store_fails_counts() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    fails(&mut hand, StoreUse::Write, true);
    hand.receive(key, block(0, 0), 0);
    hand.take();
    fails(&mut hand, StoreUse::Write, false);
    let again = hand.asked(key);
    assert!(!again.contains(&block(0, 0)) && again.len() == 7, "{again:?}");
}

#[test]
fn everybody_is_choked_while_nothing_can_be_read() {
    let mut hand = Hand::with(having([0, 1, 2, 3]), |_| {});
    let first = hand.open(1);
    hand.session(first, SessionEvent::Has(Announced::None));
    hand.session(first, SessionEvent::Interested(true));
    assert!(hand.told(first).contains(&Tell::Choke(false)));
    fails(&mut hand, StoreUse::Read, true);
    fails(&mut hand, StoreUse::Read, true);
    assert_eq!(hand.told(first), [Tell::Choke(true)]);
    let second = hand.open(2);
    hand.session(second, SessionEvent::Has(Announced::None));
    hand.session(second, SessionEvent::Interested(true));
    hand.pass(45_000);
    assert!(hand.core.views().all(|(_, view)| view.am_choking));
    hand.take();
    fails(&mut hand, StoreUse::Read, false);
    assert!(hand.core.views().all(|(_, view)| !view.am_choking));
}

#[test]
fn who_gives_goes_on_giving_while_nothing_can_be_kept() {
    let mut hand = Hand::with(having([0]), |_| {});
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::None));
    hand.session(key, SessionEvent::Interested(true));
    fails(&mut hand, StoreUse::Write, true);
    hand.pass(20_000);
    assert!(!hand.core.view(key).unwrap().am_choking);
}
