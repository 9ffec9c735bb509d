//! `ccbt get`: one torrent, until every piece that is wanted is verified.

mod audience;
mod drive;
mod opening;
mod stall;
pub(crate) mod torrent;

use std::path::Path;
use std::time::Duration;

use ccbt_peer::policy::Time;
use ccbt_peer::store::{Allocation, FileStore, PieceStore};
use ccbt_peer::wire::{Bitfield, Metainfo, PieceIndex};
use ccbt_peer::{Choice, Event, EventKind};

use crate::args::{Allocate, Get, Talk};
use crate::events::{About, EventLog, is_stdout};
use crate::exit::{Exit, Failure};
use crate::hashing;
use crate::print;
use crate::report::{Detail, Report, Sharing, Stream, units};
use crate::selection;
use crate::show::{self, fetch::Patience};
use crate::signals::Signals;
use crate::state::State;
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
    if args.choice.list {
        return list(args, signals).await;
    }
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

/// Prints the files that would be fetched.
async fn list(args: &Get, signals: &mut Signals) -> Result<(), Failure> {
    let contact = &args.network.contact;
    let (binding, shelf) = (contact.binding()?, State::of_user(contact.no_state).metadata());
    let lead = torrent::follow(&binding, &args.torrent, &shelf);
    let metainfo = match signals.guard(lead).await?? {
        Lead::Known(metainfo) => metainfo,
        Lead::Unknown(magnet) => {
            let patience = Patience { wait: args.stop_timeout, option: "--stop-timeout" };
            show::fetch::metadata(contact, &magnet, patience, signals).await??
        }
    };
    let choice = choose(&metainfo, args)?;
    let lines = selection::lines(&metainfo, &choice);
    print::text(&lines.iter().flat_map(|line| [line, "\n"]).collect::<String>())
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
    let lead = torrent::follow(setup.binding(), &args.torrent, &shelf);
    let lead = signals.guard(lead).await??;
    let log = EventLog::open(args.events.as_deref())?;
    let mut audience = Audience::new(report, log, watcher, setup.judges.clone());
    let stall = args.stop_timeout.map(Stall::new);
    let (metainfo, choice) = match lead {
        Lead::Known(metainfo) => {
            let choice = choose(&metainfo, args)?;
            (metainfo, choice)
        }
        Lead::Unknown(magnet) => {
            let title = torrent::title(&magnet);
            audience.report.say(&format!("{title}: looking for the metadata"));
            let (opening, open) = Opening::new(args, shelf);
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
                total: 0,
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
    audience.report.say(&heading(&metainfo, &choice, &args.output));

    let (store, have) = check(&metainfo, args, &choice, audience.report, signals).await?;
    let sum = Sum::of(&metainfo, &choice, &have);
    if sum.is_complete() {
        store.finish().map_err(|error| Failure::new(Exit::Disk, error))?;
        if !args.until.is_set() {
            complete_already(&have, &about, &mut audience);
            return Ok(Done::default());
        }
        audience.report.say(COMPLETE);
    }
    let (swarm, memory) = setup.swarm(&metainfo, torrent::peers(&args.torrent), audience.report);
    let swarm = swarm.store(store).have(have).choose(choice).listen(args.network.contact.listen);
    let (swarm, events) = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
    Drive {
        swarm,
        events,
        memory,
        about,
        stall,
        until: args.until,
        before: sum.before,
        total: sum.total,
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

/// The files that command line and link ask for.
fn choose(metainfo: &Metainfo, args: &Get) -> Result<Choice, Failure> {
    selection::choose(metainfo, &args.choice, torrent::only(&args.torrent))
}

/// What is wanted, in bytes.
#[derive(Clone, Copy, Debug)]
struct Sum {
    /// Of these, what was there before.
    before: u64,
    total: u64,
}

impl Sum {
    fn of(metainfo: &Metainfo, choice: &Choice, have: &Bitfield) -> Self {
        let pieces = choice.pieces(metainfo);
        let wanted = (0..have.len()).map(PieceIndex).filter(|piece| pieces.wants(*piece));
        let bytes = |piece| u64::from(metainfo.piece_len(piece));
        let before = wanted.clone().filter(|piece| have.get(*piece)).map(bytes).sum();
        Self { before, total: wanted.map(bytes).sum() }
    }

    fn is_complete(self) -> bool {
        self.before == self.total
    }
}

fn heading(metainfo: &Metainfo, choice: &Choice, folder: &Path) -> String {
    let (files, bytes) = selection::size(metainfo, choice);
    let all = metainfo.files().iter().filter(|file| !file.pad).count();
    let of = if files == all { String::new() } else { format!("{files} of ") };
    let folder = folder.join(metainfo.name());
    format!(
        "{}: {} in {}, {of}{}, to {}",
        metainfo.name(),
        units::bytes(bytes),
        units::count(metainfo.piece_count() as usize, "piece", "pieces"),
        units::count(all, "file", "files"),
        folder.display(),
    )
}

/// Looks what lies in the folder already, and whether there is room for the rest; takes it, if that is wanted.
async fn check(
    metainfo: &Metainfo,
    args: &Get,
    choice: &Choice,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<(FileStore, Bitfield), Failure> {
    let (torrent, folder, choice) = (metainfo.clone(), args.output.clone(), choice.clone());
    let look_at_room = !args.choice.no_space_check;
    let allocation = match args.choice.allocate {
        Allocate::Sparse => Allocation::Sparse,
        Allocate::Full => Allocation::Full,
    };
    let (states, check_all) = (State::of_user(args.network.contact.no_state).resume(), args.check);
    let (store, have) = hashing::check(metainfo, report, signals, move |progress| {
        let disk = |error| Failure::new(Exit::Disk, error);
        let store = FileStore::builder(&folder, &torrent).choice(&choice).allocation(allocation);
        let store = store.exclusive();
        let store = if check_all { store.check_all() } else { store };
        let store = if let Some(states) = states { store.remember(states) } else { store };
        let (store, have) = store.resume_with(progress).map_err(disk)?;
        if look_at_room {
            let room = store.room(&have).map_err(disk)?;
            if let Some(free) = room.free.filter(|_| room.is_short()) {
                return Err(Failure::new(Exit::Disk, no_room(&folder, room.needed, free)));
            }
        }
        store.allocate().map_err(disk)?;
        Ok((store, have))
    })
    .await?;
    let recalled = store.recalled();
    if let Some(why) = &recalled.unusable {
        report.say(&unusable(why));
    }
    if recalled.known > 0 {
        let (known, hashed) = (recalled.known as usize, recalled.hashed);
        let known = units::count(known, "piece", "pieces");
        report.note(&format!("{known} known from an earlier run, {hashed} checked"));
    }
    Ok((store, have))
}

/// What is said of a resume state that is of no use.
pub(crate) fn unusable(why: &str) -> String {
    format!("{why}; everything is checked")
}

fn no_room(folder: &Path, needed: u64, free: u64) -> String {
    let (needed, free) = (units::bytes(needed), units::bytes(free));
    let folder = folder.display();
    format!("{folder}: {needed} needed, {free} free; --no-space-check begins all the same")
}

const COMPLETE: &str = "complete already";

/// All is there: nobody needs to be asked, but whoever watches wants to hear the end.
fn complete_already(have: &Bitfield, about: &About, audience: &mut Audience<'_>) {
    let (have, pieces) = (have.count_ones(), have.len());
    let started = EventKind::Started { listen: None, have, need: 0, pieces };
    for kind in [started, EventKind::Finished] {
        audience.hear(about, &Event { at: Time::ZERO, kind });
    }
    audience.report.say(COMPLETE);
}
