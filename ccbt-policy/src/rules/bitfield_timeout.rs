use std::fmt;
use std::time::Duration;

use super::facts::{self, SPARE_WAIT};
use crate::registry::format_duration;
use crate::{
    Availability, Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict,
};

/// A peer that has not said what it has goes, 60 s after the handshake by default.
///
/// BITFIELD, HAVE, HAVE_ALL and HAVE_NONE all say it. Keep-alives, extension messages, PORT, CHOKE
/// and other chatter do not, and move nothing. While the metadata is unknown nobody can be measured
/// by it, so the clock starts no earlier than that.
///
/// A peer without the fast extension may be a leecher that has nothing yet, and BEP 3 lets it skip
/// the bitfield. One that has requested is never judged here, one that is interested in what we
/// have only when its interest [counts](PeerView::interest_counts) no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitfieldTimeout {
    timeout: Duration,
}

impl BitfieldTimeout {
    /// Its name in the registry.
    pub const NAME: &'static str = "bitfield-timeout";

    /// The rule with a wait of `timeout` after the handshake.
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout }
    }

    fn clock_start(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        Some(peer.connected_at.max(swarm.metadata_at?))
    }
}

/// 60 s.
impl Default for BitfieldTimeout {
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl EvictionPolicy for BitfieldTimeout {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        if peer.availability != Availability::Unknown
            || (!peer.fast && peer.last_request_at.is_some())
        {
            return Verdict::keep();
        }
        let start = Self::clock_start(peer, swarm);
        let leecher_until = if peer.fast { Some(Time::ZERO) } else { peer.uncounted_since() };
        let (Some(start), Some(leecher_until)) = (start, leecher_until) else {
            return Verdict::keep();
        };
        let after = |wait| {
            let at = start.checked_add(wait)?.max(leecher_until);
            Some(Eviction::new(at, Reason::NO_AVAILABILITY))
        };
        Verdict { evict: after(self.timeout), spare: after(SPARE_WAIT), ..Verdict::keep() }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let start = Self::clock_start(peer, swarm).unwrap_or(peer.connected_at);
        let since = if start > peer.connected_at { "the metadata came" } else { "handshake" };
        let fast = if peer.fast { "fast extension negotiated" } else { "no fast extension" };
        let waited = facts::seconds(eviction.at - start);
        Evidence::new(Self::NAME, format!("no availability for {waited} since {since}; {fast}"))
    }
}

/// As in a specification: `bitfield-timeout=60s`.
impl fmt::Display for BitfieldTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, format_duration(self.timeout))
    }
}
