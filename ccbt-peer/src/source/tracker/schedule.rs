//! What to tell a tracker next, and how long to wait: no clock, no network.

use std::time::Duration;

use ccbt_wire::tracker::{AnnounceEvent, AnnounceReply, TrackerError};

#[cfg(feature = "udp")]
use crate::source::udp::{self, UdpError};

/// If the tracker names none; as most trackers do.
const USUAL_INTERVAL: Duration = Duration::from_secs(30 * 60);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const FIRST_RETRY: Duration = Duration::from_secs(15);
const LONGEST_RETRY: Duration = Duration::from_secs(30 * 60);
#[cfg(feature = "udp")]
const LONGEST_SILENCE: Duration = Duration::from_secs(15 << 8);

/// How far the conversation with a tracker is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    started: bool,
    completed: bool,
    failures: u32,
}

impl Schedule {
    /// The event of the next announce. `completed`: the download became complete while we ran.
    pub(super) fn next_event(&self, completed: bool) -> Option<AnnounceEvent> {
        match self {
            Self { started: false, .. } => Some(AnnounceEvent::Started),
            Self { completed: false, .. } if completed => Some(AnnounceEvent::Completed),
            _ => None,
        }
    }

    /// Whether the tracker knows of us, and should hear when we go.
    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    /// Whether a completion is announced as soon as it happens. After a failure it waits like all else.
    pub(super) fn awaits_completion(&self) -> bool {
        self.started && !self.completed && self.failures == 0
    }

    /// The tracker took the announce; the time until the next.
    pub(super) fn accepted(
        &mut self,
        event: Option<AnnounceEvent>,
        reply: &AnnounceReply,
    ) -> Duration {
        self.failures = 0;
        self.started |= event == Some(AnnounceEvent::Started);
        self.completed |= event == Some(AnnounceEvent::Completed);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let interval = reply.interval.map_or(USUAL_INTERVAL, seconds);
        let at_least = reply.min_interval.map_or(Duration::ZERO, seconds);
        interval.max(at_least).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
    }

    /// The announce failed; the time until it is tried again.
    pub(super) fn failed(&mut self, error: &AnnounceError) -> Duration {
        let doubled = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        #[cfg(feature = "udp")]
        if let AnnounceError::Udp(UdpError::TimedOut { .. }) = error {
            // Each announce is one datagram or two, and the time in which nothing came back is part of the
            // wait before the next: BEP 15 wants 15 * 2 ^ n seconds between them, n up to 8.
            return doubled.min(LONGEST_SILENCE).saturating_sub(udp::PATIENCE);
        }
        let retry = doubled.min(LONGEST_RETRY);
        let asked = match error {
            AnnounceError::Tracker(TrackerError::Refused { retry_in: Some(minutes), .. }) => {
                Duration::from_secs(u64::from(*minutes) * 60)
            }
            _ => Duration::ZERO,
        };
        retry.max(asked).min(LONGEST_INTERVAL)
    }
}

/// Why an announce failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnnounceError {
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] crate::source::http::HttpError),
    #[cfg(feature = "udp")]
    #[error(transparent)]
    Udp(#[from] UdpError),
    #[error(transparent)]
    Tracker(#[from] TrackerError),
}

#[cfg(feature = "http")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::http::HttpError;

    fn reply(interval: Option<u32>, min_interval: Option<u32>) -> AnnounceReply {
        let mut reply = AnnounceReply::default();
        (reply.interval, reply.min_interval) = (interval, min_interval);
        reply
    }

    #[test]
    fn the_interval_is_obeyed_within_a_minute_and_a_day() {
        let mut schedule = Schedule::default();
        for (interval, min_interval, seconds) in [
            (None, None, 1800),
            (Some(0), None, 60),
            (Some(59), None, 60),
            (Some(61), None, 61),
            (Some(900), Some(1200), 1200),
            (Some(900), Some(300), 900),
            (Some(86_400), None, 86_400),
            (Some(86_401), None, 86_400),
            (Some(u32::MAX), Some(u32::MAX), 86_400),
        ] {
            let wait = schedule.accepted(None, &reply(interval, min_interval));
            assert_eq!(wait.as_secs(), seconds, "{interval:?} {min_interval:?}");
        }
    }

    #[test]
    fn failures_wait_twice_as_long_each_time_and_a_success_forgets_them() {
        let mut schedule = Schedule::default();
        let error = HttpError::Status(500).into();
        let waits: Vec<u64> = (0..40).map(|_| schedule.failed(&error).as_secs()).collect();
        assert_eq!(waits[..8], [15, 30, 60, 120, 240, 480, 960, 1800]);
        assert!(waits[8..].iter().all(|wait| *wait == 1800));
        schedule.accepted(None, &reply(None, None));
        assert_eq!(schedule.failed(&error).as_secs(), 15);
    }

    #[test]
    fn a_tracker_that_names_a_time_is_left_alone_for_so_long() {
        let refused = |retry_in| {
            let error = TrackerError::Refused { reason: "full".into(), retry_in };
            Schedule::default().failed(&error.into()).as_secs()
        };
        assert_eq!([None, Some(0), Some(5), Some(u32::MAX)].map(refused), [15, 15, 300, 86_400]);
    }

    #[test]
    fn events_come_in_order_and_once() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.next_event(true), Some(AnnounceEvent::Started));
        schedule.accepted(Some(AnnounceEvent::Started), &reply(None, None));
        assert_eq!(schedule.next_event(false), None);
        assert_eq!(schedule.next_event(true), Some(AnnounceEvent::Completed));
        schedule.accepted(Some(AnnounceEvent::Completed), &reply(None, None));
        assert_eq!(schedule.next_event(true), None);
    }

    #[cfg(feature = "udp")]
    #[test]
    fn a_silent_udp_tracker_hears_of_us_in_the_rhythm_of_bep_15() {
        let mut schedule = Schedule::default();
        let silent: AnnounceError = UdpError::TimedOut { seconds: 15 }.into();
        let mut second = 0;
        let heard: Vec<u64> = (0..10)
            .map(|_| {
                second += udp::PATIENCE.as_secs() + schedule.failed(&silent).as_secs();
                second
            })
            .collect();
        assert_eq!(heard, [15, 45, 105, 225, 465, 945, 1905, 3825, 7665, 11505]);
        let refused: AnnounceError = UdpError::Refused { reason: "no".into() }.into();
        assert_eq!(Schedule::default().failed(&refused).as_secs(), 15);
    }
}
