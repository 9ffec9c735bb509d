//! Metainfo files, version 1 (BEP 3, 12, 19, 27 and 47).

pub mod build;
mod error;
mod files;
mod folding;
mod parse;
mod path;
#[cfg(test)]
mod tests;

use crate::{BLOCK_LEN, Block, InfoHash, Limits, Magnet, PieceIndex};
use bytes::Bytes;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

pub use error::{MetainfoError, PathError};
pub(crate) use parse::usable_url;

/// Greatest metainfo file, in bytes: 10 MiB.
pub const MAX_METAINFO_LEN: usize = 10 << 20;
/// Most pieces of a torrent.
pub const MAX_PIECES: u32 = 2_000_000;
/// Most files of a torrent.
pub const MAX_FILES: usize = 200_000;
/// Greatest piece, in bytes: 256 MiB.
pub const MAX_PIECE_LENGTH: u32 = 256 << 20;

/// What a `.torrent` file says: files, pieces, trackers and the info hash.
///
/// What parsed is consistent: there is payload, every piece has a hash, sums do not overflow, and every
/// path is safe to join to an output folder. Cloning is cheap.
///
/// ```
/// use ccbt_wire::metainfo::build;
/// use ccbt_wire::{Metainfo, PieceIndex};
///
/// let bytes = build::single_file("hello.txt", 16 * 1024, b"hello", None);
/// let metainfo = Metainfo::parse(&bytes)?;
/// assert_eq!(metainfo.name(), "hello.txt");
/// assert_eq!(metainfo.piece_len(PieceIndex(0)), 5);
/// assert_eq!(metainfo.info_hash().to_string(), "0eb2d544ef0c9ae3c0fbba90a71cd742a44aa81d");
/// # Ok::<(), ccbt_wire::MetainfoError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Metainfo {
    info_hash: InfoHash,
    info: Bytes,
    /// The part of `info` that is the hashes.
    pieces: Bytes,
    name: String,
    piece_length: u32,
    total_len: u64,
    files: Arc<[File]>,
    multi_file: bool,
    private: bool,
    source: Option<String>,
    outer: Arc<Outer>,
}

/// What stands beside `info`.
#[derive(Debug, Default)]
struct Outer {
    announce: Option<String>,
    trackers: Vec<Vec<String>>,
    url_list: Vec<String>,
    comment: Option<String>,
    created_by: Option<String>,
    creation_date: Option<u64>,
}

/// A file of a torrent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Relative, without `.` or `..`. In a torrent of many files the first component is its name.
    pub path: PathBuf,
    /// Bytes.
    pub length: u64,
    /// Where it begins in the torrent's payload, in bytes.
    pub offset: u64,
    /// Zeros that only align what follows (BEP 47): they count as payload and need not be stored.
    pub pad: bool,
}

