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
            let Some(peers) = peers else { return true };
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
