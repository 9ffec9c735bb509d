use super::*;

/// A swarm that has a piece, with so many slots for those who take it.
fn generous(unchoked: u32) -> Hand {
    Hand::with(having([0]), |config| config.unchoked = unchoked)
}

fn leecher(hand: &mut Hand, n: u8) -> PeerKey {
    let key = hand.open(n);
    hand.session(key, SessionEvent::Has(Announced::None));
    hand.session(key, SessionEvent::Interested(true));
    key
}

fn unchoked(hand: &Hand) -> Vec<PeerKey> {
    hand.core.views().filter(|(_, view)| !view.am_choking).map(|(key, _)| key).collect()
}

#[test]
fn who_wants_something_of_ours_is_unchoked_while_there_are_slots() {
    let mut hand = generous(2);
    let first = leecher(&mut hand, 1);
    assert!(hand.told(first).contains(&Tell::Choke(false)));
    let second = leecher(&mut hand, 2);
    let third = leecher(&mut hand, 3);
    assert_eq!(unchoked(&hand), [first, second]);
    hand.close(first, CloseReason::PeerLeft);
    assert_eq!(unchoked(&hand), [second, third]);
}

#[test]
fn nobody_is_unchoked_for_nothing() {
    let mut hand = Hand::with(Bitfield::new(4), |_| {});
    let key = leecher(&mut hand, 1);
    assert_eq!(unchoked(&hand), []);
    // As soon as we have something that it lacks, it is.
    hand.handle(Input::Stored(PieceIndex(0)));
    assert_eq!(unchoked(&hand), [key]);
}

#[test]
fn the_slots_go_round_after_20_seconds() {
    let mut hand = generous(1);
    let keys = [1, 2, 3].map(|n| leecher(&mut hand, n));
    let mut turns = Vec::new();
    for _ in 0..90 {
        // All of them take, so that nobody loses its slot for another reason.
        keys.iter().for_each(|key| hand.session(*key, SessionEvent::Requested));
        hand.pass(1_000);
        let [key] = unchoked(&hand)[..] else { panic!() };
        if turns.last() != Some(&key) {
            turns.push(key);
        }
    }
    assert_eq!(turns[..4], [keys[0], keys[1], keys[2], keys[0]]);
    assert!((4..=5).contains(&turns.len()), "{turns:?}");
}

#[test]
fn a_slot_that_nobody_else_wants_is_kept() {
    let mut hand = generous(1);
    let key = leecher(&mut hand, 1);
    hand.take();
    for _ in 0..50 {
        hand.session(key, SessionEvent::Requested);
        hand.pass(1_000);
    }
    let chokes = |tell: &Tell| matches!(tell, Tell::Choke(_));
    assert!(!hand.told(key).iter().any(chokes));
}

#[test]
fn who_has_lost_interest_makes_room() {
    let mut hand = generous(1);
    let first = leecher(&mut hand, 1);
    let second = leecher(&mut hand, 2);
    hand.session(first, SessionEvent::Interested(false));
    hand.pass(10_000);
    assert_eq!(unchoked(&hand), [second]);
}

#[test]
fn what_went_out_is_counted() {
    let mut hand = generous(1);
    let key = leecher(&mut hand, 1);
    hand.session(key, SessionEvent::Uploaded(16384));
    assert_eq!(hand.core.view(key).unwrap().uploaded, 16384);
    hand.take();
    hand.close(key, CloseReason::PeerLeft);
    let closed = hand.take().into_iter().find_map(|action| match action {
        Action::Emit(EventKind::PeerClosed { uploaded, downloaded, .. }) => {
            Some((uploaded, downloaded))
        }
        _ => None,
    });
    assert_eq!(closed, Some((16384, 0)));
    // The next connection of the address finds what the last one left.
    let key = hand.open(1);
    let past = hand.core.view(key).unwrap().past;
    assert_eq!((past.connections, past.uploaded), (1, 16384));
}

