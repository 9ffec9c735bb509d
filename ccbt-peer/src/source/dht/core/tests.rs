//! Networks of nodes in virtual time.

use std::collections::{BTreeMap, HashMap};

use super::*;

const HASH: InfoHash = InfoHash([0x5a; 20]);
/// How long a datagram takes.
const TRIP: Duration = Duration::from_millis(20);

/// Nodes and the wires between them.
struct World {
    now: Time,
    nodes: BTreeMap<SocketAddr, Core>,
    /// Datagrams under way: when they arrive, from whom, to whom.
    wire: VecDeque<(Time, SocketAddr, SocketAddr, Vec<u8>)>,
    news: HashMap<SocketAddr, Vec<News>>,
    sent: usize,
}

fn host(number: u8) -> SocketAddr {
    ([10, 0, 0, number], 6881).into()
}

fn host6(number: u16) -> SocketAddr {
    (std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number), 6881).into()
}

impl World {
    fn new(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        let mut world = Self {
            now: Time::ZERO,
            nodes: BTreeMap::new(),
            wire: VecDeque::new(),
            news: HashMap::new(),
            sent: 0,
        };
        nodes.into_iter().for_each(|addr| world.join(addr, Duration::ZERO));
        world
    }

    fn join(&mut self, addr: SocketAddr, read_only: Duration) {
        let seed = self.nodes.len() as u64 + 7;
        let core = Core::new(self.now, (addr.is_ipv4(), addr.is_ipv6()), read_only, seed);
        self.nodes.insert(addr, core);
    }

    fn node(&mut self, addr: SocketAddr) -> &mut Core {
        self.nodes.get_mut(&addr).unwrap()
    }

    /// Everybody knows the first.
    fn bootstrap(&mut self) {
        let first = *self.nodes.keys().next().unwrap();
        let now = self.now;
        self.nodes.values_mut().skip(1).for_each(|node| node.say(now, &[first]));
        self.run(Duration::from_secs(5));
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            for (addr, node) in &mut self.nodes {
                while let Some((to, bytes)) = node.poll_send() {
                    self.sent += 1;
                    self.wire.push_back((self.now + TRIP, *addr, to, bytes));
                }
                let news = std::iter::from_fn(|| node.poll_news());
                self.news.entry(*addr).or_default().extend(news);
            }
            let due = self.nodes.values().map(Core::deadline).min().unwrap_or(end);
            let next = self.wire.front().map_or(due, |(at, ..)| due.min(*at));
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
            while self.wire.front().is_some_and(|(at, ..)| *at <= next) {
                let Some((_, from, to, bytes)) = self.wire.pop_front() else { break };
                if let Some(node) = self.nodes.get_mut(&to) {
                    node.handle(next, from, &bytes);
                }
            }
            self.nodes
                .values_mut()
                .filter(|n| n.deadline() <= next)
                .for_each(|n| n.on_deadline(next));
        }
    }

    fn look_up(&mut self, addr: SocketAddr, announce: Option<u16>) -> u64 {
        let now = self.now;
        self.node(addr).look_up(now, HASH, announce)
    }

    /// All peers that a node heard of, and whether its search is over.
    fn found(&self, addr: SocketAddr, key: u64) -> (Vec<SocketAddr>, bool) {
        let mut peers: Vec<SocketAddr> = Vec::new();
        for news in &self.news[&addr] {
            if let News::Peers(of, found) = news {
                assert_eq!(*of, key);
                peers.extend(found);
            }
        }
        peers.sort();
        peers.dedup();
        (peers, self.news[&addr].contains(&News::Over(key)))
    }
}

#[test]
fn who_announced_is_found_by_a_stranger_who_knows_one_node() {
    let mut world = World::new((1..=40).map(host));
    world.bootstrap();
    world.look_up(host(17), Some(51_413));
    world.run(Duration::from_secs(2));
    let stranger = host(99);
    world.join(stranger, Duration::from_secs(600));
    let now = world.now;
    world.node(stranger).say(now, &[host(23)]);
    let key = world.look_up(stranger, None);
    world.run(Duration::from_secs(2));
    let seed = SocketAddr::new(host(17).ip(), 51_413);
    assert_eq!(world.found(stranger, key), (vec![seed], true));
}

