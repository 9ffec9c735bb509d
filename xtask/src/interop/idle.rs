//! What a connection costs that does nothing.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Scenario;
use super::download::Get;
use super::memory::resident_kib;
use super::place::{Place, free_port};
use super::torrent::{BLOCK, Content};
use super::wire::{Handshake, Wire};

const CONNECTIONS: u32 = 1000;
/// More than this for one of them would be a read buffer that an idle connection holds.
const MOST_KIB: u64 = 12;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("idle/thousand-connections", thousand)]
}

/// A thousand peers that shake hands and say no more; prints the memory of each.
fn thousand(place: &Place) -> Result<()> {
    let content = Content::new(place, 4 * BLOCK, BLOCK)?;
    let listen = SocketAddr::from((place.host(1), free_port()?));
    let download = Get::new("get", &content.torrent)
        .listen(listen)
        .option("--evict", "all=off")
        .option("--max-peers", &(CONNECTIONS + 10).to_string())
        .start(place)?;
    place.wait_for("the listener", || Ok(TcpStream::connect(listen).is_ok()))?;
    let before = resident_kib(download.id())?;
    let mut peers = Vec::new();
    for number in 0..CONNECTIONS {
        let id = format!("-ID0000-{number:012}");
        let id = id.as_bytes().try_into().context("a peer id has 20 bytes")?;
        peers.push(Wire::dial(
            TcpStream::connect(listen)?,
            &Handshake::plain(content.info_hash, id),
        )?);
    }
    // Its numbers of the next second know them all.
    let settled = Instant::now() + Duration::from_secs(3);
    place.wait_for("the numbers to settle", || Ok(Instant::now() >= settled))?;
    let connected =
        download.events()?.iter().filter(|event| event.name == "peer_connected").count();
    ensure!(connected == CONNECTIONS as usize, "{connected} of {CONNECTIONS} are connected");
    let grown = resident_kib(download.id())?.saturating_sub(before);
    #[allow(clippy::cast_precision_loss, reason = "printed with one digit")]
    let each = grown as f64 / f64::from(CONNECTIONS);
    println!("     {CONNECTIONS} idle connections: {each:.1} KiB of memory each");
    ensure!(grown <= MOST_KIB * u64::from(CONNECTIONS), "{each:.1} KiB for each connection");
    drop(peers);
    download.interrupt()
}
