use super::*;

const ADDR: &str = "10.0.0.1:6881";
pub(super) const USELESS: Cooldown = Cooldown {
    first: Duration::from_secs(60),
    cap: Duration::from_secs(3600),
    clears: Clears::ModeChanged,
};

pub(super) fn known(source: Source) -> (Memory, SocketAddr) {
    let mut memory = Memory::default();
    let addr = ADDR.parse().unwrap();
    memory.found(Time::ZERO, addr, source);
    assert_eq!(memory.next(Time::ZERO), Some((addr, source)));
    (memory, addr)
}

#[test]
fn a_given_address_that_was_lost_is_tried_after_1_2_4_and_at_most_60_seconds() {
    let (mut memory, addr) = known(Source::Given);
    let mut now = Time::ZERO;
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        memory.lost(now, addr);
        assert_eq!(memory.next_at(), Some(now + Duration::from_secs(wait)));
        now = now + Duration::from_secs(wait);
        assert!(memory.next(now).is_some());
    }
}

#[test]
fn an_evicted_address_waits_60_seconds_and_then_twice_as_long_each_time() {
    let (mut memory, addr) = known(Source::Given);
    let mut now = Time::ZERO;
    for wait in [60, 120, 240] {
        memory.evicted(now, addr, "no-interest", USELESS);
        assert!(memory.is_cooling(now, addr));
        // Neither the person nor a tracker shortens the wait.
        memory.found(now, addr, Source::Tracker);
        now = now + Duration::from_secs(wait);
        assert_eq!(memory.next_at(), Some(now));
        assert!(memory.next(now).is_some());
    }
}

#[test]
fn what_clears_the_reason_clears_the_wait() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.evicted(Time::ZERO, addr, "redundant", USELESS);
    memory.clear(Time::from_secs(1), Clears::WantedGrew);
    assert_eq!(memory.next(Time::from_secs(1)), None);
    memory.clear(Time::from_secs(1), Clears::ModeChanged);
    assert!(!memory.is_cooling(Time::from_secs(1), addr));
}

#[test]
fn what_clears_the_reason_clears_the_wait_of_an_address_that_failed_before() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.lost(Time::ZERO, addr);
    let now = memory.next_at().unwrap();
    assert!(memory.next(now).is_some());
    memory.evicted(now, addr, "no-interest", USELESS);
    memory.clear(now, Clears::ModeChanged);
    assert_eq!(memory.next_at(), Some(now));
}

#[test]
fn a_source_that_names_an_address_again_neither_hurries_it_nor_costs_it_its_place() {
    let (mut memory, shunned) = known(Source::Tracker);
    memory.shun(Time::ZERO, shunned, VIOLATION, false);
    memory.found(Time::from_secs(1), shunned, Source::Tracker);
    assert_eq!(memory.next_at(), Some(Time::ZERO + VIOLATION.cooldown.first));

    let mut memory = Memory::default();
    let [first, second] = [1, 2].map(|n| SocketAddr::from(([10, 0, 0, n], 6881)));
    for (at, addr) in [(0, first), (1, second), (2, first)] {
        memory.found(Time::from_secs(at), addr, Source::Tracker);
    }
    assert_eq!(memory.next(Time::from_secs(3)).map(|(addr, _)| addr), Some(first));
}

#[test]
fn a_banned_address_comes_back_neither_way() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.shun(Time::ZERO, addr, BAN, true);
    assert!(memory.is_banned(Time::from_secs(1), addr));
    memory.found(Time::from_secs(1), addr, Source::Given);
    assert_eq!(memory.next(Time::from_secs(86_399)), None);
}

#[test]
fn a_banned_host_comes_in_from_no_port_but_neighbours_on_this_machine_do() {
    let mut memory = Memory::default();
    let out: SocketAddr = "192.0.2.1:1000".parse().unwrap();
    let here: SocketAddr = "127.0.0.1:1000".parse().unwrap();
    for addr in [out, here] {
        memory.connect(addr);
        memory.shun(Time::ZERO, addr, BAN, true);
    }
    let banned = |addr: &str| memory.is_banned(Time::from_secs(1), addr.parse().unwrap());
    assert!(banned("192.0.2.1:2000") && banned("127.0.0.1:1000"));
    assert!(!banned("127.0.0.1:2000"));
}

#[test]
fn ipv4_in_ipv6_is_the_same_address() {
    let mapped: SocketAddr = "[::ffff:10.0.0.1]:6881".parse().unwrap();
    assert_eq!(canonical(mapped), ADDR.parse().unwrap());
}

#[test]
fn a_flood_of_peers_that_come_and_go_is_not_remembered_without_end() {
    let (mut memory, known) = known(Source::Tracker);
    for n in 0..5 * u32::try_from(ADDRESSES).unwrap() {
        let addr = SocketAddr::from((n.to_be_bytes(), 50_000));
        memory.connect(addr);
        memory.lost(Time::ZERO, addr);
    }
    assert!(memory.records.len() <= 2 * ADDRESSES);
    assert!(memory.records.contains_key(&known));
}

