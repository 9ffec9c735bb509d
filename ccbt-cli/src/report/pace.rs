//! When a plain line is due: often enough to see that it moves, seldom enough for a log.

use std::time::Duration;

use ccbt_peer::Progress;
use ccbt_peer::policy::Time;

/// Between lines while it moves.
const PAUSE: Duration = Duration::from_secs(5);
/// Between lines when it has stood still for long.
const LONGEST: Duration = Duration::from_secs(60);

/// Lets a line through every 5 seconds and at every tenth of the whole; while nothing moves, less and
/// less often.
#[derive(Debug)]
pub(crate) struct Pace {
    last_at: Time,
    verified: u64,
    tenths: u64,
    pause: Duration,
}

impl Pace {
    /// Counts from here on, where the download begins.
    pub(crate) fn new(now: &Progress) -> Self {
        Self { last_at: Time::ZERO, verified: now.verified, tenths: tenths(now), pause: PAUSE }
    }

    /// Whether a line about this state is due; the end is told by others.
    pub(crate) fn due(&mut self, at: Time, now: &Progress) -> bool {
        let moved = now.verified > self.verified;
        let pause = if moved { PAUSE } else { self.pause };
        let grown = tenths(now) > self.tenths;
        let due = now.verified < now.total && (grown || at.saturating_since(self.last_at) >= pause);
        if due {
            let pause = if moved { PAUSE } else { LONGEST.min(pause * 2) };
            *self = Self { last_at: at, verified: now.verified, tenths: tenths(now), pause };
        }
        due
    }
}

fn tenths(now: &Progress) -> u64 {
    let share = u128::from(now.verified) * 10 / u128::from(now.total.max(1));
    u64::try_from(share).unwrap_or(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(verified: u64) -> Progress {
        let mut now = Progress::default();
        (now.verified, now.total) = (verified, 100);
        now
    }

    #[test]
    fn a_line_is_due_every_five_seconds() {
        let mut pace = Pace::new(&progress(0));
        assert!(!pace.due(Time::from_millis(4_999), &progress(0)));
        assert!(pace.due(Time::from_millis(5_000), &progress(1)));
        assert!(!pace.due(Time::from_millis(9_999), &progress(2)));
        assert!(pace.due(Time::from_millis(10_000), &progress(2)));
    }

    #[test]
    fn a_line_is_due_at_every_tenth() {
        let mut pace = Pace::new(&progress(25));
        assert!(!pace.due(Time::from_secs(1), &progress(29)));
        assert!(pace.due(Time::from_secs(2), &progress(30)));
        assert!(!pace.due(Time::from_secs(3), &progress(39)));
        assert!(pace.due(Time::from_secs(4), &progress(99)));
    }

    #[test]
    fn lines_become_rare_while_nothing_moves() {
        let mut pace = Pace::new(&progress(25));
        let due: Vec<u64> =
            (1..=200).filter(|&at| pace.due(Time::from_secs(at), &progress(25))).collect();
        assert_eq!(due, [5, 15, 35, 75, 135, 195]);
        assert!(pace.due(Time::from_secs(201), &progress(26)), "it moves again");
    }

    #[test]
    fn the_end_is_told_by_others() {
        assert!(!Pace::new(&progress(0)).due(Time::from_secs(60), &progress(100)));
    }
}
