//! Disks that are full, gone or locked: `get` ends with exit code 4 and says which path and why, `seed` waits and
//! goes on.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Scenario;
use super::clients::Client;
use super::download::Get;
use super::events::{self, Event};
use super::late::in_time;
use super::payload::{Maker, Payload};
use super::place::{Place, Running, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::tracker::Tracker;

/// Of the payload's bytes so many fit on the disk, in the blocks of `ulimit -f` (512 or 1024 bytes).
const FIT: u32 = 2_048;
const LENGTH: usize = 8 << 20;
/// From the disk's first word to the end of the program: 2 s are promised, CI machines are slow.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("disk/full", full),
        Scenario::new("disk/removed", removed),
        Scenario::new("disk/changed", changed),
        Scenario::new("disk/locked", locked),
        Scenario::new("disk/seed-goes-on", seed_goes_on).waiting(90),
        Scenario::new("disk/seed-without-a-file", seed_without_a_file)
            .needing([Client::Libtorrent.tool(), Tool::Opentracker])
            .waiting(90),
    ]
}

/// A payload, its torrent, and somebody who seeds it.
struct Stage {
    payload: Payload,
    torrent: std::path::PathBuf,
    address: SocketAddr,
    seed: Seed,
}

impl Stage {
    fn new(place: &Place) -> Result<Self> {
        let payload = Payload::single_of(place, LENGTH)?;
        let torrent = Maker::Ccbt.make(place, &payload, "http://127.0.0.1:9/announce")?;
        let address = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let seed = Seed::start(place, &torrent, &payload.folder, address, &["--no-tracker"])?;
        Ok(Self { payload, torrent, address, seed })
    }

    /// `ccbt get` into `output`, its events in `get.events`.
    fn get(&self, place: &Place, output: &Path) -> Result<Command> {
        let mut command = place.ccbt("get")?;
        command.arg("get").arg(&self.torrent).arg("-o").arg(output);
        command.arg("--events").arg(place.path("get.events"));
        command.args(["--no-dht", "--no-lsd", "--no-pex", "--no-tracker", "--no-space-check"]);
        command.args(["--listen", "127.0.0.1:0", "--peer", &self.address.to_string()]);
        Ok(command)
    }
}

/// The same command with a limit on the length of files, and without the signal that goes with it: writes
/// behind it fail, as on a disk that is full.
fn limited(command: &Command) -> Command {
    let mut inside = Command::new("sh");
    inside.args(["-c", &format!("trap '' XFSZ; ulimit -f {FIT}; exec \"$@\""), "sh"]);
    inside.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside
}

fn full(place: &Place) -> Result<()> {
    let stage = Stage::new(place)?;
    let output = place.folder("full")?;
    let get = place.start("get", &mut limited(&stage.get(place, &output)?))?;
    let began = Instant::now();
    ends_with_a_line(&get, &output.to_string_lossy(), "File too large")?;
    in_time!(began.elapsed() < PATIENCE * 2, "it took {:?}", began.elapsed());
    let failed = events::read(&place.path("get.events"))?;
    let failed = failed.iter().find(|event| event.name == "store_failed");
    ensure!(failed.is_some(), "nobody was told");
    // With room it goes on, and fetches only what is missing.
    let again = place.start("get", &mut stage.get(place, &output)?)?.wait()?;
    ensure!(again.success(), "with room it ended with {again}");
    stage.payload.compare(&output, true)?;
    let sent: u64 = stage.seed.stop()?.values().sum();
    ensure!(sent < 2 * LENGTH as u64, "{sent} bytes were sent");
    Ok(())
}

fn removed(place: &Place) -> Result<()> {
    let stage = Stage::new(place)?;
    let output = place.path("removed");
    let get = slowly(place, &stage, &output)?;
    fs::remove_dir_all(&output)?;
    let began = Instant::now();
    ends_with_a_line(&get, &output.to_string_lossy(), "it was removed")?;
    in_time!(began.elapsed() < PATIENCE, "it took {:?}", began.elapsed());
    Ok(())
}

