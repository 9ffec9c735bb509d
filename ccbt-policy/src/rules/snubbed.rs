use std::fmt;
use std::time::Duration;

use super::facts::{self, NOT_NOW};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that has owed us requested blocks for longer than is fair for 120 s (by default) goes.
///
/// When that begins is told by [`PeerView::snubbed_since`]; until then, and after one block, there
/// is no cause. A snubbing peer costs little, because it is asked for one block at a time, so this
/// is meant for a crowded swarm: `snubbed=120s,when-crowded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snubbed {
    wait: Duration,
}

impl Snubbed {
    /// Its name in the registry.
    pub const NAME: &'static str = "snubbed";

    /// The rule with a wait of `wait`.
    pub const fn new(wait: Duration) -> Self {
        Self { wait }
    }
}

/// 120 s.
impl Default for Snubbed {
    fn default() -> Self {
        Self::new(facts::minutes(2))
    }
}

impl EvictionPolicy for Snubbed {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
        let due = peer.snubbed_since.and_then(|since| since.checked_add(self.wait));
        due.map_or(Verdict::keep(), |at| {
            Verdict::evict(Eviction::new(at, Reason::SNUBBED).with_cooldown(NOT_NOW))
        })
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, eviction: &Eviction) -> Evidence {
        let since = peer.snubbed_since.unwrap_or(peer.connected_at);
        let (waited, blocks) = (facts::seconds(eviction.at - since), peer.in_flight);
        Evidence::new(Self::NAME, format!("has snubbed us for {waited}, owes {blocks} blocks"))
    }
}

/// As in a specification: `snubbed=120s`.
impl fmt::Display for Snubbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, format_duration(self.wait))
    }
}
