//! A seeder that answers requests from the page cache by `sendfile`, with a thread for each connection.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::sendfile;
use rustix::net::sockopt::set_tcp_cork;
use serde_json::json;

use super::wire::{self, BLOCK_HEAD, PROTOCOL};
use super::{Torrent, now};

/// What requests are read into: more than a client has out.
const READ: usize = 256 * 1024;
/// Who does not listen yet is dialed again after this.
const AGAIN: Duration = Duration::from_millis(2);
/// We let clients have so many requests out (BEP 10, `reqq`).
const EXTENDED: &[u8] = b"\0d1:mde4:reqqi2000ee";

/// What all connections together saw, in seconds of [`now`].
#[derive(Default)]
struct Marks {
    first_byte: Option<f64>,
    last_sent: Option<f64>,
    sent: u64,
}

struct Seeder {
    torrent: Torrent,
    content: File,
    marks: Mutex<Marks>,
}

/// Serves `content` at all `addresses` until the standard input ends, then tells what it saw.
pub(super) fn run(
    torrent: &Torrent,
    content: &Path,
    dial: Option<SocketAddr>,
    addresses: &[SocketAddr],
) -> Result<()> {
    let content = File::open(content)?;
    let seeder = Arc::new(Seeder { torrent: torrent.clone(), content, marks: Mutex::default() });
    for &address in addresses {
        let listener = TcpListener::bind(address)?;
        let here = Arc::clone(&seeder);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let here = Arc::clone(&here);
                thread::spawn(move || here.serve(stream, false));
            }
        });
        if let (Some(peer), IpAddr::V4(from)) = (dial, address.ip()) {
            let here = Arc::clone(&seeder);
            thread::spawn(move || {
                let stream = loop {
                    match wire::dial_from(from, peer) {
                        Ok(stream) => break stream,
                        Err(_) => thread::sleep(AGAIN),
                    }
                };
                here.serve(stream, true)
            });
        }
    }
    super::ready()?;
    super::wait_for_the_end()?;
    let marks = seeder.marks.lock().unwrap_or_else(PoisonError::into_inner);
    super::report(json!({
        "first_byte": marks.first_byte, "last_sent": marks.last_sent, "sent": marks.sent,
    }))
}

impl Seeder {
    /// One connection, until the peer goes.
    fn serve(&self, mut stream: TcpStream, dialed: bool) -> Result<()> {
        stream.set_nodelay(true)?;
        let hash = self.torrent.info_hash;
        if dialed {
            stream.write_all(&wire::handshake(hash, true, true))?;
        }
        let mut theirs = [0; 68];
        stream.read_exact(&mut theirs[..20])?;
        self.mark(|marks, now| marks.first_byte = marks.first_byte.or(Some(now)));
        // Whoever tries encryption comes again without it.
        ensure!(theirs.starts_with(PROTOCOL), "not the protocol");
        stream.read_exact(&mut theirs[20..])?;
        ensure!(theirs[28..48] == hash, "another torrent");
        let (extended, fast) = (theirs[25] & 0x10 != 0, theirs[27] & 4 != 0);
        let mut hello = Vec::new();
        if !dialed {
            hello.extend(wire::handshake(hash, fast, extended));
        }
        if extended {
            hello.extend(wire::message(wire::EXTENDED, EXTENDED));
        }
        hello.extend(if fast { wire::message(wire::HAVE_ALL, &[]) } else { self.bitfield() });
        stream.write_all(&hello)?;
        let (mut buffer, mut held) = (vec![0; READ], 0);
        loop {
            let count = stream.read(&mut buffer[held..])?;
            if count == 0 {
                return Ok(());
            }
            held += count;
            let used = self.answer(&mut stream, &buffer[..held])?;
            buffer.copy_within(used..held, 0);
            held -= used;
            ensure!(held < buffer.len(), "a message that is too long");
        }
    }

    /// Answers all whole messages in `bytes` and says how long they were. The blocks of one read leave in full
    /// segments.
    fn answer(&self, stream: &mut TcpStream, bytes: &[u8]) -> Result<usize> {
        let (mut used, mut sent) = (0, 0);
        set_tcp_cork(&*stream, true)?;
        while let Some(length) = wire::number(&bytes[used..]) {
            let Some(message) = bytes.get(used + 4..used + 4 + length as usize) else { break };
            used += 4 + message.len();
            match message.split_first() {
                Some((&wire::INTERESTED, _)) => {
                    stream.write_all(&wire::message(wire::UNCHOKE, &[]))?
                }
                Some((&wire::REQUEST, block)) => sent += self.send(stream, block)?,
                _ => {}
            }
        }
        set_tcp_cork(&*stream, false)?;
        if sent > 0 {
            self.mark(|marks, now| {
                marks.last_sent = Some(now);
                marks.sent += sent;
            });
        }
        Ok(used)
    }

    fn send(&self, stream: &mut TcpStream, block: &[u8]) -> Result<u64> {
        let field = |at| block.get(at..).and_then(wire::number).context("a short request");
        let (piece, begin, length) = (field(0)?, field(4)?, field(8)?);
        let mut offset = u64::from(piece) * self.torrent.piece + u64::from(begin);
        let end = offset + u64::from(length);
        ensure!(end <= self.torrent.length && length <= wire::BLOCK * 8, "no such block");
        let mut head = [0; BLOCK_HEAD];
        head[..4].copy_from_slice(&(length + 9).to_be_bytes());
        head[4] = wire::PIECE;
        head[5..].copy_from_slice(&block[..8]);
        stream.write_all(&head)?;
        while offset < end {
            let rest = usize::try_from(end - offset)?;
            match sendfile(&*stream, &self.content, Some(&mut offset), rest) {
                Ok(0) => bail!("the content ends early"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(u64::from(length))
    }

    /// BITFIELD with every bit set but the spare ones.
    fn bitfield(&self) -> Vec<u8> {
        let pieces = self.torrent.length.div_ceil(self.torrent.piece);
        let bytes = usize::try_from(pieces.div_ceil(8)).unwrap_or_default();
        let mut bits = vec![0xff; bytes];
        if let Some(last) = bits.last_mut().filter(|_| !pieces.is_multiple_of(8)) {
            *last <<= 8 - pieces % 8;
        }
        wire::message(wire::BITFIELD, &bits)
    }

    fn mark(&self, change: impl FnOnce(&mut Marks, f64)) {
        change(&mut self.marks.lock().unwrap_or_else(PoisonError::into_inner), now());
    }
}