impl Metainfo {
    /// Reads a `.torrent` file.
    ///
    /// Unknown keys are ignored; ill-typed optional ones count as absent. Of a key that is there twice the
    /// first counts. A name that is no UTF-8, and has no `.utf-8` twin, gets U+FFFD where it is wrong.
    ///
    /// # Errors
    /// With the field and the rule it breaks, such as `info.files[3].path: component ".." is not allowed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetainfoError> {
        parse::metainfo(bytes)
    }

    /// The torrent of an `info` dictionary, as it comes from peers (BEP 9), with the trackers and web seeds of
    /// the link that led to it. Whether it is the right one its [`info_hash`](Self::info_hash) tells.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_info(info: &[u8], magnet: &Magnet) -> Result<Self, MetainfoError> {
        let trackers = magnet.trackers.iter().map(|url| vec![url.clone()]).collect();
        parse::from_info(info, trackers, magnet.web_seeds.clone())
    }

    /// The swarm's name: SHA-1 over [`info_bytes`](Self::info_bytes).
    pub fn info_hash(&self) -> InfoHash {
        self.info_hash
    }

    /// The `info` dictionary as it stands in the file.
    pub fn info_bytes(&self) -> &[u8] {
        &self.info
    }

    /// The same bytes, shared.
    pub fn info(&self) -> Bytes {
        self.info.clone()
    }

    /// The name of the file, or of the folder of a torrent of many files. A safe path component.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of every piece but the last. Not necessarily a power of two, nor a multiple of a block.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// How many pieces there are, at least 1.
    pub fn piece_count(&self) -> u32 {
        pieces(self.total_len, self.piece_length)
    }

    /// Bytes of a piece: the last may be short. 0 if there is no such piece.
    pub fn piece_len(&self, piece: PieceIndex) -> u32 {
        let left = self.total_len.saturating_sub(self.piece_offset(piece));
        u32::try_from(left).map_or(self.piece_length, |left| left.min(self.piece_length))
    }

    /// Where a piece begins in the torrent's payload, in bytes.
    pub fn piece_offset(&self, piece: PieceIndex) -> u64 {
        u64::from(piece.0) * u64::from(self.piece_length)
    }

    /// The pieces that hold these bytes of the torrent's payload, such as those of a [`File`]; empty if there are
    /// none. What lies behind the payload's end has no pieces.
    pub fn pieces_of(&self, offset: u64, length: u64) -> Range<u32> {
        let end = offset.saturating_add(length).min(self.total_len);
        if offset >= end {
            return 0..0;
        }
        let piece = |position| u32::try_from(position / u64::from(self.piece_length));
        // Both are below the number of pieces, which is an u32.
        piece(offset).unwrap_or(u32::MAX)..piece(end - 1).unwrap_or(u32::MAX - 1) + 1
    }

    /// SHA-1 of a piece. `None` if there is no such piece.
    pub fn piece_hash(&self, piece: PieceIndex) -> Option<[u8; 20]> {
        self.pieces.as_chunks().0.get(piece.as_usize()).copied()
    }

    /// How many blocks a piece has. 0 if there is no such piece.
    pub fn block_count(&self, piece: PieceIndex) -> u32 {
        self.piece_len(piece).div_ceil(BLOCK_LEN)
    }

    /// The blocks of a piece in their order: 16 KiB each, the last may be short.
    pub fn blocks(&self, piece: PieceIndex) -> impl ExactSizeIterator<Item = Block> + use<> {
        let len = self.piece_len(piece);
        (0..self.block_count(piece)).map(move |number| {
            let begin = number * BLOCK_LEN;
            Block { piece, begin, length: BLOCK_LEN.min(len - begin) }
        })
    }

    /// Whether a block of a message has payload and lies within its piece.
    pub fn contains(&self, block: Block) -> bool {
        let end = u64::from(block.begin) + u64::from(block.length);
        block.length > 0 && end <= u64::from(self.piece_len(block.piece))
    }

    /// Bytes of payload, pad files included; at least 1.
    pub fn total_len(&self) -> u64 {
        self.total_len
    }

    /// The files in the order of the payload, at least one.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Whether the files lie in a folder of the torrent's name (`info` has `files`, not `length`).
    pub fn is_multi_file(&self) -> bool {
        self.multi_file
    }

    /// Whether peers may only be learned from the trackers (BEP 27).
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// The tracker of the `announce` key.
    pub fn announce(&self) -> Option<&str> {
        self.outer.announce.as_deref()
    }

    /// Trackers in tiers (BEP 12): `announce-list` if it has any, else `announce`.
    pub fn trackers(&self) -> &[Vec<String>] {
        &self.outer.trackers
    }

    /// Web seeds (BEP 19).
    pub fn url_list(&self) -> &[String] {
        &self.outer.url_list
    }

    /// The author's comment, printable.
    pub fn comment(&self) -> Option<&str> {
        self.outer.comment.as_deref()
    }

    /// The program that made the file, printable.
    pub fn created_by(&self) -> Option<&str> {
        self.outer.created_by.as_deref()
    }

    /// When the file was made, in seconds since the beginning of 1970, UTC.
    pub fn creation_date(&self) -> Option<u64> {
        self.outer.creation_date
    }

    /// Where the torrent is at home, printable. It is part of `info`: trackers set it to have an info hash of
    /// their own.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Limits for the streams of this torrent's peers.
    pub fn limits(&self) -> Limits {
        Limits::for_pieces(self.piece_count())
    }
}

/// Pieces of so much payload. Too many to count come out as the greatest number.
fn pieces(total_len: u64, piece_length: u32) -> u32 {
    u32::try_from(total_len.div_ceil(u64::from(piece_length))).unwrap_or(u32::MAX)
}
