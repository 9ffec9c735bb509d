//! One search through the network: nearer and nearer nodes are asked, until the nearest have answered.

use std::net::SocketAddr;

use super::id::NodeId;
use super::krpc::Contact;
use super::table::BUCKET;

/// Queries of one search that may be on their way.
const AT_ONCE: usize = 5;
/// Nodes that a search remembers.
const MOST: usize = 128;

/// A search for the nodes nearest to a target. It knows neither messages nor time.
#[derive(Debug)]
pub(super) struct Lookup {
    target: NodeId,
    /// The nearest first; whose name is not known yet, last.
    nodes: Vec<Candidate>,
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
    Silent,
}

impl Lookup {
    /// A search that begins with nodes that are known, and with addresses where a node is said to be.
    pub(super) fn new(target: NodeId, known: Vec<Contact>, said: &[SocketAddr]) -> Self {
        let mut lookup = Self { target, nodes: Vec::new() };
        known.into_iter().for_each(|node| lookup.add(Some(node.id), node.addr));
        said.iter().for_each(|addr| lookup.add(None, *addr));
        lookup.sort();
        lookup
    }

    pub(super) fn target(&self) -> NodeId {
        self.target
    }

    /// Whom to ask now; to be called until there is nobody.
    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        let under_way = self.nodes.iter().filter(|node| node.state == State::Asked).count();
        if under_way >= AT_ONCE {
            return None;
        }
        let mut near = nearest(&mut self.nodes);
        let next = near.find(|node| node.state == State::New)?;
        next.state = State::Asked;
        Some(next.addr)
    }

    /// Nobody is left to be waited for.
    pub(super) fn is_done(&self) -> bool {
        let waits = |node: &Candidate| matches!(node.state, State::New | State::Asked);
        let near = self.nodes.iter().filter(|node| node.state != State::Silent);
        !near.take(BUCKET).any(waits) && self.nodes.iter().all(|node| node.state != State::Asked)
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
        nodes.into_iter().for_each(|node| self.add(Some(node.id), node.addr));
        self.sort();
    }

    /// Somebody that was asked did not answer.
    pub(super) fn silent(&mut self, addr: SocketAddr) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.addr == addr) {
            node.state = State::Silent;
        }
    }

    /// The nearest nodes that answered, with the token that each of them gave.
    pub(super) fn holders(self) -> impl Iterator<Item = (SocketAddr, Vec<u8>)> {
        let answered = self.nodes.into_iter().filter(|node| node.state == State::Answered);
        answered.filter_map(|node| Some((node.addr, node.token?))).take(BUCKET)
    }

    fn add(&mut self, id: Option<NodeId>, addr: SocketAddr) {
        if self.nodes.iter().all(|node| node.addr != addr) {
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

/// The nodes that count: the nearest that are not silent, and those whose name is not known.
fn nearest(nodes: &mut [Candidate]) -> impl Iterator<Item = &mut Candidate> {
    let mut room = BUCKET;
    nodes.iter_mut().filter(move |node| {
        let counts = node.state != State::Silent && room > 0;
        room -= usize::from(counts);
        counts
    })
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
        let many =
            (0..10_000_u16).map(|port| Contact { addr: ([10, 0, 0, 1], port).into(), ..node(2) });
        lookup.answered(node(1), many, None);
        assert!(lookup.nodes.len() <= MOST);
    }

    #[test]
    fn a_search_without_anybody_is_done() {
        assert!(Lookup::new(TARGET, Vec::new(), &[]).is_done());
    }
}
