//! So many in a second, and no more.

use std::time::Duration;

use ccbt_policy::Time;

#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// When the second began.
    since: Time,
    count: u32,
    most: u32,
}

impl Rate {
    pub(super) fn new(now: Time, most: u32) -> Self {
        Self { since: now, count: 0, most }
    }

    /// Whether there may be one more; if so, it counts.
    pub(super) fn allows(&mut self, now: Time) -> bool {
        if now.saturating_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.count) = (now, 0);
        }
        let allows = self.count < self.most;
        self.count += u32::from(allows);
        allows
    }
}
