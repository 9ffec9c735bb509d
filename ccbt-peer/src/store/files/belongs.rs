//! Whether files that were there before us are files of this torrent.

use std::fs::File;
use std::io::{self, IoSlice};

use ccbt_wire::Bitfield;

use super::layout::Entry;
use super::positional::read_at_most;
use crate::store::extent::Extent;

const CHUNK: usize = 64 * 1024;

/// Fewer bytes of a verified piece than that may be right by chance.
const PROOF: u64 = 16;

/// What the hashes say about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// A verified piece lies in it.
    Belongs,
    /// Pieces lie wholly in it, and none is right.
    Disproven,
    /// It shares every piece with neighbours, and none is right: the fault may be theirs.
    Open,
}

pub(super) fn judge(entry: &Entry, extent: &Extent, have: &Bitfield) -> Judgement {
    let mut has_whole_piece = false;
    let piece_length = extent.piece_length();
    for (piece, from, to) in extent.pieces_of(entry.offset, entry.length) {
        let inside = to - from;
        if have.get(piece) && inside >= PROOF.min(entry.length) {
            return Judgement::Belongs;
        }
        let piece_start = u64::from(piece.0) * piece_length;
        let piece_end = (piece_start + piece_length).min(extent.total());
        has_whole_piece |= inside == piece_end - piece_start;
    }
    if has_whole_piece { Judgement::Disproven } else { Judgement::Open }
}

/// Whether the file holds nothing but zeros, as files do that were only made room for.
pub(super) fn is_all_zeros(file: &File) -> io::Result<bool> {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        let read = read_at_most(file, &mut buffer, offset)?;
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if read < buffer.len() {
            return Ok(true);
        }
        offset += read as u64;
    }
}

/// The first place where writing `data` at `offset` would replace a byte that is neither zero nor
/// the same.
pub(super) fn conflict(
    file: &File,
    data: &[IoSlice<'_>],
    mut offset: u64,
) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK];
    for new in data.iter().flat_map(|data| data.chunks(CHUNK)) {
        let old = &mut buffer[..new.len()];
        let read = read_at_most(file, old, offset)?;
        let differs = |(old, new): (&u8, &u8)| *old != 0 && old != new;
        if let Some(at) = old[..read].iter().zip(new).position(differs) {
            return Ok(Some(offset + at as u64));
        }
        offset += new.len() as u64;
    }
    Ok(None)
}
