//! The DHT as a source of peers for one swarm.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use ccbt_policy::Source;

use super::node::Dht;
use crate::source::{PeerSource, SourceContext};

/// Seconds between searches: the first may have come before the node knew its way, or before others had
/// announced themselves. Announces last 30 min with others.
const WAITS: [u64; 7] = [5, 15, 30, 60, 120, 300, 600];
const LATER: u64 = 900;
/// Addresses that are not told again.
const SEEN: usize = 4_096;

/// Finds peers in the DHT for one swarm.
///
/// It searches at once, and again after 5, 15, 30, 60, 120, 300 and 600 s, then every 15 min. Each search
/// announces the swarm's port. Peers are told as they are found, each of them once in a while.
#[derive(Clone, Debug)]
pub struct DhtSource {
    dht: Dht,
}

impl DhtSource {
    pub(super) fn new(dht: Dht) -> Self {
        Self { dht }
    }

    /// Tells what one search brings; false if the swarm stopped meanwhile.
    async fn search(&self, context: &SourceContext, seen: &mut HashSet<SocketAddr>) -> bool {
        let mut found = tokio::select! {
            found = self.dht.look_up(context.info_hash, context.port) => found,
            () = context.stopped() => return false,
        };
        loop {
            let peers = tokio::select! {
                peers = found.recv() => peers,
                () = context.stopped() => return false,
            };
            let Some(peers) = peers else {
                // That the network knows nobody is an answer, too.
                if seen.is_empty() && self.dht.node_count() > 0 {
                    context.found(Vec::new(), None).await;
                }
                return true;
            };
            let room = SEEN.saturating_sub(seen.len());
            let news: Vec<SocketAddr> =
                peers.into_iter().filter(|peer| seen.insert(*peer)).take(room).collect();
            if !news.is_empty() {
                context.found(news, None).await;
            }
        }
    }
}

#[async_trait]
impl PeerSource for DhtSource {
    fn name(&self) -> String {
        "dht".into()
    }

    fn kind(&self) -> Source {
        Source::Dht
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        let mut complained = false;
        for wait in WAITS.into_iter().chain(std::iter::repeat(LATER)) {
            let mut seen = HashSet::new();
            if !self.search(&context, &mut seen).await {
                return;
            }
            if self.dht.node_count() == 0 && !std::mem::replace(&mut complained, true) {
                context.failed("no node of the DHT answers").await;
            }
            if !context.pause(Duration::from_secs(wait)).await {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::node::DhtConfig;
    use super::*;
    use crate::Binding;
    use crate::source::fixtures::Swarm;

    fn node(bootstrap: Option<&Dht>) -> Dht {
        let there = bootstrap.and_then(|node| node.port(true));
        Dht::start(DhtConfig {
            binding: Binding::address(Ipv4Addr::LOCALHOST.into()),
            bootstrap: there.iter().map(|port| format!("127.0.0.1:{port}")).collect(),
            ..DhtConfig::default()
        })
        .unwrap()
    }

    /// A node answers once somebody has searched with it.
    async fn in_use(node: &Dht) {
        let mut found = node.look_up(ccbt_wire::InfoHash([0; 20]), None).await;
        while found.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn a_swarm_is_told_who_announced_himself_and_stops_at_once() {
        let first = node(None);
        in_use(&first).await;
        let (seed, leecher) = (node(Some(&first)), node(Some(&first)));
        let mut swarm = Swarm::new("dht", Source::Dht);
        let context = swarm.context();
        // Who answers too late counts as silent: then it is said again.
        while seed.node_count() == 0 {
            let mut found = seed.look_up(context.info_hash, Some(51_413)).await;
            while found.recv().await.is_some() {}
        }
        let task = tokio::spawn(Box::new(leecher.source()).run(context));
        let expected: Vec<SocketAddr> = vec![(Ipv4Addr::LOCALHOST, 51_413).into()];
        let found = loop {
            match swarm.next().await {
                Ok(found) if !found.is_empty() => break found,
                _ => {}
            }
        };
        assert_eq!(found, expected);
        assert_eq!(leecher.node_count(), 1);
        swarm.stop();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn that_nobody_answers_is_told() {
        let mut swarm = Swarm::new("dht", Source::Dht);
        let task = tokio::spawn(Box::new(node(None).source()).run(swarm.context()));
        assert_eq!(swarm.next().await, Err("no node of the DHT answers".into()));
        swarm.stop();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn peers_tell_each_other_of_their_nodes() {
        let [ours, theirs] = [node(None), node(None)];
        let torrent = ccbt_wire::metainfo::build::Builder::single("a", 16_384, 16_384);
        let torrent = ccbt_wire::Metainfo::parse(&torrent.pieces([[0; 20]]).encode()).unwrap();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let other = crate::Swarm::builder(torrent.clone()).dht(&theirs).listen(listen);
        let (other, _events) = other.start().unwrap();
        let source = crate::Given::new([other.local_addr().unwrap()]);
        let swarm = crate::Swarm::builder(torrent).dht(&ours).source(source);
        let (_swarm, _events) = swarm.start().unwrap();
        // Nobody else could have named them.
        while ours.node_count() == 0 || theirs.node_count() == 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nodes_of_an_earlier_run_are_a_way_in() {
        let first = node(None);
        let addr: SocketAddr = (Ipv4Addr::LOCALHOST, first.port(true).unwrap()).into();
        let binding = Binding::address(Ipv4Addr::LOCALHOST.into());
        let (bootstrap, nodes) = (vec![], vec![addr]);
        let config = DhtConfig { binding, bootstrap, nodes, ..DhtConfig::default() };
        let later = Dht::start(config).unwrap();
        in_use(&first).await;
        // A node that is slow counts as silent, and is asked again by the next search.
        while later.nodes().is_empty() {
            in_use(&later).await;
        }
        assert_eq!(later.nodes(), [addr]);
    }
}
