//! `ccbt get`: one torrent, until every piece is verified.

mod audience;
mod stall;
pub(crate) mod torrent;

use std::path::Path;
use std::time::Duration;

use ccbt_peer::policy::registry::Selection;
use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::source::{Given, TrackerTiers};
use ccbt_peer::store::{FileStore, PieceStore};
use ccbt_peer::wire::{Bitfield, Metainfo};
use ccbt_peer::{Event, EventKind, Events, Progress, Swarm};
use tokio::sync::watch;

use crate::args::{Get, Talk};
use crate::events::{EventLog, is_stdout};
use crate::exit::{Exit, Failure};
use crate::report::{Detail, Report, Stream, units};
use crate::signals::{Signals, stopped_by};
use audience::Audience;
pub(crate) use audience::Watcher;
use stall::Stall;

/// What a download brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Bytes that were verified in this run.
    pub(crate) fetched: u64,
    /// Since the swarm began.
    pub(crate) time: Duration,
}

/// Downloads, and tells how it went.
pub(crate) async fn run(args: &Get, signals: &mut Signals) -> Result<(), Failure> {
    let stream =
        if args.events.as_deref().is_some_and(is_stdout) { Stream::Stderr } else { Stream::Stdout };
    let mut report = Report::new(stream, detail(args.talk));
    let result = download(args, &mut report, &mut |_: &Event| None, signals).await;
    report.clear();
    if let Ok(done) = &result
        && done.fetched > 0
    {
        report.say(&summary(done));
    }
    report.dropped();
    result.map(|_| ())
}

/// How much `-q` and `-v` want to be told.
pub(crate) fn detail(talk: Talk) -> Detail {
    match talk {
        Talk { quiet: true, .. } => Detail::Quiet,
        Talk { verbose: true, .. } => Detail::Verbose,
        _ => Detail::Normal,
    }
}

/// The end in a line.
pub(crate) fn summary(done: &Done) -> String {
    let average =
        units::average(done.fetched, done.time).map(|rate| format!(", {rate} on average"));
    let (fetched, time) = (units::bytes(done.fetched), units::passed(done.time));
    format!("done: {fetched} in {time}{}", average.unwrap_or_default())
}

/// The download itself, without a word at its end.
pub(crate) async fn download(
    args: &Get,
    report: &mut Report,
    watcher: &mut Watcher<'_>,
    signals: &mut Signals,
) -> Result<Done, Failure> {
    let policies = policies(&args.evict)?;
    let metainfo = signals.guard(torrent::load(&args.torrent)).await??;
    let log = EventLog::open(args.events.as_deref(), metainfo.piece_count())?;
    let mut audience = Audience::new(report, log, watcher);
    audience.report.say(&heading(&metainfo, &args.output));

    let (store, have) = check(&metainfo, &args.output, audience.report, signals).await?;
    if have.all() {
        return complete_already(&store, &have, &mut audience);
    }
    let before = have.iter_ones().map(|piece| u64::from(metainfo.piece_len(piece))).sum();
    let mut swarm = Swarm::builder(metainfo.clone())
        .store(store)
        .have(have)
        .policy(policies)
        .listen(args.listen)
        .max_peers(args.max_peers);
    if let Some(trackers) = trackers(args, &metainfo, audience.report) {
        swarm = swarm.source(trackers);
    }
    if !args.peers.is_empty() {
        swarm = swarm.source(Given::hosts(args.peers.clone()));
    }
    let (swarm, events) = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
    Drive { swarm, events, stall: args.stop_timeout.map(Stall::new), before, audience }
        .run(&metainfo, signals)
        .await
}

fn policies(specs: &[String]) -> Result<PolicySet, Failure> {
    let mut selection = Selection::standard();
    for spec in specs {
        selection
            .apply(spec)
            .map_err(Failure::of(Exit::Refused, format_args!("--evict {spec}")))?;
    }
    Ok(selection.build())
}

fn heading(metainfo: &Metainfo, folder: &Path) -> String {
    let files = metainfo.files().iter().filter(|file| !file.pad).count();
    let folder = folder.join(metainfo.name());
    format!(
        "{}: {} in {}, {}, to {}",
        metainfo.name(),
        units::bytes(metainfo.total_len()),
        units::count(metainfo.piece_count() as usize, "piece", "pieces"),
        units::count(files, "file", "files"),
        folder.display(),
    )
}

