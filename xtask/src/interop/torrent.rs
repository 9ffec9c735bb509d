//! A payload and its torrent, made here so that scripted peers know every byte.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use sha1::{Digest, Sha1};

use super::place::Place;

/// The size of a block, BEP 3.
pub(super) const BLOCK: usize = 16 * 1024;

/// A random single-file payload and its torrent.
pub(super) struct Content {
    /// The torrent's file.
    pub(super) torrent: PathBuf,
    pub(super) info_hash: [u8; 20],
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// The `info` dictionary.
    pub(super) info: Vec<u8>,
    piece_length: usize,
}

impl Content {
    /// `length` bytes in pieces of `piece_length`.
    pub(super) fn new(place: &Place, length: usize, piece_length: usize) -> Result<Arc<Self>> {
        Self::with(place, length, piece_length, ("d", ""))
    }

    /// The same for trackers alone (BEP 27).
    pub(super) fn private(place: &Place, length: usize, piece_length: usize) -> Result<Arc<Self>> {
        Self::with(place, length, piece_length, ("d", "7:privatei1e"))
    }

    /// The same, with a tracker.
    pub(super) fn tracked(
        place: &Place,
        length: usize,
        piece_length: usize,
        announce: &str,
    ) -> Result<Arc<Self>> {
        let head = format!("d8:announce{}:{announce}", announce.len());
        Self::with(place, length, piece_length, (&head, ""))
    }

    /// `head` is what stands before the key `info`, `tail` the end of its dictionary.
    fn with(
        place: &Place,
        length: usize,
        piece_length: usize,
        (head, tail): (&str, &str),
    ) -> Result<Arc<Self>> {
        let mut bytes = vec![0; length];
        fastrand::fill(&mut bytes);
        let name = "payload.bin".to_owned();
        let hashes: Vec<u8> =
            bytes.chunks(piece_length).flat_map(|piece| Sha1::digest(piece).to_vec()).collect();
        let mut info = format!("d6:lengthi{length}e4:name{}:{name}", name.len()).into_bytes();
        info.extend(format!("12:piece lengthi{piece_length}e6:pieces{}:", hashes.len()).bytes());
        info.extend(hashes);
        info.extend([tail.as_bytes(), b"e"].concat());
        let info_hash: [u8; 20] = Sha1::digest(&info).into();
        let torrent = place.path(&format!("{}.torrent", hex(&info_hash)));
        fs::write(&torrent, [head.as_bytes(), b"4:info", &info, b"e"].concat())?;
        Ok(Arc::new(Content { torrent, info_hash, name, bytes, info, piece_length }))
    }

    /// How many pieces there are.
    pub(super) fn pieces(&self) -> u32 {
        u32::try_from(self.bytes.len().div_ceil(self.piece_length)).unwrap_or(u32::MAX)
    }

    /// A BITFIELD's payload with the pieces that `has` picks.
    pub(super) fn bitfield(&self, has: impl Fn(u32) -> bool) -> Vec<u8> {
        let mut bits = vec![0_u8; self.bytes.len().div_ceil(self.piece_length).div_ceil(8)];
        for piece in (0..self.pieces()).filter(|&piece| has(piece)) {
            bits[piece as usize / 8] |= 0x80 >> (piece % 8);
        }
        bits
    }

    /// The bytes of a requested block; `None` if there is no such block.
    pub(super) fn block(&self, piece: u32, begin: u32, length: u32) -> Option<&[u8]> {
        let (begin, length) = (begin as usize, length as usize);
        if begin + length > self.piece_length || length > BLOCK {
            return None;
        }
        let start = piece as usize * self.piece_length + begin;
        self.bytes.get(start..start + length)
    }
}

/// The info hash of a torrent made by others: SHA-1 over the raw bytes of the top dictionary's `info`.
pub(super) fn info_hash(torrent: &[u8]) -> Option<[u8; 20]> {
    let mut rest = torrent.strip_prefix(b"d")?;
    while !rest.starts_with(b"e") {
        let (key, value) = rest.split_at_checked(skip(rest)?)?;
        let end = skip(value)?;
        if key == b"4:info" {
            return Some(Sha1::digest(value.get(..end)?).into());
        }
        rest = value.get(end..)?;
    }
    None
}

/// The length of the bencoded value that `text` begins with.
fn skip(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'i' => Some(text.iter().position(|&byte| byte == b'e')? + 1),
        b'l' | b'd' => {
            let mut at = 1;
            while *text.get(at)? != b'e' {
                at += skip(&text[at..])?;
            }
            Some(at + 1)
        }
        _ => {
            let colon = text.iter().position(|&byte| byte == b':')?;
            let length: usize = std::str::from_utf8(&text[..colon]).ok()?.parse().ok()?;
            Some(colon + 1 + length)
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_hash_is_taken_over_the_raw_dictionary() {
        let torrent = b"d8:announce3:url4:infod4:name1:x6:lengthi7eee";
        let expected: [u8; 20] = Sha1::digest(b"d4:name1:x6:lengthi7ee").into();
        assert_eq!(info_hash(torrent), Some(expected));
        assert_eq!(info_hash(b"d8:announce3:urle"), None);
        assert_eq!(info_hash(b"d4:infod4:na"), None);
    }

    #[test]
    fn blocks_are_cut_from_their_piece() {
        let place = Place::new(250, "ccbt".as_ref(), std::time::Duration::ZERO).unwrap();
        let content = Content::new(&place, 40_000, 32_768).unwrap();
        assert_eq!(content.pieces(), 2);
        assert_eq!(content.block(1, 0, 7_232), Some(&content.bytes[32_768..]));
        assert_eq!(content.block(1, 0, 7_233), None);
        assert_eq!(content.block(0, 32_768, 1), None);
        assert_eq!(content.bitfield(|piece| piece == 1), [0x40]);
        let torrent = fs::read(&content.torrent).unwrap();
        assert_eq!(info_hash(&torrent), Some(content.info_hash));
    }
}
