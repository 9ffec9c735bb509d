use std::fmt;
use std::time::Duration;

use crate::registry::format_duration;
use crate::{
    Availability, Clears, Cooldown, Eviction, EvictionPolicy, Evidence, PeerView, Reason,
    SwarmView, Time, Verdict,
};

/// When we are complete, a peer that downloads nothing either goes at once (or after a delay).
///
/// Such a peer has announced every piece, or says that it is upload-only (BEP 21). One without the
/// metadata stays: it may still ask us for that (BEP 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redundant {
    delay: Duration,
}

impl Redundant {
    /// Its name in the registry.
    pub const NAME: &'static str = "redundant";

    /// The rule with a wait of `delay`, for instance to exchange peers before (BEP 11).
    pub const fn new(delay: Duration) -> Self {
        Self { delay }
    }

    fn redundant_since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        let complete = (peer.availability == Availability::All)
            .then(|| peer.availability_at.unwrap_or(peer.connected_at));
        let peer_since = [complete, peer.upload_only_since].into_iter().flatten().min()?;
        let swarm_since = swarm.upload_only_since?.max(swarm.metadata_at?).max(swarm.checked_at?);
        peer.metadata_done.then(|| peer_since.max(swarm_since))
    }
}

impl EvictionPolicy for Redundant {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        let due =
            Self::redundant_since(peer, swarm).and_then(|since| since.checked_add(self.delay));
        let cooldown = Cooldown::USELESS.cleared_by(Clears::ModeChanged);
        due.map_or(Verdict::keep(), |at| {
            Verdict::evict(Eviction::new(at, Reason::REDUNDANT).with_cooldown(cooldown))
        })
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, _: &Eviction) -> Evidence {
        let text = match peer.availability {
            Availability::All => "we are complete and so is the peer",
            _ => "we are complete and the peer is upload-only",
        };
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `redundant=0s`.
impl fmt::Display for Redundant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, format_duration(self.delay))
    }
}
