use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Sub};
use std::time::Duration;

/// An instant as a plain number: microseconds since the swarm began.
///
/// Nothing in this crate reads a clock. Whoever owns one maps it to `Time`, a test writes it down,
/// a trace records it. It ends after some 584,000 years; arithmetic stops there instead of
/// wrapping.
///
/// ```
/// use ccbt_policy::Time;
/// use std::time::Duration;
///
/// let handshake = Time::from_millis(250);
/// assert_eq!(handshake + Duration::from_secs(60), Time::from_millis(60_250));
/// assert_eq!(format!("{handshake:?}"), "0.250s");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(
    // One more than the microseconds, so that an `Option<Time>` needs no byte more than a `Time`: a
    // peer has a dozen.
    NonZeroU64,
);

impl Time {
    /// The instant at which the swarm began.
    pub const ZERO: Time = Time::from_micros(0);
    /// The last instant there is.
    pub const MAX: Time = Time::from_micros(u64::MAX);

    /// The instant `micros` microseconds after the swarm began.
    pub const fn from_micros(micros: u64) -> Time {
        match NonZeroU64::new(micros.saturating_add(1)) {
            Some(shifted) => Time(shifted),
            None => Time(NonZeroU64::MIN),
        }
    }

    /// The instant `millis` milliseconds after the swarm began.
    pub const fn from_millis(millis: u64) -> Time {
        Time::from_micros(millis.saturating_mul(1_000))
    }

    /// The instant `secs` seconds after the swarm began.
    pub const fn from_secs(secs: u64) -> Time {
        Time::from_micros(secs.saturating_mul(1_000_000))
    }

    /// Whole microseconds since the swarm began.
    pub const fn as_micros(self) -> u64 {
        self.0.get() - 1
    }

    /// Whole milliseconds since the swarm began, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.as_micros() / 1_000
    }

    /// This instant moved by `wait`, or `None` if that lies beyond [`Time::MAX`]: a deadline that
    /// never comes.
    ///
    /// What `wait` has below a microsecond is cut off.
    pub fn checked_add(self, wait: Duration) -> Option<Time> {
        let wait =
            wait.as_secs().checked_mul(1_000_000)?.checked_add(wait.subsec_micros().into())?;
        let sum = self.as_micros().checked_add(wait)?;
        (sum <= Time::MAX.as_micros()).then(|| Time::from_micros(sum))
    }

    /// How long it is since `earlier`; zero if `earlier` lies later.
    pub const fn saturating_since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.as_micros().saturating_sub(earlier.as_micros()))
    }
}

impl Default for Time {
    fn default() -> Time {
        Time::ZERO
    }
}

/// Stops at [`Time::MAX`].
impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, wait: Duration) -> Time {
        self.checked_add(wait).unwrap_or(Time::MAX)
    }
}

/// Stops at zero, as [`Time::saturating_since`] does.
impl Sub<Time> for Time {
    type Output = Duration;

    fn sub(self, earlier: Time) -> Duration {
        self.saturating_since(earlier)
    }
}

/// Seconds with three decimals, or six where the instant lies between two milliseconds: `12.345s`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.as_micros();
        let (secs, rest) = (micros / 1_000_000, micros % 1_000_000);
        if rest % 1_000 == 0 {
            write!(f, "{secs}.{:03}s", rest / 1_000)
        } else {
            write!(f, "{secs}.{rest:06}s")
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_time_is_no_larger_than_a_time() {
        assert_eq!(size_of::<Option<Time>>(), size_of::<Time>());
    }

    #[test]
    fn order_is_that_of_the_microseconds() {
        assert!(Time::ZERO < Time::from_micros(1));
        assert!(Time::from_millis(999) < Time::from_secs(1));
        assert_eq!(Time::from_secs(2).as_millis(), 2_000);
        assert_eq!(Time::default(), Time::ZERO);
    }

    #[test]
    fn nothing_wraps_at_the_end_of_time() {
        let micro = Duration::from_micros(1);
        assert_eq!(Time::MAX.checked_add(micro), None);
        assert_eq!(Time::MAX + Duration::MAX, Time::MAX);
        assert_eq!(Time::ZERO.checked_add(Duration::MAX), None);
        assert_eq!(Time::from_secs(u64::MAX), Time::MAX);
        let last_but_one = Time::from_micros(Time::MAX.as_micros() - 1);
        assert_eq!(last_but_one.checked_add(micro), Some(Time::MAX));
    }

    #[test]
    fn a_difference_never_is_negative() {
        assert_eq!(Time::from_secs(1) - Time::from_secs(2), Duration::ZERO);
        assert_eq!(Time::from_secs(3) - Time::from_secs(2), Duration::from_secs(1));
    }

    #[test]
    fn it_prints_as_seconds() {
        assert_eq!(format!("{:?}", Time::from_millis(12_345)), "12.345s");
        assert_eq!(Time::from_micros(1_000_001).to_string(), "1.000001s");
        assert_eq!(Time::ZERO.to_string(), "0.000s");
    }
}