#[test]
fn a_peer_that_came_by_itself_is_not_dialed() {
    let mut memory = Memory::default();
    let addr: SocketAddr = ADDR.parse().unwrap();
    assert!(memory.connect(addr));
    assert!(!memory.connect(addr), "one connection for each address");
    memory.lost(Time::ZERO, addr);
    assert_eq!(memory.next_at(), None);
}

/// Dials the address at the first instant at which it may be, and tells which that was.
pub(super) fn dialed_at(memory: &mut Memory) -> Time {
    let at = memory.next_at().unwrap();
    assert!(memory.next(at).is_some());
    at
}

#[test]
fn each_reason_doubles_on_its_own() {
    let (mut memory, addr) = known(Source::Tracker);
    let mut now = Time::ZERO;
    for (reason, wait) in
        [("a", 60), ("b", 60), ("a", 120), ("b", 120), ("a", 240), ("c", 60), ("b", 240)]
    {
        memory.evicted(now, addr, reason, USELESS);
        let at = dialed_at(&mut memory);
        assert_eq!(at, now + Duration::from_secs(wait), "{reason}");
        now = at;
    }
}

#[test]
fn of_several_reasons_the_latest_wins_and_one_that_is_cleared_frees_from_no_other() {
    let (mut memory, addr) = known(Source::Tracker);
    let long = Cooldown::new(Duration::from_secs(500), Duration::from_secs(500));
    memory.evicted(Time::ZERO, addr, "long", long);
    // It came by itself meanwhile, and was redundant.
    memory.connect(addr);
    memory.evicted(Time::from_secs(1), addr, "redundant", USELESS);
    assert_eq!(memory.next_at(), Some(Time::from_secs(500)));
    memory.clear(Time::from_secs(2), Clears::ModeChanged);
    assert_eq!(memory.next_at(), Some(Time::from_secs(500)));
    assert!(memory.is_cooling(Time::from_secs(499), addr));
    assert!(!memory.is_cooling(Time::from_secs(500), addr));
}

#[test]
fn a_wait_that_is_long_over_makes_the_next_one_no_longer() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.evicted(Time::ZERO, addr, "a", USELESS);
    memory.connect(addr);
    let now = Time::from_secs(60 + 3600 + 1);
    memory.evicted(now, addr, "a", USELESS);
    assert_eq!(memory.next_at(), Some(now + Duration::from_secs(60)));
}

#[test]
fn reasons_without_end_are_not_remembered_without_end() {
    let (mut memory, addr) = known(Source::Tracker);
    for reason in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        memory.evicted(Time::ZERO, addr, reason, USELESS);
        memory.connect(addr);
    }
    assert_eq!(memory.records[&addr].waits.len(), 8);
}

#[test]
fn a_dial_that_failed_through_no_fault_of_the_address_costs_it_nothing() {
    let (mut memory, addr) = known(Source::Tracker);
    memory.put_back(Time::from_secs(1), addr);
    assert_eq!(memory.promising(Time::from_secs(1), 9)[0].failures, 0);
    assert_eq!(dialed_at(&mut memory), Time::from_secs(1));
}

/// Addresses of which nothing else is known, in the order in which they are dialed.
pub(super) fn order(memory: &mut Memory, now: Time) -> Vec<SocketAddr> {
    std::iter::from_fn(|| memory.next(now)).map(|(addr, _)| addr).collect()
}

pub(super) fn addrs() -> [SocketAddr; 4] {
    ["98.76.54.32:6881", "123.213.33.234:6881", "123.213.32.234:6881", "[2001:db8::1]:1"]
        .map(|addr| addr.parse().unwrap())
}

fn found_all() -> Memory {
    let mut memory = Memory::default();
    addrs().into_iter().for_each(|addr| _ = memory.found(Time::ZERO, addr, Source::Tracker));
    memory
}

#[test]
fn of_equals_the_one_is_dialed_first_that_is_dearest_by_bep_40() {
    // 0xec2d7224, 0xf61850a9, 0x99568189 by the published vectors; the middle for the other family.
    let [a, b, c, six] = addrs();
    let mut memory = found_all();
    memory.we_listen_at("123.213.32.10:51413".parse().unwrap());
    assert_eq!(order(&mut memory, Time::ZERO), [b, a, c, six]);

    let mut memory = found_all();
    assert_eq!(memory.candidates(Time::ZERO), 4);
    memory.wake(Time::ZERO);
    for from in ["192.0.2.1", "198.51.100.1"] {
        memory.seen_at(from.parse().unwrap(), "123.213.32.10".parse().unwrap());
    }
    assert_eq!(memory.promising(Time::ZERO, 2).iter().map(|c| c.addr).collect::<Vec<_>>(), [b, a]);
    assert_eq!(order(&mut memory, Time::ZERO), [b, a, c, six]);
}

