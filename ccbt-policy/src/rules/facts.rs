//! What the rules derive from the views in common. Every instant here follows from facts alone, so
//! none depends on when it is asked for; it may lie in the future.

use std::time::Duration;

use crate::{Availability, Clears, Cooldown, PeerView, SwarmView, Time};

/// From when on a useless peer may be taken for a newcomer.
pub(super) const SPARE_WAIT: Duration = Duration::from_secs(2);

/// How long a HAVE of a piece that is new for the peer keeps it.
const HAVE_WAIT: Duration = Duration::from_secs(60);

/// The cooldown of a peer that had nothing we need: worth another look when we need more.
pub(super) const UNTIL_WANTED: Cooldown = Cooldown::USELESS.cleared_by(Clears::WantedGrew);

/// BEP 3 lets a peer without pieces skip the bitfield, so one without the fast extension that asks
/// for pieces, or is interested in some that we have, is a new leecher: it is treated as if it had
/// announced that it has none.
pub(super) fn is_new_leecher(peer: &PeerView) -> bool {
    peer.availability == Availability::Unknown
        && !peer.fast
        && (peer.last_request_at.is_some() || peer.peer_interested && peer.offered > 0)
}

/// Whether pieces may be judged at all (we know which we need, and need some) and the peer has none
/// of those.
pub(super) fn is_unwanted(peer: &PeerView, swarm: &SwarmView) -> bool {
    let judged_by_pieces =
        swarm.leeching() && swarm.metadata_at.is_some() && swarm.checked_at.is_some();
    let announced = peer.availability.is_known() || is_new_leecher(peer);
    judged_by_pieces && announced && peer.wanted == 0
}

/// Since when an unwanted peer is of no use to either side; `one_sided` leaves the peer's interest
/// in us out.
pub(super) fn useless_since(peer: &PeerView, swarm: &SwarmView, one_sided: bool) -> Option<Time> {
    let unwanted_since = match peer.availability {
        // A leecher that is only interested is left to the bitfield timeout once its interest
        // counts no more.
        Availability::Unknown => {
            (peer.last_request_at.is_some() || one_sided).then_some(peer.connected_at)?
        }
        _ => peer.unwanted_since?,
    };
    let since = unwanted_since.max(swarm.metadata_at?).max(swarm.checked_at?);
    match one_sided {
        true => Some(since),
        false => Some(since.max(peer.uncounted_since()?)),
    }
}

/// `at`, but not before the last HAVE of a piece that was new for the peer is 60 s old: a growing
/// peer will be useful.
pub(super) fn after_last_have(peer: &PeerView, at: Time) -> Option<Time> {
    match peer.last_new_have_at {
        Some(have_at) => Some(at.max(have_at.checked_add(HAVE_WAIT)?)),
        None => Some(at),
    }
}

/// "has 0 of 120 pieces, none that we need, for 10.0 s; not interested in us": what rules about
/// pieces say.
pub(super) fn describe_useless(
    peer: &PeerView,
    swarm: &SwarmView,
    one_sided: bool,
    at: Time,
) -> String {
    let total = swarm.have.saturating_add(swarm.need);
    let waited = useless_since(peer, swarm, one_sided).map_or(Duration::ZERO, |since| at - since);
    let pieces = match (peer.availability, peer.was_wanted) {
        (Availability::Unknown, _) => "has announced no piece".to_owned(),
        (_, true) => format!("has {} of {total} pieces, none that we still need", peer.have),
        (_, false) => format!("has {} of {total} pieces, none that we need", peer.have),
    };
    format!("{pieces}, for {}; {}", seconds(waited), describe_interest(peer))
}

fn describe_interest(peer: &PeerView) -> &'static str {
    if !peer.peer_interested {
        "not interested in us"
    } else if peer.offered == 0 {
        "interested, but lacks nothing that we have"
    } else if !peer.am_choking && peer.last_request_at < Some(peer.am_choking_since) {
        "interested, but requests nothing though unchoked"
    } else {
        "interested in us"
    }
}

/// "10.0 s": seconds with one decimal, cut off.
pub(super) fn seconds(wait: Duration) -> String {
    format!("{}.{} s", wait.as_secs(), wait.subsec_millis() / 100)
}
