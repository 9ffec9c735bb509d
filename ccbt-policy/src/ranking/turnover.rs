use std::fmt;
use std::time::Duration;

use super::{Candidate, Ranking, Worth};
use crate::registry::format_duration;
use crate::{Cooldown, Eviction, Evidence, PeerView, Reason, SwarmView, Time};

/// With so few slots a turn takes too large a part of them.
const FEW_SLOTS: u32 = 5;

/// How many peers are displaced at once, when, how often, and for what gain.
///
/// ```
/// use ccbt_policy::{ByExchange, Candidate, PeerView, Source, SwarmView, Time, Turnover};
///
/// let swarm = SwarmView::new().with(|s| {
///     (s.peers, s.limit, s.median_worth) = (10, 10, Some(9_000));
/// });
/// let peer = |rate| {
///     PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO).with(|p| p.download_rate = rate)
/// };
/// let (good, poor) = (peer(9_000), peer(20));
/// let newcomer = Candidate::new(([192, 0, 2, 2], 6881).into(), Source::Tracker);
///
/// let now = Time::from_secs(300);
/// let peers = [("good", &good), ("poor", &poor)];
/// let displaced = Turnover::default().choose(peers, &[newcomer], &swarm, now, &ByExchange);
/// assert_eq!(displaced.iter().map(|d| d.key).collect::<Vec<_>>(), ["poor"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turnover {
    /// At most this many of 100 peers are displaced in one turn, but always one.
    pub share: u32,
    /// There are turns only while this many of 100 slots are taken.
    pub threshold: u32,
    /// The time between two turns.
    pub period: Duration,
    /// A candidate must promise more than this many percent of what a peer is worth to displace it;
    /// with 0 any promise will do.
    pub gain: u32,
}

impl Turnover {
    /// Whom to displace now, each for another one of `candidates`: the peer that is worth least for
    /// the candidate that promises most, and so on, as long as the gain is clear.
    ///
    /// Nobody goes who is [immune](PeerView::is_immune), and never more than the share of the peers
    /// or than there are candidates. Costs O(n log n); the caller keeps the period.
    pub fn choose<'a, K: Copy + Ord>(
        &self,
        peers: impl IntoIterator<Item = (K, &'a PeerView)>,
        candidates: &[Candidate],
        swarm: &SwarmView,
        now: Time,
        ranking: &dyn Ranking,
    ) -> Vec<Displaced<K>> {
        if candidates.is_empty() || !self.is_on(swarm) {
            return Vec::new();
        }
        let mut worths: Vec<(Worth, K)> = peers
            .into_iter()
            .filter(|(_, peer)| !peer.is_immune(now, None))
            .map(|(key, peer)| (ranking.worth(peer, swarm, now), key))
            .collect();
        worths.sort_unstable();
        let mut promises: Vec<Worth> =
            candidates.iter().map(|candidate| ranking.promise(candidate, swarm)).collect();
        promises.sort_unstable_by(|a, b| b.cmp(a));
        let share = u64::from(swarm.peers) * u64::from(self.share) / 100;
        worths
            .into_iter()
            .zip(promises)
            .take(usize::try_from(share.max(1)).unwrap_or(usize::MAX))
            .take_while(|&((worth, _), promise)| promise.exceeds(self.gain, worth))
            .map(|((worth, key), promise)| Displaced { key, worth, promise })
            .collect()
    }

    /// Whether enough slots are taken for a turn, and there are enough of them.
    pub fn is_on(&self, swarm: &SwarmView) -> bool {
        let (peers, limit) = (u64::from(swarm.peers), u64::from(swarm.limit));
        self.share > 0
            && swarm.limit > FEW_SLOTS
            && peers * 100 >= limit * u64::from(self.threshold)
    }
}

/// 4 % of the peers, from 90 % of the slots, every 300 s, for four times their worth.
impl Default for Turnover {
    fn default() -> Self {
        Self { share: 4, threshold: 90, period: Duration::from_secs(300), gain: 400 }
    }
}

/// As in a specification: `turnover=4%/90%/300s/400%`.
impl fmt::Display for Turnover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { share, threshold, period, gain } = *self;
        write!(f, "turnover={share}%/{threshold}%/{}/{gain}%", format_duration(period))
    }
}

/// A peer that [`Turnover::choose`] gives for a candidate, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Displaced<K> {
    /// The peer.
    pub key: K,
    /// What it is worth.
    pub worth: Worth,
    /// What the candidate promises that comes for it.
    pub promise: Worth,
}

impl<K> Displaced<K> {
    /// What is to be done at `now`: the reason is [`Reason::OUTRANKED`], and the address waits five
    /// minutes at first.
    pub const fn eviction(&self, now: Time) -> Eviction {
        let cooldown = Cooldown::new(Duration::from_secs(300), Duration::from_secs(3_600));
        Eviction::new(now, Reason::OUTRANKED).with_cooldown(cooldown)
    }

    /// The two worths, in words.
    pub fn evidence(&self, ranking: &dyn Ranking) -> Evidence {
        let Self { worth, promise, .. } = self;
        Evidence::new(ranking.name(), format!("worth {worth}, a candidate promises {promise}"))
    }
}
