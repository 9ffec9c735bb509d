use super::*;

#[test]
fn the_peers_of_a_pinned_host_are_closed_by_no_rule_until_it_is_unpinned() {
    let mut hand = Hand::with(Bitfield::new(4), |config| _ = config.pinned.insert(addr(1).ip()));
    let (kept, mute) = (hand.open(1), hand.open(2));
    hand.pass(100_000);
    let [(gone, CloseReason::Evicted { .. })] = &hand.closes()[..] else { panic!() };
    assert!(*gone == mute && hand.core.view(kept).is_some());
    hand.handle(Input::Pin { host: addr(1).ip(), pinned: false });
    hand.pass(250);
    assert_eq!(hand.closes().len(), 1);
}

const SLOTS: u32 = 10;

/// Ten peers in ten slots: all are useful, one sends nothing and the others so many bytes a second each.
fn full(rate: u64) -> (Hand, PeerKey) {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = SLOTS);
    let keys: Vec<PeerKey> = (1..=10).map(|n| hand.open(n)).collect();
    for key in &keys {
        hand.session(*key, SessionEvent::Has(Announced::Some(having([0, 1]))));
    }
    for _ in 0..299 {
        hand.pass(1_000);
        for key in &keys[1..] {
            hand.core.watch.note(*key, |view| view.download_rate = rate);
            let length = u32::try_from(rate).unwrap();
            hand.core.peers.get_mut(*key).unwrap().window.received(hand.now, length, false);
        }
    }
    hand.take();
    (hand, keys[0])
}

fn displaced(hand: &mut Hand) -> Vec<PeerKey> {
    let of = |(key, reason)| matches!(reason, CloseReason::Displaced { .. }).then_some(key);
    hand.closes().into_iter().filter_map(of).collect()
}

#[test]
fn after_300_seconds_the_least_of_ten_goes_for_a_candidate() {
    let (mut hand, least) = full(20_000);
    hand.found(99);
    hand.pass(10_000);
    let actions = hand.take();
    let gone: Vec<&Action> = (actions.iter())
        .filter(|action| matches!(action, Action::Close { .. } | Action::Dial { .. }))
        .collect();
    let [Action::Close { key, reason }, Action::Dial { addr: dialed, .. }] = gone[..] else {
        panic!("{gone:?}")
    };
    assert_eq!((*key, *dialed), (least, addr(99)));
    assert_eq!(reason.evidence().unwrap().policy, "by-exchange");
    assert!(reason.to_string().contains("promises"), "{reason}");
}

#[test]
fn without_a_candidate_nobody_goes() {
    let (mut hand, _) = full(20_000);
    hand.pass(10_000);
    assert_eq!(displaced(&mut hand), []);
}

#[test]
fn the_holder_of_the_only_copy_stays_whatever_it_is_worth() {
    let (mut hand, least) = full(20_000);
    hand.session(least, SessionEvent::Have(PieceIndex(3)));
    hand.found(99);
    hand.pass(10_000);
    assert!(!displaced(&mut hand).contains(&least));
    assert!(hand.core.view(least).unwrap().sole_holder);
}

#[test]
fn the_only_seed_holds_what_nobody_else_has_and_a_second_one_relieves_it() {
    let mut hand = Hand::new();
    let (seed, other) = (hand.seed(1), hand.open(2));
    hand.session(other, SessionEvent::Has(Announced::Some(having([0, 1, 2]))));
    hand.core.find_sole_holders();
    let sole = |hand: &Hand, key| hand.core.view(key).unwrap().sole_holder;
    assert!(sole(&hand, seed) && !sole(&hand, other));
    hand.seed(3);
    hand.core.find_sole_holders();
    assert!(!sole(&hand, seed));
}

#[test]
fn fewer_slots_cost_those_who_are_worth_least() {
    let (mut hand, least) = full(20_000);
    hand.handle(Input::MaxPeers(9));
    let [(gone, CloseReason::NoSlot)] = &hand.closes()[..] else { panic!() };
    assert_eq!(*gone, least);
    assert_eq!(hand.core.swarm_view().limit, 9);
}
