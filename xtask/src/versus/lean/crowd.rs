//! Many peers in one process: they shake hands and then say nothing, or HAVE.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{Torrent, now, wire};

/// HAVEs are sent so often.
const BEAT: Duration = Duration::from_millis(5);
/// A handshake that does not come is tried so often, with a pause between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Connects them all, then lets them talk until the standard input ends.
pub(super) fn run(torrent: &Torrent, connections: u32, haves: u32, peer: SocketAddr) -> Result<()> {
    let pieces = u32::try_from(torrent.length.div_ceil(torrent.piece))?;
    let mut peers: Vec<TcpStream> = Vec::new();
    for number in 0..connections {
        // Ours begin at 127.64.0.1, sixteen hosts to a network so that no rule of networks holds them back.
        let [_, _, high, low] = (number / 16).to_be_bytes();
        let host = u8::try_from(number % 16 + 1)?;
        let from = Ipv4Addr::new(127, 64 + high, low, host);
        peers.push(patiently(torrent, from, peer)?);
    }
    super::ready()?;
    let stop = AtomicBool::new(false);
    let told = thread::scope(|scope| {
        let talking = scope.spawn(|| talk(&peers, haves, pieces, &stop));
        let ended = super::wait_for_the_end();
        stop.store(true, Ordering::Relaxed);
        ended.map(|()| talking.join().unwrap_or_default())
    })?;
    let connected = peers.iter().filter(|peer| is_there(peer)).count();
    super::report(json!({ "connected": connected, "haves": told }))
}

/// Dials again if the client is too busy to shake hands at once.
fn patiently(torrent: &Torrent, from: Ipv4Addr, peer: SocketAddr) -> Result<TcpStream> {
    let mut tries = 1;
    loop {
        match wire::dial(torrent, from, peer) {
            Err(_) if tries < TRIES => thread::sleep(PAUSE),
            dialed => return dialed,
        }
        tries += 1;
    }
}

/// Every peer in turn says that it has some piece; returns how many said so.
fn talk(peers: &[TcpStream], rate: u32, pieces: u32, stop: &AtomicBool) -> u64 {
    let (started, mut told) = (now(), 0_u64);
    for mut peer in peers.iter().cycle() {
        while rate == 0 || told as f64 > (now() - started) * f64::from(rate) {
            if stop.load(Ordering::Relaxed) {
                return told;
            }
            thread::sleep(BEAT);
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let piece = fastrand::u32(..pieces);
        // Who is gone is counted at the end.
        let _ = peer.write_all(&wire::message(wire::HAVE, &piece.to_be_bytes()));
        told += 1;
    }
    told
}

/// Is the connection open? Reads what has come, which says nothing new.
fn is_there(mut peer: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    if peer.set_nonblocking(true).is_err() {
        return false;
    }
    loop {
        match peer.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