#[test]
fn peers_are_told_before_the_search_is_over() {
    let mut world = World::new((1..=40).map(host));
    world.bootstrap();
    world.look_up(host(17), Some(51_413));
    world.run(Duration::from_secs(2));
    // Of those who would tell, most do not answer, so that the search has to wait for them.
    let mut rng = fastrand::Rng::with_seed(1);
    let mut tellers = 0;
    world.nodes.retain(|addr, node| {
        let tells = !node.announced.peers(HASH, true, &mut rng).is_empty();
        tellers += usize::from(tells);
        !tells || tellers < 3 || *addr == host(3)
    });
    assert_eq!(tellers, 8);
    let key = world.look_up(host(3), None);
    world.run(Duration::from_millis(200));
    let (peers, over) = world.found(host(3), key);
    assert_eq!((peers.len(), over), (1, false));
    world.run(Duration::from_secs(10));
    assert!(world.found(host(3), key).1);
}

#[test]
fn whoever_is_read_only_is_remembered_by_nobody() {
    let mut world = World::new((1..=5).map(host));
    world.bootstrap();
    let guest = host(77);
    world.join(guest, Duration::from_secs(600));
    let now = world.now;
    world.node(guest).say(now, &[host(1)]);
    world.run(Duration::from_secs(300));
    assert_eq!(world.node(guest).nodes().len(), 5);
    let knows = |world: &World| world.nodes.values().filter(|n| n.nodes().contains(&guest)).count();
    assert_eq!(knows(&world), 0);
    // One that stays is one more node of the network.
    world.run(Duration::from_secs(3_600));
    assert_eq!(knows(&world), 5);
}

#[test]
fn a_search_among_the_dead_ends_and_a_search_with_nobody_at_once() {
    let mut world = World::new([host(1)]);
    let key = world.look_up(host(1), None);
    world.run(Duration::ZERO);
    assert_eq!(world.found(host(1), key), (vec![], true));
    let now = world.now;
    world.node(host(1)).say(now, &[host(2), host(3)]);
    world.news.clear();
    let key = world.look_up(host(1), None);
    world.run(Duration::from_millis(1_499));
    assert!(!world.found(host(1), key).1);
    world.run(Duration::from_millis(1));
    assert_eq!(world.found(host(1), key), (vec![], true));
}

#[test]
fn a_search_that_is_given_up_says_nothing_more() {
    let mut world = World::new((1..=10).map(host));
    world.bootstrap();
    let key = world.look_up(host(4), None);
    world.node(host(4)).give_up(key);
    world.run(Duration::from_secs(10));
    assert!(world.news[&host(4)].is_empty());
}

#[test]
fn the_ipv6_network_is_another_one_with_the_same_ways() {
    let mut world = World::new((1..=12).map(host6));
    world.bootstrap();
    world.look_up(host6(5), Some(1_000));
    world.run(Duration::from_secs(2));
    let key = world.look_up(host6(9), None);
    world.run(Duration::from_secs(2));
    let seed = SocketAddr::new(host6(5).ip(), 1_000);
    assert_eq!(world.found(host6(9), key), (vec![seed], true));
}

#[test]
fn a_quiet_node_asks_a_little_and_keeps_whom_it_knows() {
    let mut world = World::new((1..=30).map(host));
    world.bootstrap();
    let (known, sent) = (world.node(host(2)).nodes().len(), world.sent);
    world.run(Duration::from_secs(3_600));
    assert!(world.node(host(2)).nodes().len() >= known.min(20));
    let each = (world.sent - sent) / 30;
    assert!(each < 600, "{each} datagrams of each node in an hour");
}

#[test]
fn an_answer_from_another_address_or_of_another_number_counts_for_nothing() {
    let mut core = Core::new(Time::ZERO, (true, false), Duration::ZERO, 1);
    core.say(Time::ZERO, &[host(1)]);
    let (to, query) = core.poll_send().unwrap();
    assert_eq!(to, host(1));
    let transaction = Message::parse(&query).unwrap().transaction;
    let id = NodeId([9; 20]);
    let reply = krpc::answer(&transaction, id, host(50), &Reply::default());
    core.handle(Time::ZERO, host(2), &reply);
    core.handle(Time::ZERO, host(1), &krpc::answer(b"xx", id, host(50), &Reply::default()));
    assert!(core.nodes().is_empty());
    core.handle(Time::ZERO, host(1), &reply);
    assert_eq!(core.nodes(), [host(1)]);
    // The same again is no answer to anything.
    core.handle(Time::ZERO, host(1), &reply);
    assert_eq!(core.nodes(), [host(1)]);
}

