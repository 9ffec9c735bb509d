//! Leechers who want the same of one `ccbt seed` get the same.

use std::fs;
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::Scenario;
use super::late::in_time;
use super::place::{Place, free_port};
use super::seed::Seed;
use super::torrent::Content;
use super::wire::{Handshake, Heard, Message, Wire};

const LEECHERS: u8 = 50;
/// What the seed sends to all of them together.
const LIMIT_UP: &str = "5MiB/s";
/// All of them want blocks for so long.
const DEMAND: Duration = Duration::from_secs(60);
/// Each keeps so many requests on their way.
const REQUESTS: u32 = 16;
/// No share is further than so many percent from any other.
const APART_PERCENT: u64 = 10;

const PIECES: u32 = 256;
const BLOCKS_OF_A_PIECE: u32 = 4;
/// The size of a block, as messages count.
const LENGTH: u32 = 16 * 1024;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("shares/fifty-leechers", fifty).waiting(90)]
}

fn fifty(place: &Place) -> Result<()> {
    let piece_length = (BLOCKS_OF_A_PIECE * LENGTH) as usize;
    let content = Content::new(place, PIECES as usize * piece_length, piece_length)?;
    let listen = (place.host(1), free_port()?).into();
    let folder = place.path("payload");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(&content.name), &content.bytes)?;
    let options = ["--limit-up", LIMIT_UP, "--no-tracker"];
    let _seed = Seed::start(place, &content.torrent, &folder, listen, &options)?;
    let together = Arc::new(Barrier::new(LEECHERS.into()));
    let mut leechers: Vec<JoinHandle<Result<u64>>> = Vec::new();
    for number in 0..LEECHERS {
        let id = format!("-XT0001-{number:012}");
        let id = id.as_bytes().try_into().context("a peer id has 20 bytes")?;
        let wire =
            Wire::dial(TcpStream::connect(listen)?, &Handshake::plain(content.info_hash, id))?;
        let together = Arc::clone(&together);
        leechers.push(thread::spawn(move || {
            together.wait();
            demand(wire, Instant::now() + DEMAND)
        }));
    }
    let joined = leechers.into_iter().map(|leecher| {
        leecher.join().map_err(|_| anyhow!("a leecher panicked")).and_then(|received| received)
    });
    let received = joined.collect::<Result<Vec<u64>>>()?;
    let (least, most) = received
        .iter()
        .fold((u64::MAX, 0), |(least, most), &bytes| (least.min(bytes), most.max(bytes)));
    let mean = received.iter().sum::<u64>() / u64::from(LEECHERS);
    println!("     {LIMIT_UP}: {least} to {most} bytes, {mean} on average");
    in_time!(
        least > 0 && most * 100 <= least * (100 + APART_PERCENT),
        "the shares are {received:?}"
    );
    Ok(())
}

/// Asks for blocks at random, as many as it may, and gives nothing; returns the bytes of payload that came.
fn demand(mut wire: Wire, until: Instant) -> Result<u64> {
    let mut received = 0;
    let mut asked = 0;
    wire.send(&Message::Interested)?;
    loop {
        match wire.receive(until)? {
            Heard::Silence => return Ok(received),
            Heard::Closed => return Err(anyhow!("closed after {received} bytes")),
            Heard::Message(Message::Unchoke) => {
                while asked < REQUESTS {
                    wire.send(&any_block())?;
                    asked += 1;
                }
            }
            // It forgets what was asked.
            Heard::Message(Message::Choke) => asked = 0,
            Heard::Message(Message::Piece { data, .. }) => {
                received += data.len() as u64;
                if asked > 0 {
                    wire.send(&any_block())?;
                }
            }
            Heard::Message(_) => {}
        }
    }
}

fn any_block() -> Message {
    let begin = fastrand::u32(..BLOCKS_OF_A_PIECE) * LENGTH;
    Message::Request { piece: fastrand::u32(..PIECES), begin, length: LENGTH }
}
