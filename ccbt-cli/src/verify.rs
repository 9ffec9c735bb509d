//! `ccbt verify`: which files and pieces are right.

mod disk;
mod findings;

use std::path::Path;

use ccbt_peer::store::{FileStore, Recall, check_these, check_with};
use ccbt_peer::wire::{Bitfield, Metainfo};
use ccbt_peer::{Binding, Choice};

use crate::args::Verify;
use crate::exit::{Exit, Failure};
use crate::get::{self, torrent};
use crate::hashing;
use crate::print;
use crate::report::{Detail, Report, Stream, units};
use crate::selection;
use crate::signals::Signals;
use crate::state;
pub(crate) use disk::Disk;
use disk::Found;
pub(crate) use findings::Ranges;
use findings::{FileFinding, Findings, State};

/// What to do with content of which whole files are missing.
pub(crate) const SOME: &str =
    "only complete content is seeded; ccbt get with --files and --seed-time shares some files";

/// Ranges of pieces that are told in one line.
const RANGES: usize = 8;

/// Checks, and tells what is not right.
///
/// # Errors
/// Something is wrong or missing, or could not be checked.
pub(crate) async fn run(args: &Verify, signals: &mut Signals) -> Result<(), Failure> {
    let stream = if args.json { Stream::BesideAnswer } else { Stream::Stdout };
    let mut report = Report::new(stream, Detail::unless(args.quiet));
    let (anywhere, shelf) = (Binding::default(), state::State::of_user(false).metadata());
    let torrent = torrent::load(&anywhere, &args.torrent, &shelf);
    let metainfo = signals.guard(torrent).await??;
    let choice = selection::files(&metainfo, &args.files, torrent::only(&args.torrent))?;
    let found = disk::look(&args.data, &metainfo)?;

    let recall = recall(args.no_state, &args.data, &metainfo);
    let place = (args.data.as_path(), recall.map(|recall| (recall, Known::Nothing)));
    let have = check(&metainfo, place, &found, &mut report, signals).await?;
    let findings = Findings::of(&metainfo, &found, &have, &choice);
    if args.json {
        print::json(&findings)?;
    }
    findings.bad_files().for_each(|file| report.say(&line(file)));
    if findings.complete {
        report.say(&format!("{}: all right, {}", metainfo.name(), extent(&findings)));
        Ok(())
    } else {
        Err(Failure::new(Exit::Failed, summary(&findings, &args.data)))
    }
}

/// What of content is known before it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    Nothing,
    /// What an earlier run found right, and nobody has changed since.
    Unchanged,
}

/// How content is looked at before it is served.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The lengths of the files alone.
    Trust,
    Check {
        known: Known,
        /// Earlier runs have no part in it, nor later ones.
        no_state: bool,
    },
}

/// Content that is all right, or a failure that follows lines about what is not.
///
/// # Errors
/// As [`run`]; with [`Way::Trust`], what can be seen without reading is all that is looked at.
pub(crate) async fn insist(
    metainfo: &Metainfo,
    folder: &Path,
    way: Way,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let found = disk::look(folder, metainfo)?;
    let have = match way {
        Way::Trust => findings::trusted(metainfo, &found),
        Way::Check { known, no_state } => {
            let recall = recall(no_state, folder, metainfo);
            if let Some(why) = recall.as_ref().and_then(Recall::unusable) {
                report.say(&get::unusable(why));
            }
            let place = (folder, recall.map(|recall| (recall, known)));
            check(metainfo, place, &found, report, signals).await?
        }
    };
    let findings = Findings::of(metainfo, &found, &have, &Choice::all(metainfo));
    if findings.complete {
        return Ok(());
    }
    findings.bad_files().for_each(|file| report.say(&line(file)));
    let (right, missing) = (findings.count(State::Right), findings.count(State::Missing));
    if right > 0 && right + missing == findings.files.len() {
        report.say(SOME);
    }
    Err(Failure::new(Exit::Failed, summary(&findings, folder)))
}

/// What of a torrent lies in a folder, as a store that is never written.
#[derive(Debug)]
pub(crate) struct Existing {
    pub(crate) store: Disk,
    /// The pieces that are right.
    pub(crate) have: Bitfield,
    /// What stands where files are to be, a line each.
    pub(crate) in_the_way: Vec<String>,
}

