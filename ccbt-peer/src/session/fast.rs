//! What may be asked for and served while choked (BEP 6, allowed fast).

use ccbt_wire::{Block, PieceIndex};

/// Pieces of one peer that we keep in mind; by custom it allows 10.
pub(super) const MOST: usize = 64;

/// Pieces that one side allows the other.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Most connections never come to it.
    pieces: Option<Box<Pieces>>,
}

#[derive(Debug, Default)]
struct Pieces {
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
            self.pieces.get_or_insert_default().given.push((piece, bytes));
        }
        new
    }

    pub(super) fn is_given(&self, piece: PieceIndex) -> bool {
        let mut given = self.pieces.iter().flat_map(|pieces| &pieces.given);
        given.any(|(given, _)| *given == piece)
    }

    /// Whether the peer may have the block though it is choked; it is counted if so.
    pub(super) fn spend(&mut self, block: Block) -> bool {
        let mut given = self.pieces.iter_mut().flat_map(|pieces| &mut pieces.given);
        let left = given.find(|(piece, _)| *piece == block.piece);
        let Some((_, left)) = left else { return false };
        let rest = left.checked_sub(block.length);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }

    /// The peer allows us a piece; false if that is no news, or too many to remember.
    pub(super) fn take(&mut self, piece: PieceIndex) -> bool {
        if self.may_ask(piece) {
            return false;
        }
        let got = &mut self.pieces.get_or_insert_default().got;
        let room = got.len() < MOST;
        if room {
            got.push(piece);
        }
        room
    }

    /// Whether we may ask for the piece though we are choked.
    pub(super) fn may_ask(&self, piece: PieceIndex) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.got.contains(&piece))
    }
}
