use super::*;

fn full_swarm(peers: u8) -> Hand {
    let mut hand = Hand::with(Bitfield::new(4), |config| {
        config.max_peers = 20;
        config.lobby = 5;
    });
    let addrs: Vec<SocketAddr> = (1..=peers).map(addr).collect();
    hand.handle(Input::Found { source: Source::Given, peers: addrs });
    for (n, (key, _)) in (1..).zip(hand.dials()) {
        hand.opened(key, n, Direction::Outgoing);
    }
    hand.take();
    hand
}

#[test]
fn who_is_worth_least_goes_when_others_need_the_budget() {
    let mut hand = full_swarm(20);
    assert_eq!(hand.core.usage().has.connections, 20);
    hand.handle(Input::Budget { connections: 10, half_open: 3 });
    let closed = hand.closes();
    assert_eq!(closed.len(), 12, "eight slots and a lobby of two");
    assert!(closed.iter().all(|(_, reason)| *reason == CloseReason::NoSlot));
    assert_eq!(hand.core.swarm_view().limit, 8);
    assert_eq!(hand.core.usage().has.connections, 8);
    let most = hand.core.usage().most;
    assert_eq!((most.connections, most.half_open), (25, 100), "what it could use is what it was");
}

#[test]
fn dials_are_given_up_for_the_budget_and_no_address_is_to_blame() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = 20);
    hand.handle(Input::Budget { connections: 10, half_open: 4 });
    let addrs: Vec<SocketAddr> = (1..=9).map(addr).collect();
    hand.handle(Input::Found { source: Source::Given, peers: addrs });
    assert_eq!(hand.dials().len(), 4, "so many at once");
    let usage = hand.core.usage();
    assert_eq!((usage.has.half_open, usage.wants.half_open), (4, 9));
    hand.handle(Input::Budget { connections: 1, half_open: 1 });
    assert_eq!(hand.closes().len(), 3);
    hand.handle(Input::Budget { connections: 25, half_open: 100 });
    assert_eq!(hand.dials().len(), 8, "all the others, at once");
}

#[test]
fn without_a_budget_nobody_is_dialed_nor_let_in() {
    let mut hand = Hand::with(Bitfield::new(4), |config| config.max_peers = 20);
    hand.handle(Input::Budget { connections: 0, half_open: 0 });
    hand.handle(Input::Found { source: Source::Given, peers: vec![addr(1)] });
    assert_eq!(hand.dials(), []);
    assert_eq!(hand.core.admit(hand.now, addr(2)), Err(Refusal::Full));
    hand.pass(60_000);
    hand.handle(Input::Budget { connections: 5, half_open: 1 });
    assert_eq!(hand.dials().len(), 1);
}

#[test]
fn the_person_and_the_budget_both_bound_the_slots() {
    let mut hand = full_swarm(1);
    hand.handle(Input::Budget { connections: 10, half_open: 3 });
    hand.handle(Input::MaxPeers(4));
    assert_eq!(hand.core.swarm_view().limit, 4);
    hand.handle(Input::MaxPeers(100));
    assert_eq!(hand.core.swarm_view().limit, 8);
    hand.handle(Input::Budget { connections: 1_000, half_open: 3 });
    assert_eq!(hand.core.swarm_view().limit, 100);
}
