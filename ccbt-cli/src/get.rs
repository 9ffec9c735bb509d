//! `ccbt get`: one torrent or several, until every piece that is wanted is verified.

mod audience;
mod claims;
mod company;
mod drive;
mod fetch;
mod hook;
mod opening;
mod order;
mod several;
mod stall;
mod together;
pub(crate) mod torrent;

use std::path::Path;
use std::time::Duration;

use ccbt_peer::Event;
use ccbt_peer::wire::Metainfo;

use crate::args::{Get, Talk, Torrent};
use crate::events::{EventLog, is_stdout};
use crate::exit::Failure;
use crate::print;
use crate::report::{Detail, Report, Sharing, Stream, printable, units};
use crate::selection;
use crate::show::{self, fetch::Patience};
use crate::signals::Signals;
use crate::state::State;
pub(crate) use audience::Audience;
use audience::Watcher;
use company::Company;
pub(crate) use fetch::unusable;
use order::Order;
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
    if args.torrents.len() > 1 {
        let result = several::download(args, &mut report, signals).await;
        report.clear_all();
        report.dropped();
        return result;
    }
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

/// Prints the files that would be fetched; where there are several torrents, each below its name.
async fn list(args: &Get, signals: &mut Signals) -> Result<(), Failure> {
    let (mut text, mut failures) = (String::new(), Vec::new());
    let several = args.torrents.len() > 1;
    for torrent in &args.torrents {
        match lines(args, torrent, signals).await {
            Ok((metainfo, lines)) => {
                if several {
                    let space = if text.is_empty() { "" } else { "\n" };
                    text.push_str(&format!("{space}{}\n", printable(metainfo.name())));
                }
                text.extend(lines.iter().flat_map(|line| [line, "\n"]));
            }
            Err(failure) if failure.exit.is_signal() => return Err(failure),
            Err(failure) => failures.push(failure),
        }
    }
    print::text(&text)?;
    several::end(failures, args.torrents.len(), &mut Report::new(Stream::Stdout, Detail::Quiet))
}

async fn lines(
    args: &Get,
    torrent: &Torrent,
    signals: &mut Signals,
) -> Result<(Metainfo, Vec<String>), Failure> {
    let contact = &args.network.contact;
    let (binding, shelf) = (contact.binding()?, State::of_user(contact.no_state).metadata());
    let lead = torrent::follow(&binding, torrent, &shelf);
    let metainfo = match signals.guard(lead).await?? {
        Lead::Known(metainfo) => metainfo,
        Lead::Unknown(magnet) => {
            let patience = Patience { wait: args.stop_timeout, option: "--stop-timeout" };
            show::fetch::metadata(contact, &magnet, patience, signals).await??
        }
    };
    let choice = selection::choose(&metainfo, &args.choice, torrent::only(torrent))?;
    let lines = selection::lines(&metainfo, &choice);
    Ok((metainfo, lines))
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

/// The download of one torrent, without a word at its end.
pub(crate) async fn download(
    args: &Get,
    report: &mut Report,
    watcher: &mut Watcher<'_>,
    signals: &mut Signals,
) -> Result<Done, Failure> {
    // A rule that is none is told before anything is fetched.
    let setup = args.network.prepare(1, report)?;
    let shelf = setup.shelf();
    let [torrent, ..] = &*args.torrents else { return Ok(Done::default()) };
    torrent::announce(torrent, report);
    let lead = torrent::follow(setup.binding(), torrent, &shelf);
    let order = Order::new(signals.guard(lead).await??, torrent);
    let log = EventLog::open(args.events.as_deref())?;
    let audience = Audience::new(report, log, watcher, setup.judges.clone());
    fetch::fetch(&Company::alone(args, setup), order, audience, signals).await
}
