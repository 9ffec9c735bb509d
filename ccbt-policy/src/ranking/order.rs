use super::{Ranking, Worth};
use crate::{PeerView, SwarmView, Time};

/// The `count` peers that go when there are that many too many, as when a limit was lowered: the
/// one that is worth least first, and those who are [immune](PeerView::is_immune) after all others.
///
/// Costs O(n log n) for n peers.
pub fn worst_first<'a, K: Copy + Ord>(
    peers: impl IntoIterator<Item = (K, &'a PeerView)>,
    count: usize,
    swarm: &SwarmView,
    now: Time,
    ranking: &dyn Ranking,
) -> Vec<K> {
    let mut ranked: Vec<(bool, Worth, K)> = peers
        .into_iter()
        .map(|(key, peer)| (peer.is_immune(now, None), ranking.worth(peer, swarm, now), key))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(count).map(|(.., key)| key).collect()
}

/// What the peer in the middle is worth (of two, the lesser), for [`SwarmView::median_worth`];
/// `None` without peers.
///
/// Costs O(n) for n peers.
pub fn median_worth<'a>(
    peers: impl IntoIterator<Item = &'a PeerView>,
    swarm: &SwarmView,
    now: Time,
    ranking: &dyn Ranking,
) -> Option<Worth> {
    let mut worths: Vec<Worth> =
        peers.into_iter().map(|peer| ranking.worth(peer, swarm, now)).collect();
    let middle = worths.len().checked_sub(1)? / 2;
    Some(*worths.select_nth_unstable(middle).1)
}
