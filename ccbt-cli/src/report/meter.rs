//! The living line of work that reads everything: hashing, and checking.

use std::time::Duration;

use super::paint::Paint;
use super::{Report, line, units};

/// Where no line lives, one is said so often.
const PAUSE: Duration = Duration::from_secs(5);

/// How far some work is.
#[derive(Debug)]
pub(crate) struct Meter {
    verb: &'static str,
    total: u64,
    last_said: Duration,
}

impl Meter {
    /// For work on so many bytes that a word like `hashing` describes.
    pub(crate) fn new(verb: &'static str, total: u64) -> Self {
        Self { verb, total, last_said: Duration::ZERO }
    }

    /// The state in at most `width` columns; the words go before the bar, the bar before the share.
    fn line(&self, done: u64, passed: Duration, width: usize, paint: Paint) -> String {
        let verb = format!("  {}", self.verb);
        let short = format!("{verb}{}", left(done, self.total, passed));
        let tails = [self.words(done, passed), short, verb, String::new()];
        line::fitting((done, self.total), &tails, width, paint)
    }

    fn words(&self, done: u64, passed: Duration) -> String {
        let (verb, part, whole) = (self.verb, units::bytes(done), units::bytes(self.total));
        let rate = units::average(done, passed).filter(|_| done > 0);
        let rate = rate.map(|rate| format!("  {rate}")).unwrap_or_default();
        let left = left(done, self.total, passed);
        format!("  {verb} {part} of {whole}{rate}{left}")
    }
}

impl Report {
    /// Shows how far the work is, `passed` after it began.
    pub(crate) fn meter(&mut self, meter: &mut Meter, done: u64, passed: Duration) {
        if self.is_alive() {
            self.desk().meter(|width, paint| meter.line(done, passed, width, paint));
        } else if passed.saturating_sub(meter.last_said) >= PAUSE {
            meter.last_said = passed;
            let percent = units::percent(done, meter.total);
            self.tell(&format!("{percent:>5}{}", meter.words(done, passed)));
        }
    }
}

/// Time to come at the average rate so far, in words.
fn left(done: u64, total: u64, passed: Duration) -> String {
    let seconds = passed.as_secs_f64() * total.saturating_sub(done) as f64 / done as f64;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if done > 0 && done < total => format!("  {} left", units::left(time)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSED: Duration = Duration::from_secs(2);

    fn line(width: usize) -> String {
        Meter::new("hashing", 40 << 20).line(10 << 20, PASSED, width, Paint::PLAIN)
    }

    #[test]
    fn a_narrow_terminal_loses_words_before_the_share() {
        let words = "hashing 10.0 MiB of 40.0 MiB  5.00 MiB/s  6s left";
        assert_eq!(line(100), format!("25.0% #######-----------------------  {words}"));
        assert_eq!(line(56), format!("25.0%  {words}"));
        assert_eq!(line(37), "25.0% ###----------  hashing  6s left");
        assert_eq!(line(20), "25.0%  hashing");
        assert_eq!(line(5), "25.0%");
        assert_eq!(line(3), "25.");
    }

    #[test]
    fn a_bar_is_never_wider_than_the_terminal() {
        for width in 0..120 {
            assert!(line(width).chars().count() <= width, "{width}");
        }
    }

    #[test]
    fn nothing_done_promises_neither_rate_nor_end() {
        let meter = Meter::new("hashing", 1 << 20);
        assert_eq!(meter.words(0, PASSED), "  hashing 0 B of 1.00 MiB");
        for (done, total, passed) in [(1, 1, PASSED), (0, 1, PASSED), (1, u64::MAX, Duration::MAX)]
        {
            assert_eq!(left(done, total, passed), "");
        }
    }
}
