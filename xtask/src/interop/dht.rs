//! Peers without a tracker: a closed DHT of ten libtorrent nodes.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::Scenario;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::{Place, Running, free_port};
use super::seed::Seed;
use super::tools::Tool;
use super::torrent::info_hash;
use super::tracker::magnet;

const PROGRAM: &str = include_str!("../../interop/dht.py");
/// Makers of torrents want a tracker; nobody is there.
const NO_TRACKER: &str = "http://127.0.0.1:1/announce";
/// More than a bucket of the routing table holds.
const NODES: u16 = 10;

pub(super) fn scenarios() -> Vec<Scenario> {
    let ipv4 = |place: &Place| place.host(60).into();
    let ipv6 = |_: &Place| Ipv6Addr::LOCALHOST.into();
    // Nodes take their time to know each other.
    vec![
        Scenario::new("dht/finds-a-seed", move |place| finds_a_seed(place, ipv4))
            .needing([Tool::Libtorrent])
            .waiting(90),
        Scenario::new("dht/finds-a-seed-over-ipv6", move |place| finds_a_seed(place, ipv6))
            .needing([Tool::Libtorrent])
            .waiting(90),
        Scenario::new("magnet/dht", by_magnet).needing([Tool::Libtorrent]).waiting(90),
        Scenario::new("dht/seed-is-found", is_found).needing([Tool::Libtorrent]).waiting(90),
        Scenario::new("dht/remembers-nodes", remembers).needing([Tool::Libtorrent]).waiting(90),
    ]
}

/// A network of nodes at one host.
struct Network {
    running: Running,
    first: SocketAddr,
}

impl Network {
    /// Its last node is to seed or to get the torrent.
    fn start(
        place: &Place,
        host: IpAddr,
        torrent: &Path,
        folder: &Path,
        role: &str,
    ) -> Result<Self> {
        let port = free_run()?;
        let mut command = Command::new("python3");
        command.args(["-u", "-c", PROGRAM, &host.to_string(), &port.to_string()]);
        command.arg(NODES.to_string()).arg(torrent).arg(folder).arg(role);
        let running = place.start("dht", &mut command)?;
        let network = Self { running, first: (host, port).into() };
        network.wait_for(place, "ready")?;
        Ok(network)
    }

    fn wait_for(&self, place: &Place, word: &str) -> Result<()> {
        place.wait_for(&format!("the DHT to be {word}"), || {
            self.running.ensure_running()?;
            Ok(self.running.output().contains(word))
        })
    }
}

/// The first of ports that are free, one after the other.
fn free_run() -> Result<u16> {
    let mut run: Vec<u16> = Vec::new();
    while run.len() < usize::from(NODES) {
        let port = free_port()?;
        if run.last().is_some_and(|last| last + 1 != port) {
            run.clear();
        }
        run.push(port);
    }
    Ok(run[0])
}

/// With nothing but one node of the DHT, ccbt finds the seed.
fn finds_a_seed(place: &Place, host: fn(&Place) -> IpAddr) -> Result<()> {
    find(place, host(place), Path::to_owned)
}

/// The same with nothing but an info hash and that node.
fn by_magnet(place: &Place) -> Result<()> {
    let host = place.host(60).into();
    find(place, host, |torrent| {
        let info_hash = fs::read(torrent).ok().and_then(|torrent| info_hash(&torrent));
        magnet(&info_hash.unwrap_or_default()).into()
    })
}

fn find(place: &Place, host: IpAddr, subject: fn(&Path) -> PathBuf) -> Result<()> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, NO_TRACKER)?;
    let network = Network::start(place, host, &torrent, &payload.folder, "seed")?;
    network.wait_for(place, "known")?;
    let get = Get::new("get", &subject(&torrent)).with_dht();
    let get = get.option("--dht-bootstrap", &network.first.to_string());
    let download = get.listen((host, 0).into()).start(place)?;
    download.finish()?;
    found_by_dht(&download.events()?)?;
    payload.compare(&download.output, true)
}

/// ccbt announces itself, and a stranger finds it.
fn is_found(place: &Place) -> Result<()> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, NO_TRACKER)?;
    let output = place.folder("output")?;
    let network = Network::start(place, place.host(60).into(), &torrent, &output, "get")?;
    let listen = (place.host(1), free_port()?).into();
    let first = network.first.to_string();
    let options = ["--no-tracker", "--dht-bootstrap", &first];
    let seed = Seed::start(place, &torrent, &payload.folder, listen, &options)?;
    network.wait_for(place, "complete")?;
    seed.stop()?;
    network.running.terminate()?;
    payload.compare(&output, true)
}

/// Nodes of an earlier run are the way in, and those of this run are kept for the next.
fn remembers(place: &Place) -> Result<()> {
    let payload = Payload::single(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, NO_TRACKER)?;
    let host = place.host(60).into();
    let network = Network::start(place, host, &torrent, &payload.folder, "seed")?;
    network.wait_for(place, "known")?;
    let kept = place.folder("home-of-get/.local/state/ccbt")?.join("dht-nodes");
    fs::write(&kept, format!("ccbt-dht 1\n{}\n", network.first))?;
    let get = Get::new("get", &torrent).with_dht().listen((place.host(1), 0).into());
    let download = get.start(place)?;
    download.finish()?;
    found_by_dht(&download.events()?)?;
    let nodes = fs::read_to_string(&kept)?.lines().count();
    ensure!(nodes > 2, "{nodes} lines are kept of the DHT");
    payload.compare(&download.output, true)
}

fn found_by_dht(events: &[super::events::Event]) -> Result<()> {
    let replied = |event: &super::events::Event| {
        event.name == "source_replied" && event.text("source") == "dht"
    };
    ensure!(events.iter().any(replied), "the DHT named nobody");
    Ok(())
}
