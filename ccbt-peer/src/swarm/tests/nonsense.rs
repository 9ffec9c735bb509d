use super::*;
use crate::close::Timeout;

/// Any input, sensible or not, for one of a few connections.
fn input(hand: &mut Hand, rng: &mut fastrand::Rng) -> Input {
    let key = PeerKey(rng.u32(..12));
    let piece = PieceIndex(rng.u32(..4));
    let mut block = block(piece.0, rng.u32(..2));
    if rng.u32(..8) == 0 {
        block.begin = rng.u32(..);
    }
    let bits = having((0..4).filter(|_| rng.bool()));
    let event = match rng.u32(..16) {
        0 => SessionEvent::Opened {
            direction: Direction::Incoming,
            peer_id: PeerId([rng.u8(..20); 20]),
            fast: rng.bool(),
            extended: rng.bool(),
            dht: rng.bool(),
        },
        1 => SessionEvent::Has(Announced::of(bits)),
        2 => SessionEvent::Has(Announced::All),
        3 => SessionEvent::Have(piece),
        4 => SessionEvent::Choked,
        5 | 6 => SessionEvent::Unchoked,
        7 => SessionEvent::Interested(rng.bool()),
        8 => SessionEvent::Requested,
        9 => SessionEvent::Rejected(block),
        10..14 => SessionEvent::Received { block, fresh: rng.bool(), attempt: rng.u32(..2) },
        14 => SessionEvent::Uploaded(rng.u64(..100_000)),
        _ => {
            let addr = addr(rng.u8(1..9));
            return match rng.u32(..10) {
                0 => Input::Closed { key, reason: CloseReason::PeerLeft },
                1 => Input::Closed { key, reason: CloseReason::TimedOut(Timeout::Idle) },
                2 => Input::DialFailed { key, error: String::new() },
                3 => Input::Dialed(key),
                4 => Input::PieceFailed(piece),
                5 if rng.u32(..10) == 0 => Input::Stored(piece),
                6 => Input::MaxPeers(rng.u32(..6)),
                7 => Input::Budget { connections: rng.u32(..9), half_open: rng.u32(..3) },
                8 => Input::Found { source: Source::Given, peers: vec![addr] },
                _ => {
                    let _ = hand.core.admit(hand.now, addr);
                    Input::Found { source: Source::Tracker, peers: Vec::new() }
                }
            };
        }
    };
    Input::Session { key, event }
}

#[test]
fn no_sequence_of_inputs_makes_the_core_panic_or_close_twice() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut hand = Hand::with(Bitfield::new(4), |config| {
            config.seed = seed;
            config.max_peers = rng.u32(1..6);
        });
        for _ in 0..300 {
            let input = input(&mut hand, &mut rng);
            hand.handle(input);
            if rng.u32(..4) == 0 {
                hand.pass(rng.u64(..5_000));
            }
        }
        hand.handle(Input::Stop);
        assert_eq!(hand.core.views().count(), 0);
        let mut closed = BTreeSet::new();
        let mut connected = BTreeSet::new();
        for action in hand.take() {
            match action {
                Action::Close { key, .. } => assert!(closed.insert(key), "{key:?} closed twice"),
                Action::Emit(EventKind::PeerConnected { peer, .. }) => {
                    assert!(connected.insert(peer), "{peer} connected twice");
                }
                Action::Emit(EventKind::PeerClosed { peer, .. }) => _ = connected.remove(&peer),
                _ => {}
            }
        }
        assert!(connected.is_empty(), "without an end: {connected:?}");
    }
}

#[test]
fn a_magnet_link_that_is_to_be_super_seeded_is_downloaded_as_any_other() {
    let mut hand = Hand::with(Bitfield::new(0), |config| {
        *config = SwarmConfig { super_seed: true, ..SwarmConfig::magnet(InfoHash([1; 20])) };
        assert!(!config.hides(&Bitfield::new(0)));
    });
    let key = hand.open(1);
    hand.session(key, SessionEvent::Has(Announced::None));
    hand.session(key, SessionEvent::Interested(true));
    hand.pass(20_000);
    assert!(!hand.told(key).iter().any(|tell| matches!(tell, Tell::Have(_))));
}
