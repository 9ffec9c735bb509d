//! A message that has begun and does not become whole.

use std::time::Duration;

use ccbt_policy::Time;

use crate::close::Timeout;

/// A message that has begun gets on by this time, or the connection is dead.
pub const FRAME_LIMIT: Duration = Duration::from_secs(60);
/// Bytes that have to come in [`FRAME_LIMIT`] while it is not whole: 256 a second.
const LEAST: u64 = 256 * FRAME_LIMIT.as_secs();

/// What is known of a message that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Since when `bytes` are counted: from its first byte on, and anew every [`FRAME_LIMIT`].
    since: Time,
    bytes: u64,
    moved_at: Time,
}

impl Frame {
    pub(super) fn new(now: Time) -> Self {
        Self { since: now, bytes: 0, moved_at: now }
    }

    /// More of it came.
    pub(super) fn add(&mut self, now: Time, bytes: u64) {
        self.bytes += bytes;
        self.moved_at = now;
    }

    /// We did not read for so long.
    pub(super) fn shift(&mut self, by: Duration) {
        self.since = self.since + by;
        self.moved_at = self.moved_at + by;
    }

    /// When to judge it.
    pub(super) fn deadline(&self) -> Time {
        self.since.min(self.moved_at) + FRAME_LIMIT
    }

    /// Whether it gets on.
    pub(super) fn judge(&mut self, now: Time) -> Result<(), Timeout> {
        if now >= self.moved_at + FRAME_LIMIT {
            return Err(Timeout::Frame { bytes: 0 });
        }
        if now < self.since + FRAME_LIMIT {
            return Ok(());
        }
        if self.bytes < LEAST {
            return Err(Timeout::Frame { bytes: self.bytes });
        }
        (self.since, self.bytes) = (now, 0);
        Ok(())
    }
}
