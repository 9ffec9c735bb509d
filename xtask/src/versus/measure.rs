//! How each kind of work is measured, once for one client.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::client::{Client, Job};
use super::content::Content;
use super::figures::Run;
use super::process::{Finished, Helper, Process};
use super::round::{LIMIT, Round};
use super::workload::{
    CPU, CPU_TIMES, CPU_WITH, EACH, EXIT, FIRST, LOAD, PEAK, SIZE, SUM, TAIL, TIMES, WALL, WITH,
    WITHOUT, Work,
};

/// Connections for work that needs few.
const FEW: u32 = 500;
/// How long idle connections are watched, once they have settled.
const WATCHED: Duration = Duration::from_secs(30);
/// Until then, what the handshakes cost is over.
const SETTLE: Duration = Duration::from_secs(8);

/// Does the work with a payload and says what it took.
pub(super) fn run(work: Work, content: &Content, client: Client, binary: &Path) -> Result<Run> {
    if let Work::Size = work {
        return size(client, binary);
    }
    let round = Round::new(content, client, binary)?;
    match work {
        Work::Download { seeders } => download(&round, seeders).map(|(took, seen)| {
            let peer = seconds(&seen, "cpu").unwrap_or_default();
            vec![(WALL, took.wall), (CPU, took.cpu), (SUM, took.cpu + peer), (PEAK, mib(took.peak))]
        }),
        Work::StartUp => {
            let (took, seen) = download(&round, 1)?;
            let started = took.at - took.wall;
            let first = seconds(&seen, "first_byte")? - started;
            let tail = took.at - seconds(&seen, "last_sent")?;
            Ok(vec![
                (EXIT, took.wall * 1e3),
                (FIRST, first * 1e3),
                (TAIL, tail * 1e3),
                (PEAK, mib(took.peak)),
            ])
        }
        Work::Seed { leechers } => seed(&round, leechers),
        Work::Idle { connections } => idle(&round, connections),
        Work::Haves { peers, rate } => {
            let (without, least) = among(&round, 0, 0)?;
            let (with, cpu) = among(&Round::new(content, client, binary)?, peers, rate)?;
            Ok(vec![
                (TIMES, with / without),
                (WITH, with),
                (WITHOUT, without),
                (CPU_TIMES, cpu / least),
                (CPU_WITH, cpu),
            ])
        }
        Work::Verify => {
            let took = if client == Client::Floor {
                let content = ["--content".to_owned(), round.content.whole.display().to_string()];
                lean(&round, "hash", &content)?
            } else {
                round.name(&[]);
                let (process, done) = round.start(Job::Check, FEW)?;
                process.finish(done.as_deref(), LIMIT)?
            };
            Ok(vec![(WALL, took.wall), (CPU, took.cpu), (PEAK, mib(took.peak))])
        }
        Work::Size => size(client, binary),
    }
}

/// A complete download that was compared; and what the seeders saw.
fn download(round: &Round<'_>, seeders: u8) -> Result<(Finished, Value)> {
    let (seeder, addresses) = round.seeders(seeders)?;
    round.name(&addresses);
    let took = if round.client == Client::Floor {
        let output = round.content.place(&round.output).display().to_string();
        let mut arguments = vec!["--output".to_owned(), output];
        arguments.extend(addresses.iter().map(ToString::to_string));
        lean(round, "floor", &arguments)?
    } else {
        let (process, done) = round.start(Job::Get, FEW)?;
        process.finish(done.as_deref(), LIMIT)?
    };
    round.content.compare(&round.output)?;
    Ok((took, seeder.finish()?))
}

/// A lean program in the client's place.
fn lean(round: &Round<'_>, part: &str, arguments: &[String]) -> Result<Finished> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["lean", part]).args(round.content.arguments()).args(arguments);
    Process::start(&mut command, round.log())?.finish(None, LIMIT)
}

fn seed(round: &Round<'_>, leechers: u8) -> Result<Run> {
    round.name(&[]);
    let (mut client, _) = round.start(Job::Seed, FEW)?;
    round.wait_until_ready(Job::Seed, &mut client)?;
    let before = client.processor()?;
    let mut arguments = vec!["leech".to_owned()];
    arguments.extend(round.content.arguments());
    arguments.extend(["--leechers".to_owned(), leechers.to_string(), round.address.to_string()]);
    let seen = Helper::run(&arguments)?.report()?;
    let cpu = client.processor()? - before;
    let (wall, peer) = (seconds(&seen, "wall")?, seconds(&seen, "cpu")?);
    let peak = mib(client.memory("VmHWM:")?);
    Ok(vec![(CPU, cpu), (WALL, wall), (SUM, cpu + peer), (PEAK, peak)])
}

fn idle(round: &Round<'_>, connections: u32) -> Result<Run> {
    round.name(&[]);
    let (mut client, _) = round.start(Job::Seed, connections + FEW)?;
    round.wait_until_ready(Job::Seed, &mut client)?;
    let before = client.memory("VmRSS:")?;
    let crowd = crowd(round, connections, 0)?;
    thread::sleep(SETTLE);
    let used = client.processor()?;
    thread::sleep(WATCHED);
    let used = client.processor()? - used;
    let grown = client.memory("VmRSS:")?.saturating_sub(before);
    let seen = crowd.finish()?;
    let there = seen["connected"].as_u64().unwrap_or_default();
    ensure!(there == u64::from(connections), "{there} of {connections} are still connected");
    let each = grown as f64 / f64::from(connections);
    Ok(vec![(EACH, each), (LOAD, used / WATCHED.as_secs_f64() * 100.0)])
}

fn crowd(round: &Round<'_>, connections: u32, haves: u32) -> Result<Helper> {
    let mut arguments = vec!["crowd".to_owned()];
    arguments.extend(round.content.arguments());
    arguments.extend(["--connections".to_owned(), connections.to_string()]);
    arguments.extend(["--haves".to_owned(), haves.to_string(), round.address.to_string()]);
    Helper::start(&arguments)
}

/// Seconds of a download from the moment that the tracker names the seeder, among so many others; by the clock and
/// of the client's processor time.
fn among(round: &Round<'_>, peers: u32, rate: u32) -> Result<(f64, f64)> {
    let (seeder, addresses) = round.seeders(1)?;
    let (mut client, done) = round.start(Job::Get, peers + FEW)?;
    round.wait_until_ready(Job::Get, &mut client)?;
    let crowd = crowd(round, peers, rate)?;
    let before = client.processor()?;
    let told = super::lean::now();
    round.name(&addresses);
    let took = client.finish(done.as_deref(), LIMIT)?;
    round.content.compare(&round.output)?;
    crowd.finish()?;
    seeder.finish()?;
    Ok((took.at - told, took.cpu - before))
}

/// The program's size without symbols.
fn size(client: Client, binary: &Path) -> Result<Run> {
    let program = if client == Client::Ccbt {
        binary.to_owned()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join(client.name()));
        found.into_iter().find(|path| path.exists()).context("not in PATH")?
    };
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("stripped");
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(program).status()?;
    ensure!(status.success(), "strip failed: {status}");
    Ok(vec![(SIZE, fs::metadata(&stripped)?.len() as f64 / 1024.0 / 1024.0)])
}

fn seconds(seen: &Value, field: &str) -> Result<f64> {
    seen[field].as_f64().with_context(|| format!("no {field} in {seen}"))
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