/// Checks what is there; a folder that is missing has nothing in it.
///
/// # Errors
/// Something cannot be read; a signal.
pub(crate) async fn existing(
    metainfo: &Metainfo,
    folder: &Path,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<Existing, Failure> {
    let found = if folder.try_exists().unwrap_or(true) {
        disk::look(folder, metainfo)?
    } else {
        disk::nothing(metainfo)
    };
    let have = if found.iter().any(|found| matches!(found, Found::File(_))) {
        check(metainfo, (folder, None), &found, report, signals).await?
    } else {
        findings::trusted(metainfo, &found)
    };
    let findings = Findings::of(metainfo, &found, &have, &Choice::all(metainfo));
    let blocking = |file: &&FileFinding<'_>| matches!(file.state, State::NoFile | State::TooLong);
    let in_the_way = findings.bad_files().filter(blocking).map(line).collect();
    Ok(Existing { store: Disk::new(folder, metainfo, &found), have, in_the_way })
}

/// Hashes what is not known, and notes for later runs what is right.
async fn check(
    metainfo: &Metainfo,
    (folder, recall): (&Path, Option<(Recall, Known)>),
    found: &[Found],
    report: &mut Report,
    signals: &mut Signals,
) -> Result<Bitfield, Failure> {
    let disk = Disk::new(folder, metainfo, found);
    let torrent = metainfo.clone();
    let (have, trouble) = hashing::check(metainfo, report, signals, move |progress| {
        let checked = match &recall {
            Some((recall, Known::Unchanged)) => {
                let (unsure, have) = (recall.unsure(), recall.have().clone());
                check_these(&disk, &torrent, unsure, have, progress)
            }
            _ => check_with(&disk, &torrent, progress),
        };
        let have = checked.map_err(Failure::of(Exit::Disk, "check"))?;
        let kept = recall.map_or(Ok(()), |(recall, _)| recall.keep(&torrent, &have));
        Ok((have, kept.err()))
    })
    .await?;
    if let Some(trouble) = trouble {
        report.once(&format!("{trouble}; the next run will check more than it had to"));
    }
    Ok(have)
}

/// What earlier runs found in the folder, if anything is kept of it.
fn recall(no_state: bool, folder: &Path, metainfo: &Metainfo) -> Option<Recall> {
    let states = state::State::of_user(no_state).resume()?;
    // Whoever is at work there keeps the state. What cannot be looked at is for the check to find.
    FileStore::ensure_unused(folder, metainfo).ok()?;
    Recall::of(states, folder, metainfo).ok()
}

/// How much is right, in words.
fn extent(findings: &Findings<'_>) -> String {
    let pieces = units::count(findings.pieces as usize, "piece", "pieces");
    match findings.count(State::NotChosen) {
        0 => pieces,
        others => {
            let right = units::count(findings.count(State::Right), "file", "files");
            format!("{right}; {others} not chosen")
        }
    }
}

fn line(file: &FileFinding<'_>) -> String {
    let path = print::slashed(file.path);
    let pieces = file.bad_pieces.words(RANGES);
    match (file.state, file.found) {
        (State::Missing, _) => format!("missing    {path}"),
        (State::NoFile, _) => format!("no file    {path}: it is {}", file.is.unwrap_or_default()),
        (State::TooShort, Some(found)) => {
            format!("too short  {path}: length {found}, not {}; bad pieces: {pieces}", file.length)
        }
        (State::TooLong, Some(found)) => {
            let bad = if pieces.is_empty() { "none".to_owned() } else { pieces };
            format!("too long   {path}: length {found}, not {}; bad pieces: {bad}", file.length)
        }
        (State::Unproven, _) => {
            format!("unproven   {path}: shares pieces with bytes that are missing: {pieces}")
        }
        _ => format!("wrong      {path}: bad pieces: {pieces}"),
    }
}

fn summary(findings: &Findings<'_>, folder: &Path) -> String {
    let name = findings.name;
    if findings.files.iter().all(|file| file.state == State::Missing) {
        let folder = folder.display();
        return format!(
            "{name}: nothing of it is in {folder}; --data is the folder that holds {name}"
        );
    }
    let (wrong, missing) = (findings.wrong_pieces.count(), findings.missing_pieces.count());
    let pieces = units::count(findings.pieces as usize, "piece", "pieces");
    let files = units::count(findings.files.len(), "file", "files");
    let bad = findings.bad_files().count();
    format!("{name}: {wrong} wrong and {missing} missing of {pieces}, {bad} not right of {files}")
}
