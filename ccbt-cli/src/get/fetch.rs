//! One torrent of the command, from what is known of it to its end.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ccbt_peer::policy::Time;
use ccbt_peer::store::{Allocation, FileStore, PieceStore};
use ccbt_peer::wire::magnet::FileSelection;
use ccbt_peer::wire::{Bitfield, Magnet, Metainfo, PieceIndex};
use ccbt_peer::{Choice, Event, EventKind, SwarmBuilder};
use tokio::sync::oneshot;

use super::company::Company;
use super::drive::Drive;
use super::hook::Hook;
use super::opening::Opening;
use super::order::Order;
use super::stall::Stall;
use super::torrent::{self, Lead};
use super::{Audience, Done};
use crate::args::Allocate;
use crate::events::About;
use crate::exit::{Exit, Failure};
use crate::hashing;
use crate::network::Beside;
use crate::report::{Report, units};
use crate::selection;
use crate::signals::Signals;
use crate::state::{Memory, State};

/// A check that was given up has so long to end.
const GIVING_UP: Duration = Duration::from_millis(300);

/// Downloads it, and seeds on if that is wanted.
///
/// # Errors
/// Whatever ends it before: nobody who has it, the disk, a signal.
pub(super) async fn fetch(
    company: &Company<'_>,
    order: Order,
    audience: Audience<'_>,
    signals: &mut Signals,
) -> Result<Done, Failure> {
    let Order { lead, beside, only } = order;
    match lead {
        Lead::Known(metainfo) => known(company, metainfo, beside, only, audience, signals).await,
        Lead::Unknown(magnet) => unknown(company, &magnet, only, audience, signals).await,
    }
}

async fn unknown(
    company: &Company<'_>,
    magnet: &Magnet,
    only: Option<FileSelection>,
    audience: Audience<'_>,
    signals: &mut Signals,
) -> Result<Done, Failure> {
    let setup = &company.setup;
    let title = torrent::title(magnet);
    audience.report.say(&format!("{title}: looking for the metadata"));
    let (opening, open) = Opening::new(company, only);
    let (swarm, memory) = setup.magnet(magnet, open, audience.report);
    let about = if company.has_several() {
        About::link(magnet.info_hash, title.clone())
    } else {
        About::unknown()
    };
    let begun = begin(company, swarm, memory, (about, title), audience)?;
    Drive { opening: Some(opening), ..begun }.run(signals).await
}

/// Starts a swarm of which nothing more is known yet.
fn begin<'a, 'c>(
    company: &'c Company<'_>,
    swarm: SwarmBuilder,
    memory: Memory,
    (about, title): (About, String),
    audience: Audience<'a>,
) -> Result<Drive<'a, 'c>, Failure> {
    let args = company.args;
    let (swarm, events) =
        company.listen(swarm).start().map_err(|error| Failure::new(Exit::Failed, error))?;
    Ok(Drive {
        swarm,
        events,
        memory,
        about,
        stall: args.stop_timeout.map(Stall::new),
        until: args.until,
        sum: Sum::default(),
        finished: None,
        hook: Hook::new(args.on_complete.as_ref()),
        folder: &args.output,
        metainfo: None,
        title,
        opening: None,
        metadata: 0,
        audience,
    })
}

async fn known(
    company: &Company<'_>,
    metainfo: Metainfo,
    beside: Beside,
    only: Option<FileSelection>,
    mut audience: Audience<'_>,
    signals: &mut Signals,
) -> Result<Done, Failure> {
    let (args, setup) = (company.args, &company.setup);
    let choice = choose(company, &metainfo, only.as_ref())?;
    let about = company.about(&metainfo);
    audience.report.say(&heading(&metainfo, &choice, &args.output));

    let (store, have) = check(company, &metainfo, &choice, audience.report, signals).await?;
    let sum = Sum::of(&metainfo, &choice, &have);
    if sum.is_complete() {
        store.finish().map_err(|error| Failure::new(Exit::Disk, error))?;
        if !args.until.is_set() {
            complete_already(&have, &about, &mut audience);
            return Ok(Done::default());
        }
        audience.report.tell(COMPLETE);
    }
    let (swarm, memory) = setup.swarm(&metainfo, beside, audience.report);
    let swarm = swarm.store(store).have(have).choose(choice);
    let title = metainfo.name().to_owned();
    let begun = begin(company, swarm, memory, (about, title), audience)?;
    Drive { sum, metainfo: Some(metainfo), ..begun }.run(signals).await
}

