//! The least work that a download and a check can be done with.

use std::fs::File;
use std::hint::black_box;
use std::io::{IoSliceMut, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha1::{Digest, Sha1};

use super::wire::{self, BLOCK_HEAD};
use super::{Torrent, now};

/// What is received before it is hashed and written: whole pieces, at least so many bytes.
const BATCH: u64 = 1 << 20;
/// So many batches are asked for ahead of the one that comes.
const AHEAD: usize = 4;

/// Downloads from the first of `peers`, which answers requests in their order and says nothing else meanwhile.
pub(super) fn download(torrent: &Torrent, output: &Path, peers: &[SocketAddr]) -> Result<()> {
    let peer = *peers.first().context("no peer")?;
    let file = File::create(output)?;
    let mut stream = wire::dial(torrent, Ipv4Addr::LOCALHOST, peer)?;
    stream.write_all(&wire::message(wire::INTERESTED, &[]))?;
    wait_for_unchoke(&mut stream)?;
    let pieces = u32::try_from(BATCH.div_ceil(torrent.piece))?;
    let blocks: Vec<_> = wire::blocks(torrent, 0).collect();
    let batches: Vec<_> = blocks.chunk_by(|a, b| a[0] / pieces == b[0] / pieces).collect();
    let ask = |stream: &mut TcpStream, batches: &[&[[u32; 3]]]| {
        let mut requests = Vec::new();
        batches.iter().copied().flatten().for_each(|&block| wire::request(&mut requests, block));
        stream.write_all(&requests)
    };
    ask(&mut stream, &batches[..AHEAD.min(batches.len())])?;
    let piece = usize::try_from(torrent.piece)?;
    let mut buffer = vec![0; piece * pieces as usize];
    let mut offset = 0;
    for (index, blocks) in batches.iter().enumerate() {
        if let Some(next) = batches.get(index + AHEAD) {
            ask(&mut stream, &[next])?;
        }
        let length = receive(&mut stream, blocks, &mut buffer)?;
        buffer[..length].chunks(piece).for_each(|piece| {
            black_box(Sha1::digest(piece));
        });
        file.write_all_at(&buffer[..length], offset)?;
        offset += length as u64;
    }
    super::report(json!({ "bytes": offset }))
}

fn wait_for_unchoke(stream: &mut TcpStream) -> Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut message)?;
        if message == [wire::UNCHOKE] {
            return Ok(());
        }
    }
}

/// Has the kernel put the blocks side by side, and their heads elsewhere.
fn receive(stream: &mut TcpStream, blocks: &[[u32; 3]], buffer: &mut [u8]) -> Result<usize> {
    let mut heads = vec![[0; BLOCK_HEAD]; blocks.len()];
    let mut slices = Vec::with_capacity(2 * blocks.len());
    let (mut rest, mut total) = (buffer, 0);
    for (head, &[_, _, length]) in heads.iter_mut().zip(blocks) {
        let (block, behind) = rest.split_at_mut(length as usize);
        slices.extend([IoSliceMut::new(head), IoSliceMut::new(block)]);
        total += length as usize;
        rest = behind;
    }
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let count = stream.read_vectored(left)?;
        ensure!(count > 0, "the peer went");
        IoSliceMut::advance_slices(&mut left, count);
    }
    for (head, [piece, begin, _]) in heads.iter().zip(blocks) {
        let got = (wire::number(&head[5..]), wire::number(&head[9..]));
        ensure!(head[4] == wire::PIECE && got == (Some(*piece), Some(*begin)), "another message");
    }
    Ok(total)
}

/// Hashes every piece of `content`, one thread for each core.
pub(super) fn hash(torrent: &Torrent, content: &Path) -> Result<()> {
    let (file, started, next) = (File::open(content)?, now(), AtomicU64::new(0));
    let pieces = torrent.length.div_ceil(torrent.piece);
    let work = || -> Result<()> {
        let mut buffer = vec![0; usize::try_from(torrent.piece)?];
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return Ok(());
            }
            let offset = piece * torrent.piece;
            let length = usize::try_from(torrent.piece.min(torrent.length - offset))?;
            file.read_exact_at(&mut buffer[..length], offset)?;
            black_box(Sha1::digest(&buffer[..length]));
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })?;
    super::report(json!({ "wall": now() - started }))
}
