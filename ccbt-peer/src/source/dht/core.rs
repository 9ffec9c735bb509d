//! A node of the DHT as a state machine: datagrams and the time go in, datagrams and peers come out.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod network;
mod pending;
mod rate;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::Time;
use ccbt_wire::InfoHash;

use self::network::Network;
use self::pending::{Asked, Pending};
use self::rate::Rate;
use super::announced::Announced;
use super::id::{NodeId, is_local};
use super::krpc::{self, Body, Contact, Fault, Message, Query, Reply, Want};
use super::lookup::Lookup;
use super::table::BUCKET;

/// So often the memory is tidied and old nodes are asked whether they are still there.
const TIDY: Duration = Duration::from_secs(60);
/// Old nodes of a family that are asked each time.
const PINGS: usize = 8;
/// Queries of strangers that we answer in a second. More than one node gets, less than an attack brings.
const ANSWERS: u32 = 200;
/// Nodes that nobody here asked for are pinged no oftener in a second, and while fewer queries wait: the rest
/// is for searches and announces.
const MEETINGS: u32 = 8;
const ROOM_TO_MEET: usize = 64;
/// Addresses where nodes are said to be.
const SAID: usize = 256;

/// One node, in the IPv4 network, the IPv6 network, or both (BEP 32).
#[derive(Debug)]
pub(super) struct Core {
    networks: Vec<Network>,
    /// Addresses where nodes are said to be, for as long as we know few; what was said last comes first.
    said: Vec<SocketAddr>,
    announced: Announced,
    pending: Pending,
    searches: BTreeMap<u64, Search>,
    searches_ever: u64,
    out: VecDeque<(SocketAddr, Vec<u8>)>,
    news: VecDeque<News>,
    tidy_at: Time,
    /// Until then nobody shall remember us: most processes do not live so long (BEP 43).
    read_only_until: Time,
    answers: Rate,
    meetings: Rate,
    /// How often the tables may have changed.
    changes: u64,
    rng: fastrand::Rng,
}

#[derive(Debug)]
struct Search {
    lookup: Lookup,
    is_ipv4: bool,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// To know more nodes.
    Nodes,
    /// To find peers of a torrent, and to announce ourselves if we accept connections.
    Peers { key: u64, info_hash: InfoHash, announce: Option<u16> },
}

/// What a search for peers brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    Peers(u64, Vec<SocketAddr>),
    Over(u64),
}

