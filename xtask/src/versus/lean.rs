//! Programs that cost next to nothing, so that it is the client that is measured: the peers at the other
//! end, and the least that a download or a check can take. Each is a process of its own, says `ready` when
//! it is, and tells what it saw in one line of JSON.

pub(super) mod crowd;
pub(super) mod floor;
pub(super) mod leech;
pub(super) mod seed;
pub(super) mod wire;

use std::io::{Read, Write, stdin, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Which of them.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Serves a file until its standard input ends
    Seed {
        #[command(flatten)]
        torrent: Torrent,
        /// The payload
        #[arg(long)]
        content: PathBuf,
        /// Connect to this peer from each address, too
        #[arg(long)]
        dial: Option<SocketAddr>,
        /// Where it listens
        addresses: Vec<SocketAddr>,
    },
    /// Downloads from one peer over several connections and keeps nothing
    Leech {
        #[command(flatten)]
        torrent: Torrent,
        #[arg(long)]
        leechers: u8,
        peer: SocketAddr,
    },
    /// Connects many peers that have nothing, until its standard input ends
    Crowd {
        #[command(flatten)]
        torrent: Torrent,
        #[arg(long)]
        connections: u32,
        /// HAVE messages a second of all together
        #[arg(long, default_value_t = 0)]
        haves: u32,
        peer: SocketAddr,
    },
    /// Receives, hashes and writes on one thread: what a download cannot do without
    Floor {
        #[command(flatten)]
        torrent: Torrent,
        #[arg(long)]
        output: PathBuf,
        peers: Vec<SocketAddr>,
    },
    /// Hashes a file on all cores: what a check cannot do without
    Hash {
        #[command(flatten)]
        torrent: Torrent,
        #[arg(long)]
        content: PathBuf,
    },
}

/// What they know of the torrent.
#[derive(Args, Clone)]
pub(crate) struct Torrent {
    /// Its info hash in hexadecimal digits
    #[arg(long, value_parser = wire::info_hash)]
    info_hash: [u8; 20],
    /// Bytes of payload
    #[arg(long)]
    length: u64,
    /// Bytes of a piece
    #[arg(long)]
    piece: u64,
}

/// Runs one of them to its end.
pub(crate) fn run(part: Part) -> Result<()> {
    match part {
        Part::Seed { torrent, content, dial, addresses } => {
            seed::run(&torrent, &content, dial, &addresses)
        }
        Part::Leech { torrent, leechers, peer } => leech::run(&torrent, leechers, peer),
        Part::Crowd { torrent, connections, haves, peer } => {
            crowd::run(&torrent, connections, haves, peer)
        }
        Part::Floor { torrent, output, peers } => floor::download(&torrent, &output, &peers),
        Part::Hash { torrent, content } => floor::hash(&torrent, &content),
    }
}

/// Seconds since the machine began: the same clock in every process.
pub(super) fn now() -> f64 {
    seconds(ClockId::Monotonic)
}

/// Processor seconds that this process has used.
fn used() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn tell(line: &str) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn ready() -> Result<()> {
    tell("ready")
}

/// Whoever started us holds our standard input open for as long as we are to run.
fn wait_for_the_end() -> Result<()> {
    Ok(stdin().lock().read_to_end(&mut Vec::new()).map(drop)?)
}

fn report(mut what: Value) -> Result<()> {
    let figures = what.as_object_mut().ok_or_else(|| anyhow!("a report is an object"))?;
    figures.insert("cpu".to_owned(), used().into());
    tell(&what.to_string())
}
