use std::fmt;
use std::time::Duration;

use super::facts::{self, SPARE_WAIT};
use crate::registry::format_duration;
use crate::{
    Availability, Cooldown, Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time,
    Verdict,
};

/// The wait of a mute peer: it breaks a rule of BEP 6, or has nothing to say.
const MUTE: Cooldown = Cooldown::new(facts::minutes(15), facts::minutes(120));

/// A peer that has not said what it has goes, 60 s after the handshake by default.
///
/// BITFIELD, HAVE, HAVE_ALL and HAVE_NONE all say it. Keep-alives, extension messages, PORT, CHOKE
/// and other chatter do not, and move nothing. While the metadata is unknown nobody can be measured
/// by it, so the clock starts no earlier than that.
///
/// A peer without the fast extension may be a leecher that has nothing yet, and BEP 3 lets it skip
/// the bitfield. One that has requested is never judged here, one that is interested in what we
/// have only when its interest [counts](PeerView::interest_counts) no more. There is a milder form,
/// [`mute`](Self::mute), and one without that exception, [`literal`](Self::literal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitfieldTimeout {
    timeout: Duration,
    form: Form,
}

/// Who of those without the fast extension goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    UnlessLeecher,
    Mute,
    Literal,
}

impl BitfieldTimeout {
    /// Its name in the registry.
    pub const NAME: &'static str = "bitfield-timeout";

    /// The rule with a wait of `timeout` after the handshake.
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, form: Form::UnlessLeecher }
    }

    /// The same, but of those without the fast extension only the mute go: who never choked or
    /// unchoked us, said whether it is interested, or requested, while we have pieces it could
    /// want. The others count as having none. Who goes waits longer, 15 minutes at first.
    #[must_use]
    pub const fn mute(self) -> Self {
        Self { form: Form::Mute, ..self }
    }

    /// The same, without an exception for new leechers.
    #[must_use]
    pub const fn literal(self) -> Self {
        Self { form: Form::Literal, ..self }
    }

    fn clock_start(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        Some(peer.connected_at.max(swarm.metadata_at?))
    }

    /// The earliest instant at which a peer without the fast extension may go; `None` is never.
    fn spared_until(self, peer: &PeerView) -> Option<Time> {
        match self.form {
            Form::Literal => Some(Time::ZERO),
            _ if peer.fast => Some(Time::ZERO),
            Form::Mute => is_mute(peer).then_some(Time::ZERO),
            Form::UnlessLeecher if peer.last_request_at.is_some() => None,
            Form::UnlessLeecher => peer.uncounted_since(),
        }
    }
}

/// Whether the peer never said anything that BEP 3 has a message for.
fn is_mute(peer: &PeerView) -> bool {
    peer.last_request_at.is_none()
        && !peer.peer_interested
        && peer.peer_interested_since == peer.connected_at
        && peer.peer_choking_since == peer.connected_at
}

/// 60 s.
impl Default for BitfieldTimeout {
    fn default() -> Self {
        Self::new(Duration::from_secs(60))
    }
}

impl EvictionPolicy for BitfieldTimeout {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        if peer.availability != Availability::Unknown {
            return Verdict::keep();
        }
        let (Some(start), Some(until)) = (Self::clock_start(peer, swarm), self.spared_until(peer))
        else {
            return Verdict::keep();
        };
        let mild = self.form == Form::Mute;
        if mild && !peer.fast && swarm.have == 0 {
            // A peer has no reason to speak to us yet.
            let look_again = facts::next_look(start, self.timeout, now);
            return Verdict { look_again, ..Verdict::keep() };
        }
        let after = |wait| {
            let eviction =
                Eviction::new(start.checked_add(wait)?.max(until), Reason::NO_AVAILABILITY);
            Some(if mild { eviction.with_cooldown(MUTE) } else { eviction })
        };
        let spare_wait = if mild && !peer.fast { self.timeout } else { SPARE_WAIT };
        Verdict { evict: after(self.timeout), spare: after(spare_wait), ..Verdict::keep() }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let start = Self::clock_start(peer, swarm).unwrap_or(peer.connected_at);
        let since = if start > peer.connected_at { "the metadata came" } else { "handshake" };
        let fast = if peer.fast { "fast extension negotiated" } else { "no fast extension" };
        let waited = facts::seconds(eviction.at - start);
        Evidence::new(Self::NAME, format!("no availability for {waited} since {since}; {fast}"))
    }
}

/// As in a specification: `bitfield-timeout=60s`, `bitfield-timeout=60s,mute` or
/// `bitfield-timeout=60s,literal`.
impl fmt::Display for BitfieldTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = match self.form {
            Form::UnlessLeecher => "",
            Form::Mute => ",mute",
            Form::Literal => ",literal",
        };
        write!(f, "{}={}{option}", Self::NAME, format_duration(self.timeout))
    }
}
