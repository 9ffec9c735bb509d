use std::fmt;
use std::time::Duration;

use super::facts::{self, SOON};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that neither requested nor sent a block goes after 30 s if neither side is interested in
/// the other, and after 60 s in any case; both are defaults.
///
/// So aria2 does it. It is no rule for who wants to keep peers that are of use: a peer that waits
/// to be unchoked goes, and so does a seed that chokes us. Before a magnet's metadata is known
/// nobody goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inactive {
    uninterested: Duration,
    interested: Duration,
}

impl Inactive {
    /// Its name in the registry.
    pub const NAME: &'static str = "inactive";

    /// The rule with a wait of `uninterested` while neither side is interested, of `interested`
    /// otherwise.
    pub const fn new(uninterested: Duration, interested: Duration) -> Self {
        Self { uninterested, interested }
    }

    fn since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        let start = peer.connected_at.max(swarm.metadata_at?);
        let sent_at = peer.last_block_at.max(peer.last_request_at);
        Some(sent_at.map_or(start, |sent_at| sent_at.max(start)))
    }
}

/// 30 s and 60 s.
impl Default for Inactive {
    fn default() -> Self {
        Self::new(Duration::from_secs(30), Duration::from_secs(60))
    }
}

impl EvictionPolicy for Inactive {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        let interested = peer.am_interested || peer.peer_interested;
        let wait = if interested { self.interested } else { self.uninterested };
        let due = Self::since(peer, swarm).and_then(|since| since.checked_add(wait));
        let eviction = |at| Eviction::new(at, Reason::INACTIVE).with_cooldown(SOON);
        Verdict {
            evict: due.map(eviction),
            lose_interest: facts::is_unwanted(peer, swarm),
            ..Verdict::keep()
        }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let since = Self::since(peer, swarm).unwrap_or(peer.connected_at);
        let waited = facts::seconds(eviction.at - since);
        let interest = match (peer.am_interested, peer.peer_interested) {
            (true, true) => "both sides are interested",
            (true, false) => "we are interested",
            (false, true) => "it is interested",
            (false, false) => "neither side is interested",
        };
        let text = format!("neither requested nor sent a block for {waited}; {interest}");
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `inactive=30s/60s`.
impl fmt::Display for Inactive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [uninterested, interested] = [self.uninterested, self.interested].map(format_duration);
        write!(f, "{}={uninterested}/{interested}", Self::NAME)
    }
}
