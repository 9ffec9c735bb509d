//! A download under way: until it is complete, or was seeded enough, or something ends it.

use std::time::Duration;

use ccbt_peer::policy::Time;
use ccbt_peer::wire::Metainfo;
use ccbt_peer::{Event, EventKind, Events, Progress, Swarm};

use super::stall::Stall;
use super::{Audience, Done, summary};
use crate::args::Until;
use crate::events::About;
use crate::exit::{Exit, Failure};
use crate::report::{Sharing, units};
use crate::signals::{Resizes, Signals, stopped_by};
use crate::state::Memory;

/// A running swarm, and everybody who wants to know.
pub(super) struct Drive<'a> {
    pub(super) swarm: Swarm,
    pub(super) events: Events,
    pub(super) memory: Memory,
    pub(super) about: About,
    pub(super) stall: Option<Stall>,
    pub(super) until: Until,
    /// Bytes that were verified before it began.
    pub(super) before: u64,
    /// Bytes of all that is wanted.
    pub(super) total: u64,
    /// When every piece was verified.
    pub(super) finished: Option<Time>,
    pub(super) audience: Audience<'a>,
}

/// Why the swarm is no longer needed.
enum End {
    Finished(Time),
    Stalled(Duration),
    Signal(Exit),
    Disk(String),
    Stopped,
}

impl Drive<'_> {
    pub(super) async fn run(
        mut self,
        metainfo: &Metainfo,
        signals: &mut Signals,
    ) -> Result<Done, Failure> {
        self.audience.report.begin(self.before, self.total);
        let end = self.until_the_end(signals).await;
        if let Some(trouble) = self.memory.keep_now(&self.swarm).await {
            self.audience.report.once(&trouble);
        }
        self.swarm.stop().await;
        while let Some(event) = self.events.next().await {
            self.audience.hear(&self.about, &event);
        }
        let after = self.swarm.progress();
        let so_far = || so_far(&after, metainfo, self.finished.is_some());
        match end {
            End::Finished(at) => {
                let shared = self.until.is_set().then(|| Sharing::of(&after));
                Ok(Done { shared, ..self.done(at, self.total) })
            }
            End::Stalled(wait) => {
                let message = format!(
                    "no payload for {} (--stop-timeout); {}",
                    units::passed(wait),
                    so_far()
                );
                Err(Failure::new(Exit::Stalled, message))
            }
            End::Signal(exit) => {
                Err(Failure::new(exit, format_args!("{}; {}", stopped_by(exit), so_far())))
            }
            End::Disk(error) => Err(Failure::new(Exit::Disk, error)),
            End::Stopped => {
                Err(Failure::new(Exit::Failed, format_args!("the swarm stopped; {}", so_far())))
            }
        }
    }

    async fn until_the_end(&mut self, signals: &mut Signals) -> End {
        let (mut resizes, mut lagged) = (Resizes::install(), false);
        loop {
            let event = tokio::select! {
                biased;
                exit = signals.first() => return End::Signal(exit),
                () = resizes.next() => {
                    self.audience.report.draw();
                    continue;
                }
                event = self.events.next() => event,
            };
            let Some(event) = event else { return End::Stopped };
            self.audience.hear(&self.about, &event);
            let complete = match event.kind {
                EventKind::Finished => true,
                // Nothing was to be done, so the swarm has nothing to tell.
                EventKind::Started { need: 0, .. } => {
                    self.audience
                        .hear(&self.about, &Event { at: event.at, kind: EventKind::Finished });
                    true
                }
                EventKind::StoreFailed { error } => return End::Disk(error),
                EventKind::Stopped => return End::Stopped,
                EventKind::Lagged { .. } => {
                    lagged = true;
                    false
                }
                EventKind::Progress(now) => {
                    if let Some(trouble) = self.memory.keep(event.at, &self.swarm).await {
                        self.audience.report.once(&trouble);
                    }
                    if let Some(end) = self.on_progress(event.at, &now) {
                        return end;
                    }
                    // The event itself may be among those that were lost.
                    lagged && now.need == 0
                }
                _ => false,
            };
            if complete && self.finished.is_none() {
                self.finished = Some(event.at);
                if !self.until.is_set() {
                    return End::Finished(event.at);
                }
                self.seed_on(event.at);
            }
        }
    }

    /// Looks whether it goes on for too long; the swarm tells its state once a second.
    fn on_progress(&mut self, at: Time, now: &Progress) -> Option<End> {
        let Some(finished) = self.finished else {
            let wait = self.stall.as_mut()?.after(at, now.downloaded);
            return wait.map(End::Stalled);
        };
        self.audience.report.share(at, &Sharing::of(now));
        let enough = self.until.reached(now.uploaded, now.total, at.saturating_since(finished));
        enough.then_some(End::Finished(finished))
    }

    /// The download's end is told now, and its line gives way to that of a seed.
    fn seed_on(&mut self, at: Time) {
        let now = self.swarm.progress();
        let done = self.done(at, now.total);
        if done.fetched > 0 {
            self.audience.report.clear();
            self.audience.report.say(&summary(&done));
        }
        self.audience.report.begin_sharing(at, &Sharing::of(&now));
    }

    fn done(&self, finished: Time, total: u64) -> Done {
        Done {
            fetched: total.saturating_sub(self.before),
            time: finished.saturating_since(Time::ZERO),
            shared: None,
        }
    }
}

fn so_far(now: &Progress, metainfo: &Metainfo, finished: bool) -> String {
    let name = metainfo.name();
    if finished {
        return format!("{name} is complete, {}", Sharing::of(now).sum());
    }
    let percent = units::percent(now.verified, now.total);
    format!("{percent} of {name} is verified, and the same command goes on from there")
}
