//! Peers while the metadata is unknown.

use ccbt_wire::{ExtensionHandshake, UT_METADATA};

use super::addresses::found;
use super::*;

fn magnet(change: impl FnOnce(&mut SwarmConfig)) -> Hand {
    Hand::with(Bitfield::new(0), |config| {
        config.geometry = Geometry::UNKNOWN;
        change(config);
    })
}

/// The peer's extension handshake; `size` is that of the metadata, if it has it.
fn greet(hand: &mut Hand, key: PeerKey, size: Option<u32>) {
    let m = vec![(UT_METADATA.to_owned(), 3)];
    let hello = ExtensionHandshake { m, metadata_size: size, ..Default::default() };
    hand.session(key, SessionEvent::Extended(Box::new(hello)));
}

/// A peer that was dialed shakes hands.
fn meet(hand: &mut Hand, key: PeerKey, id: u8, size: Option<u32>) {
    hand.opened(key, id, Direction::Outgoing);
    greet(hand, key, size);
}

/// Four slots with peers that have no metadata, dialed one after the other within 4 s; the first is pinned.
fn full() -> (Hand, Vec<PeerKey>) {
    let mut hand = magnet(|config| {
        config.max_peers = 4;
        config.pinned.insert(addr(1).ip());
    });
    let mut keys = Vec::new();
    for n in 1..=4 {
        hand.found(n);
        let [(key, _)] = hand.dials()[..] else { panic!() };
        meet(&mut hand, key, n, None);
        keys.push(key);
        hand.pass(1_000);
    }
    (hand, keys)
}

#[test]
fn who_has_metadata_is_dialed_past_peers_without_and_displaces_the_one_that_is_here_the_longest() {
    let (mut hand, keys) = full();
    found(&mut hand, (5..=9).map(addr));
    // The second came at 1 s: a newcomer may take its slot from 11 s on, and has 2 s to show itself before.
    hand.pass(4_999);
    assert_eq!(hand.dials(), []);
    hand.pass(1_001);
    let dials = hand.dials();
    assert_eq!(dials.len(), 5, "all at once");
    for (n, (key, _)) in (5..).zip(&dials[..4]) {
        meet(&mut hand, *key, n, None);
    }
    hand.pass(1_500);
    let giver = dials[4].0;
    meet(&mut hand, giver, 9, Some(100));
    let [(gone, reason)] = &hand.closes()[..] else { panic!() };
    assert_eq!(*gone, keys[1], "the first is pinned");
    assert_eq!(reason.code(), "displaced");
    let evidence = reason.evidence().unwrap();
    assert_eq!(evidence.policy, "metadata");
    assert_eq!(evidence.text, "no metadata for 10.5 s, and a newcomer has it");
    assert!(hand.core.has_slot(giver));
    // The others find no slot, and those who have one keep it.
    hand.pass(5_000);
    assert!(hand.closes().iter().all(|(_, reason)| *reason == CloseReason::NoSlot));
    assert!([0, 2, 3].iter().all(|n| hand.core.has_slot(keys[*n])));
}

#[test]
fn somebody_who_comes_in_with_metadata_waits_until_one_without_may_be_taken() {
    let (mut hand, keys) = full();
    hand.pass(5_500);
    // It says that it has no piece first.
    let giver = hand.open(9);
    hand.session(giver, SessionEvent::Has(Announced::None));
    greet(&mut hand, giver, Some(100));
    assert_eq!(hand.closes(), []);
    hand.pass(1_500);
    let [(gone, CloseReason::Displaced { reason: "no-metadata", .. })] = hand.closes()[..] else {
        panic!()
    };
    assert_eq!(gone, keys[1]);
    assert_eq!(hand.now, Time::from_secs(11));
}

#[test]
fn who_owes_or_refuses_for_10_s_goes_and_who_gives_stays() {
    let mut hand = magnet(|config| config.max_peers = 3);
    let keys = [1, 2, 3].map(|n| hand.open(n));
    for key in keys {
        greet(&mut hand, key, Some(10 * 16384));
    }
    let mut answered = BTreeMap::new();
    let mut answer = |hand: &mut Hand, key: PeerKey, gives: bool| {
        let asked = hand.actions.iter().filter_map(|action| match action {
            Action::Tell { key: to, tell: Tell::AskMetadata(blocks) } if *to == key => Some(blocks),
            _ => None,
        });
        let asked: Vec<u32> = asked.flatten().copied().collect();
        let done = answered.entry(key).or_insert(0);
        for piece in asked[*done..].iter().copied() {
            let data = vec![0; 16384].into();
            let message = if gives {
                ccbt_wire::MetadataMessage::Data { piece, total_size: 10 * 16384, data }
            } else {
                ccbt_wire::MetadataMessage::Reject { piece }
            };
            hand.session(key, SessionEvent::Metadata(Box::new(message)));
            *done += 1;
            if gives {
                break;
            }
        }
    };
    // The first gives a block every 4 s, the second refuses, the third says nothing.
    for _ in 0..3 {
        answer(&mut hand, keys[0], true);
        answer(&mut hand, keys[1], false);
        hand.pass(4_000);
    }
    hand.take();
    let newcomers = [4, 5, 6].map(|n| {
        let key = hand.open(n);
        greet(&mut hand, key, Some(10 * 16384));
        key
    });
    let gone: Vec<PeerKey> = hand.closes().into_iter().map(|(key, _)| key).collect();
    assert_eq!(gone, [keys[1], keys[2]]);
    assert!(hand.core.has_slot(keys[0]) && hand.core.has_slot(newcomers[1]));
}

