use std::fmt;
use std::time::Duration;

use super::facts::{self, Form, SPARE_WAIT, UNTIL_WANTED};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that had pieces we needed and has none any more is told NOT_INTERESTED at once, and goes
/// at the first periodic check by which it has been useless for the grace; both are 30 s by
/// default.
///
/// Checks are at `connected_at + k * period`, k = 1, 2, ..., so each peer has its own and not all
/// go at once. Otherwise it is as [`NoInterest`](super::NoInterest): only while we download,
/// pardoned by a HAVE, and mutual unless [one-sided](Self::one_sided).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    // Whole microseconds, above zero.
    period: u64,
    grace: Duration,
    form: Form,
}

impl Health {
    /// Its name in the registry.
    pub const NAME: &'static str = "health";

    /// The rule with a check every `period` and a grace of `grace`.
    ///
    /// # Errors
    /// `ZeroPeriod` if `period` is below a microsecond.
    pub fn new(period: Duration, grace: Duration) -> Result<Self, ZeroPeriod> {
        match u64::try_from(period.as_micros()).unwrap_or(u64::MAX) {
            0 => Err(ZeroPeriod),
            period => Ok(Self { period, grace, form: Form::Mutual }),
        }
    }

    /// The same, whatever interest the peer has in us.
    #[must_use]
    pub const fn one_sided(self) -> Self {
        Self { form: Form::OneSided, ..self }
    }

    /// The same, one-sided, and a HAVE of a piece that we do not need changes nothing; a peer that
    /// has announced nothing is left to others.
    #[must_use]
    pub const fn literal(self) -> Self {
        Self { form: Form::Literal, ..self }
    }

    /// The first check of a peer connected at `connected_at` that is not before `earliest`; `None`
    /// is never.
    fn first_check(&self, connected_at: Time, earliest: Time) -> Option<Time> {
        let elapsed = earliest.as_micros().saturating_sub(connected_at.as_micros());
        let checks = elapsed.div_ceil(self.period).max(1);
        connected_at.checked_add(Duration::from_micros(checks.checked_mul(self.period)?))
    }
}

/// 30 s and 30 s.
impl Default for Health {
    fn default() -> Self {
        Self { period: 30_000_000, grace: Duration::from_secs(30), form: Form::Mutual }
    }
}

impl EvictionPolicy for Health {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        if !peer.was_wanted || !self.form.is_unwanted(peer, swarm) {
            return Verdict::keep();
        }
        let since = self.form.useless_since(peer, swarm);
        let after = |wait| self.form.useless_for(peer, since, wait);
        let eviction = |at| Eviction::new(at, Reason::BECAME_USELESS).with_cooldown(UNTIL_WANTED);
        let check =
            after(self.grace).and_then(|earliest| self.first_check(peer.connected_at, earliest));
        Verdict {
            evict: check.map(eviction),
            spare: after(SPARE_WAIT).map(eviction),
            lose_interest: true,
            ..Verdict::keep()
        }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        Evidence::new(Self::NAME, facts::describe_useless(peer, swarm, self.form, eviction.at))
    }
}

/// As in a specification, period then grace: `health=30s/30s` or `health=30s/30s,one-sided`.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = format_duration(Duration::from_micros(self.period));
        write!(f, "{}={period}/{}{}", Self::NAME, format_duration(self.grace), self.form.option())
    }
}

/// A check every zero microseconds would never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroPeriod;

impl fmt::Display for ZeroPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the period between two checks is 0, it must be 1 microsecond or more")
    }
}

impl std::error::Error for ZeroPeriod {}
