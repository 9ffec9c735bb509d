//! Peers whose bytes we leave unread under our own limit.

use super::*;

#[test]
fn a_peer_that_we_do_not_read_does_not_snub_us() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    hand.session(key, SessionEvent::Held(true));
    hand.pass(100_000);
    let snubbed = |hand: &Hand| hand.core.view(key).unwrap().snubbed_since.is_some();
    assert!(!snubbed(&hand));
    // Read again, it has the patience left that it had before.
    hand.session(key, SessionEvent::Held(false));
    hand.pass(2_500);
    assert!(!snubbed(&hand));
    hand.pass(1_000);
    assert!(snubbed(&hand));
}

#[test]
fn what_a_held_peer_owes_is_asked_of_nobody_else() {
    let mut hand = Hand::new();
    let first = hand.seed(1);
    assert_eq!(hand.asked(first).len(), 8);
    hand.session(first, SessionEvent::Held(true));
    let second = hand.seed(2);
    for _ in 0..60 {
        hand.pass(500);
        // It takes its turns, and gets nowhere.
        hand.session(first, SessionEvent::Held(false));
        hand.session(first, SessionEvent::Held(true));
    }
    assert_eq!(hand.asked(second), []);
    // Without our limit the second one is asked too: endgame.
    hand.session(first, SessionEvent::Held(false));
    hand.pass(2_000);
    assert_eq!(hand.asked(second).len(), 8);
}

#[test]
fn to_be_read_again_is_no_sign_of_life() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    let before = hand.core.view(key).unwrap().last_message_at;
    hand.pass(1_000);
    hand.session(key, SessionEvent::Held(true));
    hand.session(key, SessionEvent::Uploaded(1));
    assert_eq!(hand.core.view(key).unwrap().last_message_at, before);
}