impl Core {
    /// A node in these networks (IPv4, IPv6), which knows nobody yet.
    pub(super) fn new(
        now: Time,
        (ipv4, ipv6): (bool, bool),
        read_only: Duration,
        seed: u64,
    ) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let families = [(ipv4, true), (ipv6, false)].into_iter().filter(|(has, _)| *has);
        Self {
            networks: families.map(|(_, v4)| Network::new(v4, NodeId::random(&mut rng))).collect(),
            said: Vec::new(),
            announced: Announced::new(now, &mut rng),
            pending: Pending::default(),
            searches: BTreeMap::new(),
            searches_ever: 0,
            out: VecDeque::new(),
            news: VecDeque::new(),
            tidy_at: now + TIDY,
            read_only_until: now + read_only,
            answers: Rate::new(now, ANSWERS),
            meetings: Rate::new(now, MEETINGS),
            changes: 0,
            rng,
        }
    }

    /// At these addresses nodes are said to be: they are asked now, and later while we know few.
    pub(super) fn say(&mut self, now: Time, addrs: &[SocketAddr]) {
        self.said.retain(|addr| !addrs.contains(addr));
        self.said.splice(..0, addrs.iter().copied());
        self.said.truncate(SAID);
        // Searches that have begun with older ones must not wait until those are through.
        for search in self.searches.values_mut() {
            let of_family = |addr: &&SocketAddr| addr.is_ipv4() == search.is_ipv4;
            let said: Vec<SocketAddr> = addrs.iter().filter(of_family).copied().collect();
            search.lookup.try_first(&said);
        }
        for at in 0..self.networks.len() {
            self.look_around(now, at);
        }
    }

    /// A node is said to be at this address: it is asked whether it is, unless there is much to do.
    pub(super) fn meet(&mut self, now: Time, addr: SocketAddr) {
        if self.network(addr.is_ipv4()).is_some()
            && self.pending.len() < ROOM_TO_MEET
            && self.meetings.allows(now)
        {
            self.ask(now, addr, Query::Ping, None);
        }
    }

    /// Searches for peers of a torrent, and announces that we accept connections at this port. The key
    /// comes back with the news.
    pub(super) fn look_up(&mut self, now: Time, info_hash: InfoHash, announce: Option<u16>) -> u64 {
        let key = self.searches_ever;
        let purpose = Purpose::Peers { key, info_hash, announce };
        let families: Vec<bool> = self.networks.iter().map(Network::is_ipv4).collect();
        // All of them begin before one can end.
        let searches: Vec<u64> = families
            .into_iter()
            .map(|is_ipv4| self.begin(is_ipv4, NodeId(info_hash.0), purpose))
            .collect();
        searches.into_iter().for_each(|search| self.go_on(now, search));
        key
    }

    /// Nobody waits for the search any more.
    pub(super) fn give_up(&mut self, key: u64) {
        self.searches.retain(|_, search| search.key() != Some(key));
    }

    /// A datagram came.
    pub(super) fn handle(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) {
        let Some(Message { transaction, body }) = Message::parse(datagram) else { return };
        match body {
            Body::Query { id, query, read_only, want } => {
                self.on_query(now, Contact { id, addr: from }, &transaction, query, want);
                let known = self.network(from.is_ipv4());
                let contact = Contact { id, addr: from };
                if !read_only && known.is_some_and(|known| known.table.has_room_for(contact)) {
                    self.meet(now, from);
                }
            }
            Body::Reply { id, reply, seen_as } => {
                let Some(asked) = self.pending.take(from, &transaction) else { return };
                self.changes += 1;
                if let Some(network) = network(&mut self.networks, from.is_ipv4()) {
                    network.table.heard(now, Contact { id, addr: from });
                    if let Some(ip) = seen_as {
                        network.seen_as(from.ip(), ip, &mut self.rng);
                    }
                }
                self.on_reply(now, Contact { id, addr: from }, reply, asked);
            }
            // It is there, but of no use to a search.
            Body::Error => {
                let asked = self.pending.take(from, &transaction);
                if let Some(search) = asked.and_then(|asked| asked.search) {
                    self.silent(now, search, from);
                }
            }
        }
    }

    /// Something is due.
    pub(super) fn on_deadline(&mut self, now: Time) {
        for Asked { addr, search, .. } in self.pending.overdue(now) {
            self.changes += 1;
            if let Some(network) = network(&mut self.networks, addr.is_ipv4()) {
                network.table.silent(addr);
            }
            if let Some(search) = search {
                self.silent(now, search, addr);
            }
        }
        if now >= self.tidy_at {
            self.tidy_at = now + TIDY;
            self.announced.tidy(now, &mut self.rng);
            for at in 0..self.networks.len() {
                for addr in self.networks[at].table.questionable(now, PINGS) {
                    self.ask(now, addr, Query::Ping, None);
                }
                self.look_around(now, at);
            }
        }
        // Some searches may have had to wait for others.
        let searches: Vec<u64> = self.searches.keys().copied().collect();
        searches.into_iter().for_each(|search| self.go_on(now, search));
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Time {
        self.pending.deadline().map_or(self.tidy_at, |at| at.min(self.tidy_at))
    }

    /// The next datagram to be sent.
    pub(super) fn poll_send(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.out.pop_front()
    }

    /// What searches have found.
    pub(super) fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// The nodes that we know of both families, those that were heard last first.
    pub(super) fn nodes(&self) -> Vec<SocketAddr> {
        let contacts = self.networks.iter().flat_map(|network| network.table.contacts());
        contacts.map(|contact| contact.addr).collect()
    }

    /// A number that is another one when [`nodes`](Self::nodes) gives something else.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// How many they are.
    pub(super) fn node_count(&self) -> usize {
        self.networks.iter().map(|network| network.table.len()).sum()
    }

    fn network(&self, is_ipv4: bool) -> Option<&Network> {
        self.networks.iter().find(|network| network.is_ipv4() == is_ipv4)
    }

    /// Searches for more nodes, if it is time for that.
    fn look_around(&mut self, now: Time, at: usize) {
        let network = &mut self.networks[at];
        let is_ipv4 = network.is_ipv4();
        let has_hope = network.table.len() > 0 || self.said.iter().any(|a| a.is_ipv4() == is_ipv4);
        let under_way =
            |search: &Search| search.is_ipv4 == is_ipv4 && matches!(search.purpose, Purpose::Nodes);
        if has_hope && !self.searches.values().any(under_way) && network.is_due(now) {
            let target = network.next_target(&mut self.rng);
            let search = self.begin(is_ipv4, target, Purpose::Nodes);
            self.go_on(now, search);
        }
    }

    fn begin(&mut self, is_ipv4: bool, target: NodeId, purpose: Purpose) -> u64 {
        let network = self.network(is_ipv4);
        let known = network.map(|network| network.table.nearest(target, 2 * BUCKET));
        let known = known.unwrap_or_default();
        let of_family = self.said.iter().filter(|addr| addr.is_ipv4() == is_ipv4);
        let said: Vec<SocketAddr> =
            if known.len() < BUCKET { of_family.copied().collect() } else { Vec::new() };
        let search = self.searches_ever;
        self.searches_ever += 1;
        let lookup = Lookup::new(target, known, &said);
        self.searches.insert(search, Search { lookup, is_ipv4, purpose });
        search
    }

    /// Asks whom a search wants to ask, and ends it when it is over.
    fn go_on(&mut self, now: Time, key: u64) {
        while self.pending.has_room() {
            let Some(search) = self.searches.get_mut(&key) else { return };
            let Some(addr) = search.lookup.next() else { break };
            let query = match search.purpose {
                Purpose::Nodes => Query::FindNode { target: search.lookup.target() },
                Purpose::Peers { info_hash, .. } => Query::GetPeers { info_hash },
            };
            self.ask(now, addr, query, Some(key));
        }
        if !self.searches.get(&key).is_some_and(|search| search.lookup.is_done()) {
            return;
        }
        let Some(search) = self.searches.remove(&key) else { return };
        let Purpose::Peers { key, info_hash, announce } = search.purpose else { return };
        if let Some(port) = announce {
            for (addr, token) in search.lookup.holders() {
                let query = Query::Announce { info_hash, port, implied: false, token };
                self.ask(now, addr, query, None);
            }
        }
        if !self.searches.values().any(|search| search.key() == Some(key)) {
            self.news.push_back(News::Over(key));
        }
    }

    fn silent(&mut self, now: Time, search: u64, addr: SocketAddr) {
        if let Some(search) = self.searches.get_mut(&search) {
            search.lookup.silent(addr);
        }
        self.go_on(now, search);
    }

    fn ask(&mut self, now: Time, addr: SocketAddr, query: Query, search: Option<u64>) {
        let Some(ours) = self.network(addr.is_ipv4()).map(|network| network.table.ours()) else {
            return;
        };
        if let Some(transaction) = self.pending.add(now, addr, search, &mut self.rng) {
            let read_only = now < self.read_only_until;
            self.out.push_back((addr, krpc::ask(transaction, ours, &query, read_only)));
        }
    }

    fn on_reply(&mut self, now: Time, from: Contact, reply: Reply, asked: Asked) {
        let believable = |addr: SocketAddr| is_believable(addr, from.addr);
        let (same, other): (Vec<Contact>, Vec<Contact>) = reply
            .nodes
            .into_iter()
            .filter(|node| believable(node.addr))
            .partition(|node| node.addr.is_ipv4() == from.addr.is_ipv4());
        // Nodes of one family are the way into the network of the other (BEP 32).
        if self.network(!from.addr.is_ipv4()).is_some_and(|network| network.table.len() < BUCKET) {
            other.into_iter().take(BUCKET).for_each(|node| self.meet(now, node.addr));
        }
        let Some(key) = asked.search else { return };
        let Some(search) = self.searches.get_mut(&key) else { return };
        search.lookup.answered(from, same, reply.token);
        let peers: Vec<SocketAddr> = reply.peers.into_iter().filter(|a| believable(*a)).collect();
        if let Some(key) = search.key()
            && !peers.is_empty()
        {
            self.news.push_back(News::Peers(key, peers));
        }
        self.go_on(now, key);
    }

    fn on_query(
        &mut self,
        now: Time,
        from: Contact,
        transaction: &[u8],
        query: Option<Query>,
        want: Option<Want>,
    ) {
        let Some(ours) = self.network(from.addr.is_ipv4()).map(|network| network.table.ours())
        else {
            return;
        };
        if !self.answers.allows(now) {
            return;
        }
        let answer = match query {
            Some(Query::Ping) => Ok(Reply::default()),
            Some(Query::FindNode { target }) => Ok(self.nearest(target, from.addr, want)),
            Some(Query::GetPeers { info_hash }) => {
                let nodes = self.nearest(NodeId(info_hash.0), from.addr, want);
                let is_ipv4 = from.addr.is_ipv4();
                let peers = self.announced.peers(info_hash, is_ipv4, &mut self.rng);
                Ok(Reply { peers, token: Some(self.announced.token(from.addr.ip())), ..nodes })
            }
            Some(Query::Announce { info_hash, port, implied, token }) => {
                let port = if implied { from.addr.port() } else { port };
                if self.announced.knows(from.addr.ip(), &token) && port != 0 {
                    let peer = SocketAddr::new(from.addr.ip(), port);
                    self.announced.add(now, info_hash, peer);
                    Ok(Reply::default())
                } else {
                    Err(Fault::Token)
                }
            }
            None => Err(Fault::Unknown),
        };
        let datagram = match answer {
            Ok(reply) => krpc::answer(transaction, ours, from.addr, &reply),
            Err(fault) => krpc::refuse(transaction, fault),
        };
        self.out.push_back((from.addr, datagram));
    }

    fn nearest(&self, target: NodeId, asker: SocketAddr, want: Option<Want>) -> Reply {
        let own = Want { ipv4: asker.is_ipv4(), ipv6: asker.is_ipv6() };
        let want = want.filter(|want| want.ipv4 || want.ipv6).unwrap_or(own);
        let wanted = |network: &&Network| if network.is_ipv4() { want.ipv4 } else { want.ipv6 };
        let networks = self.networks.iter().filter(wanted);
        let nodes = networks.flat_map(|network| network.table.nearest(target, BUCKET));
        // Local nodes are of use to local askers only.
        let nodes = nodes.filter(|node| is_believable(node.addr, asker));
        Reply { nodes: nodes.collect(), ..Reply::default() }
    }
}

impl Search {
    fn key(&self) -> Option<u64> {
        match self.purpose {
            Purpose::Nodes => None,
            Purpose::Peers { key, .. } => Some(key),
        }
    }
}

fn network(networks: &mut [Network], is_ipv4: bool) -> Option<&mut Network> {
    networks.iter_mut().find(|network| network.is_ipv4() == is_ipv4)
}

/// Whether `addr` may be somebody's, as told by `teller`: of local addresses only local nodes know.
fn is_believable(addr: SocketAddr, teller: SocketAddr) -> bool {
    let ip = addr.ip();
    let broadcast = matches!(ip, std::net::IpAddr::V4(ip) if ip.is_broadcast());
    let mapped = ip.to_canonical() != ip;
    addr.port() != 0
        && !(ip.is_unspecified() || ip.is_multicast() || broadcast || mapped)
        && (!is_local(ip) || is_local(teller.ip()))
}