#[test]
fn nobody_announces_without_the_token_that_he_was_given() {
    let mut core = Core::new(Time::ZERO, (true, false), Duration::ZERO, 1);
    let id = NodeId([9; 20]);
    let announce = |token: &[u8], port| {
        let query = Query::Announce { info_hash: HASH, port, implied: false, token: token.into() };
        krpc::ask(1, id, &query, true)
    };
    let mut say = |from, datagram: &[u8]| {
        core.handle(Time::ZERO, from, datagram);
        let (to, answer) = core.poll_send().unwrap();
        assert_eq!(to, from);
        Message::parse(&answer).unwrap().body
    };
    assert_eq!(say(host(1), &announce(b"guessed", 5)), Body::Error);
    let ask = krpc::ask(2, id, &Query::GetPeers { info_hash: HASH }, true);
    let Body::Reply { reply, .. } = say(host(1), &ask) else { panic!("no reply") };
    assert!(reply.peers.is_empty());
    let token = reply.token.unwrap();
    assert_eq!(say(host(2), &announce(&token, 5)), Body::Error);
    assert_eq!(say(host(1), &announce(&token, 0)), Body::Error);
    assert!(matches!(say(host(1), &announce(&token, 5)), Body::Reply { .. }));
    let Body::Reply { reply, .. } = say(host(2), &ask) else { panic!("no reply") };
    assert_eq!(reply.peers, [SocketAddr::new(host(1).ip(), 5)]);
}

#[test]
fn only_local_nodes_are_believed_about_local_addresses() {
    let public: SocketAddr = "203.0.113.5:1".parse().unwrap();
    for (addr, teller, believed) in [
        ("10.0.0.1:5", public, false),
        ("127.0.0.1:5", host(1), true),
        ("198.51.100.1:5", public, true),
        ("198.51.100.1:0", public, false),
        ("224.0.0.1:5", host(1), false),
        ("0.0.0.0:5", host(1), false),
        ("255.255.255.255:5", host(1), false),
        ("[::ffff:198.51.100.1]:5", public, false),
        ("[2001:db8::1]:5", public, true),
        ("[fe80::1]:5", public, false),
    ] {
        assert_eq!(is_believable(addr.parse().unwrap(), teller), believed, "{addr}");
    }
}

#[test]
fn a_flood_of_queries_is_answered_two_hundred_times_a_second() {
    let mut core = Core::new(Time::ZERO, (true, false), Duration::ZERO, 1);
    let ping = krpc::ask(1, NodeId([9; 20]), &Query::Ping, true);
    let mut answers = |now: Time| {
        (0..1_000).for_each(|_| core.handle(now, host(1), &ping));
        std::iter::from_fn(|| core.poll_send()).count()
    };
    assert_eq!(answers(Time::ZERO), 200);
    assert_eq!(answers(Time::from_millis(999)), 0);
    assert_eq!(answers(Time::from_secs(1)), 200);
}

#[test]
fn a_name_follows_the_address_on_which_most_agree() {
    let ours = "203.0.113.77".parse().unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut network = Network::new(true, NodeId([0; 20]));
    for voter in 1..=5 {
        network.seen_as([198, 51, 100, voter].into(), ours, &mut rng);
        network.seen_as([198, 51, 100, 1].into(), ours, &mut rng);
    }
    assert_eq!(network.table.ours(), NodeId([0; 20]));
    network.seen_as([198, 51, 100, 6].into(), ours, &mut rng);
    assert!(network.table.ours().fits(ours));
    network.seen_as([198, 51, 100, 7].into(), [10, 0, 0, 1].into(), &mut rng);
    assert!(network.table.ours().fits(ours));
}

#[test]
fn any_bytes_are_taken_without_harm() {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut core = Core::new(Time::ZERO, (true, true), Duration::ZERO, 1);
    core.say(Time::ZERO, &[host(1), host6(1)]);
    let real = krpc::ask(7, NodeId([9; 20]), &Query::GetPeers { info_hash: HASH }, false);
    for round in 0..20_000_u64 {
        let mut bytes = real.clone();
        for _ in 0..rng.usize(..6) {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        bytes.truncate(rng.usize(..=bytes.len()));
        let now = Time::from_millis(round);
        core.handle(now, if rng.bool() { host(1) } else { host6(1) }, &bytes);
        if core.deadline() <= now {
            core.on_deadline(now);
        }
        while core.poll_send().is_some() {}
    }
}
