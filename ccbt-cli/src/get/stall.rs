//! `--stop-timeout`: has payload come lately?

use std::time::Duration;

use ccbt_peer::policy::Time;

/// Measures how long no payload came, by the swarm's own time.
#[derive(Debug)]
pub(super) struct Stall {
    limit: Duration,
    since: Time,
    downloaded: u64,
    paused: bool,
}

impl Stall {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, since: Time::ZERO, downloaded: 0, paused: false }
    }

    /// Nothing can come until [`begin`](Self::begin): the files are checked.
    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    /// The wait begins here, whatever was before.
    pub(super) fn begin(&mut self, at: Time) {
        (self.since, self.paused) = (at, false);
    }

    /// Takes note of all payload until `at`; returns how long none came, if that is too long.
    pub(super) fn after(&mut self, at: Time, downloaded: u64) -> Option<Duration> {
        if downloaded != self.downloaded {
            (self.since, self.downloaded) = (at, downloaded);
        }
        let wait = at.saturating_since(self.since);
        (!self.paused && wait >= self.limit).then_some(wait)
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
    fn the_check_of_files_is_no_stall_however_long_it_takes() {
        let mut stall = Stall::new(Duration::from_secs(2));
        stall.pause();
        assert_eq!(stall.after(Time::from_secs(80), 0), None);
        // States of that time may be heard late.
        assert_eq!(stall.after(Time::from_secs(84), 0), None);
        stall.begin(Time::from_secs(85));
        assert_eq!(stall.after(Time::from_millis(86_999), 0), None);
        assert_eq!(stall.after(Time::from_secs(87), 0), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_download_that_never_begins_is_stalled_from_its_start() {
        let mut stall = Stall::new(Duration::from_secs(2));
        assert_eq!(stall.after(Time::from_secs(2), 0), Some(Duration::from_secs(2)));
    }
}
