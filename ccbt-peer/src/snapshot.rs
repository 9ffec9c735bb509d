//! A swarm as it stands at one moment, peer by peer: for diagnosis.

use std::ops::Range;

use ccbt_policy::{Eviction, Evidence, PeerView, SwarmView, Time};

use crate::Progress;

/// Everything about a swarm at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// When, since the swarm began.
    pub at: Time,
    /// The facts about the swarm.
    pub swarm: SwarmView,
    /// The state in numbers, as of the last second.
    pub progress: Progress,
    /// The connected peers, the longest connected first.
    pub peers: Vec<PeerStatus>,
    /// Runs of needed pieces that no connected peer has.
    pub nobody_has: Vec<Range<u32>>,
}

impl Snapshot {
    /// How many needed pieces no connected peer has.
    #[must_use]
    pub fn nobody_has_count(&self) -> u32 {
        self.nobody_has.iter().map(|run| run.end - run.start).sum()
    }
}

/// One connected peer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerStatus {
    /// The facts that policies see.
    pub view: PeerView,
    /// Whether it has a slot; if not, it waits for one.
    pub has_slot: bool,
    /// What the rules have in store for it; `None` if they are content.
    pub notice: Option<Notice>,
}

/// What the rules have in store for a peer unless something changes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notice {
    /// How strict it is.
    pub kind: NoticeKind,
    /// When, and why.
    pub eviction: Eviction,
    /// The rule, and what it sees.
    pub evidence: Evidence,
}

/// How strict a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The peer is closed then.
    Evict,
    /// A newcomer that has what we need may take its slot from then on.
    Spare,
    /// The rules only report that they would close it (dry run).
    Shadow,
}