/// A peer with the piece that we lack: it lacks the one that we have, wants it, and unchokes us.
fn partner(hand: &mut Hand, n: u8) -> PeerKey {
    let key = hand.open(n);
    hand.session(key, SessionEvent::Has(Announced::Some(having([1, 2, 3]))));
    hand.session(key, SessionEvent::Interested(true));
    hand.session(key, SessionEvent::Unchoked);
    key
}

/// The peer gives us so many bytes a second; and then a round is over.
fn round(hand: &mut Hand, rates: impl IntoIterator<Item = (PeerKey, u64)>) {
    for (key, rate) in rates {
        hand.core.watch.note(key, |view| view.download_rate = rate);
    }
    hand.now = hand.now + Duration::from_secs(10);
    hand.core.rotate(hand.now);
}

#[test]
fn while_we_download_the_slots_go_to_those_who_give_most() {
    let mut hand = generous(3);
    let keys = [1, 2, 3, 4, 5].map(|n| partner(&mut hand, n));
    for _ in 0..3 {
        round(&mut hand, keys.into_iter().zip([10_000, 90_000, 20_000, 80_000, 30_000]));
    }
    let open = unchoked(&hand);
    assert!(open.contains(&keys[1]) && open.contains(&keys[3]), "{open:?}");
    assert_eq!(open.len(), 3, "two are earned, one is drawn");
}

#[test]
fn the_optimistic_slot_is_drawn_anew_after_30_seconds_and_is_not_displaced() {
    let mut hand = generous(2);
    let keys = [1, 2, 3, 4].map(|n| partner(&mut hand, n));
    let (mut drawn, mut changes) = (BTreeSet::new(), 0);
    for _ in 0..60 {
        let before = hand.core.choker.optimistic;
        round(&mut hand, [(keys[0], 90_000)]);
        drawn.extend(hand.core.choker.optimistic);
        assert!(unchoked(&hand).contains(&keys[0]));
        changes += u32::from(before != hand.core.choker.optimistic);
    }
    assert!((19..=21).contains(&changes), "{changes} draws in 600 seconds");
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), keys[1..], "everybody has been tried");
    let tried = hand.core.choker.optimistic.unwrap();
    assert!(hand.core.is_immune(hand.now, tried, hand.core.view(tried).unwrap()));
}

#[test]
fn as_soon_as_the_line_shows_room_for_more_they_are_unchoked() {
    let mut hand = generous(2);
    let keys = [1, 2, 3, 4].map(|n| leecher(&mut hand, n));
    assert_eq!(unchoked(&hand), keys[..2]);
    // Room for three at 64 KiB/s each, before the second is over.
    hand.pass(100);
    hand.session(keys[0], SessionEvent::Uploaded(3 * 65_536));
    assert_eq!(unchoked(&hand), keys[..3]);
}

#[test]
fn thousands_that_leave_at_once_cost_one_look_at_all_for_each_that_was_unchoked() {
    let config = |config: &mut SwarmConfig| config.max_peers = 5000;
    let mut hand = Hand::with(having([0]), config);
    let keys: Vec<PeerKey> = (0..5000u16)
        .map(|n| {
            let [high, low] = n.to_be_bytes();
            let addr = SocketAddr::from(([10, high, low, 1], 6881));
            let key = hand.core.admit(hand.now, addr).unwrap();
            let mut id = [1; 20];
            id[..2].copy_from_slice(&[high, low]);
            let (direction, peer_id) = (Direction::Incoming, PeerId(id));
            let (fast, extended, dht) = (true, false, false);
            let opened = SessionEvent::Opened { direction, peer_id, fast, extended, dht };
            hand.session(key, opened);
            hand.session(key, SessionEvent::Has(Announced::None));
            key
        })
        .collect();
    for key in &keys[..3] {
        hand.session(*key, SessionEvent::Interested(true));
    }
    assert_eq!(hand.core.views().filter(|(_, view)| !view.am_choking).count(), 3);
    let before = hand.core.choker.walks.get();
    for key in keys {
        hand.close(key, CloseReason::PeerLeft);
    }
    assert_eq!(hand.core.choker.walks.get() - before, 3);
}
