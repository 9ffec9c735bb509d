use std::fmt;

use super::facts::{self, MISBEHAVED};
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that does not choke us and has rejected 50 requests (by default) without a block in
/// between goes at once.
///
/// A block starts the count anew. A peer that chokes us has to reject what it does not answer (BEP
/// 6), so there it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejecter {
    rejects: u32,
}

impl Rejecter {
    /// Its name in the registry.
    pub const NAME: &'static str = "rejecter";

    /// The rule for `rejects` requests in a row.
    pub const fn new(rejects: u32) -> Self {
        Self { rejects }
    }
}

/// 50.
impl Default for Rejecter {
    fn default() -> Self {
        Self::new(50)
    }
}

impl EvictionPolicy for Rejecter {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
        if peer.peer_choking || peer.consecutive_rejects < self.rejects.max(1) {
            return Verdict::keep();
        }
        let at = facts::last_block_or_start(peer);
        Verdict::evict(Eviction::new(at, Reason::REJECTER).with_cooldown(MISBEHAVED))
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, _: &Eviction) -> Evidence {
        let rejects = peer.consecutive_rejects;
        Evidence::new(Self::NAME, format!("rejected {rejects} requests in a row though unchoked"))
    }
}

/// As in a specification: `rejecter=50`.
impl fmt::Display for Rejecter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, self.rejects)
    }
}
