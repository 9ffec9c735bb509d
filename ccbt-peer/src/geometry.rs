//! How a torrent's payload divides into pieces and blocks.

use ccbt_wire::{BLOCK_LEN, Block, Metainfo, PieceIndex};

/// The sizes of a torrent: all that the core needs to know of its metainfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    piece_length: u32,
    pieces: u32,
    total: u64,
}

impl Geometry {
    /// That of a torrent whose metadata is not known yet: no pieces and no bytes.
    pub const UNKNOWN: Self = Self { piece_length: 0, pieces: 0, total: 0 };

    /// Whether the sizes are known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.pieces > 0
    }

    /// A payload of `total` bytes in pieces of `piece_length` bytes; the last one may be shorter.
    ///
    /// # Panics
    /// If there are no bytes, the piece length is 0, or the pieces cannot be counted in 32 bits. A
    /// parsed [`Metainfo`] has none of these.
    #[must_use]
    pub fn new(total: u64, piece_length: u32) -> Self {
        assert!(total > 0 && piece_length > 0, "an empty torrent has no geometry");
        let pieces = u32::try_from(total.div_ceil(u64::from(piece_length)));
        Self { piece_length, pieces: pieces.expect("at most 2^32 pieces"), total }
    }

    /// The geometry of a parsed torrent.
    #[must_use]
    pub fn of(metainfo: &Metainfo) -> Self {
        Self::new(metainfo.total_len(), metainfo.piece_length())
    }

    /// How many pieces there are.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        self.pieces
    }

    /// Bytes of the whole payload.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Length of every piece but the last, in bytes.
    #[must_use]
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// Length of `piece` in bytes; 0 if the torrent does not have it.
    #[must_use]
    pub fn piece_len(&self, piece: PieceIndex) -> u32 {
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        let left = self.total.saturating_sub(start);
        u32::try_from(left).map_or(self.piece_length, |left| left.min(self.piece_length))
    }

    /// How many blocks of 16 KiB `piece` has; the last may be shorter.
    #[must_use]
    pub fn blocks(&self, piece: PieceIndex) -> u32 {
        self.piece_len(piece).div_ceil(BLOCK_LEN)
    }

    /// The `n`th block of `piece`, counted from 0.
    #[must_use]
    pub fn block(&self, piece: PieceIndex, n: u32) -> Block {
        let begin = n * BLOCK_LEN;
        Block { piece, begin, length: self.piece_len(piece).saturating_sub(begin).min(BLOCK_LEN) }
    }

    /// Which block of its piece `block` is; `None` if it is not one that we would ask for.
    #[must_use]
    pub fn number(&self, block: Block) -> Option<u32> {
        let n = block.begin / BLOCK_LEN;
        (n < self.blocks(block.piece) && self.block(block.piece, n) == block).then_some(n)
    }

    /// Whether `block` lies inside its piece and is not empty.
    #[must_use]
    pub fn contains(&self, block: Block) -> bool {
        let end = u64::from(block.begin) + u64::from(block.length);
        block.piece.0 < self.pieces
            && block.length > 0
            && end <= u64::from(self.piece_len(block.piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_piece_and_the_last_block_are_short() {
        let geometry = Geometry::new(3 * 65536 + 20000, 65536);
        assert_eq!(geometry.pieces(), 4);
        assert_eq!(geometry.piece_len(PieceIndex(3)), 20000);
        assert_eq!(geometry.piece_len(PieceIndex(4)), 0);
        assert_eq!(geometry.blocks(PieceIndex(3)), 2);
        let last = geometry.block(PieceIndex(3), 1);
        assert_eq!((last.begin, last.length), (16384, 20000 - 16384));
        assert_eq!(geometry.number(last), Some(1));
    }

    #[test]
    fn blocks_that_we_never_ask_for_have_no_number() {
        let geometry = Geometry::new(65536, 32768);
        let odd = Block { piece: PieceIndex(0), begin: 1, length: 16384 };
        assert_eq!(geometry.number(odd), None);
        assert!(geometry.contains(odd));
        assert!(!geometry.contains(Block { begin: 32768 - 100, length: 101, ..odd }));
        assert!(!geometry.contains(Block { begin: u32::MAX, length: u32::MAX, ..odd }));
        assert!(!geometry.contains(Block { piece: PieceIndex(2), begin: 0, length: 1 }));
    }
}
