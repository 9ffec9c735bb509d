use super::*;

#[test]
fn interest_and_requests_follow_what_the_peer_has() {
    let mut hand = Hand::new();
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::Some(having([2]))));
    assert_eq!(hand.told(key), [Tell::Interested(true)]);
    hand.session(key, SessionEvent::Unchoked);
    assert_eq!(hand.asked(key), [block(2, 0), block(2, 1)]);
    hand.session(key, SessionEvent::Have(PieceIndex(2)));
    hand.session(key, SessionEvent::Have(PieceIndex(3)));
    assert_eq!(hand.asked(key), [block(3, 0), block(3, 1)]);
}

#[test]
fn a_choke_gives_everything_back_at_once() {
    let mut hand = Hand::new();
    let first = hand.seed(1);
    let asked = hand.asked(first);
    assert_eq!(asked.len(), 8);
    let second = hand.open(2);
    hand.session(second, SessionEvent::Has(Announced::All));
    hand.session(first, SessionEvent::Choked);
    assert_eq!(hand.core.view(first).unwrap().in_flight, 0);
    hand.session(second, SessionEvent::Unchoked);
    let mut again = hand.asked(second);
    again.sort_by_key(|block| asked.iter().position(|first| first == block));
    assert_eq!(again, asked);
}

#[test]
fn a_lost_peers_blocks_are_asked_elsewhere_and_what_it_sent_counts() {
    let mut hand = Hand::new();
    let first = hand.seed(1);
    let asked = hand.asked(first);
    hand.receive(first, asked[0], 0);
    hand.close(first, CloseReason::PeerLeft);
    // The word of a block that lay in its socket comes behind its end.
    hand.receive(first, asked[1], 0);
    let second = hand.seed(2);
    let again = hand.asked(second);
    assert_eq!(again.len(), 6);
    assert!(!again.contains(&asked[0]) && !again.contains(&asked[1]));
    hand.handle(Input::Stored(asked[0].piece));
    assert_eq!(hand.core.progress().downloaded, 0, "as of the last second");
    hand.pass(1_000);
    assert_eq!(hand.core.progress().downloaded, 32768);
}

#[test]
fn blocks_of_an_attempt_before_are_waste() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    let other = hand.seed(2);
    let piece = hand.asked(key)[0].piece.0;
    hand.receive(key, block(piece, 0), 0);
    hand.receive(other, block(piece, 1), 0);
    hand.take();
    hand.handle(Input::PieceFailed(PieceIndex(piece)));
    let is_forget = |action: &Action| matches!(action, Action::Forget(p) if p.0 == piece);
    assert!(hand.take().iter().any(is_forget));
    let before = hand.core.view(key).unwrap().useful_blocks;
    hand.receive(key, block(piece, 0), 0);
    assert_eq!(hand.core.view(key).unwrap().useful_blocks, before);
    hand.receive(key, block(piece, 0), 1);
    assert_eq!(hand.core.view(key).unwrap().useful_blocks, before + 1);
}

#[test]
fn who_alone_sent_a_wrong_piece_is_banned_also_when_it_is_gone() {
    let mut hand = Hand::new();
    let key = hand.seed(1);
    let piece = hand.asked(key)[0].piece;
    (0..2).for_each(|n| hand.receive(key, block(piece.0, n), 0));
    hand.close(key, CloseReason::PeerLeft);
    let back = hand.open(1);
    hand.take();
    hand.handle(Input::PieceFailed(piece));
    assert_eq!(hand.closes(), [(back, CloseReason::SentBadPiece { piece: piece.0 })]);
    assert_eq!(hand.core.admit(hand.now, addr(1)), Err(Refusal::Banned));
    hand.found(1);
    assert_eq!(hand.dials(), []);
}

