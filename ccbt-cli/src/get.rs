//! `ccbt get`: one torrent, until every piece is verified.

mod audience;
mod drive;
mod opening;
mod stall;
pub(crate) mod torrent;

use std::path::Path;
use std::time::Duration;

use ccbt_peer::policy::Time;
use ccbt_peer::store::{FileStore, PieceStore};
use ccbt_peer::wire::{Bitfield, Metainfo};
use ccbt_peer::{Event, EventKind};

use crate::args::{Get, Talk, Torrent};
use crate::events::{About, EventLog, is_stdout};
use crate::exit::{Exit, Failure};
use crate::hashing;
use crate::report::{Detail, Report, Sharing, Stream, units};
use crate::signals::Signals;
pub(crate) use audience::Audience;
use audience::Watcher;
use drive::Drive;
use opening::Opening;
use stall::Stall;
use torrent::Lead;

/// What a download brought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Bytes that were verified in this run.
    pub(crate) fetched: u64,
    /// From the swarm's beginning until every piece was verified.
    pub(crate) time: Duration,
    /// What was given in turn, if that was asked for; the download's own end is told then.
    pub(crate) shared: Option<Sharing>,
}

/// Downloads, and tells how it went.
pub(crate) async fn run(args: &Get, signals: &mut Signals) -> Result<(), Failure> {
    let mut report = Report::new(stream(args.events.as_deref()), detail(args.talk));
    let result = download(args, &mut report, &mut |_: &Event| None, signals).await;
    report.clear();
    match &result {
        Ok(Done { shared: Some(shared), .. }) => {
            report.say(&format!("seeded: {}", shared.sum()));
        }
        Ok(done) if done.fetched > 0 => report.say(&summary(done)),
        _ => {}
    }
    report.dropped();
    result.map(|_| ())
}

/// Where words for people go, if the events go there.
pub(crate) fn stream(events: Option<&Path>) -> Stream {
    if events.is_some_and(is_stdout) { Stream::BesideEvents } else { Stream::Stdout }
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
    // A rule that is none is told before anything is fetched.
    let setup = args.network.prepare(report)?;
    let shelf = setup.shelf();
    let lead = signals.guard(torrent::follow(&args.torrent, &shelf)).await??;
    refuse_selection(&args.torrent)?;
    let log = EventLog::open(args.events.as_deref())?;
    let mut audience = Audience::new(report, log, watcher, setup.judges.clone());
    let stall = args.stop_timeout.map(Stall::new);
    let metainfo = match lead {
        Lead::Known(metainfo) => metainfo,
        Lead::Unknown(magnet) => {
            let title = torrent::title(&magnet);
            audience.report.say(&format!("{title}: looking for the metadata"));
            let (opening, open) = Opening::new(&args.output, shelf);
            let (swarm, memory) = setup.magnet(&magnet, open, audience.report);
            let swarm = swarm.listen(args.network.contact.listen);
            let (swarm, events) =
                swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
            return Drive {
                swarm,
                events,
                memory,
                about: About::unknown(),
                stall,
                until: args.until,
                before: 0,
                finished: None,
                metainfo: None,
                title,
                opening: Some(opening),
                metadata: 0,
                audience,
            }
            .run(signals)
            .await;
        }
    };
    let about = About::only(&metainfo);
    audience.report.say(&heading(&metainfo, &args.output));

    let (store, have) = check(&metainfo, &args.output, audience.report, signals).await?;
    if have.all() {
        store.finish().map_err(|error| Failure::new(Exit::Disk, error))?;
        if !args.until.is_set() {
            complete_already(&have, &about, &mut audience);
            return Ok(Done::default());
        }
        audience.report.say(COMPLETE);
    }
    let before = have.iter_ones().map(|piece| u64::from(metainfo.piece_len(piece))).sum();
    let (swarm, memory) = setup.swarm(&metainfo, torrent::peers(&args.torrent), audience.report);
    let swarm = swarm.store(store).have(have).listen(args.network.contact.listen);
    let (swarm, events) = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
    Drive {
        swarm,
        events,
        memory,
        about,
        stall,
        until: args.until,
        before,
        finished: None,
        title: metainfo.name().to_owned(),
        metainfo: Some(metainfo),
        opening: None,
        metadata: 0,
        audience,
    }
    .run(signals)
    .await
}

/// A link that names files (BEP 53) is not taken for one that means all of them.
fn refuse_selection(from: &Torrent) -> Result<(), Failure> {
    match from {
        Torrent::Magnet(magnet) if magnet.select_only.is_some() => Err(Failure::new(
            Exit::Refused,
            "the magnet link selects files (so=), which this version cannot; without so= all are downloaded",
        )),
        _ => Ok(()),
    }
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

/// Looks what lies in the folder already.
async fn check(
    metainfo: &Metainfo,
    folder: &Path,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<(FileStore, Bitfield), Failure> {
    let (torrent, folder) = (metainfo.clone(), folder.to_owned());
    hashing::check(metainfo, report, signals, move |progress| {
        FileStore::resume_with(folder, &torrent, progress)
            .map_err(|error| Failure::new(Exit::Disk, error))
    })
    .await
}

const COMPLETE: &str = "complete already";

/// All is there: nobody needs to be asked, but whoever watches wants to hear the end.
fn complete_already(have: &Bitfield, about: &About, audience: &mut Audience<'_>) {
    let pieces = have.len();
    let started = EventKind::Started { listen: None, have: pieces, pieces };
    for kind in [started, EventKind::Finished] {
        audience.hear(about, &Event { at: Time::ZERO, kind });
    }
    audience.report.say(COMPLETE);
}
