//! The torrent's payload as one row of bytes: where a run lies in it.

use ccbt_wire::{Metainfo, PieceIndex};

use super::StoreError;

/// The measures that a store needs to place a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    piece_length: u32,
    pieces: u32,
    total: u64,
}

impl Extent {
    pub(super) fn of(metainfo: &Metainfo) -> Self {
        Self {
            piece_length: metainfo.piece_length(),
            pieces: metainfo.piece_count(),
            total: metainfo.total_len(),
        }
    }

    /// The position of byte `begin` of `piece` in the payload, if `length` bytes follow there.
    pub(super) fn place(
        &self,
        piece: PieceIndex,
        begin: u32,
        length: usize,
    ) -> Result<u64, StoreError> {
        let length = length as u64;
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        let position = start + u64::from(begin);
        let fits = position.checked_add(length).is_some_and(|end| end <= self.total);
        if piece.0 < self.pieces && begin <= self.piece_length && fits {
            Ok(position)
        } else {
            Err(StoreError::OutOfRange { piece: piece.0, begin, length })
        }
    }

    /// The pieces that hold the bytes from `offset` on; `length` must not be zero.
    pub(super) fn pieces_of(
        &self,
        offset: u64,
        length: u64,
    ) -> impl Iterator<Item = (PieceIndex, u64, u64)> {
        let piece_length = u64::from(self.piece_length);
        let end = offset + length;
        let pieces = offset / piece_length..=(end - 1) / piece_length;
        pieces.filter_map(move |piece| {
            let start = piece * piece_length;
            let piece = PieceIndex(u32::try_from(piece).ok()?);
            Some((piece, start.max(offset), (start + piece_length).min(end)))
        })
    }

    pub(super) fn piece_length(&self) -> u64 {
        self.piece_length.into()
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }
}

/// The bytes of a run.
pub(super) fn length_of<B: std::ops::Deref<Target = [u8]>>(buffers: &[B]) -> usize {
    buffers.iter().map(|buffer| buffer.len()).sum()
}
