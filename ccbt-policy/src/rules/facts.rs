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

/// The cooldown of a peer that did no harm and gave nothing while others may.
pub(super) const NOT_NOW: Cooldown = Cooldown::new(minutes(10), minutes(60));

/// The cooldown of a peer that takes a slot without doing anything with it.
pub(super) const SOON: Cooldown = Cooldown::new(minutes(5), minutes(60));

/// The cooldown of a peer that does what no peer should.
pub(super) const MISBEHAVED: Cooldown = Cooldown::new(minutes(30), minutes(120));

pub(super) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// How much a rule about pieces asks of the peer's own wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// All that it says of the peer holds, and the peer takes nothing from us.
    Mutual,
    /// What the peer takes from us does not matter.
    OneSided,
    /// Nor does it that the peer grows, or is a new leecher.
    Literal,
}

impl Form {
    /// As in a specification.
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Mutual => "",
            Self::OneSided => ",one-sided",
            Self::Literal => ",literal",
        }
    }

    /// Whether the peer has announced what it has, and we need none of it.
    pub(super) fn is_unwanted(self, peer: &PeerView, swarm: &SwarmView) -> bool {
        is_unwanted(peer, swarm) && (self != Self::Literal || peer.availability.is_known())
    }

    /// Since when an unwanted peer is of no use.
    pub(super) fn useless_since(self, peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        useless_since(peer, swarm, self != Self::Mutual)
    }

    /// When `wait` is over since an unwanted peer is of no use; a HAVE may put it off.
    pub(super) fn useless_for(
        self,
        peer: &PeerView,
        since: Option<Time>,
        wait: Duration,
    ) -> Option<Time> {
        let at = since?.checked_add(wait)?;
        if self == Self::Literal { Some(at) } else { after_last_have(peer, at) }
    }
}

/// The first instant after `now` that is a multiple of `period` after `start`.
pub(super) fn next_look(start: Time, period: Duration, now: Time) -> Option<Time> {
    let period = u64::try_from(period.as_micros()).ok()?;
    let elapsed = now.as_micros().saturating_sub(start.as_micros());
    let looks = elapsed.checked_div(period)?.checked_add(1)?;
    start.checked_add(Duration::from_micros(looks.checked_mul(period)?))
}

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
fn useless_since(peer: &PeerView, swarm: &SwarmView, one_sided: bool) -> Option<Time> {
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

/// Since when a peer without a needed piece has had none that could be judged; what it has not
/// announced it does not have.
pub(super) fn unwanted_since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
    let unwanted_since = match peer.availability {
        Availability::Unknown => peer.connected_at,
        _ => peer.unwanted_since?,
    };
    Some(unwanted_since.max(swarm.metadata_at?).max(swarm.checked_at?))
}

/// When the peer last did something about blocks, or when it came: the instant of a fault that has
/// none of its own.
pub(super) fn last_block_or_start(peer: &PeerView) -> Time {
    peer.last_block_at.unwrap_or(peer.connected_at)
}

/// `at`, but not before the last HAVE of a piece that was new for the peer is 60 s old: a growing
/// peer will be useful.
pub(super) fn after_last_have(peer: &PeerView, at: Time) -> Option<Time> {
    since_last_have(peer, HAVE_WAIT, at)
}

/// `at`, but not before `wait` has passed since the last HAVE of a piece that was new for the peer.
pub(super) fn since_last_have(peer: &PeerView, wait: Duration, at: Time) -> Option<Time> {
    match peer.last_new_have_at {
        Some(have_at) => Some(at.max(have_at.checked_add(wait)?)),
        None => Some(at),
    }
}

/// "has 0 of 120 pieces, none that we need, for 10.0 s; not interested in us": what rules about
/// pieces say.
pub(super) fn describe_useless(peer: &PeerView, swarm: &SwarmView, form: Form, at: Time) -> String {
    let total = swarm.have.saturating_add(swarm.need);
    let waited = form.useless_since(peer, swarm).map_or(Duration::ZERO, |since| at - since);
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
