//! The one place that reads a clock.

use ccbt_policy::Time;
use tokio::time::Instant;

/// Maps the runtime's clock to the swarm's time, which begins with the swarm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "somebody has to")]
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The instant of a time of the swarm.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        let since = std::time::Duration::from_micros(time.as_micros());
        // A time beyond what the clock can say is never reached.
        self.start.checked_add(since).unwrap_or_else(|| self.start + YEAR)
    }
}

const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 60 * 60);
