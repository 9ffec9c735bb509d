use super::*;

const PIECE: PieceIndex = PieceIndex(2);
const RIGHT: [u64; 2] = [10, 11];

/// Only piece 2 lacks.
fn hand() -> Hand {
    let mut hand = Hand::with(having([0, 1, 3]), |_| {});
    hand.pass(1_000);
    hand
}

/// The piece came whole: its blocks from these, with these digests.
fn prints(hand: &mut Hand, from: [PeerKey; 2], digests: [u64; 2]) {
    let prints = from.into_iter().zip(digests);
    let prints = prints.map(|(from, digest)| Print { from, digest }).collect();
    hand.handle(Input::Prints { piece: PIECE, prints });
}

/// The piece comes from these, and its first block is wrong.
fn fail(hand: &mut Hand, from: [PeerKey; 2]) {
    let attempt = hand.core.attempt(PIECE);
    (0..).zip(from).for_each(|(n, key)| hand.receive(key, block(2, n), attempt));
    prints(hand, from, [66, RIGHT[1]]);
    hand.handle(Input::PieceFailed(PIECE));
}

/// The piece comes from this peer alone, and is right.
fn succeed(hand: &mut Hand, from: PeerKey) {
    let attempt = hand.core.attempt(PIECE);
    (0..2).for_each(|n| hand.receive(from, block(2, n), attempt));
    prints(hand, [from; 2], RIGHT);
    hand.handle(Input::Stored(PIECE));
}

fn bad() -> CloseReason {
    CloseReason::SentBadPiece { piece: 2 }
}

#[test]
fn the_right_copy_tells_the_liar_and_the_honest_sender_stays() {
    let mut hand = hand();
    let (liar, honest, third) = (hand.seed(1), hand.seed(2), hand.seed(3));
    hand.take();
    fail(&mut hand, [liar, honest]);
    assert_eq!(hand.core.picker.owner(PIECE), Some(third), "who had no part in it comes first");
    assert_eq!(hand.asked(third), [block(2, 0), block(2, 1)]);
    succeed(&mut hand, third);
    assert_eq!(hand.closes(), [(liar, bad())]);
    assert_eq!(hand.core.view(honest).unwrap().trust, 0);
    assert_eq!(hand.core.view(third).unwrap().trust, 1);
    assert_eq!(hand.core.admit(hand.now, addr(1)), Err(Refusal::Banned));
    assert_eq!(hand.core.suspects.kept, 0, "what was kept of it is gone");
}

#[test]
fn a_liar_that_has_left_is_banned_by_its_address() {
    let mut hand = hand();
    let (liar, honest) = (hand.seed(1), hand.seed(2));
    hand.receive(liar, block(2, 0), 0);
    hand.close(liar, CloseReason::PeerLeft);
    hand.receive(honest, block(2, 1), 0);
    prints(&mut hand, [liar, honest], [66, RIGHT[1]]);
    hand.handle(Input::PieceFailed(PIECE));
    succeed(&mut hand, honest);
    assert_eq!(hand.core.admit(hand.now, addr(1)), Err(Refusal::Banned));
    assert!(hand.core.view(honest).is_some());
}

#[test]
fn a_copy_of_one_sender_alone_has_its_liar_at_once_whatever_was_heard_so_far() {
    let mut hand = hand();
    let (liar, other) = (hand.seed(1), hand.seed(2));
    hand.take();
    // The word of its second block is still on its way.
    hand.receive(liar, block(2, 0), 0);
    prints(&mut hand, [liar; 2], [66, 67]);
    hand.handle(Input::PieceFailed(PIECE));
    assert_eq!(hand.closes(), [(liar, bad())]);
    assert_eq!(hand.core.picker.owner(PIECE), None, "nobody else is suspected");
    assert!(hand.core.view(other).is_some());
}

#[test]
fn every_liar_of_every_wrong_copy_is_told() {
    let mut hand = hand();
    let keys = [1, 2, 3, 4].map(|n| hand.seed(n));
    fail(&mut hand, [keys[0], keys[3]]);
    fail(&mut hand, [keys[1], keys[3]]);
    hand.take();
    succeed(&mut hand, keys[2]);
    let mut closed = hand.closes();
    closed.sort_unstable_by_key(|(key, _)| *key);
    assert_eq!(closed, [(keys[0], bad()), (keys[1], bad())]);
}

#[test]
fn without_a_look_at_the_blocks_everybody_who_had_a_part_is_trusted_less_and_goes_in_the_end() {
    let mut hand = hand();
    let keys = [hand.seed(1), hand.seed(2)];
    for copies in 1..=4 {
        for key in keys {
            assert_eq!(hand.core.view(key).unwrap().trust, 2 - 2 * copies);
        }
        let attempt = hand.core.attempt(PIECE);
        (0..).zip(keys).for_each(|(n, key)| hand.receive(key, block(2, n), attempt));
        hand.handle(Input::PieceFailed(PIECE));
    }
    hand.take();
    hand.pass(0);
    let closes = hand.closes();
    let bad = |(_, reason): &(PeerKey, CloseReason)| {
        reason.evidence().is_some_and(|evidence| evidence.policy == "liar")
    };
    assert!(closes.len() == 2 && closes.iter().all(bad), "{closes:?}");
}

