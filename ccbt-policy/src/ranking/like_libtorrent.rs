use super::{Candidate, Ranking, Worth};
use crate::{Availability, PeerView, SwarmView, Time};

const RATE_BITS: u32 = 40;
const RECENT_BITS: u32 = 20;

/// The order in which libtorrent gives peers up: first those without a piece that it needs, then
/// those that are no seeds, that had a part in a bad piece, that sent less per second of the
/// connection, that choke, and that have been silent the longest.
///
/// Any candidate promises more than any peer, because libtorrent compares peers with each other
/// only. What it sends its peers does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LikeLibtorrent;

impl Ranking for LikeLibtorrent {
    fn name(&self) -> &str {
        "like-libtorrent"
    }

    fn worth(&self, peer: &PeerView, _: &SwarmView, now: Time) -> Worth {
        let age = now.saturating_since(peer.connected_at).as_secs().max(1);
        let silent = now.saturating_since(peer.last_message_at.unwrap_or(peer.connected_at));
        let most_recent = (1 << RECENT_BITS) - 1;
        // The most significant bits decide first.
        [
            (1, u64::from(peer.wanted > 0)),
            (1, u64::from(peer.availability == Availability::All)),
            (1, u64::from(peer.trust >= 0)),
            (RATE_BITS, (peer.downloaded / age).min((1 << RATE_BITS) - 1)),
            (1, u64::from(!peer.peer_choking)),
            (RECENT_BITS, most_recent - silent.as_secs().min(most_recent)),
        ]
        .into_iter()
        .fold(Worth::ZERO, |worth, (bits, value)| Worth(worth.0 << bits | value))
    }

    fn promise(&self, _: &Candidate, _: &SwarmView) -> Worth {
        Worth::MAX
    }
}
