use super::{Candidate, Ranking, Worth};
use crate::{PeerView, SwarmView, Time};

/// What a peer with everything that we need is worth before it has sent a byte, in bytes per
/// second.
const POTENTIAL: u64 = 4 << 10;

/// What a peer that takes from us is worth to the swarm beside what it takes just now.
const TAKING: u64 = 512;

/// A peer is worth what goes back and forth, in bytes of payload per second, and a little of what
/// could.
///
/// - While we download what it sends counts in full and what it takes by a quarter; when we are
///   complete what it takes counts in full. A rate counts no less than half of its average over the
///   connection, so that a pause does not undo what was given; a snub does.
/// - Pieces that we need are worth up to 4 KiB/s, by their share of all that we need; four times as
///   much where nobody else has one of them, a quarter of it where the peer chokes or snubs us.
/// - A peer with a negative trust is worth half; a proven liar or a flooding one nothing.
///
/// A candidate promises to be what the peers at hand are in the middle ([`median_worth`]), twice as
/// much if it has exchanged with us before, a quarter more if it is said to be a seed, half for
/// each failed dial and for each eviction. A seed promises nothing when we are complete.
///
/// [`median_worth`]: SwarmView::median_worth
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByExchange;

impl Ranking for ByExchange {
    fn name(&self) -> &str {
        "by-exchange"
    }

    fn worth(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Worth {
        if peer.proven_liar || peer.flood {
            return Worth::ZERO;
        }
        let age = now.saturating_since(peer.connected_at).as_secs().max(1);
        let taken = peer.upload_rate.max(peer.uploaded / age / 2);
        let exchange = if swarm.leeching() {
            let given = match peer.snubbed_since {
                Some(_) => peer.download_rate / 2,
                None => peer.download_rate.max(peer.downloaded / age / 2),
            };
            given.saturating_add(taken / 4).saturating_add(potential(peer, swarm))
        } else {
            taken
        };
        let takes = peer.offered > 0 && peer.interest_counts(now);
        let worth = exchange.saturating_add(if takes { TAKING } else { 0 });
        Worth::new(if peer.trust < 0 { worth / 2 } else { worth })
    }

    fn promise(&self, candidate: &Candidate, swarm: &SwarmView) -> Worth {
        if candidate.seed && !swarm.leeching() {
            return Worth::ZERO;
        }
        let ordinary = swarm.median_worth.filter(|&median| median > 0).unwrap_or(POTENTIAL);
        let past = candidate.past;
        let exchanged = if swarm.leeching() { past.downloaded } else { past.uploaded };
        let better = if exchanged > 0 { ordinary } else { 0 };
        let seed = if candidate.seed { ordinary / 4 } else { 0 };
        let promise = ordinary.saturating_add(better).saturating_add(seed);
        let halvings = candidate.failures.saturating_add(past.evictions);
        Worth::new(promise.checked_shr(halvings).unwrap_or(0))
    }
}

fn potential(peer: &PeerView, swarm: &SwarmView) -> u64 {
    let (wanted, need) = (u64::from(peer.wanted), u64::from(swarm.need.max(peer.wanted).max(1)));
    let full = if peer.sole_holder { POTENTIAL * 4 } else { POTENTIAL };
    let choked = if peer.peer_choking || peer.snubbed_since.is_some() { 4 } else { 1 };
    full * wanted / need / choked
}
