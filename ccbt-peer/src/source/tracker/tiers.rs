//! All trackers of a torrent, as BEP 12 wants them asked.

#[cfg(all(feature = "http", feature = "udp"))]
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use async_trait::async_trait;
use ccbt_policy::Source;
use fastrand::Rng;

use super::conversation::Conversation;
use super::kind::Tracker;
use super::order::Order;
use super::rounds::Rounds;
use crate::source::{PeerSource, SourceContext, UrlError};

/// Most trackers that are asked, for a torrent that names more.
pub(super) const MOST: usize = 20;

/// The trackers of a torrent, in tiers (BEP 12).
///
/// The first 20 that can be asked are; the others are [`skipped`](Self::skipped).
///
/// Each tier is shuffled once. An announce goes to the first tracker of the first tier, and on to the
/// next while none responds; a tier is only asked when all before it have failed. Who responds becomes
/// the first of its tier, and the next announce begins with the first tier again.
///
/// Each tracker is told `started` when it first hears of us, `completed` once, and `stopped` when the
/// swarm stops (all of them at once, for 400 ms at most); and gets its own tracker id back. The wait
/// between two announces is the one that the last responder asked for: its interval, or its `min interval`
/// if that is longer, within 60 s and 24 h, and 30 min if it names none. Who failed is passed over for 15 s,
/// then for twice as long each time, up to 30 min, and for as long as it wants.
/// Replies, warnings and failures come under the URL of the tracker.
///
/// With the feature `http` trackers are asked over HTTP and HTTPS: a reply may take 10 s, redirect 5 times,
/// and be 1 MiB long. With the feature `udp` they are asked over UDP (BEP 15; BEP 41 for what follows the
/// port in their URL), over IPv4 and IPv6 at once where a name has both; a silent one is given up for this
/// time after 15 s, and hears of us again 15 * 2 ^ n seconds after the last time, n up to 8.
///
/// ```
/// use ccbt_peer::source::TrackerTiers;
///
/// # #[cfg(all(feature = "http", feature = "udp"))] {
/// let tiers = [vec!["https://a.example/announce", "udp://b.example:6969"], vec!["wss://c.example"]];
/// let trackers = TrackerTiers::new(&tiers);
/// assert_eq!(trackers.len(), 2);
/// assert_eq!(trackers.skipped()[0].0, "wss://c.example");
/// # }
/// ```
#[derive(Debug)]
pub struct TrackerTiers {
    rounds: Rounds,
    skipped: Vec<(String, UrlError)>,
}

impl TrackerTiers {
    /// Trackers by their announce URLs, tier by tier, as in
    /// [`Metainfo::trackers`](ccbt_wire::Metainfo::trackers).
    ///
    /// Those that cannot be asked are [`skipped`](Self::skipped); one that comes twice is asked in the
    /// first of its tiers.
    #[must_use]
    pub fn new<T: AsRef<[U]>, U: AsRef<str>>(tiers: &[T]) -> Self {
        Self::with_seed(tiers, fastrand::u64(..))
    }

    /// As [`new`](Self::new); the order within the tiers and the key follow from `seed`.
    #[must_use]
    pub fn with_seed<T: AsRef<[U]>, U: AsRef<str>>(tiers: &[T], seed: u64) -> Self {
        let (mut seen, mut skipped, mut count) = (HashSet::new(), Vec::new(), 0);
        let mut read = |url: &U| {
            let url = url.as_ref().trim();
            if !seen.insert(url.to_owned()) {
                return None;
            }
            match Tracker::new(url) {
                Ok(_) if count == MOST => {
                    skipped.push((url.to_owned(), UrlError::TooMany { limit: MOST }));
                    None
                }
                Ok(tracker) => {
                    count += 1;
                    Some(Conversation::new(tracker))
                }
                Err(error) => {
                    skipped.push((url.to_owned(), error));
                    None
                }
            }
        };
        let tiers = tiers.iter().map(|tier| tier.as_ref().iter().filter_map(&mut read).collect());
        let mut order = Order::new(tiers.collect());
        let mut chance = Rng::with_seed(seed);
        order.shuffle(&mut chance);
        Self { rounds: Rounds::new(order, chance.u32(..)), skipped }
    }

    /// The URLs that are not asked, and why.
    #[must_use]
    pub fn skipped(&self) -> &[(String, UrlError)] {
        &self.skipped
    }

    /// The trackers that are asked, in the order of the first announce.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.rounds.trackers().map(|tracker| tracker.tracker.url())
    }

    /// How many trackers can be asked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rounds.trackers().count()
    }

    /// Whether no tracker can be asked. It may be run all the same, and ends at once.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl PeerSource for TrackerTiers {
    /// The URL of the only tracker, or `trackers`.
    fn name(&self) -> String {
        let mut urls = self.urls();
        match (urls.next(), urls.next()) {
            (Some(url), None) => url.to_owned(),
            _ => "trackers".to_owned(),
        }
    }

    fn kind(&self) -> Source {
        Source::Tracker
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        self.rounds.run_on_the_network(context).await;
    }
}
