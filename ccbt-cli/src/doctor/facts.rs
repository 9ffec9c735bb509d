//! What is seen of a swarm: the peers one by one, and the sums. docs/doctor.md is the contract of its form
//! as JSON.

mod peer;

use std::collections::BTreeMap;

use ccbt_peer::wire::Metainfo;
use ccbt_peer::{Addresses, Progress, Snapshot};
use serde::{Serialize, Serializer};

use super::journal::Journal;
use crate::events::canonical;
use crate::verify::Ranges;
#[cfg(test)]
pub(super) use peer::NoticeFacts;
pub(super) use peer::PeerFacts;

/// What the diagnosis is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    name: String,
    info_hash: String,
    in_the_way: Vec<String>,
}

impl Subject {
    pub(super) fn of(metainfo: &Metainfo, in_the_way: Vec<String>) -> Self {
        let info_hash = metainfo.info_hash().to_string();
        Self { name: metainfo.name().to_owned(), info_hash, in_the_way }
    }
}

/// Everything that is seen.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) info_hash: String,
    /// Since the swarm was joined.
    pub(super) looked_ms: u64,
    pub(super) pieces: u32,
    /// Pieces that are right in the folder.
    pub(super) have: u32,
    pub(super) need: u32,
    /// Where we listen.
    pub(super) listen: Option<String>,
    pub(super) sources: Vec<SourceFacts>,
    /// Nodes of the DHT that answer us, unless we stay out of it.
    pub(super) dht_nodes: Option<usize>,
    pub(super) totals: Totals,
    pub(super) peers: Vec<PeerFacts>,
    /// Needed pieces that no connected peer has.
    pub(super) nobody_has: Ranges,
    /// Dials that failed, by error, the most frequent first.
    #[serde(serialize_with = "as_map")]
    pub(super) not_reached: Vec<(String, usize)>,
    /// Peers that went, by reason, the most frequent first.
    #[serde(serialize_with = "as_map")]
    pub(super) gone: Vec<(&'static str, usize)>,
    /// Addresses that are not dialed for now, by reason, the most frequent first.
    #[serde(serialize_with = "as_map")]
    pub(super) waiting: Vec<(String, usize)>,
    /// What rules failed on.
    pub(super) troubles: Vec<String>,
    /// What stands where the torrent's files are to be.
    pub(super) in_the_way: Vec<String>,
}

/// Somebody who names peers.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct SourceFacts {
    pub(super) source: String,
    pub(super) replies: usize,
    /// The most that an answer named.
    pub(super) addresses: usize,
    /// Why the last question had no answer.
    pub(super) error: Option<String>,
    pub(super) warning: Option<String>,
}

/// The sums. Peers are the connected ones.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Totals {
    pub(super) peers: usize,
    pub(super) incoming: usize,
    /// Needed pieces that some peer has.
    pub(super) pieces_known: u32,
    /// Peers that told what they have, in whatever way.
    pub(super) peers_with_bitfield: usize,
    /// Peers that have a needed piece.
    pub(super) useful: usize,
    /// Those of them that hold a slot and do not choke us.
    pub(super) can_request: usize,
    /// Peers that do not choke us.
    pub(super) unchoked: usize,
    /// Peers that are interested in us.
    pub(super) interested: usize,
    /// Peers that the rules would drop unless something changes.
    pub(super) would_drop: usize,
    pub(super) slots: u32,
    pub(super) free_slots: u32,
    /// Addresses that could be dialed now.
    pub(super) candidates: u32,
    /// Dials under way.
    pub(super) half_open: u32,
    /// Handshakes that were done since the swarm was joined.
    pub(super) met: usize,
    /// Those of them with peers that dialed us.
    pub(super) met_incoming: usize,
    /// How often an address of the blocklist was kept away.
    pub(super) blocked: u32,
}

impl Facts {
    pub(super) fn of(
        subject: &Subject,
        snapshot: &Snapshot,
        addresses: &Addresses,
        journal: &Journal,
    ) -> Self {
        let peers: Vec<PeerFacts> =
            snapshot.peers.iter().map(|peer| PeerFacts::of(peer, snapshot.at)).collect();
        let Snapshot { swarm, progress, .. } = snapshot;
        Self {
            name: subject.name.clone(),
            info_hash: subject.info_hash.clone(),
            looked_ms: snapshot.at.as_millis(),
            pieces: swarm.have.saturating_add(swarm.need),
            have: swarm.have,
            need: swarm.need,
            listen: journal.listen.map(|addr| canonical(addr).to_string()),
            sources: journal.sources.values().cloned().collect(),
            totals: Totals {
                pieces_known: swarm.need.saturating_sub(snapshot.nobody_has_count()),
                slots: swarm.limit,
                free_slots: swarm.free_slots,
                met: journal.met,
                met_incoming: journal.met_incoming,
                ..Totals::of(&peers, progress)
            },
            peers,
            nobody_has: Ranges::of(snapshot.nobody_has.iter().cloned().flatten()),
            not_reached: ranked(journal.not_reached.clone()),
            gone: journal.gone.ranked(),
            waiting: waiting(addresses),
            dht_nodes: None,
            troubles: journal.troubles.clone(),
            in_the_way: subject.in_the_way.clone(),
        }
    }
}

impl Totals {
    fn of(peers: &[PeerFacts], progress: &Progress) -> Self {
        let count = |is: &dyn Fn(&PeerFacts) -> bool| peers.iter().filter(|peer| is(peer)).count();
        Self {
            peers: peers.len(),
            incoming: count(&|peer| peer.direction == "incoming"),
            peers_with_bitfield: count(&|peer| peer.availability != "unknown"),
            useful: count(&|peer| peer.wanted > 0),
            can_request: count(&|peer| peer.wanted > 0 && !peer.peer_choking && peer.has_slot),
            unchoked: count(&|peer| !peer.peer_choking),
            interested: count(&|peer| peer.peer_interested),
            would_drop: count(&|peer| peer.notice.is_some()),
            candidates: progress.candidates,
            half_open: progress.dialing,
            blocked: progress.blocked,
            ..Self::default()
        }
    }
}

/// Addresses that have to wait, each for the reason that holds it longest.
fn waiting(addresses: &Addresses) -> Vec<(String, usize)> {
    let mut reasons = BTreeMap::new();
    for peer in &addresses.peers {
        let longest = peer.waits.iter().filter(|wait| !wait.left.is_zero());
        if let Some(wait) = longest.max_by_key(|wait| wait.left) {
            *reasons.entry(wait.reason.clone()).or_default() += 1;
        }
    }
    ranked(reasons)
}

fn as_map<K: Serialize, S: Serializer>(
    counts: &[(K, usize)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(reason, count)| (reason, count)))
}

/// The most frequent first.
fn ranked(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
}
