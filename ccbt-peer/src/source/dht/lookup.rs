//! One search through the network: nearer and nearer nodes are asked, until the nearest have answered.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::id::{NodeId, is_local};
use super::krpc::Contact;
use super::table::BUCKET;

/// Queries of one search that may be on their way.
const AT_ONCE: usize = 5;
/// Nodes that a search remembers.
const MOST: usize = 128;
/// Queries of one search, however many nodes are named: one that finds its way needs a fifth of them.
const QUERIES: usize = 200;
/// Nodes that are taken from one reply; a good one names eight.
const NAMED: usize = 16;

/// A search for the nodes nearest to a target. It knows neither messages nor time.
#[derive(Debug)]
pub(super) struct Lookup {
    target: NodeId,
    /// The nearest first; whose name is not known yet, last.
    nodes: Vec<Candidate>,
    /// Hosts that were asked, those that are silent among them: nobody is asked twice.
    asked: HashSet<SocketAddr>,
}

#[derive(Debug)]
struct Candidate {
    id: Option<NodeId>,
    addr: SocketAddr,
    state: State,
    token: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Asked,
    Answered,
}

impl Lookup {
    /// A search that begins with nodes that are known, and with addresses where a node is said to be.
    pub(super) fn new(target: NodeId, known: Vec<Contact>, said: &[SocketAddr]) -> Self {
        let mut lookup = Self { target, nodes: Vec::new(), asked: HashSet::new() };
        known.into_iter().for_each(|node| lookup.add(Some(node.id), node.addr));
        lookup.try_first(said);
        lookup
    }

    /// At these addresses nodes are said to be. They come before others whose name is not known.
    pub(super) fn try_first(&mut self, said: &[SocketAddr]) {
        let known = std::mem::take(&mut self.nodes);
        let (known, nameless): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|node| node.id.is_some() || node.state == State::Asked);
        self.nodes = known;
        said.iter().for_each(|addr| self.add(None, *addr));
        for node in nameless {
            self.add(None, node.addr);
        }
        self.sort();
    }

    pub(super) fn target(&self) -> NodeId {
        self.target
    }

    /// Whom to ask now; to be called until there is nobody.
    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        let under_way = self.nodes.iter().filter(|node| node.state == State::Asked).count();
        if under_way >= AT_ONCE || self.is_exhausted() {
            return None;
        }
        let mut near = self.nodes.iter_mut().take(BUCKET);
        let next = near.find(|node| node.state == State::New)?;
        next.state = State::Asked;
        self.asked.insert(host(next.addr));
        Some(next.addr)
    }

    /// Nobody is left to be waited for.
    pub(super) fn is_done(&self) -> bool {
        let is_new = |node: &Candidate| node.state == State::New;
        let is_over = self.is_exhausted() || !self.nodes.iter().take(BUCKET).any(is_new);
        is_over && self.nodes.iter().all(|node| node.state != State::Asked)
    }

    fn is_exhausted(&self) -> bool {
        self.asked.len() >= QUERIES
    }

    /// Somebody that was asked named others.
    pub(super) fn answered(
        &mut self,
        from: Contact,
        nodes: impl IntoIterator<Item = Contact>,
        token: Option<Vec<u8>>,
    ) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.addr == from.addr) {
            (node.id, node.state, node.token) = (Some(from.id), State::Answered, token);
        }
        nodes.into_iter().take(NAMED).for_each(|node| self.add(Some(node.id), node.addr));
        self.sort();
    }

    /// Somebody that was asked did not answer.
    pub(super) fn silent(&mut self, addr: SocketAddr) {
        self.nodes.retain(|node| node.addr != addr);
    }

    /// The nearest nodes that answered, with the token that each of them gave.
    pub(super) fn holders(self) -> impl Iterator<Item = (SocketAddr, Vec<u8>)> {
        let answered = self.nodes.into_iter().filter(|node| node.state == State::Answered);
        answered.filter_map(|node| Some((node.addr, node.token?))).take(BUCKET)
    }

    fn add(&mut self, id: Option<NodeId>, addr: SocketAddr) {
        let there = host(addr);
        if !self.asked.contains(&there) && self.nodes.iter().all(|node| host(node.addr) != there) {
            self.nodes.push(Candidate { id, addr, state: State::New, token: None });
        }
    }

    fn sort(&mut self) {
        let target = self.target;
        self.nodes.sort_by_key(|node| node.id.map_or([0xff; 20], |id| id.distance(target)));
        let mut room = MOST;
        // Whoever was asked stays: the answer has to find its place.
        self.nodes.retain(|node| {
            room = room.saturating_sub(1);
            room > 0 || node.state == State::Asked
        });
    }
}

