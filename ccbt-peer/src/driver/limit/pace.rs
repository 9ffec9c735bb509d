//! When the next bytes may go, as arithmetic: no clock in here.

use std::time::Duration;

use ccbt_policy::Time;

/// What was not used is remembered for so long: timers are late, and so are tasks on a busy machine.
const CREDIT: Duration = Duration::from_millis(100);
/// A second has so many turns, as long as their shares are between the two below.
const TURNS: u64 = 32;
const LEAST_SHARE: u64 = 512;
const MOST_SHARE: u64 = 512 << 10;
const SECOND: u128 = 1_000_000;

/// A rate, and when all that went is paid for.
///
/// Bytes go first and are paid for afterwards, so a whole block passes however low the rate is; the next
/// one waits the longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Bytes a second, above zero.
    rate: u64,
    paid_at: Time,
    /// Of the last microsecond: so many `rate`ths are not paid for in `paid_at`.
    rest: u128,
}

impl Pace {
    /// `rate` bytes a second from `now` on. A rate of zero counts as one.
    pub(super) fn new(rate: u64, now: Time) -> Self {
        Self { rate: rate.max(1), paid_at: now, rest: 0 }
    }

    pub(super) fn rate(&self) -> u64 {
        self.rate
    }

    /// When the next bytes may go.
    pub(super) fn next_at(&self) -> Time {
        self.paid_at
    }

    /// How many bytes one of those who wait takes before it is the next one's turn.
    pub(super) fn share(&self) -> usize {
        let share = (self.rate / TURNS).clamp(LEAST_SHARE, MOST_SHARE);
        usize::try_from(share).unwrap_or(usize::MAX)
    }

    /// So many bytes went at `now`.
    pub(super) fn charge(&mut self, now: Time, bytes: usize) {
        let credit = Time::ZERO + now.saturating_since(Time::ZERO + CREDIT);
        if credit > self.paid_at {
            (self.paid_at, self.rest) = (credit, 0);
        }
        let rate = u128::from(self.rate);
        let cost = bytes as u128 * SECOND + self.rest;
        let micros = u64::try_from(cost / rate).unwrap_or(u64::MAX);
        self.paid_at = self.paid_at + Duration::from_micros(micros);
        self.rest = cost % rate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: usize = 16 << 10;

    fn ms(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn a_block_passes_at_once_and_is_paid_for_afterwards() {
        let mut pace = Pace::new(5 << 10, ms(1_000));
        assert_eq!(pace.next_at(), ms(1_000));
        pace.charge(ms(1_000), BLOCK);
        assert_eq!(pace.next_at(), ms(4_200));
        pace.charge(ms(4_200), BLOCK);
        assert_eq!(pace.next_at(), ms(7_400));
    }

    #[test]
    fn the_average_is_right_whatever_the_rate_and_the_pieces_in_which_bytes_go() {
        for rate in [1, 3, 999, 5 << 10, 1 << 20, 7_777_777, 1 << 33] {
            for part in [1, 64, 1_500, BLOCK] {
                let mut pace = Pace::new(rate, ms(0));
                let mut now = ms(0);
                let mut bytes = 0_u64;
                for _ in 0..1_000 {
                    now = now.max(pace.next_at());
                    pace.charge(now, part);
                    bytes += part as u64;
                }
                let due = u128::from(bytes) * SECOND / u128::from(rate);
                assert_eq!(u128::from(pace.next_at().as_micros()), due, "{part} at {rate}");
            }
        }
    }

    #[test]
    fn a_late_timer_costs_nothing() {
        let mut pace = Pace::new(1_000, ms(0));
        let mut bytes = 0;
        for late in [3, 0, 90, 7, 1] {
            let now = pace.next_at() + Duration::from_millis(late);
            while pace.next_at() <= now {
                pace.charge(now, 10);
                bytes += 10;
            }
        }
        assert_eq!(pace.next_at(), ms(bytes));
    }

    #[test]
    fn an_idle_hour_is_worth_a_tenth_of_a_second() {
        let mut pace = Pace::new(1_000, ms(0));
        let now = ms(3_600_000);
        pace.charge(now, 100);
        assert_eq!(pace.next_at(), now);
        pace.charge(now, 1);
        assert_eq!(pace.next_at(), now + Duration::from_millis(1));
    }

    #[test]
    fn a_share_is_a_thirty_second_of_a_second_within_bounds() {
        let shares = [0, 5 << 10, 1 << 20, 1 << 40].map(|rate| Pace::new(rate, ms(0)).share());
        assert_eq!(shares, [512, 512, 32 << 10, 512 << 10]);
    }

    #[test]
    fn a_debt_without_end_does_not_overflow() {
        let mut pace = Pace::new(1, ms(0));
        (0..3).for_each(|_| pace.charge(ms(0), usize::MAX));
        assert_eq!(pace.next_at(), Time::MAX);
    }
}