#[test]
fn nobody_is_banned_for_a_piece_of_two_senders() {
    let mut hand = Hand::new();
    let (first, second) = (hand.seed(1), hand.seed(2));
    hand.take();
    hand.receive(first, block(0, 0), 0);
    hand.receive(second, block(0, 1), 0);
    hand.handle(Input::PieceFailed(PieceIndex(0)));
    let from = hand.take().into_iter().find_map(|action| match action {
        Action::Emit(EventKind::PieceFailed { from, .. }) => Some(from),
        _ => None,
    });
    assert_eq!(from, Some(vec![addr(1), addr(2)]));
    assert!(hand.core.view(first).is_some() && hand.core.view(second).is_some());
}

#[test]
fn nobody_is_banned_while_the_word_of_a_block_is_on_its_way() {
    let mut hand = Hand::new();
    let (first, second) = (hand.seed(1), hand.seed(2));
    hand.receive(first, block(0, 0), 0);
    hand.take();
    // The second one's block is in the piece, but its connection has not said so yet.
    hand.handle(Input::PieceFailed(PieceIndex(0)));
    assert_eq!(hand.closes(), []);
    hand.receive(second, block(0, 1), 0);
    assert!(hand.core.view(first).is_some());
}

#[test]
fn a_verified_piece_is_announced_and_makes_peers_without_more_useless() {
    let mut hand = Hand::new();
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::Some(having([2]))));
    hand.session(key, SessionEvent::Unchoked);
    (0..2).for_each(|n| hand.receive(key, block(2, n), 0));
    hand.take();
    hand.handle(Input::Stored(PieceIndex(2)));
    hand.handle(Input::Stored(PieceIndex(2)));
    hand.pass(0);
    let actions = hand.take();
    let count = |is: fn(&Action) -> bool| actions.iter().filter(|action| is(action)).count();
    assert_eq!(count(|action| matches!(action, Action::Announce(PieceIndex(2)))), 1);
    let not_interested =
        |action: &Action| matches!(action, Action::Tell { tell: Tell::Interested(false), .. });
    assert_eq!(count(not_interested), 1);
    assert_eq!(hand.core.have(), &having([2]));
    assert_eq!(hand.core.progress().dropped, 0);
}

#[test]
fn the_last_piece_finishes_the_download() {
    let mut hand = Hand::with(having([0, 1, 3]), |_| {});
    let key = hand.seed(1);
    (0..2).for_each(|n| hand.receive(key, block(2, n), 0));
    hand.take();
    hand.handle(Input::Stored(PieceIndex(2)));
    hand.pass(0);
    let actions = hand.take();
    let at = |is: fn(&Action) -> bool| actions.iter().position(is).unwrap();
    let finished = at(|action| matches!(action, Action::Emit(EventKind::Finished)));
    let redundant = at(|action| matches!(action, Action::Close { .. }));
    assert!(finished < redundant, "first the news, then what follows from it");
    let progress = hand.core.progress();
    assert_eq!((progress.verified, progress.have), (4 * 32768, 4));
    assert!(hand.core.swarm_view().upload_only_since.is_some());
}

#[test]
fn to_let_us_ask_for_a_second_now_and_then_is_no_end_of_choking() {
    let mut hand = Hand::new();
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::All));
    let since = |hand: &Hand| hand.core.view(key).unwrap().peer_choking_since;
    for _ in 0..5 {
        hand.pass(59_000);
        hand.session(key, SessionEvent::Unchoked);
        assert_eq!(since(&hand), hand.now);
        hand.pass(1_000);
        hand.session(key, SessionEvent::Choked);
        assert_eq!(since(&hand), Time::ZERO, "it gave nothing of what it was asked for");
    }
    hand.take();
    hand.session(key, SessionEvent::Unchoked);
    let asked = hand.asked(key);
    hand.receive(key, asked[0], 0);
    hand.session(key, SessionEvent::Choked);
    assert_eq!(since(&hand), hand.now, "a block ends it");
    // Who was asked for nothing owes nothing.
    let other = hand.open(2);
    hand.pass(10_000);
    hand.session(other, SessionEvent::Unchoked);
    hand.session(other, SessionEvent::Choked);
    assert_eq!(hand.core.view(other).unwrap().peer_choking_since, hand.now);
}
