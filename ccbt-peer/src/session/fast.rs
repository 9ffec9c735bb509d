//! What may be asked for and served while choked (BEP 6, allowed fast).

use ccbt_wire::{Block, PieceIndex};

/// Pieces of one peer that we keep in mind; by custom it allows 10.
const MOST: usize = 64;

/// Pieces that one side allows the other.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Pieces that the peer may have while we choke it, and how many bytes of each are left to it: it
    /// gets them once.
    given: Vec<(PieceIndex, u32)>,
    /// Pieces that we may ask for while the peer chokes us.
    got: Vec<PieceIndex>,
}

impl Allowed {
    /// From now on the peer may have `bytes` of the piece; false if that was so before.
    pub(super) fn give(&mut self, piece: PieceIndex, bytes: u32) -> bool {
        let new = !self.is_given(piece);
        if new {
            self.given.push((piece, bytes));
        }
        new
    }

    pub(super) fn is_given(&self, piece: PieceIndex) -> bool {
        self.given.iter().any(|(given, _)| *given == piece)
    }

    /// Whether the peer may have the block though it is choked; it is counted if so.
    pub(super) fn spend(&mut self, block: Block) -> bool {
        let left = self.given.iter_mut().find(|(piece, _)| *piece == block.piece);
        let Some((_, left)) = left else { return false };
        let rest = left.checked_sub(block.length);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }

    /// The peer allows us a piece; false if that is no news, or too many to remember.
    pub(super) fn take(&mut self, piece: PieceIndex) -> bool {
        let new = self.got.len() < MOST && !self.may_ask(piece);
        if new {
            self.got.push(piece);
        }
        new
    }

    /// Whether we may ask for the piece though we are choked.
    pub(super) fn may_ask(&self, piece: PieceIndex) -> bool {
        self.got.contains(&piece)
    }
}