/// Looks what lies in the folder already. Hashing is work for a thread of its own.
async fn check(
    metainfo: &Metainfo,
    folder: &Path,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<(FileStore, Bitfield), Failure> {
    let (tell, mut told) = watch::channel((0, metainfo.piece_count()));
    let (metainfo, folder) = (metainfo.clone(), folder.to_owned());
    let mut work = tokio::task::spawn_blocking(move || {
        FileStore::resume_with(folder, &metainfo, |checked, pieces| {
            // Every hundredth is enough for people.
            tell.send_if_modified(|last| {
                let step = checked == pieces || checked.saturating_sub(last.0) > pieces / 100;
                if step {
                    *last = (checked, pieces);
                }
                step
            });
        })
    });
    loop {
        tokio::select! {
            exit = signals.first() => return Err(Failure::new(exit, stopped_by(exit))),
            done = &mut work => {
                let done = done.map_err(Failure::of(Exit::Failed, "check"))?;
                return done.map_err(|error| Failure::new(Exit::Disk, error));
            }
            Ok(()) = told.changed() => {
                let (checked, pieces) = *told.borrow_and_update();
                report.checking(checked, pieces);
            }
        }
    }
}

/// All is there: nobody needs to be asked, but whoever watches wants to hear the end.
fn complete_already(
    store: &FileStore,
    have: &Bitfield,
    audience: &mut Audience<'_>,
) -> Result<Done, Failure> {
    store.finish().map_err(|error| Failure::new(Exit::Disk, error))?;
    let pieces = have.len();
    audience.hear(&Event {
        at: Time::ZERO,
        kind: EventKind::Started { listen: None, have: pieces, pieces },
    });
    audience.hear(&Event { at: Time::ZERO, kind: EventKind::Finished });
    audience.report.say("complete already");
    Ok(Done::default())
}

/// The torrent's trackers that we can ask.
fn trackers(args: &Get, metainfo: &Metainfo, report: &mut Report) -> Option<TrackerTiers> {
    if args.no_tracker {
        return None;
    }
    let trackers = TrackerTiers::new(metainfo.trackers());
    if let [(url, error), others @ ..] = trackers.skipped() {
        let others = match others.len() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        report.note(&format!("{url}{others} not asked: {error}"));
    }
    if trackers.is_empty() && args.peers.is_empty() {
        report.say("no tracker to ask and no --peer: waiting for peers that find us");
    }
    Some(trackers).filter(|trackers| !trackers.is_empty())
}

/// A running swarm, and everybody who wants to know.
struct Drive<'a> {
    swarm: Swarm,
    events: Events,
    stall: Option<Stall>,
    /// Bytes that were verified before it began.
    before: u64,
    audience: Audience<'a>,
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
    async fn run(mut self, metainfo: &Metainfo, signals: &mut Signals) -> Result<Done, Failure> {
        self.audience.report.begin(self.before, metainfo.total_len());
        let end = self.until_the_end(signals).await;
        self.swarm.stop().await;
        while let Some(event) = self.events.next().await {
            self.audience.hear(&event);
        }
        let after = self.swarm.progress();
        let so_far = || so_far(&after, metainfo);
        match end {
            End::Finished(at) => {
                let fetched = metainfo.total_len().saturating_sub(self.before);
                Ok(Done { fetched, time: at.saturating_since(Time::ZERO) })
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
        let mut lagged = false;
        loop {
            let event = tokio::select! {
                biased;
                exit = signals.first() => return End::Signal(exit),
                event = self.events.next() => event,
            };
            let Some(event) = event else { return End::Stopped };
            self.audience.hear(&event);
            match event.kind {
                EventKind::Finished => return End::Finished(event.at),
                EventKind::StoreFailed { error } => return End::Disk(error),
                EventKind::Stopped => return End::Stopped,
                EventKind::Lagged { .. } => lagged = true,
                // The event itself may be among those that were lost.
                EventKind::Progress(now) if lagged && now.have == now.pieces => {
                    return End::Finished(event.at);
                }
                EventKind::Progress(now) => {
                    if let Some(stall) = &mut self.stall
                        && let Some(wait) = stall.after(event.at, now.downloaded)
                    {
                        return End::Stalled(wait);
                    }
                }
                _ => {}
            }
        }
    }
}

fn so_far(now: &Progress, metainfo: &Metainfo) -> String {
    let percent = units::percent(now.verified, now.total);
    format!("{percent} of {} is verified, and the same command goes on from there", metainfo.name())
}