/// What one candidate has for itself: a public host, or a port of a local one, where many nodes may be.
fn host(addr: SocketAddr) -> SocketAddr {
    let port = if is_local(addr.ip()) { addr.port() } else { 0 };
    SocketAddr::new(addr.ip(), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: NodeId = NodeId([0; 20]);

    fn node(number: u8) -> Contact {
        let mut id = [0; 20];
        id[0] = number;
        Contact { id: NodeId(id), addr: ([127, 0, 0, number], 6881).into() }
    }

    fn asked(lookup: &mut Lookup) -> Vec<u8> {
        let asked = std::iter::from_fn(|| lookup.next());
        asked
            .map(|addr| addr.to_string()[8..].split(':').next().unwrap().parse().unwrap())
            .collect()
    }

    #[test]
    fn the_nearest_are_asked_first_and_five_at_once() {
        let known = (1..=20).rev().map(node).collect();
        let mut lookup = Lookup::new(TARGET, known, &[]);
        assert_eq!(asked(&mut lookup), [1, 2, 3, 4, 5]);
        lookup.answered(node(3), [], None);
        lookup.silent(node(1).addr);
        assert_eq!(asked(&mut lookup), [6, 7]);
    }

    #[test]
    fn it_is_done_when_the_eight_nearest_have_answered() {
        let known = (1..=20).map(node).collect();
        let mut lookup = Lookup::new(TARGET, known, &[]);
        let mut count = 0;
        while let [first, ..] = asked(&mut lookup)[..] {
            // Whoever was asked meanwhile answers, too.
            for number in first..=20 {
                if lookup
                    .nodes
                    .iter()
                    .any(|n| n.addr == node(number).addr && n.state == State::Asked)
                {
                    lookup.answered(node(number), [], Some(vec![number]));
                    count += 1;
                }
            }
        }
        assert!(lookup.is_done());
        assert_eq!(count, 8);
        let holders: Vec<u8> = lookup.holders().map(|(_, token)| token[0]).collect();
        assert_eq!(holders, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn an_address_without_a_name_is_asked_and_its_nearer_nodes_next() {
        let said = [node(200).addr];
        let mut lookup = Lookup::new(TARGET, Vec::new(), &said);
        assert_eq!(asked(&mut lookup), [200]);
        assert!(!lookup.is_done());
        lookup.answered(node(200), [node(5), node(4)], None);
        assert_eq!(asked(&mut lookup), [4, 5]);
        lookup.silent(node(4).addr);
        lookup.silent(node(5).addr);
        assert!(lookup.is_done());
    }

    #[test]
    fn what_a_node_can_make_it_remember_is_bounded() {
        let mut lookup = Lookup::new(TARGET, vec![node(1)], &[]);
        assert_eq!(asked(&mut lookup), [1]);
        for chunk in 0..1_000_u16 {
            let named = (0..16).map(|n| ([10, 0, 0, 1], 16 * chunk + n).into());
            lookup.answered(node(1), named.map(|addr| Contact { addr, ..node(2) }), None);
        }
        assert!(lookup.nodes.len() <= MOST);
    }

    #[test]
    fn a_search_is_over_after_two_hundred_queries_whatever_it_is_told() {
        let mut lookup = Lookup::new(TARGET, vec![node(255)], &[]);
        let (mut asked, mut nearer) = (0_u32, 0x8000_0000_u32);
        while let Some(addr) = lookup.next() {
            asked += 1;
            assert!(asked <= 200, "it goes on and on");
            // Each names sixteen that do not exist and are nearer than all before.
            let named: Vec<Contact> = std::iter::repeat_with(|| {
                nearer -= 1;
                let mut id = [0; 20];
                id[..4].copy_from_slice(&nearer.to_be_bytes());
                let addr = (std::net::Ipv4Addr::from(0x5000_0000 | (nearer & 0xff_ffff)), 1).into();
                Contact { id: NodeId(id), addr }
            })
            .take(16)
            .collect();
            lookup.answered(Contact { addr, ..node(255) }, named, None);
        }
        assert_eq!(asked, 200);
        assert!(lookup.is_done());
    }

    #[test]
    fn sixteen_nodes_are_taken_from_a_reply_and_one_of_each_public_host() {
        let mut lookup = Lookup::new(TARGET, vec![node(1)], &[]);
        assert_eq!(asked(&mut lookup), [1]);
        let ports = |ip: [u8; 4], count| {
            (1..=count).map(move |port: u16| Contact { addr: (ip, port).into(), ..node(2) })
        };
        lookup.answered(node(1), ports([10, 0, 0, 1], 50), None);
        assert_eq!(lookup.nodes.len(), 1 + 16);
        lookup.answered(node(1), ports([203, 0, 113, 1], 16), None);
        assert_eq!(lookup.nodes.len(), 1 + 16 + 1);
    }

    #[test]
    fn who_is_silent_is_forgotten_and_not_asked_again() {
        let mut lookup = Lookup::new(TARGET, vec![node(1), node(2)], &[]);
        assert_eq!(asked(&mut lookup), [1, 2]);
        lookup.silent(node(1).addr);
        assert_eq!(lookup.nodes.len(), 1);
        lookup.answered(node(2), [node(1), node(3)], None);
        assert_eq!(asked(&mut lookup), [3]);
    }

    #[test]
    fn a_search_without_anybody_is_done() {
        assert!(Lookup::new(TARGET, Vec::new(), &[]).is_done());
    }
}
