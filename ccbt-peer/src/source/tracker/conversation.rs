//! What was said to one tracker, and what it wants.

use std::time::Duration;

use ccbt_wire::tracker::{Announce, AnnounceEvent, AnnounceReply};

use super::kind::Tracker;
use super::schedule::{AnnounceError, Schedule};
use crate::source::SourceContext;

const WANTED_PEERS: u32 = 200;
/// Trackers refuse port 0, so that is what one hears of who accepts no connections: a port where
/// nobody listens.
const NO_PORT: u16 = 1;

/// One tracker, as far as we have talked with it.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) tracker: Tracker,
    schedule: Schedule,
    id: Option<Vec<u8>>,
    /// It failed, and is not asked again for so long.
    rest: Duration,
}

impl Conversation {
    pub(super) fn new(tracker: Tracker) -> Self {
        Self { tracker, schedule: Schedule::default(), id: None, rest: Duration::ZERO }
    }

    /// The event of the next announce.
    pub(super) fn next_event(&self, completed: bool) -> Option<AnnounceEvent> {
        self.schedule.next_event(completed)
    }

    /// Whether the tracker knows of us, and should hear when we go.
    pub(super) fn is_started(&self) -> bool {
        self.schedule.is_started()
    }

    /// Whether a completion is announced as soon as it happens.
    pub(super) fn awaits_completion(&self) -> bool {
        self.schedule.awaits_completion()
    }

    /// How long it is left alone after a failure.
    pub(super) fn rest(&self) -> Duration {
        self.rest
    }

    /// So much time went by.
    pub(super) fn passed(&mut self, time: Duration) {
        self.rest = self.rest.saturating_sub(time);
    }

    /// What announces `event`; `key` is the same for all of a run.
    pub(super) fn announce(
        &self,
        context: &SourceContext,
        event: Option<AnnounceEvent>,
        key: u32,
    ) -> Announce {
        let totals = context.totals();
        Announce {
            info_hash: context.info_hash,
            peer_id: context.peer_id,
            port: context.port.filter(|port| *port != 0).unwrap_or(NO_PORT),
            uploaded: totals.uploaded,
            downloaded: totals.downloaded,
            left: totals.left,
            event,
            numwant: Some(if event == Some(AnnounceEvent::Stopped) { 0 } else { WANTED_PEERS }),
            key: Some(key),
            tracker_id: self.id.clone(),
        }
    }

    /// The tracker took the announce; the time until the next.
    pub(super) fn accepted(
        &mut self,
        event: Option<AnnounceEvent>,
        reply: &AnnounceReply,
    ) -> Duration {
        if reply.tracker_id.is_some() {
            self.id.clone_from(&reply.tracker_id);
        }
        self.schedule.accepted(event, reply)
    }

    /// The announce failed.
    pub(super) fn failed(&mut self, error: &AnnounceError) {
        self.rest = self.schedule.failed(error);
    }
}
