//! How many blocks to have asked a peer for: about three seconds of its rate.

use std::time::Duration;

use ccbt_policy::Time;
use ccbt_wire::BLOCK_LEN;

/// Blocks that we ask for at first.
const START: u32 = 16;
/// Fewer would leave the line empty for a round trip.
const MIN: u32 = 4;
/// More would only hoard: three seconds at 10 MB/s, or 256 ms at 1 Gbit/s.
const MAX: u32 = 2000;
/// What a peer takes if it does not say (BEP 10, `reqq`).
const DEFAULT_REQQ: u32 = 250;
/// Seconds of the peer's rate that are asked for ahead.
const AHEAD: u64 = 3;
/// A peer that delivers nothing for so long, though it owes us, is snubbed at the earliest.
const MIN_PATIENCE: Duration = Duration::from_secs(2);
/// The same for a peer that has not delivered yet.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);
const MAX_PATIENCE: Duration = Duration::from_secs(60);

/// The request window of one peer.
#[derive(Debug)]
pub(super) struct Window {
    size: u32,
    reqq: u32,
    /// Grows with every block until the rate no longer does.
    slow_start: bool,
    /// Bytes since `measured_at`.
    bytes: u64,
    measured_at: Time,
    /// Bytes a second, smoothed.
    rate: u64,
    /// Time between two blocks, smoothed; `None` before the second block.
    gap: Option<Duration>,
    /// When the last block came, or the first request since then went out; by the peer's own clock.
    waiting_since: Option<Time>,
}

impl Window {
    pub(super) fn new(now: Time) -> Self {
        Self {
            size: START,
            reqq: DEFAULT_REQQ,
            slow_start: true,
            bytes: 0,
            measured_at: now,
            rate: 0,
            gap: None,
            waiting_since: None,
        }
    }

    /// The peer told how many requests it takes.
    pub(super) fn set_reqq(&mut self, reqq: u32) {
        self.reqq = reqq.max(1);
    }

    /// Bytes a second, smoothed over some seconds.
    pub(super) fn rate(&self) -> u64 {
        self.rate
    }

    /// Whether a rate is measured that is not zero, or may come of it.
    pub(super) fn is_moving(&self) -> bool {
        self.bytes > 0 || self.rate > 0
    }

    /// How many blocks to ask for on top of `in_flight`; 0 until it is worth a message.
    pub(super) fn room(&self, in_flight: usize, snubbed: bool) -> usize {
        let size = if snubbed { 1 } else { self.size.min(self.reqq) } as usize;
        let room = size.saturating_sub(in_flight);
        // Requests go out in batches; the last ones of a quarter wait for the rest.
        if room * 4 >= size { room } else { 0 }
    }

    /// Requests went out; `now` is by the peer's own clock.
    pub(super) fn asked(&mut self, now: Time) {
        self.waiting_since.get_or_insert(now);
    }

    /// A block came; `left` tells whether more are due. `now` is by the peer's own clock.
    pub(super) fn received(&mut self, now: Time, length: u32, left: bool) {
        self.bytes += u64::from(length);
        if self.slow_start {
            self.size = (self.size + 1).min(MAX);
        }
        if let Some(since) = self.waiting_since {
            let gap = now.saturating_since(since);
            self.gap = Some(self.gap.map_or(gap, |old| (old * 7 + gap) / 8));
        }
        self.waiting_since = left.then_some(now);
    }

    /// Nothing is due any more: choked, cancelled.
    pub(super) fn nothing_due(&mut self) {
        self.waiting_since = None;
    }

    /// When the peer counts as snubbed if no block comes, by its own clock.
    pub(super) fn snub_at(&self) -> Option<Time> {
        let patience = self
            .gap
            .map_or(FIRST_PATIENCE, |gap| gap.saturating_mul(4).clamp(MIN_PATIENCE, MAX_PATIENCE));
        self.waiting_since.map(|since| since + patience)
    }

    /// The peer is snubbed: it starts over.
    pub(super) fn snubbed(&mut self) {
        self.size = MIN;
        self.slow_start = true;
        self.waiting_since = None;
    }

    /// Measures the rate; to be called about once a second.
    pub(super) fn tick(&mut self, now: Time) {
        let elapsed = now.saturating_since(self.measured_at);
        if elapsed < Duration::from_millis(500) {
            return;
        }
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let latest = self.bytes.saturating_mul(1_000_000) / micros;
        self.bytes = 0;
        self.measured_at = now;
        let before = self.rate;
        self.rate = if before == 0 { latest } else { (before * 3 + latest) / 4 };
        if self.slow_start && latest > 0 && latest < before + before / 10 {
            self.slow_start = false;
        }
        if !self.slow_start {
            let blocks = self.rate.max(latest).saturating_mul(AHEAD) / u64::from(BLOCK_LEN);
            self.size = u32::try_from(blocks).unwrap_or(MAX).clamp(MIN, MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_settles_at_three_seconds_of_the_rate() {
        let mut window = Window::new(Time::ZERO);
        window.set_reqq(2000);
        // 64 blocks a second: 1 MiB/s.
        for second in 1..20 {
            let now = Time::from_secs(second);
            (0..64).for_each(|_| window.received(now, BLOCK_LEN, true));
            window.tick(now);
        }
        assert!((190..=194).contains(&window.room(0, false)), "{}", window.room(0, false));
        assert_eq!(window.room(0, true), 1);
    }

    #[test]
    fn the_window_never_exceeds_what_the_peer_takes() {
        let mut window = Window::new(Time::ZERO);
        (0..5000).for_each(|_| window.received(Time::from_millis(1), BLOCK_LEN, true));
        assert_eq!(window.room(0, false), DEFAULT_REQQ as usize);
        window.set_reqq(40);
        assert_eq!(window.room(0, false), 40);
        assert_eq!(window.room(39, false), 0, "a single request waits for company");
    }

    #[test]
    fn patience_follows_the_peers_own_pace() {
        let mut window = Window::new(Time::ZERO);
        assert_eq!(window.snub_at(), None, "a peer that owes nothing is never snubbed");
        window.asked(Time::from_secs(1));
        assert_eq!(window.snub_at(), Some(Time::from_secs(4)));
        window.received(Time::from_secs(2), BLOCK_LEN, true);
        assert_eq!(window.snub_at(), Some(Time::from_secs(6)), "a block a second: four seconds");
        window.received(Time::from_secs(2), BLOCK_LEN, false);
        assert_eq!(window.snub_at(), None);
    }
}
