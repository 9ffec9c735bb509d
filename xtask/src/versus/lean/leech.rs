//! A leecher that fetches every block once and keeps none.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;

use anyhow::{Result, anyhow, ensure};
use serde_json::json;

use super::wire::{self, BLOCK_HEAD};
use super::{Torrent, now};

/// Requests that one connection has out.
const OUT: u64 = 256;
const READ: usize = 1 << 20;

/// Fetches everything over each of so many connections at once, each beginning elsewhere.
pub(super) fn run(torrent: &Torrent, leechers: u8, peer: SocketAddr) -> Result<()> {
    let started = now();
    let pieces = torrent.length.div_ceil(torrent.piece);
    thread::scope(|scope| {
        let begin = |number| pieces * u64::from(number) / u64::from(leechers);
        let workers: Vec<_> = (0..leechers)
            .map(|number| scope.spawn(move || fetch(torrent, number, begin(number), peer)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(anyhow!("a leecher panicked")))
        })
    })?;
    super::report(json!({ "wall": now() - started }))
}

fn fetch(torrent: &Torrent, number: u8, begin: u64, peer: SocketAddr) -> Result<()> {
    let from = Ipv4Addr::new(127, 0, 1, number.saturating_add(1));
    let mut stream = wire::dial(torrent, from, peer)?;
    stream.write_all(&wire::message(wire::INTERESTED, &[]))?;
    let mut blocks = wire::blocks(torrent, begin);
    let mut stock = Stock::default();
    let (mut asked, mut requests) = (0_u64, Vec::new());
    while stock.bytes < torrent.length {
        // In batches: a client can answer several at once.
        if stock.unchoked && (asked - stock.blocks) * 4 <= OUT * 3 {
            let room = usize::try_from(OUT - (asked - stock.blocks))?;
            for block in blocks.by_ref().take(room) {
                wire::request(&mut requests, block);
                asked += 1;
            }
            stream.write_all(&requests)?;
            requests.clear();
        }
        stock.read(&mut stream)?;
    }
    Ok(())
}

/// What has come, and the message that is coming.
struct Stock {
    unchoked: bool,
    blocks: u64,
    bytes: u64,
    buffer: Vec<u8>,
    held: usize,
    /// Bytes of a message that are yet to come and say nothing new.
    skip: usize,
}

impl Default for Stock {
    fn default() -> Self {
        let buffer = vec![0; READ];
        Stock { unchoked: false, blocks: 0, bytes: 0, buffer, held: 0, skip: 0 }
    }
}

impl Stock {
    fn read(&mut self, stream: &mut TcpStream) -> Result<()> {
        let count = stream.read(&mut self.buffer[self.held..])?;
        ensure!(count > 0, "the peer went after {} bytes", self.bytes);
        self.held += count;
        let mut at = self.skip.min(self.held);
        self.skip -= at;
        while let Some(length) = wire::number(&self.buffer[at..self.held]) {
            let length = length as usize;
            if length > 0 {
                let Some(&id) = self.buffer[at..self.held].get(4) else { break };
                self.take(id, length)?;
            }
            let end = at + 4 + length;
            at = end.min(self.held);
            self.skip = end - at;
        }
        self.buffer.copy_within(at..self.held, 0);
        self.held -= at;
        Ok(())
    }

    fn take(&mut self, id: u8, length: usize) -> Result<()> {
        match id {
            0 => self.unchoked = false,
            wire::UNCHOKE => self.unchoked = true,
            wire::PIECE => {
                let block = (length + 4).checked_sub(BLOCK_HEAD);
                ensure!(block.is_some(), "a block that is too short");
                self.blocks += 1;
                self.bytes += block.unwrap_or_default() as u64;
            }
            _ => {}
        }
        Ok(())
    }
}
