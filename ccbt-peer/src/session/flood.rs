//! Messages that make sense one at a time and none by the hundred.
//!
//! Each kind has a bucket of tokens. A message takes one, time brings them back, and a bucket that is found
//! empty is full again: so a burst is forgiven, and what goes on and on is seen.

use std::time::Duration;

use ccbt_policy::Time;

const MINUTE: Duration = Duration::from_secs(60);
/// A bucket that is found empty so often within [`PERIOD`] is a flood.
const EMPTY: usize = 3;
const PERIOD: Duration = Duration::from_secs(10 * 60);

/// What the buckets are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// CHOKE, UNCHOKE, INTERESTED, NOT_INTERESTED.
    Flip,
    /// Keep-alives.
    KeepAlive,
    /// HAVE: each piece comes once if all is well.
    Have,
    /// Requests that are refused, cancels of what is not asked for, refusals of what we did not ask.
    Vain,
    /// What is sent once or hardly ever: extension handshakes, what is said of all pieces for a second
    /// time, ports, hints, messages that we do not know.
    Odd,
}

/// How many kinds there are.
const KINDS: usize = 5;

impl Kind {
    /// The bucket of this kind, in a torrent of so many pieces.
    fn bucket(self, pieces: u32) -> Bucket {
        match self {
            Self::Flip => Bucket::new(20, 20),
            Self::KeepAlive => Bucket::new(30, 30),
            // A small torrent is no reason to be strict.
            Self::Have => Bucket::new(pieces.saturating_mul(2).max(20), 20),
            // Twice what clients have under way at the most crosses our CHOKE.
            Self::Vain => Bucket::new(2000, 600),
            Self::Odd => Bucket::new(60, 60),
        }
    }
}

/// The buckets of one connection.
#[derive(Debug)]
pub(super) struct Floods {
    /// When none of the tokens of each kind will be missing.
    // Nothing but that: how large the buckets are is the same for all connections.
    full_at: [Time; KINDS],
    /// When buckets were found empty before, the latest first.
    empty_at: [Time; EMPTY - 1],
    told: bool,
}

/// No time of any connection. An `Option` would be twice as large, and every connection has two.
const NEVER: Time = Time::MAX;

impl Floods {
    pub(super) fn new() -> Self {
        Self { full_at: [Time::ZERO; KINDS], empty_at: [NEVER; EMPTY - 1], told: false }
    }

    /// We gave the peer cause to change its mind so often, and to change it back.
    pub(super) fn allow_flips(&mut self, causes: usize) {
        let tokens = u32::try_from(causes).unwrap_or(u32::MAX).saturating_mul(2);
        let full_at = &mut self.full_at[Kind::Flip as usize];
        // How many pieces there are makes no difference to this kind.
        *full_at = Kind::Flip.bucket(0).give(*full_at, tokens);
    }

    /// Counts a message about a torrent of so many pieces; true if it makes a flood of them, which is said
    /// once.
    pub(super) fn count(&mut self, now: Time, kind: Kind, pieces: u32) -> bool {
        let full_at = &mut self.full_at[kind as usize];
        let taken = kind.bucket(pieces).take(*full_at, now);
        *full_at = taken.unwrap_or(now);
        if taken.is_some() || self.told {
            return false;
        }
        let oldest = self.empty_at[EMPTY - 2];
        self.told = oldest != NEVER && now.saturating_since(oldest) <= PERIOD;
        self.empty_at.rotate_right(1);
        self.empty_at[0] = now;
        self.told
    }
}

/// Tokens, counted in time: how many there are is told by the time at which none will be missing.
struct Bucket {
    /// Until a token is back.
    each: Duration,
    /// Until all of them are.
    all: Duration,
}

impl Bucket {
    fn new(tokens: u32, per_minute: u32) -> Self {
        let each = MINUTE / per_minute;
        Self { each, all: each.saturating_mul(tokens) }
    }

    /// Takes a token: when none will be missing then. `None` if there is none.
    fn take(&self, full_at: Time, now: Time) -> Option<Time> {
        let full_at = full_at.max(now) + self.each;
        (full_at.saturating_since(now) <= self.all).then_some(full_at)
    }

    /// Puts tokens back, as far as any are missing: when none will be missing then.
    fn give(&self, full_at: Time, tokens: u32) -> Time {
        let sooner = self.each.saturating_mul(tokens);
        Time::ZERO + full_at.saturating_since(Time::ZERO).saturating_sub(sooner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many messages it takes, one every `every`, until they are a flood; at most `most`.
    fn flooded(kind: Kind, every: Duration, most: u32) -> Option<u32> {
        let mut floods = Floods::new();
        (1..=most).find(|n| floods.count(Time::ZERO + every * *n, kind, 100))
    }

    #[test]
    fn three_empty_buckets_are_a_flood() {
        // Each bucket holds its tokens and is found empty by the message behind them.
        let at_once = |kind| flooded(kind, Duration::ZERO, 10_000);
        assert_eq!(at_once(Kind::Flip), Some(3 * 21));
        assert_eq!(at_once(Kind::KeepAlive), Some(3 * 31));
        assert_eq!(at_once(Kind::Have), Some(3 * 201), "twice the pieces");
        assert_eq!(at_once(Kind::Vain), Some(3 * 2001));
        assert_eq!(at_once(Kind::Odd), Some(3 * 61));
    }

    #[test]
    fn what_comes_no_faster_than_its_tokens_is_never_a_flood() {
        for (kind, per_minute) in
            [(Kind::Flip, 20), (Kind::KeepAlive, 30), (Kind::Vain, 600), (Kind::Odd, 60)]
        {
            assert_eq!(flooded(kind, MINUTE / per_minute, 100_000), None, "{kind:?}");
            assert!(flooded(kind, MINUTE / (per_minute * 2), 100_000).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn three_bursts_in_half_an_hour_are_none() {
        let mut floods = Floods::new();
        let bursts = (0..10).flat_map(|n| (0..25).map(move |_| Time::from_secs(n * 301)));
        let told = bursts.filter(|at| floods.count(*at, Kind::Flip, 100)).count();
        assert_eq!(told, 0, "two in ten minutes");
    }

    #[test]
    fn a_flood_is_told_once() {
        let mut floods = Floods::new();
        let told = (0..10_000).filter(|_| floods.count(Time::ZERO, Kind::Flip, 100)).count();
        assert_eq!(told, 1);
    }
}