#[test]
fn as_long_as_our_own_address_is_not_known_the_order_of_arrival_holds() {
    assert_eq!(order(&mut found_all(), Time::ZERO), addrs());
}

#[test]
fn dear_addresses_come_first_and_those_that_failed_last() {
    let [failed, new, _, dear] = addrs();
    let mut memory = Memory::default();
    memory.found(Time::ZERO, failed, Source::Tracker);
    memory.next(Time::ZERO);
    memory.lost(Time::ZERO, failed);
    memory.found(Time::ZERO, new, Source::Tracker);
    memory.found(Time::from_secs(60), dear, Source::Given);
    assert_eq!(order(&mut memory, Time::from_secs(60)), [dear, new, failed]);
}

/// A peer that came from a port of its own, and says that it listens at `addr`.
fn came_by_itself() -> (Memory, SocketAddr, SocketAddr) {
    let mut memory = Memory::default();
    let [from, listens] = ["10.0.0.1:50000", ADDR].map(|addr| addr.parse().unwrap());
    assert!(memory.connect(from));
    memory.listens(from, listens);
    (memory, from, listens)
}

#[test]
fn a_peer_that_is_here_is_not_dialed_where_it_listens() {
    let (mut memory, from, listens) = came_by_itself();
    memory.found(Time::ZERO, listens, Source::Tracker);
    assert_eq!(memory.next_at(), None);
    assert!(!memory.connect(listens));
    memory.lost(Time::ZERO, from);
    assert_eq!(memory.next(Time::from_secs(60)).map(|(addr, _)| addr), Some(listens));
}

#[test]
fn what_becomes_of_a_peer_that_came_by_itself_holds_where_it_listens() {
    let (mut memory, from, listens) = came_by_itself();
    memory.evicted(Time::ZERO, from, "no-interest", USELESS);
    memory.found(Time::ZERO, listens, Source::Tracker);
    assert_eq!(memory.next_at(), Some(Time::from_secs(60)));

    let (mut memory, from, _) = came_by_itself();
    memory.was_good(from);
    memory.lost(Time::ZERO, from);
    assert_eq!(memory.next_at(), Some(Time::from_secs(1)));

    let (mut memory, from, listens) = came_by_itself();
    memory.shun(Time::ZERO, from, BAN, true);
    assert!(memory.is_banned(Time::from_secs(1), listens));
}

#[test]
fn a_zone_counts_for_link_local_addresses_alone() {
    let addr = |ip: &str, flow, zone| {
        SocketAddr::from(std::net::SocketAddrV6::new(ip.parse().unwrap(), 1, flow, zone))
    };
    assert_eq!(canonical(addr("fe80::1", 5, 2)), addr("fe80::1", 0, 2));
    assert_eq!(canonical(addr("2001:db8::1", 5, 2)), addr("2001:db8::1", 0, 0));
}

proptest::proptest! {
    /// Whatever happens to addresses, each that may be dialed is connected or stands in one queue, and
    /// nobody is dialed before every wait of his is over.
    #[test]
    fn an_address_is_connected_or_stands_in_one_queue(
        steps in proptest::collection::vec((0_u8..12, 0_u8..6, 0_u64..200), 0..200),
    ) {
        let mut memory = Memory::default();
        let mut now = Time::ZERO;
        for (what, n, wait) in steps {
            let addr = SocketAddr::from(([192, 0, 2, n], 6881));
            let other = SocketAddr::from(([192, 0, 2, n], 1));
            match what {
                0 => _ = memory.found(now, addr, Source::Tracker),
                1 => _ = memory.connect(addr),
                2 => memory.lost(now, addr),
                3 => memory.evicted(now, addr, "redundant", USELESS),
                4 => memory.shun(now, addr, VIOLATION, true),
                5 => memory.was_good(addr),
                6 => memory.clear(now, Clears::ModeChanged),
                7 => memory.listens(addr, other),
                8 => memory.put_back(now, addr),
                9 => memory.seen_at(addr.ip(), "198.51.100.7".parse().unwrap()),
                10 => memory.pardon(now, DUPLICATE),
                _ => now = now + Duration::from_secs(wait),
            }
            if let Some((addr, _)) = memory.next(now).filter(|_| wait % 2 == 0) {
                let over = |wait: &Wait| wait.until <= now;
                proptest::prop_assert!(memory.records[&addr].waits.iter().all(over));
            }
            let mut queued = 0;
            for (addr, record) in &memory.records {
                proptest::prop_assert_eq!(record.spot.is_some(), record.dialable && !record.busy);
                queued += usize::from(match record.spot {
                    Some(Spot::Waiting(at, n)) => memory.waiting.contains(&(at, n, *addr)),
                    Some(Spot::Due(rank)) => memory.due.contains(&(rank, *addr)),
                    None => false,
                });
            }
            proptest::prop_assert_eq!(queued, memory.waiting.len() + memory.due.len());
        }
    }
}
