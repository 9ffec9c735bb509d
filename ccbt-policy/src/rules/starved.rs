use std::fmt;
use std::time::Duration;

use super::facts::{self, NOT_NOW};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that has pieces that we need, and chokes us all the time, goes after 180 s if it never
/// gave us a block, and after 600 s (since the last one) if it did; both are defaults. To let us ask
/// for a while and give nothing of it is no end of choking ([`PeerView::peer_choking_since`]).
///
/// Being choked is what most peers of a healthy swarm do to each other most of the time, so this is
/// meant for a crowded swarm: `starved=180s/600s,when-crowded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starved {
    never_served: Duration,
    served: Duration,
}

impl Starved {
    /// Its name in the registry.
    pub const NAME: &'static str = "starved";

    /// The rule with a wait of `never_served` for peers that never gave us a block, on this
    /// connection or an earlier one, and of `served` for the others.
    pub const fn new(never_served: Duration, served: Duration) -> Self {
        Self { never_served, served }
    }

    fn since(peer: &PeerView) -> Option<Time> {
        let starved = peer.am_interested && peer.wanted > 0 && peer.peer_choking;
        let since = peer.am_interested_since.max(peer.peer_choking_since);
        starved.then(|| peer.last_block_at.map_or(since, |block_at| since.max(block_at)))
    }
}

/// 180 s and 600 s.
impl Default for Starved {
    fn default() -> Self {
        Self::new(facts::minutes(3), facts::minutes(10))
    }
}

impl EvictionPolicy for Starved {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
        let served = peer.downloaded > 0 || peer.past.downloaded > 0;
        let wait = if served { self.served } else { self.never_served };
        let due = Self::since(peer).and_then(|since| since.checked_add(wait));
        due.map_or(Verdict::keep(), |at| {
            Verdict::evict(Eviction::new(at, Reason::STARVED).with_cooldown(NOT_NOW))
        })
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, eviction: &Eviction) -> Evidence {
        let since = Self::since(peer).unwrap_or(peer.connected_at);
        let (waited, wanted) = (facts::seconds(eviction.at - since), peer.wanted);
        let text = match peer.downloaded {
            0 => format!(
                "choked us for {waited} with {wanted} pieces that we need, and gave nothing"
            ),
            _ => format!("has choked us for {waited} with {wanted} pieces that we need"),
        };
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `starved=180s/600s`.
impl fmt::Display for Starved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [never_served, served] = [self.never_served, self.served].map(format_duration);
        write!(f, "{}={never_served}/{served}", Self::NAME)
    }
}
