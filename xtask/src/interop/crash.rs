//! `ccbt get`, killed (SIGKILL) at random moments and started again, from `ccbt seed`.
//!
//! What it has told to be verified and on the disk is there after the next start and is never fetched again,
//! and in the end every byte is right.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::payload::{Maker, Payload};
use super::place::{Place, free_port};
use super::seed::Seed;
use super::{Scenario, build, events};

/// How downloads take their room and what they choose, in turns.
const WAYS: [&[&str]; 3] = [&[], &["--allocate=full"], &["--files=!small/*", "--sequential"]];
/// A life lasts so many milliseconds at the most.
const LIFE: u64 = 400;
/// Kills of the scenario.
const FEW: u32 = 10;

/// How often to kill, and which program.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Kill it so often, once at least
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// The moments are those of this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Test this ccbt instead of building one
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default)]
struct Figures {
    kills: u32,
    /// Before the first byte was asked for.
    early: u32,
    downloads: u32,
    /// Payload of all downloads, and what the seed sent for it, in bytes.
    payload: u64,
    sent: u64,
    /// Pieces that were told, and those that starts knew without hashing and had to hash.
    told: usize,
    known: u64,
    hashed: u64,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let run = |place: &Place| trial(place, FEW, fastrand::u64(..)).map(drop);
    vec![Scenario::new("crash/kill-9", run).waiting(150)]
}

/// Kills as often as it is told to, and prints the figures.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let binary = match &options.binary {
        Some(path) => path.canonicalize()?,
        None => build(root)?,
    };
    let limit = Duration::from_secs(60 + 3 * u64::from(options.kills));
    let place = Place::new(1, &binary, limit)?;
    let (began, result) = (Instant::now(), trial(&place, options.kills, options.seed));
    let figures = result.inspect_err(|_| println!("{}", place.log_tails()))?;
    let Figures { kills, early, downloads, payload, sent, told, known, hashed } = figures;
    let again = sent.saturating_sub(payload);
    println!(
        "{kills} kills at random moments (--seed {}), {early} before a piece came",
        options.seed
    );
    println!(
        "{downloads} downloads of {} KiB, every byte right",
        payload / u64::from(downloads) / 1024
    );
    println!("{told} pieces told: 0 lost, 0 fetched again");
    println!("at the starts {known} pieces known without hashing, {hashed} hashed");
    println!(
        "{} KiB of pieces under way lost at a kill on average, {:.1} s in all",
        again / u64::from(kills) / 1024,
        began.elapsed().as_secs_f64(),
    );
    Ok(true)
}

fn trial(place: &Place, kills: u32, seed: u64) -> Result<Figures> {
    let payload = Payload::many(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, "http://127.0.0.1:9/announce")?;
    let listen = (Ipv4Addr::LOCALHOST, free_port()?).into();
    let sender = Seed::start(place, &torrent, &payload.folder, listen, &["--no-tracker"])?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut figures = Figures::default();
    while figures.kills < kills {
        let way = WAYS[figures.downloads as usize % WAYS.len()];
        let output = place.path(&format!("download-{}", figures.downloads));
        let mut told = BTreeSet::new();
        let mut waits = || Duration::from_millis(random.u64(0..LIFE));
        loop {
            let wait = (figures.kills < kills).then(&mut waits);
            let ended = Life { place, torrent: &torrent, output: &output, listen, way }
                .live(wait, &mut told, &mut figures)
                .with_context(|| format!("--seed {seed}, kill {}", figures.kills))?;
            if ended {
                break;
            }
        }
        let chosen = |path: &str| !way.contains(&"--files=!small/*") || !path.starts_with("small/");
        payload.compare_chosen(&output, chosen)?;
        figures.payload += payload.length_of(chosen);
        figures.downloads += 1;
        figures.told += told.len();
        fs::remove_dir_all(&output)?;
    }
    figures.sent = sender.stop()?.values().sum();
    Ok(figures)
}

/// From a start to a kill, or to the end.
struct Life<'a> {
    place: &'a Place,
    torrent: &'a Path,
    output: &'a Path,
    listen: SocketAddr,
    way: &'a [&'a str],
}

impl Life<'_> {
    /// True if the download ended by itself before it was to be killed.
    fn live(
        &self,
        wait: Option<Duration>,
        told: &mut BTreeSet<u64>,
        figures: &mut Figures,
    ) -> Result<bool> {
        let log = self.place.path("get.events");
        let _ = fs::remove_file(&log);
        let mut command = self.place.ccbt("get")?;
        command.arg("get").arg(self.torrent).arg("-o").arg(self.output).arg("-v");
        command.arg("--events").arg(&log).args(self.way).args(["--limit-down", "24MiB"]);
        command.args(["--no-dht", "--no-lsd", "--no-pex", "--no-tracker"]);
        command.args(["--listen", "127.0.0.1:0", "--peer", &self.listen.to_string()]);
        let get = self.place.start("get", &mut command)?;
        let status = match wait {
            Some(wait) => {
                thread::sleep(wait);
                get.kill()?
            }
            None => get.wait()?,
        };
        self.look(&log, &get.output(), told, figures)?;
        if status.code().is_none() {
            figures.kills += 1;
            return Ok(false);
        }
        ensure!(status.success(), "ccbt get ended with {status}");
        Ok(true)
    }

    /// What it told, and whether that fits what it told before.
    fn look(
        &self,
        log: &Path,
        output: &str,
        told: &mut BTreeSet<u64>,
        figures: &mut Figures,
    ) -> Result<()> {
        let events = if log.exists() { events::read(log)? } else { Vec::new() };
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
        if let Some(started) = events.iter().find(|event| event.name == "started") {
            let have = number(&started.fields["have"]);
            ensure!(have >= told.len() as u64, "{} pieces were told, {have} are there", told.len());
        }
        let pieces = events.iter().filter(|event| event.name == "piece");
        let before = told.len();
        for piece in pieces.map(|event| number(&event.fields["piece"])) {
            ensure!(told.insert(piece), "piece {piece} was fetched again");
        }
        figures.early += u32::from(told.len() == before);
        if let Some(line) = output.lines().find(|line| line.contains("known from an earlier run")) {
            let mut numbers = line.split(' ').filter_map(|word| word.parse::<u64>().ok());
            figures.known += numbers.next().unwrap_or_default();
            figures.hashed += numbers.next().unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn no_kill_at_all_is_refused() {
        let kills = |number| {
            let line = Line::try_parse_from(["crash", "--kills", number]);
            line.map(|line| line.options.kills).map_err(|error| error.to_string())
        };
        assert_eq!(kills("1"), Ok(1));
        assert!(kills("0").is_err_and(|error| error.contains("--kills")));
    }
}
