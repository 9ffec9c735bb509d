use std::fmt;
use std::time::Duration;

use super::facts::{self, SOON};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// How often a peer is looked at while other peers coming or going may move its deadline.
const LOOK: Duration = Duration::from_secs(10);

/// A peer with which no block was exchanged either way, whatever the interest, goes after a wait
/// that shrinks as the slots fill: 300 s with none taken, 60 s with 90 % of them taken, by default.
///
/// So Transmission does it. It is no rule for who wants to keep peers that are of use: a peer that
/// waits to be unchoked goes, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    empty: Duration,
    full: Duration,
}

impl Idle {
    /// Its name in the registry.
    pub const NAME: &'static str = "idle";

    /// The rule with a wait of `empty` while no slot is taken and of `full` while 90 % of them are;
    /// one that is above `empty` counts as `empty`.
    pub fn new(empty: Duration, full: Duration) -> Self {
        Self { empty, full: full.min(empty) }
    }

    fn since(peer: &PeerView) -> Time {
        peer.last_block_at
            .max(peer.last_upload_at)
            .map_or(peer.connected_at, |exchanged_at| exchanged_at.max(peer.connected_at))
    }

    fn wait(&self, swarm: &SwarmView) -> Duration {
        let nearly_full = u64::from(swarm.limit) * 9;
        let taken = (u64::from(swarm.peers) * 10).min(nearly_full);
        let span = (self.empty - self.full).as_micros();
        let less = span.saturating_mul(taken.into()).checked_div(nearly_full.into()).unwrap_or(0);
        self.empty.saturating_sub(Duration::from_micros(u64::try_from(less).unwrap_or(u64::MAX)))
    }
}

/// 300 s and 60 s.
impl Default for Idle {
    fn default() -> Self {
        Self { empty: facts::minutes(5), full: facts::minutes(1) }
    }
}

impl EvictionPolicy for Idle {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        let since = Self::since(peer);
        let Some(at) = since.checked_add(self.wait(swarm)) else { return Verdict::keep() };
        let next_look = now.max(since + self.full) + LOOK;
        Verdict {
            look_again: (next_look < at).then_some(next_look),
            ..Verdict::evict(Eviction::new(at, Reason::IDLE).with_cooldown(SOON))
        }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let waited = facts::seconds(eviction.at - Self::since(peer));
        let (peers, limit) = (swarm.peers, swarm.limit);
        let text = format!("no block either way for {waited}; {peers} of {limit} slots taken");
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `idle=300s/60s`.
impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [empty, full] = [self.empty, self.full].map(format_duration);
        write!(f, "{}={empty}/{full}", Self::NAME)
    }
}
