use crate::{Eviction, Evidence};

/// What [`Watch::poll`](super::Watch::poll) finds due.
///
/// Of one peer at one instant they come in the order in which they stand here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<K> {
    /// The peer has nothing that we need: tell it NOT_INTERESTED. Once per change.
    LoseInterest {
        /// The peer.
        key: K,
    },
    /// The eviction announced by the last [`Scheduled`](Self::Scheduled) of this peer will not
    /// happen.
    Pardoned {
        /// The peer.
        key: K,
        /// The eviction, as it was announced.
        eviction: Eviction,
        /// What spoke for it then.
        evidence: Evidence,
    },
    /// The peer will be evicted unless a fact changes. A later one for another reason takes its
    /// place; a mere shift of the deadline is not reported.
    Scheduled {
        /// The peer.
        key: K,
        /// When and why.
        eviction: Eviction,
        /// What speaks for it.
        evidence: Evidence,
    },
    /// The peer would go now if the policy were not on trial ([`DryRun`](crate::DryRun)). Once as
    /// long as that stands.
    Shadow {
        /// The peer.
        key: K,
        /// When and why.
        eviction: Eviction,
        /// What speaks for it.
        evidence: Evidence,
    },
    /// Close the peer. Once per key; nothing more is said about it until it is removed.
    Evict {
        /// The peer.
        key: K,
        /// When it was due and why.
        eviction: Eviction,
        /// What speaks for it.
        evidence: Evidence,
    },
}

impl<K: Copy> Outcome<K> {
    /// The peer that it is about.
    pub fn key(&self) -> K {
        match *self {
            Self::LoseInterest { key }
            | Self::Pardoned { key, .. }
            | Self::Scheduled { key, .. }
            | Self::Shadow { key, .. }
            | Self::Evict { key, .. } => key,
        }
    }
}
