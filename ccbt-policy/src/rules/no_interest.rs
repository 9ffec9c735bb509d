use std::fmt;
use std::time::Duration;

use super::facts::{self, Form, SPARE_WAIT, UNTIL_WANTED};
use crate::registry::format_duration;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that has announced what it has and never had a piece that we need is told NOT_INTERESTED
/// at once, and goes when that has lasted 10 s (by default) and the peer takes nothing from us
/// either.
///
/// It acts only while we download. A HAVE of a piece that is new for the peer keeps it for 60 s,
/// whichever piece it is. What it takes from us is told by [`PeerView::interest_counts`]; the rule
/// made [one-sided](Self::one_sided) does not ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoInterest {
    grace: Duration,
    form: Form,
}

impl NoInterest {
    /// Its name in the registry.
    pub const NAME: &'static str = "no-interest";

    /// The rule with a grace of `grace`.
    pub const fn new(grace: Duration) -> Self {
        Self { grace, form: Form::Mutual }
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
}

/// 10 s.
impl Default for NoInterest {
    fn default() -> Self {
        Self::new(Duration::from_secs(10))
    }
}

impl EvictionPolicy for NoInterest {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        if peer.was_wanted || !self.form.is_unwanted(peer, swarm) {
            return Verdict::keep();
        }
        let since = self.form.useless_since(peer, swarm);
        let after = |wait| {
            let at = self.form.useless_for(peer, since, wait)?;
            Some(Eviction::new(at, Reason::NO_INTEREST).with_cooldown(UNTIL_WANTED))
        };
        Verdict {
            evict: after(self.grace),
            spare: after(SPARE_WAIT),
            lose_interest: true,
            ..Verdict::keep()
        }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        Evidence::new(Self::NAME, facts::describe_useless(peer, swarm, self.form, eviction.at))
    }
}

/// As in a specification: `no-interest=10s` or `no-interest=10s,one-sided`.
impl fmt::Display for NoInterest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}{}", Self::NAME, format_duration(self.grace), self.form.option())
    }
}