/// Another program cuts the file short, as `truncate` does.
fn changed(place: &Place) -> Result<()> {
    let stage = Stage::new(place)?;
    let output = place.folder("changed")?;
    let get = slowly(place, &stage, &output)?;
    let name = stage.payload.path();
    let file = output.join(name.file_name().context("no name")?);
    fs::File::options().write(true).open(&file)?.set_len(1_000)?;
    let began = Instant::now();
    ends_with_a_line(&get, &file.to_string_lossy(), "it was changed by another program")?;
    in_time!(began.elapsed() < PATIENCE, "it took {:?}", began.elapsed());
    // What was right before is not believed; what is missing is fetched.
    let again = place.start("get", &mut stage.get(place, &output)?)?.wait()?;
    ensure!(again.success(), "the next run ended with {again}");
    stage.payload.compare(&output, true)
}

/// A download that has its first piece, and half a minute to go.
fn slowly(place: &Place, stage: &Stage, output: &Path) -> Result<Running> {
    let mut command = stage.get(place, output)?;
    let get = place.start("get", command.args(["--limit-down", "256KiB"]))?;
    let log = place.path("get.events");
    place.wait_for("the first piece", || {
        get.ensure_running()?;
        let events = events::read(&log).unwrap_or_default();
        Ok(events.iter().any(|event| event.name == "piece"))
    })?;
    Ok(get)
}

/// Nobody, root included, makes a folder there.
fn locked(place: &Place) -> Result<()> {
    let stage = Stage::new(place)?;
    let output = Path::new("/proc/self/ccbt");
    let get = place.start("get", &mut stage.get(place, output)?)?;
    ends_with_a_line(&get, "/proc/self/ccbt", "cannot create")
}

/// The program ends with exit code 4, and its last line names the culprit and the cause.
fn ends_with_a_line(get: &Running, culprit: &str, cause: &str) -> Result<()> {
    let status = get.wait()?;
    ensure!(status.code() == Some(4), "ccbt get ended with {status}");
    let output = get.output();
    let last = output.lines().last().context("not a word")?;
    ensure!(last.contains(culprit) && last.contains(cause), "its last line is {last:?}");
    let told = output.lines().filter(|line| line.contains(cause)).count();
    ensure!(told == 1, "it was told {told} times");
    Ok(())
}

fn seed_goes_on(place: &Place) -> Result<()> {
    let stage = Stage::new(place)?;
    let file = stage.payload.path();
    let taken = place.path("taken");
    fs::rename(&file, &taken)?;
    let get = Get::new("get", &stage.torrent).peers([stage.address]).start(place)?;
    let has = |name: &str| Ok(stage.seed.events()?.iter().any(|event| event.name == name));
    place.wait_for("the disk to fail", || {
        get.ensure_running()?;
        has("store_failed")
    })?;
    fs::rename(&taken, &file)?;
    place.wait_for("the disk to work", || has("store_recovered"))?;
    get.finish()?;
    stage.payload.compare(&get.output, true)
}

fn seed_without_a_file(place: &Place) -> Result<()> {
    let payload = Payload::many(place)?;
    let (tracker, torrent) = Tracker::with_torrent(place, &payload, Maker::Ccbt)?;
    tracker.start(place)?;
    let listen = (Ipv4Addr::LOCALHOST, free_port()?).into();
    // So slow that the leecher still wants something when the file is back: libtorrent leaves who has nothing
    // for it, and comes again a minute later.
    let options = ["--limit-up", "4MiB"];
    let seed = Seed::start(place, &torrent, &payload.folder, listen, &options)?;
    tracker.wait_for_peers(place, (1, 0))?;
    let (file, taken) = (payload.path().join("b"), place.path("taken"));
    fs::rename(&file, &taken)?;
    let output = place.folder("download")?;
    let leech = Client::Libtorrent.start(place, &torrent, &output, None)?;
    let has = |name: &str| Ok(seed.events()?.iter().any(|event| event.name == name));
    let sent = || -> Result<u64> {
        let uploaded = |event: &Event| event.fields.get("uploaded").and_then(Value::as_u64);
        Ok(seed.events()?.iter().filter_map(uploaded).max().unwrap_or(0))
    };
    place.wait_for("the file to be missed", || has("read_failed"))?;
    let before = sent()?;
    place.wait_for("others to be served", || Ok(sent()? > before + (4 << 20)))?;
    fs::rename(&taken, &file)?;
    leech.wait_until_complete(place)?;
    ensure!(!has("store_failed")?, "the whole torrent paused");
    ensure!(has("read_recovered")?, "nobody was told that it is back");
    leech.stop()?;
    payload.compare(&output, true)
}
