//! `ccbt seed`: complete content for whoever wants it, of several torrents on one port.

mod drive;

use ccbt_peer::store::FileStore;
use ccbt_peer::wire::{Bitfield, Metainfo};
use ccbt_peer::{Event, Node};

use crate::args::Seed;
use crate::events::EventLog;
use crate::exit::{Exit, Failure};
use crate::get::{self, Audience, torrent};
use crate::network::{Beside, Setup};
use crate::report::{Report, units};
use crate::signals::Signals;
use crate::verify::{self, Known, Way};
use drive::Drive;

/// Checks, serves, and tells what was given.
///
/// # Errors
/// Content that is not right; a signal; or whatever stands in the way.
pub(crate) async fn run(args: &Seed, signals: &mut Signals) -> Result<(), Failure> {
    let mut report = Report::new(get::stream(args.events.as_deref()), get::detail(args.talk));
    let result = seed(args, &mut report, signals).await;
    report.clear();
    report.dropped();
    result
}

async fn seed(args: &Seed, report: &mut Report, signals: &mut Signals) -> Result<(), Failure> {
    // A rule that is none is told before anything is read.
    let setup = args.network.prepare(args.torrents.len(), report)?;
    let torrents = load(args, &setup, signals).await?;
    let log = EventLog::open(args.events.as_deref())?;
    for metainfo in &torrents {
        report.say(&heading(args, metainfo));
        FileStore::ensure_unused(&args.data, metainfo)
            .map_err(|error| Failure::new(Exit::Disk, error))?;
        verify::insist(metainfo, &args.data, way(args), report, signals).await?;
    }
    let addr = args.network.contact.listen;
    let node = Node::listen_through(addr, setup.binding())
        .map_err(Failure::of(Exit::Failed, format_args!("cannot listen at {addr}")))?;
    report.say(&format!("listening on {}", node.local_addr()));
    let mut nobody = |_: &Event| None;
    let mut drive =
        Drive::new(args.until, Audience::new(report, log, &mut nobody, setup.judges.clone()));
    for (from, metainfo) in args.torrents.iter().zip(&torrents) {
        let store = FileStore::builder(&args.data, metainfo);
        let store = match setup.open_files {
            Some(files) => store.open_files(files),
            None => store,
        };
        let store = store.open().map_err(|error| Failure::new(Exit::Disk, error))?;
        let beside = Beside { peers: torrent::peers(from), ..Beside::default() };
        let (swarm, memory) = setup.swarm(metainfo, beside, drive.report());
        let swarm = swarm.store(store).have(Bitfield::full(metainfo.piece_count())).node(&node);
        let swarm = if args.super_seed { swarm.super_seed() } else { swarm };
        let started = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
        drive.add(metainfo, torrents.len(), started, memory);
    }
    drive.run(signals).await
}

fn way(args: &Seed) -> Way {
    let known = if args.check { Known::Nothing } else { Known::Unchanged };
    let no_state = args.network.contact.no_state;
    if args.trust { Way::Trust } else { Way::Check { known, no_state } }
}

/// All torrents, each of them once.
async fn load(
    args: &Seed,
    setup: &Setup<'_>,
    signals: &mut Signals,
) -> Result<Vec<Metainfo>, Failure> {
    let shelf = setup.shelf();
    let mut torrents: Vec<Metainfo> = Vec::new();
    for from in &args.torrents {
        let metainfo = signals.guard(torrent::load(setup.binding(), from, &shelf)).await??;
        if let Some(only) = torrent::only(from)
            && !metainfo.files().iter().zip(0..).all(|(file, n)| file.pad || only.contains(n))
        {
            let problem = format!("{}: the magnet link asks for some files (so=)", metainfo.name());
            return Err(Failure::new(Exit::Refused, format_args!("{problem}; {}", verify::SOME)));
        }
        let hash = metainfo.info_hash();
        if let Some(other) = torrents.iter().find(|other| other.info_hash() == hash) {
            let problem = format!("{}: info hash {hash} is given twice", other.name());
            return Err(Failure::new(Exit::Refused, problem));
        }
        torrents.push(metainfo);
    }
    Ok(torrents)
}

fn heading(args: &Seed, metainfo: &Metainfo) -> String {
    let folder = args.data.join(metainfo.name());
    let size = units::bytes(metainfo.total_len());
    format!("{}: {size} in {}", metainfo.name(), folder.display())
}
