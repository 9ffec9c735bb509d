//! A download under way: until it is complete, or was seeded enough, or something ends it.

use std::path::Path;
use std::time::Duration;

use ccbt_peer::policy::Time;
use ccbt_peer::wire::Metainfo;
use ccbt_peer::{Event, EventKind, Events, Progress, Swarm};

use super::fetch::{COMPLETE, Sum};
use super::hook::Hook;
use super::opening::Opening;
use super::stall::Stall;
use super::{Audience, Done, summary};
use crate::args::Until;
use crate::events::About;
use crate::exit::{Exit, Failure};
use crate::report::{Sharing, units};
use crate::signals::{Resizes, Signals, stopped_by};
use crate::state::Memory;

/// A running swarm, and everybody who wants to know.
pub(super) struct Drive<'a, 'c> {
    pub(super) swarm: Swarm,
    pub(super) events: Events,
    pub(super) memory: Memory,
    pub(super) about: About,
    pub(super) stall: Option<Stall>,
    pub(super) until: Until,
    /// What is wanted, as far as it is known.
    pub(super) sum: Sum,
    /// When every piece was verified.
    pub(super) finished: Option<Time>,
    /// What is run then.
    pub(super) hook: Hook,
    /// Where the content comes to lie.
    pub(super) folder: &'c Path,
    /// The torrent, once it is known.
    pub(super) metainfo: Option<Metainfo>,
    /// What a person would call it.
    pub(super) title: String,
    /// What is to be done when it becomes known.
    pub(super) opening: Option<Opening<'c>>,
    /// Bytes of metadata that came.
    pub(super) metadata: u64,
    pub(super) audience: Audience<'a>,
}

/// Why the swarm is no longer needed.
enum End {
    Finished(Time),
    Stalled(Duration),
    Signal(Exit),
    Disk(String),
    /// The metadata is no torrent that can be downloaded.
    Refused(String),
    /// Something stood in the way of the store.
    Failed(Failure),
    Stopped,
}

