//! One process, one port, many torrents: a file, a folder and a magnet link from three other clients.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::announcer::Announcer;
use super::clients::{Client, Working};
use super::download::{Download, Get};
use super::payload::{Maker, Payload};
use super::peers::{Link, Peer, Visit};
use super::place::Place;
use super::torrent::{BLOCK, Content, info_hash};
use super::tracker::magnet;

const SEEDS: [Client; 3] = [Client::Aria2, Client::Libtorrent, Client::Transmission];

/// Connections that all torrents have together.
const CONNECTIONS: usize = 8;
/// Sockets that are none: the listener, those of signals; and connections that are over and not closed yet.
const OTHERS: usize = 8;
/// So many peers have one of the torrents.
const CROWD: u8 = 30;

pub(super) fn scenarios() -> Vec<Scenario> {
    let tools = SEEDS.map(Client::tool);
    // Transmission looks only every ten seconds whom it unchokes.
    let three = Scenario::new("node/three-torrents", three).needing(tools).waiting(150);
    let one = Scenario::new("node/one-is-lost", one_is_lost).needing([Client::Libtorrent.tool()]);
    let fair = Scenario::new("node/fair-budget", fair_budget);
    vec![three, one.waiting(90), fair.needing([Client::Libtorrent.tool()])]
}

/// A torrent of its own, and who shares it.
struct Shared {
    payload: Payload,
    torrent: PathBuf,
    seed: Working,
}

impl Shared {
    fn start(place: &Place, name: &str, payload: Payload, client: Client) -> Result<Self> {
        let made = Maker::Ccbt.make(place, &payload, "http://127.0.0.1:9/announce")?;
        let torrent = place.path(&format!("{name}.torrent"));
        fs::rename(made, &torrent)?;
        let seed = client.start(place, &torrent, &payload.folder, None)?;
        seed.wait_until_complete(place)?;
        // Some say that they are complete before they listen.
        place.wait_for("the seed to listen", || Ok(TcpStream::connect(seed.address).is_ok()))?;
        Ok(Self { payload, torrent, seed })
    }

    fn magnet(&self) -> Result<String> {
        let hash = info_hash(&fs::read(&self.torrent)?).context("the torrent has no info")?;
        Ok(format!("{}&x.pe={}", magnet(&hash), self.seed.address))
    }
}

fn three(place: &Place) -> Result<()> {
    let single = Shared::start(place, "single", Payload::single(place)?, Client::Aria2)?;
    let multi = Shared::start(place, "multi", Payload::multi(place)?, Client::Transmission)?;
    let linked = Shared::start(place, "linked", Payload::another(place)?, Client::Libtorrent)?;
    let told = place.path("completed");
    let get = Get::new("get", &single.torrent)
        .switch(&multi.torrent.to_string_lossy())
        .switch(&linked.magnet()?)
        .peers([single.seed.address, multi.seed.address])
        .option("--max-connections", &CONNECTIONS.to_string())
        .option("--max-half-open", "3")
        .option("--limit-down", "8MiB/s")
        .option("--on-complete", &format!("echo $CCBT_INFO_HASH >> '{}'", told.display()))
        .start(place)?;
    get.finish()?;
    for shared in [&single, &multi, &linked] {
        shared.payload.compare(&get.output, true)?;
    }
    one_port(&get, 3)?;
    let told = fs::read_to_string(told).context("no command was run")?;
    let hashes: BTreeSet<&str> = told.lines().collect();
    ensure!(hashes.len() == 3 && told.lines().count() == 3, "commands were run for {told}");
    Ok(())
}

/// Nobody has one of the torrents; the other comes all the same.
fn one_is_lost(place: &Place) -> Result<()> {
    let shared = Shared::start(place, "shared", Payload::single(place)?, Client::Libtorrent)?;
    let lost = Maker::Ccbt.make(place, &Payload::another(place)?, "http://127.0.0.1:9/announce")?;
    let get = Get::new("get", Path::new(&lost))
        .switch(&shared.magnet()?)
        .option("--stop-timeout", "15s")
        .start(place)?;
    let status = get.wait()?;
    ensure!(status.code() == Some(3), "ccbt get ended with {status}, and not with code 3");
    shared.payload.compare(&get.output, true)?;
    one_port(&get, 2)
}

fn one_port(get: &Download, torrents: usize) -> Result<()> {
    let events = get.events()?;
    let started: Vec<_> = events.iter().filter(|event| event.name == "started").collect();
    let ports: BTreeSet<&str> = started.iter().map(|event| event.text("listen")).collect();
    ensure!(started.len() == torrents, "{} of {torrents} torrents started", started.len());
    ensure!(ports.len() == 1 && !ports.contains(""), "they listen at {ports:?}");
    Ok(())
}

/// One torrent has many peers, which all have everything and choke us for ever; what they leave of a small budget
/// is enough for the other, and comes back when that is done.
fn fair_budget(place: &Place) -> Result<()> {
    let shared = Shared::start(place, "shared", Payload::another(place)?, Client::Libtorrent)?;
    let announcer = Announcer::start(place.host(254))?;
    let content = Content::tracked(place, 64 * BLOCK, BLOCK, &announcer.url())?;
    let crowd = (0..CROWD).map(|number| {
        Peer::listening(place.host(100 + number), &content, |link: &mut Link| {
            link.generous = false;
            link.announce(|_| true)?;
            link.serve()
        })
    });
    let crowd = crowd.collect::<Result<Vec<_>>>()?;
    announcer.name(crowd.iter().map(|peer| peer.address));
    let get = Get::new("get", &content.torrent)
        .with_tracker()
        .switch(&shared.magnet()?)
        .option("--max-connections", &CONNECTIONS.to_string())
        .start(place)?;
    let within_budget = || {
        get.ensure_running()?;
        let sockets = sockets(get.id())?;
        ensure!(sockets <= CONNECTIONS + OTHERS, "{sockets} sockets for {CONNECTIONS} connections");
        Ok(())
    };
    place.wait_for("the torrent with one peer", || {
        within_budget()?;
        // There is no log before it has one.
        Ok(get.has_finished().unwrap_or_default())
    })?;
    shared.payload.compare(&get.output, true)?;
    place.wait_for("the crowd to have the whole budget", || {
        within_budget()?;
        let is_open = |visit: &Visit| visit.closed_at.is_none();
        let open = crowd.iter().filter(|peer| peer.visits().last().is_some_and(is_open)).count();
        Ok(open > CONNECTIONS / 2)
    })?;
    get.interrupt()
}

/// Sockets that a process has.
fn sockets(process: u32) -> Result<usize> {
    let mut sockets = 0;
    for entry in fs::read_dir(format!("/proc/{process}/fd"))? {
        // One that is closed meanwhile is none.
        let target = fs::read_link(entry?.path()).unwrap_or_default();
        sockets += usize::from(target.to_string_lossy().starts_with("socket:"));
    }
    Ok(sockets)
}