#[test]
fn what_is_kept_of_wrong_copies_is_bounded() {
    let mut hand = hand();
    let (first, second) = (hand.seed(1), hand.seed(2));
    hand.core.suspects.kept = (1 << 16) - 3;
    fail(&mut hand, [first, second]);
    assert_eq!(hand.core.view(first).unwrap().trust, 0);
    fail(&mut hand, [first, second]);
    assert_eq!(hand.core.view(first).unwrap().trust, -2);
    assert_eq!(hand.core.suspects.kept, (1 << 16) - 1);
}

#[test]
fn a_suspect_piece_that_its_sender_lets_lie_goes_to_the_next_when_it_is_snubbed() {
    let mut hand = hand();
    let (liar, honest) = (hand.seed(1), hand.seed(2));
    fail(&mut hand, [liar, honest]);
    assert_eq!(hand.core.picker.owner(PIECE), Some(liar), "both had a part in it");
    hand.pass(1_500);
    assert_eq!(hand.core.picker.owner(PIECE), Some(liar));
    hand.take();
    hand.pass(1_000);
    assert_eq!(hand.core.picker.owner(PIECE), Some(honest), "after 2 s and a round");
    assert_eq!(hand.asked(honest), [block(2, 0), block(2, 1)]);
    succeed(&mut hand, honest);
    assert_eq!(hand.closes(), [(liar, bad())]);
}

#[test]
fn a_suspect_piece_waits_5_seconds_for_a_sender_that_chokes_us() {
    let mut hand = hand();
    let (first, second) = (hand.seed(1), hand.seed(2));
    fail(&mut hand, [first, second]);
    hand.session(first, SessionEvent::Choked);
    hand.pass(4_900);
    assert_eq!(hand.core.picker.owner(PIECE), Some(first));
    hand.pass(400);
    assert_eq!(hand.core.picker.owner(PIECE), Some(second));
}

#[test]
fn a_suspect_piece_stays_with_a_sender_that_chokes_us_if_nobody_else_gives() {
    let mut hand = hand();
    let (first, second) = (hand.seed(1), hand.seed(2));
    fail(&mut hand, [first, second]);
    hand.session(second, SessionEvent::Choked);
    hand.receive(first, block(2, 0), 1);
    hand.session(first, SessionEvent::Choked);
    hand.pass(60_000);
    assert_eq!(hand.core.picker.owner(PIECE), Some(first));
    assert_eq!(hand.core.picker.progress(PIECE), (1, 2), "what is here of it is not lost");
}

#[test]
fn a_suspect_piece_whose_sender_leaves_goes_to_another() {
    let mut hand = hand();
    let (first, second) = (hand.seed(1), hand.seed(2));
    fail(&mut hand, [first, second]);
    hand.close(first, CloseReason::PeerLeft);
    hand.take();
    hand.pass(250);
    assert_eq!(hand.asked(second), [block(2, 0), block(2, 1)]);
}

#[test]
fn a_liar_takes_what_else_it_sent_with_it() {
    let mut hand = Hand::new();
    let (liar, other) = (hand.seed(1), hand.seed(2));
    hand.receive(liar, block(0, 0), 0);
    hand.receive(liar, block(2, 0), 0);
    hand.receive(liar, block(2, 1), 0);
    prints(&mut hand, [liar; 2], [66, 67]);
    hand.take();
    hand.handle(Input::PieceFailed(PIECE));
    let forgets =
        |piece: u32| move |action: &Action| matches!(action, Action::Forget(p) if p.0 == piece);
    let actions = hand.take();
    assert!(actions.iter().any(forgets(0)) && actions.iter().any(forgets(2)));
    assert!(!actions.iter().any(forgets(1)));
    hand.pass(250);
    assert!(hand.core.view(other).unwrap().in_flight > 0);
}

#[test]
fn a_flood_is_a_fact_that_the_rules_see() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    hand.session(key, SessionEvent::Flooding);
    assert!(hand.core.view(key).unwrap().flood);
    hand.take();
    hand.pass(0);
    let closes = hand.closes();
    assert!(
        matches!(&closes[..], [(_, CloseReason::Evicted { reason: "flood", .. })]),
        "{closes:?}"
    );
}

#[test]
fn who_no_longer_has_the_piece_that_it_alone_is_to_send_loses_it_at_once() {
    let mut hand = hand();
    let (liar, honest, third) = (hand.seed(1), hand.seed(2), hand.seed(3));
    fail(&mut hand, [liar, honest]);
    assert_eq!(hand.core.picker.owner(PIECE), Some(third));
    hand.take();
    hand.session(third, SessionEvent::Has(Announced::None));
    hand.pass(250);
    let owner = hand.core.picker.owner(PIECE);
    assert!([Some(liar), Some(honest)].contains(&owner), "{owner:?}");
    assert_eq!(hand.asked(owner.unwrap()), [block(2, 0), block(2, 1)]);
}
