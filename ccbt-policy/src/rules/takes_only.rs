use std::fmt;
use std::time::Duration;

use super::facts::{self, SOON};
use crate::registry::format_duration;
use crate::{
    Clears, Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict,
};

/// While we download, a peer that takes from us and has had nothing that we need for the grace (10
/// minutes by default) may be taken for a newcomer. It is never closed for that alone.
///
/// This is the last resort among the rules, hence the long grace: who takes from us is of use to
/// the swarm. A HAVE of a piece that is new for the peer keeps it for 60 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakesOnly {
    grace: Duration,
}

impl TakesOnly {
    /// Its name in the registry.
    pub const NAME: &'static str = "takes-only";

    /// The rule with a grace of `grace`.
    pub const fn new(grace: Duration) -> Self {
        Self { grace }
    }

    fn since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        let judged = peer.peer_interested && facts::is_unwanted(peer, swarm);
        let unwanted_since = judged.then(|| facts::unwanted_since(peer, swarm)).flatten()?;
        Some(unwanted_since.max(peer.peer_interested_since))
    }
}

/// 10 minutes.
impl Default for TakesOnly {
    fn default() -> Self {
        Self::new(facts::minutes(10))
    }
}

impl EvictionPolicy for TakesOnly {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        let due = Self::since(peer, swarm)
            .and_then(|since| since.checked_add(self.grace))
            .and_then(|at| facts::after_last_have(peer, at));
        let cooldown = SOON.cleared_by(Clears::WantedGrew);
        due.map_or(Verdict::keep(), |at| {
            Verdict::spare(Eviction::new(at, Reason::TAKES_ONLY).with_cooldown(cooldown))
        })
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let since = Self::since(peer, swarm).unwrap_or(peer.connected_at);
        let waited = facts::seconds(eviction.at - since);
        let taken = peer.uploaded;
        let text = format!("took {taken} bytes and had nothing that we need for {waited}");
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `takes-only=600s`.
impl fmt::Display for TakesOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, format_duration(self.grace))
    }
}