#[test]
fn whoever_went_for_want_of_metadata_may_be_dialed_as_soon_as_it_is_known() {
    let (mut hand, _) = full();
    hand.pass(7_000);
    let giver = hand.open(9);
    greet(&mut hand, giver, Some(100));
    assert_eq!(hand.closes().len(), 1);
    hand.handle(Input::MaxPeers(5));
    assert_eq!(hand.dials(), []);
    let geometry = Geometry::new(4 * 32768, 32768);
    hand.handle(Input::Metadata { geometry, private: false });
    assert_eq!(hand.dials().into_iter().map(|(_, addr)| addr).collect::<Vec<_>>(), [addr(2)]);
}

#[test]
fn a_private_magnet_dials_and_keeps_nobody_whom_others_than_its_trackers_named() {
    let mut hand = magnet(|config| config.max_peers = 3);
    let named = |hand: &mut Hand, source, n: u8| {
        hand.handle(Input::Found { source, peers: vec![addr(n)] });
    };
    for (n, source) in (1..).zip([Source::Pex, Source::Dht, Source::Tracker]) {
        named(&mut hand, source, n);
    }
    let [(met, _), (dial, _), (other, _)] = hand.dials()[..] else { panic!() };
    meet(&mut hand, met, 1, Some(100));
    hand.handle(Input::Dialed(dial));
    // These wait: nobody has a slot for them. One of them a tracker names, too.
    for (n, source) in
        (4..).zip([Source::Pex, Source::Dht, Source::Lsd, Source::Tracker, Source::Dht])
    {
        named(&mut hand, source, n);
    }
    named(&mut hand, Source::Tracker, 8);
    hand.take();
    let geometry = Geometry::new(4 * 32768, 32768);
    hand.handle(Input::Metadata { geometry, private: true });
    // The dial that is under way ends, in its place come those of the tracker; who is connected stays.
    let actions = hand.take();
    let closes = |action: &Action| match action {
        Action::Close { key, reason: CloseReason::ClosedByUs } => Some(*key),
        _ => None,
    };
    assert_eq!(actions.iter().filter_map(closes).collect::<Vec<_>>(), [dial]);
    let dialed = |actions: &[Action]| {
        let dials = actions.iter().filter_map(|action| match action {
            Action::Dial { addr, .. } => Some(*addr),
            _ => None,
        });
        dials.collect::<Vec<_>>()
    };
    let mut all = dialed(&actions);
    hand.handle(Input::DialFailed { key: other, error: "refused".to_owned() });
    let choice = Arc::default();
    hand.handle(Input::Checked { have: Bitfield::new(4), choice });
    // It gives a piece, and is lost; it would be dialed at once.
    hand.session(met, SessionEvent::Has(Announced::All));
    hand.session(met, SessionEvent::Unchoked);
    hand.core.memory.was_good(addr(1));
    hand.close(met, CloseReason::PeerLeft);
    hand.pass(300_000);
    all.extend(dialed(&hand.take()));
    let all: BTreeSet<SocketAddr> = all.into_iter().collect();
    assert_eq!(all, [3, 7, 8].map(addr).into_iter().collect());
    let kept = hand.core.addresses(hand.now).peers;
    assert!(kept.iter().all(|peer| all.contains(&peer.addr)), "{kept:?}");
}

#[test]
fn a_magnet_link_is_not_super_seeded_as_nothing_is_known_of_its_pieces() {
    let mut hand = magnet(|config| config.super_seed = true);
    let key = hand.open(1);
    greet(&mut hand, key, Some(100));
    hand.pass(2_000);
    assert!(hand.core.super_seed.is_none());
    assert!(hand.told(key).iter().all(|tell| !matches!(tell, Tell::Have(_))));
}
