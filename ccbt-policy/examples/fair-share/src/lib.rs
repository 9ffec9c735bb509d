//! An eviction rule in a crate of its own: who takes and does not give makes room for somebody better.
//!
//! `src/main.rs` downloads with it; `tests/` has it judged, in virtual time and in a real swarm.

use std::time::Duration;

use ccbt_policy::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// While we download, a peer that chokes us though it has pieces that we need, and that took more from us
/// than is fair, may lose its slot to a newcomer. It is not closed if nobody waits.
#[derive(Clone, Copy, Debug)]
pub struct FairShare {
    /// Bytes that it may take beyond what it gave.
    pub allowance: u64,
    /// For how long it must have choked us.
    pub grace: Duration,
}

impl Default for FairShare {
    /// 16 MiB, 120 s.
    fn default() -> Self {
        Self { allowance: 16 << 20, grace: Duration::from_secs(120) }
    }
}

impl FairShare {
    /// The word for it in events.
    pub const REASON: Reason = Reason::new("takes-and-does-not-give");

    fn owes(&self, peer: &PeerView) -> bool {
        peer.uploaded > peer.downloaded.saturating_add(self.allowance)
    }
}

impl EvictionPolicy for FairShare {
    fn name(&self) -> &str {
        "fair-share"
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _now: Time) -> Verdict {
        let withholds = swarm.leeching() && peer.wanted > 0 && peer.peer_choking;
        let due = peer.peer_choking_since.checked_add(self.grace);
        match due {
            // From the facts, not from `now`: whoever asks later gets the same answer.
            Some(at) if withholds && self.owes(peer) => {
                Verdict::spare(Eviction::new(at, Self::REASON))
            }
            _ => Verdict::keep(),
        }
    }

    fn explain(&self, peer: &PeerView, _swarm: &SwarmView, _eviction: &Eviction) -> Evidence {
        let words = format!(
            "took {} bytes, gave {}, chokes us since {}",
            peer.uploaded, peer.downloaded, peer.peer_choking_since
        );
        Evidence::new(self.name(), words)
    }
}
