//! How often everybody is judged anew.

use std::sync::atomic::{AtomicU32, Ordering};

use ccbt_policy::{Verdict, policy_fn};

use super::*;

#[test]
fn peers_are_judged_every_10_seconds_and_every_60_while_nothing_happens() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let policy = policy_fn("counting", move |_: &PeerView, _: &SwarmView, _: Time| {
        counter.fetch_add(1, Ordering::Relaxed);
        Verdict::keep()
    });
    let mut hand = Hand::new();
    hand.handle(Input::Policy(Arc::new(policy)));
    let key = hand.open(1);
    let judged = |hand: &mut Hand, seconds: u64| {
        let before = asked.load(Ordering::Relaxed);
        hand.pass(seconds * 1000);
        asked.load(Ordering::Relaxed) - before
    };
    assert_eq!(judged(&mut hand, 9), 0);
    assert_eq!(judged(&mut hand, 2), 1, "ten seconds after the beginning");
    assert_eq!(judged(&mut hand, 58), 0);
    assert_eq!(judged(&mut hand, 2), 1, "a minute later");
    hand.session(key, SessionEvent::Has(Announced::None));
    assert_eq!(judged(&mut hand, 8), 0);
    assert_eq!(judged(&mut hand, 2), 1, "a word of the peer makes it ten seconds again");
    assert_eq!(judged(&mut hand, 50), 0);
}