impl Drive<'_, '_> {
    pub(super) async fn run(mut self, signals: &mut Signals) -> Result<Done, Failure> {
        if self.metainfo.is_some() {
            self.audience.report.begin(self.sum.before, self.sum.total);
        }
        let end = self.until_the_end(signals).await;
        if let Some(trouble) = self.memory.keep_now(&self.swarm).await {
            self.audience.report.once(&trouble);
        }
        self.swarm.stop().await;
        while let Some(event) = self.events.next().await {
            self.audience.hear(&self.about, &event);
        }
        // Whatever ends the seeding behind it, the command is not left behind.
        let hooked = match end {
            End::Signal(_) => Ok(()),
            _ => signals.guard(self.hook.end()).await?,
        };
        let after = self.swarm.progress();
        let so_far = || self.so_far(&after);
        match end {
            End::Finished(at) => {
                let shared = self.until.is_set().then(|| Sharing::of(&after));
                let done = Done { shared, ..self.done(at, self.sum.total) };
                hooked.map_err(|trouble| match &done.shared {
                    Some(shared) => {
                        let sum = shared.sum();
                        Failure::new(Exit::Failed, format_args!("seeded: {sum}; {trouble}"))
                    }
                    None => {
                        self.audience.report.clear();
                        self.audience.report.tell(&summary(&done));
                        Failure::new(Exit::Failed, trouble)
                    }
                })?;
                Ok(done)
            }
            End::Stalled(wait) => {
                let what = if self.metainfo.is_none() { "metadata" } else { "payload" };
                let wait = units::passed(wait);
                let message = format!("no {what} for {wait} (--stop-timeout); {}", so_far());
                Err(Failure::new(Exit::Stalled, message))
            }
            End::Signal(exit) => {
                Err(Failure::new(exit, format_args!("{}; {}", stopped_by(exit), so_far())))
            }
            End::Disk(error) => Err(Failure::new(Exit::Disk, error)),
            End::Refused(error) => {
                let message = format_args!("{}: the metadata cannot be used: {error}", self.title);
                Err(Failure::new(Exit::Refused, message))
            }
            End::Failed(failure) => Err(failure),
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
                trouble = self.hook.failure() => {
                    self.audience.report.accuse(&trouble);
                    continue;
                }
                event = self.events.next() => event,
            };
            let Some(event) = event else { return End::Stopped };
            if let EventKind::Metadata(metainfo) = &event.kind {
                self.about.learn(metainfo);
            }
            self.audience.hear(&self.about, &event);
            let complete = match event.kind {
                EventKind::Finished => true,
                // Nothing was to be done, so the swarm has nothing to tell.
                // That of a magnet link has no pieces yet.
                EventKind::Started { need: 0, pieces: 1.., .. } => {
                    self.audience
                        .hear(&self.about, &Event { at: event.at, kind: EventKind::Finished });
                    true
                }
                EventKind::Metadata(metainfo) => {
                    if let Err(failure) = self.learn(metainfo, signals).await {
                        return End::Failed(failure);
                    }
                    false
                }
                EventKind::MetadataRefused { error } => return End::Refused(error),
                EventKind::MetadataProgress { have, .. } => {
                    self.metadata = have.into();
                    false
                }
                EventKind::Checked { .. } => {
                    if let Some(stall) = &mut self.stall {
                        stall.begin(event.at);
                    }
                    false
                }
                EventKind::StoreFailed { error } => return End::Disk(error),
                EventKind::ReadFailed { error } => {
                    self.audience.report.once(&format!("{error}; what else there is is served"));
                    false
                }
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
                    lagged && now.need == 0 && now.pieces > 0
                }
                _ => false,
            };
            if complete && self.finished.is_none() {
                self.finished = Some(event.at);
                self.run_hook();
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
            let wait = self.stall.as_mut()?.after(at, now.downloaded + self.metadata);
            return wait.map(End::Stalled);
        };
        self.audience.report.share(at, &Sharing::of(now));
        let enough = self.until.reached(now.uploaded, now.total, at.saturating_since(finished));
        enough.then_some(End::Finished(finished))
    }

    /// It is known what the magnet link leads to: that is kept, and the swarm gets its store.
    async fn learn(&mut self, metainfo: Metainfo, signals: &mut Signals) -> Result<(), Failure> {
        let Some(opening) = &mut self.opening else { return Ok(()) };
        if let Some(stall) = &mut self.stall {
            stall.pause();
        }
        let report = &mut *self.audience.report;
        report.clear();
        report.rename(metainfo.name());
        if let Some(trouble) = opening.keep(&metainfo) {
            report.once(&trouble);
        }
        let sum = opening.open(&metainfo, report, signals).await?;
        if sum.is_complete() {
            report.tell(COMPLETE);
        }
        report.begin(sum.before, sum.total);
        self.sum = sum;
        self.title = metainfo.name().to_owned();
        self.metainfo = Some(metainfo);
        Ok(())
    }

    /// What was complete before is no news.
    fn run_hook(&mut self) {
        if let Some(metainfo) = self.metainfo.as_ref().filter(|_| !self.sum.is_complete()) {
            self.audience.report.hide();
            self.hook.start(metainfo, self.folder, self.sum.files);
        }
    }

    /// The download's end is told now, and its line gives way to that of a seed.
    fn seed_on(&mut self, at: Time) {
        let now = self.swarm.progress();
        let done = self.done(at, now.total);
        if done.fetched > 0 {
            self.audience.report.clear();
            self.audience.report.tell(&summary(&done));
        }
        self.audience.report.begin_sharing(at, &Sharing::of(&now));
    }

    fn so_far(&self, now: &Progress) -> String {
        let name = &self.title;
        if self.metainfo.is_none() {
            return format!("what {name} leads to is not known");
        }
        if self.finished.is_some() {
            return format!("{name} is complete, {}", Sharing::of(now).sum());
        }
        let percent = units::percent(now.verified, now.total);
        format!("{percent} of {name} is verified, and the same command goes on from there")
    }

    fn done(&self, finished: Time, total: u64) -> Done {
        Done {
            fetched: total.saturating_sub(self.sum.before),
            time: finished.saturating_since(Time::ZERO),
            shared: None,
        }
    }
}