/// The files that command line and links ask for; from here on their paths are taken.
pub(super) fn choose(
    company: &Company<'_>,
    metainfo: &Metainfo,
    only: Option<&FileSelection>,
) -> Result<Choice, Failure> {
    let choice = selection::choose(metainfo, &company.args.choice, only)?;
    company.claim(metainfo, &choice)?;
    Ok(choice)
}

/// What is wanted, in bytes of pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    /// Of these, what was there before.
    pub(super) before: u64,
    pub(super) total: u64,
    /// The files, and their bytes.
    pub(super) files: (usize, u64),
}

impl Sum {
    pub(super) fn of(metainfo: &Metainfo, choice: &Choice, have: &Bitfield) -> Self {
        let pieces = choice.pieces(metainfo);
        let wanted = (0..have.len()).map(PieceIndex).filter(|piece| pieces.wants(*piece));
        let bytes = |piece| u64::from(metainfo.piece_len(piece));
        let before = wanted.clone().filter(|piece| have.get(*piece)).map(bytes).sum();
        let total = wanted.map(bytes).sum();
        Self { before, total, files: selection::size(metainfo, choice) }
    }

    pub(super) fn is_complete(self) -> bool {
        self.before == self.total
    }
}

pub(super) fn heading(metainfo: &Metainfo, choice: &Choice, folder: &Path) -> String {
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
pub(super) async fn check(
    company: &Company<'_>,
    metainfo: &Metainfo,
    choice: &Choice,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<(FileStore, Bitfield), Failure> {
    let args = company.args;
    let _turn = company.turn(signals).await?;
    let (torrent, folder, wanted) = (metainfo.clone(), args.output.clone(), choice.clone());
    let look_at_room = !args.choice.no_space_check;
    let allocation = match args.choice.allocate {
        Allocate::Sparse => Allocation::Sparse,
        Allocate::Full => Allocation::Full,
    };
    let open_files = company.setup.open_files;
    let (states, check_all) = (State::of_user(args.network.contact.no_state).resume(), args.check);
    let (given_up, end) = (Arc::new(AtomicBool::new(false)), oneshot::channel::<Infallible>());
    let (seen, (working, ended)) = (Arc::clone(&given_up), end);
    let checked = hashing::check(metainfo, report, signals, move |progress| {
        let _working = working;
        let disk = |error| Failure::new(Exit::Disk, error);
        let store = FileStore::builder(&folder, &torrent).choice(&wanted).allocation(allocation);
        let store = match open_files {
            Some(files) => store.open_files(files),
            None => store,
        };
        let store = store.exclusive().give_up_when(&seen);
        let store = if check_all { store.check_all() } else { store };
        let store = if let Some(states) = states { store.remember(states) } else { store };
        let (store, have) = store.resume_with(progress).map_err(disk)?;
        // Otherwise the first piece would tell, and there may be nobody to send one.
        if !Sum::of(&torrent, &wanted, &have).is_complete() {
            store.ensure_writable().map_err(disk)?;
        }
        if look_at_room {
            let room = store.room(&have).map_err(disk)?;
            if let Some(free) = room.free.filter(|_| room.is_short()) {
                return Err(Failure::new(Exit::Disk, no_room(&folder, room.needed, free)));
            }
        }
        store.allocate().map_err(disk)?;
        Ok((store, have))
    })
    .await;
    if checked.is_err() {
        // After a signal it may be reading still; what it has in the folder goes with it.
        given_up.store(true, Ordering::Relaxed);
        let _ = tokio::time::timeout(GIVING_UP, ended).await;
    }
    let (store, have) = checked?;
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

pub(super) const COMPLETE: &str = "complete already";

/// All is there: nobody needs to be asked, but whoever watches wants to hear the end.
fn complete_already(have: &Bitfield, about: &About, audience: &mut Audience<'_>) {
    let (have, pieces) = (have.count_ones(), have.len());
    let started = EventKind::Started { listen: None, have, need: 0, pieces };
    for kind in [started, EventKind::Finished] {
        audience.hear(about, &Event { at: Time::ZERO, kind });
    }
    audience.report.tell(COMPLETE);
}
