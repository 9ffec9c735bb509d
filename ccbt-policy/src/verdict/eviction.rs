use std::fmt;
use std::time::Duration;

use crate::Time;

/// When a peer goes, why, and how long its address then waits.
///
/// The order is by instant, then by reason, then by cooldown, so that two evictions that differ are
/// never equal in rank and joining verdicts does not depend on who was asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eviction {
    /// When. It is computed from the facts (`since + grace`), never from the time of asking.
    pub at: Time,
    /// Why.
    pub reason: Reason,
    /// How long the address is left alone.
    pub cooldown: Cooldown,
}

impl Eviction {
    /// An eviction at `at` for `reason`, with the default cooldown.
    pub const fn new(at: Time, reason: Reason) -> Self {
        Self { at, reason, cooldown: Cooldown::USELESS }
    }

    /// The same with another cooldown.
    #[must_use]
    pub const fn with_cooldown(self, cooldown: Cooldown) -> Self {
        Self { cooldown, ..self }
    }
}

/// Why a peer goes, as a short stable word that counters and logs can use. The set is open: bring
/// your own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(&'static str);

impl Reason {
    /// It never said what it has.
    pub const NO_AVAILABILITY: Reason = Reason("no-availability");
    /// It never had a piece that we need, and takes nothing from us.
    pub const NO_INTEREST: Reason = Reason("no-interest");
    /// It had pieces that we needed, has none any more, and takes nothing from us.
    pub const BECAME_USELESS: Reason = Reason("became-useless");
    /// Neither side downloads any more.
    pub const REDUNDANT: Reason = Reason("redundant");

    /// Neither side has been interested in the other for long.
    pub const NO_MUTUAL_INTEREST: Reason = Reason("no-mutual-interest");
    /// It takes from us and has nothing that we need.
    pub const TAKES_ONLY: Reason = Reason("takes-only");
    /// It has pieces that we need, chokes us, and gives nothing.
    pub const STARVED: Reason = Reason("starved");
    /// It owes us requested blocks for long.
    pub const SNUBBED: Reason = Reason("snubbed");
    /// It rejects whatever we request.
    pub const REJECTER: Reason = Reason("rejecter");
    /// More of its blocks were of no use to us than were.
    pub const WASTER: Reason = Reason("waster");
    /// We unchoked it, and it requests nothing.
    pub const NO_REQUEST: Reason = Reason("no-request");
    /// No block went either way for long.
    pub const IDLE: Reason = Reason("idle");
    /// It neither requested nor sent a block for long.
    pub const INACTIVE: Reason = Reason("inactive");
    /// It sent bad data.
    pub const BAD_DATA: Reason = Reason("bad-data");
    /// It sends more messages than makes sense.
    pub const FLOOD: Reason = Reason("flood");
    /// It was worth less than who waits for its slot.
    pub const OUTRANKED: Reason = Reason("outranked");

    /// A reason of your own: lower-case words joined by hyphens, such as `too-slow`.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// Whether a peer that is spare for this reason may be taken before it is 60 s old: so it is
    /// for the reasons of the three founding rules, and for no other.
    pub fn takes_the_young(self) -> bool {
        [Self::NO_AVAILABILITY, Self::NO_INTEREST, Self::BECAME_USELESS].contains(&self)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How long the address of an evicted peer is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cooldown {
    /// The wait after the first eviction; it doubles with each further one for the same reason.
    pub first: Duration,
    /// It never gets longer than this.
    pub cap: Duration,
    /// What ends it early.
    pub clears: Clears,
}

impl Cooldown {
    /// That of a useless peer: 60 s, doubling up to an hour, ended by nothing.
    pub const USELESS: Cooldown =
        Cooldown::new(Duration::from_secs(60), Duration::from_secs(60 * 60));

    /// That of a peer that cheats: 24 hours, ended by nothing.
    pub const BAN: Cooldown =
        Cooldown::new(Duration::from_secs(24 * 60 * 60), Duration::from_secs(24 * 60 * 60));

    /// A wait of `first`, doubling up to `cap`, ended by nothing.
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, clears: Clears::Never }
    }

    /// The same, ended early by what `clears` says.
    #[must_use]
    pub const fn cleared_by(self, clears: Clears) -> Self {
        Self { clears, ..self }
    }

    /// The wait after an address was evicted `times` times for the same reason: `first`, doubled
    /// `times - 1` times, at most `cap`; zero for zero times.
    pub fn wait(&self, times: u32) -> Duration {
        let Some(doublings) = times.checked_sub(1) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.cap)
    }
}

impl Default for Cooldown {
    fn default() -> Self {
        Self::USELESS
    }
}

/// What ends a cooldown early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clears {
    /// Nothing; it runs its time.
    Never,
    /// We need more pieces than before.
    WantedGrew,
    /// We have more pieces to offer than before.
    OfferGrew,
    /// We went from downloading to complete, or back.
    ModeChanged,
}

/// Which policy gave an eviction, and the facts behind it in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The name of the policy.
    pub policy: String,
    /// The facts, as part of a sentence for a person.
    pub text: String,
}

impl Evidence {
    /// Evidence that the policy called `policy` gives.
    pub fn new(policy: impl Into<String>, text: impl Into<String>) -> Self {
        Self { policy: policy.into(), text: text.into() }
    }
}

/// The text alone.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cooldown_doubles_up_to_its_cap() {
        let waits = |n| Cooldown::USELESS.wait(n).as_secs();
        assert_eq!(
            [0, 1, 2, 3, 6, 7, 40, u32::MAX].map(waits),
            [0, 60, 120, 240, 1920, 3600, 3600, 3600]
        );
    }

    #[test]
    fn of_two_evictions_at_one_instant_the_reason_decides() {
        let at = |reason| Eviction::new(Time::from_secs(1), reason);
        assert!(at(Reason::BECAME_USELESS) < at(Reason::NO_INTEREST));
        assert!(Eviction::new(Time::ZERO, Reason::REDUNDANT) < at(Reason::BECAME_USELESS));
    }
}
