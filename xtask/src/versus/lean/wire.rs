//! The few bytes of the protocol that lean peers speak.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use super::Torrent;

pub(super) const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";
/// A request's length, BEP 3.
pub(super) const BLOCK: u32 = 16 * 1024;
/// The length, the id, the piece and the offset that stand before a block.
pub(super) const BLOCK_HEAD: usize = 13;
pub(super) const UNCHOKE: u8 = 1;
pub(super) const INTERESTED: u8 = 2;
pub(super) const HAVE: u8 = 4;
pub(super) const BITFIELD: u8 = 5;
pub(super) const REQUEST: u8 = 6;
pub(super) const PIECE: u8 = 7;
pub(super) const HAVE_ALL: u8 = 14;
pub(super) const EXTENDED: u8 = 20;

/// Forty hexadecimal digits.
pub(super) fn info_hash(text: &str) -> Result<[u8; 20]> {
    ensure!(text.len() == 40 && text.is_ascii(), "{text:?} is no info hash");
    let mut hash = [0; 20];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)?;
    }
    Ok(hash)
}

/// A handshake with these extensions, and a peer id that nobody else has.
pub(in crate::versus) fn handshake(info_hash: [u8; 20], fast: bool, extended: bool) -> [u8; 68] {
    static CONNECTIONS: AtomicU32 = AtomicU32::new(0);
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0; 68];
    bytes[..20].copy_from_slice(PROTOCOL);
    bytes[25] = if extended { 0x10 } else { 0 };
    bytes[27] = if fast { 0x04 } else { 0 };
    bytes[28..48].copy_from_slice(&info_hash);
    bytes[48..56].copy_from_slice(b"-LN0100-");
    bytes[56..]
        .copy_from_slice(format!("{:06}{number:06}", std::process::id() % 1_000_000).as_bytes());
    bytes
}

/// A message of this id.
pub(super) fn message(id: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 1).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &[id], payload].concat()
}

/// The number that these bytes begin with.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.first_chunk()?))
}

/// A connection from this host to a peer, whose handshake has come.
pub(super) fn dial(torrent: &Torrent, from: Ipv4Addr, peer: SocketAddr) -> Result<TcpStream> {
    let mut stream = dial_from(from, peer)?;
    stream.set_nodelay(true)?;
    stream.write_all(&handshake(torrent.info_hash, false, false))?;
    stream.read_exact(&mut [0; 68]).context("no handshake came")?;
    Ok(stream)
}

/// A connection from this host: clients hold few connections with one.
pub(super) fn dial_from(from: Ipv4Addr, peer: SocketAddr) -> Result<TcpStream> {
    let fd = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&fd, &SocketAddrV4::new(from, 0))?;
    connect(&fd, &peer)?;
    Ok(TcpStream::from(fd))
}

/// All blocks of a torrent in order, each as its piece, its offset there and its length.
pub(super) fn blocks(torrent: &Torrent, from_piece: u64) -> impl Iterator<Item = [u32; 3]> {
    let (length, piece) = (torrent.length, torrent.piece);
    let pieces = length.div_ceil(piece);
    (0..pieces).map(move |at| (at + from_piece) % pieces).flat_map(move |index| {
        let end = piece.min(length - index * piece);
        (0..end).step_by(BLOCK as usize).filter_map(move |begin| {
            let length = (end - begin).min(u64::from(BLOCK));
            let narrow = |number| u32::try_from(number).ok();
            Some([narrow(index)?, narrow(begin)?, narrow(length)?])
        })
    })
}

/// Adds the request of a block.
pub(super) fn request(out: &mut Vec<u8>, block: [u32; 3]) {
    let [piece, begin, length] = block.map(u32::to_be_bytes);
    out.extend(message(REQUEST, &[piece, begin, length].concat()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_cover_a_torrent_with_short_ends() {
        let torrent = Torrent { info_hash: [0; 20], length: 70_000, piece: 40_000 };
        let expected = [[0, 0, 16384], [0, 16384, 16384], [0, 32768, 7232]];
        let behind = [[1, 0, 16384], [1, 16384, 13616]];
        assert!(blocks(&torrent, 0).eq(expected.into_iter().chain(behind)));
        assert!(blocks(&torrent, 1).eq(behind.into_iter().chain(expected)));
    }

    #[test]
    fn a_request_is_the_one_of_bep_3() {
        let mut out = Vec::new();
        request(&mut out, [2, 0, BLOCK]);
        assert_eq!(out, [0, 0, 0, 13, 6, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x40, 0]);
    }

    #[test]
    fn an_info_hash_has_forty_digits() {
        assert_eq!(info_hash(&"0f".repeat(20)).unwrap(), [15; 20]);
        assert!(info_hash("0f").is_err());
        assert!(info_hash(&"xy".repeat(20)).is_err());
    }
}
