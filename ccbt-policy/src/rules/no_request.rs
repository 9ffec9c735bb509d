use std::fmt;
use std::time::Duration;

use super::facts::{self, SOON};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// When we are complete, a peer that is interested, that we do not choke, and that neither requests
/// nor is being sent anything goes after 60 s (by default) of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRequest {
    wait: Duration,
}

impl NoRequest {
    /// Its name in the registry.
    pub const NAME: &'static str = "no-request";

    /// The rule with a wait of `wait`.
    pub const fn new(wait: Duration) -> Self {
        Self { wait }
    }

    fn since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        if peer.am_choking || !peer.peer_interested {
            return None;
        }
        let allowed_since = peer.am_choking_since.max(peer.peer_interested_since);
        let complete_since = swarm.upload_only_since?;
        let exchanged_at = peer.last_request_at.max(peer.last_upload_at);
        Some(exchanged_at.map_or(allowed_since, |at| at.max(allowed_since)).max(complete_since))
    }
}

/// 60 s.
impl Default for NoRequest {
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl EvictionPolicy for NoRequest {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        let due = Self::since(peer, swarm).and_then(|since| since.checked_add(self.wait));
        due.map_or(Verdict::keep(), |at| {
            Verdict::evict(Eviction::new(at, Reason::NO_REQUEST).with_cooldown(SOON))
        })
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let since = Self::since(peer, swarm).unwrap_or(peer.connected_at);
        let waited = facts::seconds(eviction.at - since);
        Evidence::new(Self::NAME, format!("interested and unchoked, no request for {waited}"))
    }
}

/// As in a specification: `no-request=60s`.
impl fmt::Display for NoRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, format_duration(self.wait))
    }
}
