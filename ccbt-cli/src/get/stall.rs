//! `--stop-timeout`: has payload come lately?

use std::time::Duration;

use ccbt_peer::policy::Time;

/// Measures how long no payload came, by the swarm's own time.
#[derive(Debug)]
pub(super) struct Stall {
    limit: Duration,
    since: Time,
    downloaded: u64,
}

impl Stall {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, since: Time::ZERO, downloaded: 0 }
    }

    /// The wait begins here, whatever was before.
    pub(super) fn begin(&mut self, at: Time) {
        self.since = at;
    }

    /// Takes note of all payload until `at`; returns how long none came, if that is too long.
    pub(super) fn after(&mut self, at: Time, downloaded: u64) -> Option<Duration> {
        if downloaded != self.downloaded {
            (self.since, self.downloaded) = (at, downloaded);
        }
        let wait = at.saturating_since(self.since);
        (wait >= self.limit).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_starts_the_wait_again() {
        let mut stall = Stall::new(Duration::from_secs(2));
        assert_eq!(stall.after(Time::from_secs(1), 0), None);
        assert_eq!(stall.after(Time::from_millis(1_999), 5), None);
        assert_eq!(stall.after(Time::from_millis(3_998), 5), None);
        assert_eq!(stall.after(Time::from_millis(3_999), 5), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_download_that_never_begins_is_stalled_from_its_start() {
        let mut stall = Stall::new(Duration::from_secs(2));
        assert_eq!(stall.after(Time::from_secs(2), 0), Some(Duration::from_secs(2)));
    }
}
