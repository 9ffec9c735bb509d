use std::fmt;
use std::time::Duration;

/// The units, the longest first, with how many microseconds they have.
const UNITS: [(&str, u64); 4] =
    [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)];

/// Reads a duration such as `500ms`, `60s`, `1.5s`, `2m` or `1h`.
///
/// A number without a unit is refused; zero is read. What comes out is a whole number of
/// microseconds.
///
/// # Errors
/// [`DurationError`], which shows the text.
///
/// ```
/// use ccbt_policy::registry::parse_duration;
/// use std::time::Duration;
///
/// assert_eq!(parse_duration("1.5s")?, Duration::from_millis(1_500));
/// assert!(parse_duration("90").is_err());
/// # Ok::<(), ccbt_policy::registry::DurationError>(())
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed { text: text.to_owned() };
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(malformed)?;
    let (number, unit) = text.split_at(unit_at);
    let &(_, micros) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(malformed());
    }
    let too_long = || DurationError::TooLong { text: text.to_owned() };
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let fraction = fraction_of(micros, fraction)
        .ok_or_else(|| DurationError::TooFine { text: text.to_owned() })?;
    let total = whole
        .checked_mul(micros)
        .and_then(|whole| whole.checked_add(fraction))
        .ok_or_else(too_long)?;
    Ok(Duration::from_micros(total))
}

/// `0.digits * unit`, or `None` if that is not a whole number.
fn fraction_of(unit: u64, digits: &str) -> Option<u64> {
    let digits = digits.trim_end_matches('0');
    let mut scale: u64 = 1;
    let mut value: u64 = 0;
    for digit in digits.bytes() {
        scale = scale.checked_mul(10)?;
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    let product = u128::from(unit) * u128::from(value);
    (product % u128::from(scale) == 0)
        .then(|| u64::try_from(product / u128::from(scale)).ok())
        .flatten()
}

/// Writes a duration so that [`parse_duration`] reads the same, in seconds where these are whole:
/// `60s`, `500ms`, `0.0001s`.
///
/// What it has below a microsecond is cut off.
pub fn format_duration(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_micros()) {
        (secs, 0) => format!("{secs}s"),
        (0, micros) if micros % 1_000 == 0 => format!("{}ms", micros / 1_000),
        (secs, micros) => format!("{secs}.{micros:06}").trim_end_matches('0').to_owned() + "s",
    }
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationError {
    /// It is not a number with a unit.
    Malformed {
        /// The text.
        text: String,
    },
    /// It is longer than any instant can tell.
    TooLong {
        /// The text.
        text: String,
    },
    /// It is not a whole number of microseconds.
    TooFine {
        /// The text.
        text: String,
    },
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text } => {
                write!(f, "\"{text}\" is not a duration such as 500ms, 60s, 1.5s, 2m or 1h")
            }
            Self::TooLong { text } => {
                write!(f, "\"{text}\" is longer than {} s", u64::MAX / 1_000_000)
            }
            Self::TooFine { text } => write!(f, "\"{text}\" is not a whole number of microseconds"),
        }
    }
}

impl std::error::Error for DurationError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, micros) in [
            ("500ms", 500_000),
            ("60s", 60_000_000),
            ("2m", 120_000_000),
            ("1h", 3_600_000_000),
            ("1.5s", 1_500_000),
            ("0.25m", 15_000_000),
            ("0s", 0),
            ("0.001ms", 1),
            ("1.000000000000000000000000s", 1_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for text in [
            "",
            "60",
            "s",
            "-1s",
            "+1s",
            "1 s",
            "1s2",
            "1.s",
            ".5s",
            "1.2.3s",
            "1d",
            "1e3s",
            "\u{661}s",
            "6\u{966}s",
        ] {
            assert_eq!(parse_duration(text), Err(DurationError::Malformed { text: text.into() }));
        }
    }

    #[test]
    fn what_no_instant_can_tell_is_refused() {
        for text in ["99999999999999999999s", "5124095577h", "18446744073709.551616s"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooLong { text: text.into() }));
        }
        assert_eq!(parse_duration("18446744073709.551615s"), Ok(Duration::from_micros(u64::MAX)));
    }

    #[test]
    fn what_is_finer_than_a_microsecond_is_refused() {
        for text in ["0.0000001s", "0.0001ms", "0.00000000000000000000000001h"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooFine { text: text.into() }));
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for (micros, text) in [
            (60_000_000, "60s"),
            (500_000, "500ms"),
            (100, "0.0001s"),
            (1_500_000, "1.5s"),
            (0, "0s"),
        ] {
            let duration = Duration::from_micros(micros);
            assert_eq!(format_duration(duration), text);
            assert_eq!(parse_duration(text), Ok(duration));
        }
    }
}
