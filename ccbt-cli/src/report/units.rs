//! Numbers in words for people: bytes, rates, durations.

use std::time::Duration;

/// Bytes with three digits that matter: `999 B`, `1.50 KiB`, `24.0 MiB`, `120 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1_024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{value:.*} {}", digits(value), UNITS[unit])
}

/// Digits behind the point, so that three digits are shown in all.
fn digits(value: f64) -> usize {
    match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    }
}

/// Bytes a second.
pub(crate) fn rate(bytes_per_second: u64) -> String {
    format!("{}/s", bytes(bytes_per_second))
}

/// The average rate over a time; none if there was no time.
pub(crate) fn average(count: u64, time: Duration) -> Option<String> {
    let seconds = time.as_secs_f64();
    let whole = (count as f64 / seconds).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive, and casts saturate"
    )]
    (seconds > 0.0).then(|| rate(whole as u64))
}

/// A time that has passed: `0.8 s`, `59.9 s`, `1m 05s`, `2h 03m`, `3d 04h`.
pub(crate) fn passed(time: Duration) -> String {
    if time < Duration::from_millis(59_950) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        long(time.as_secs())
    }
}

/// A time to come: `8s`, `1m 05s`, `2h 03m`, `3d 04h`, and `ages` when nobody will wait for it.
pub(crate) fn left(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..8_640_000 => long(seconds),
        _ => "ages".to_owned(),
    }
}

fn long(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..3_600 => format!("{minutes}m {:02}s", seconds % 60),
        3_600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// A share of a whole, never rounded up to a false 100: `0.0%`, `99.9%`, `100%`.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if part >= whole {
        return "100%".to_owned();
    }
    let thousandths = u128::from(part) * 1_000 / u128::from(whole);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// A number and what it counts: `1 peer`, `2 peers`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_show_three_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "0.98 KiB"),
            (1_024, "1.00 KiB"),
            (16_384, "16.0 KiB"),
            (1_023_000, "999 KiB"),
            (1_048_576, "1.00 MiB"),
            (25_165_824, "24.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn times_are_as_fine_as_they_are_short() {
        let cases = [
            (800, "0.8 s", "0s"),
            (59_940, "59.9 s", "59s"),
            (59_999, "0m 59s", "59s"),
            (65_000, "1m 05s", "1m 05s"),
            (7_380_000, "2h 03m", "2h 03m"),
            (273_600_000, "3d 04h", "3d 04h"),
        ];
        for (millis, gone, to_come) in cases {
            let time = Duration::from_millis(millis);
            assert_eq!((passed(time).as_str(), left(time).as_str()), (gone, to_come));
        }
        assert_eq!(left(Duration::MAX), "ages");
    }

    #[test]
    fn only_the_whole_is_100_percent() {
        assert_eq!(percent(0, 3), "0.0%");
        assert_eq!(percent(999_999, 1_000_000), "99.9%");
        assert_eq!(percent(3, 3), "100%");
        assert_eq!(percent(u64::MAX - 1, u64::MAX), "99.9%");
    }

    #[test]
    fn no_time_has_no_average() {
        assert_eq!(average(10, Duration::ZERO), None);
        assert_eq!(average(2_048, Duration::from_secs(2)).as_deref(), Some("1.00 KiB/s"));
    }
}
