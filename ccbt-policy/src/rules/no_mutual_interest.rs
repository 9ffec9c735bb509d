use std::fmt;
use std::time::Duration;

use super::facts;
use crate::registry::format_duration;
use crate::{
    Clears, Cooldown, Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time,
    Verdict,
};

/// The first wait for less than a mutual lack of interest is not worth it; soon both may have more.
const COOLDOWN: Cooldown =
    Cooldown::new(facts::minutes(2), facts::minutes(15)).cleared_by(Clears::WantedGrew);

/// How many times longer than the grace a growing peer may be of no interest.
const GROWING: u32 = 4;

/// A peer that has nothing that we need, and is not interested in us, goes when both have lasted
/// for the grace, 60 s by default.
///
/// The clock starts with the later of the two, and nothing that repeats what is known moves it. A
/// peer that has announced nothing has nothing. With [`growing`](Self::growing) it also waits until
/// its last HAVE of a piece that was new for it is four times the grace old: who gets pieces will
/// soon have one that we need. A peer without needed pieces is told NOT_INTERESTED at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMutualInterest {
    grace: Duration,
    growing: bool,
}

impl NoMutualInterest {
    /// Its name in the registry.
    pub const NAME: &'static str = "no-mutual-interest";

    /// The rule with a grace of `grace`.
    pub const fn new(grace: Duration) -> Self {
        Self { grace, growing: false }
    }

    /// The same, with four times the grace since the last HAVE that was new.
    #[must_use]
    pub const fn growing(self) -> Self {
        Self { growing: true, ..self }
    }

    fn since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        if peer.wanted > 0 || peer.peer_interested {
            return None;
        }
        Some(facts::unwanted_since(peer, swarm)?.max(peer.peer_interested_since))
    }
}

/// 60 s.
impl Default for NoMutualInterest {
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl EvictionPolicy for NoMutualInterest {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        let due = || {
            let at = Self::since(peer, swarm)?.checked_add(self.grace)?;
            match self.growing {
                true => facts::since_last_have(peer, self.grace.saturating_mul(GROWING), at),
                false => Some(at),
            }
        };
        let eviction = |at| Eviction::new(at, Reason::NO_MUTUAL_INTEREST).with_cooldown(COOLDOWN);
        Verdict {
            evict: due().map(eviction),
            lose_interest: facts::is_unwanted(peer, swarm),
            ..Verdict::keep()
        }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let since = Self::since(peer, swarm).unwrap_or(peer.connected_at);
        let waited = facts::seconds(eviction.at - since);
        Evidence::new(Self::NAME, format!("neither side interested in the other for {waited}"))
    }
}

/// As in a specification: `no-mutual-interest=60s` or `no-mutual-interest=60s,growing`.
impl fmt::Display for NoMutualInterest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = if self.growing { ",growing" } else { "" };
        write!(f, "{}={}{option}", Self::NAME, format_duration(self.grace))
    }
}
