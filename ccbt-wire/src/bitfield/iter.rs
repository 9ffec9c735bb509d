//! Walking over the pieces of a bitfield.

use super::word;
use crate::PieceIndex;
use std::iter::FusedIterator;

/// Pieces of a [`Bitfield`](crate::Bitfield) in ascending order; 64 bits are looked at in one step.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    rest: &'a [u8],
    /// What is left of the current word, the first piece in the high bit.
    word: u64,
    /// The first piece of the current word.
    base: u32,
    /// The first piece behind the current word.
    next_base: u32,
    len: u32,
    /// All ones when zeros are looked for.
    flip: u64,
}

impl<'a> Pieces<'a> {
    pub(super) fn ones(bytes: &'a [u8], len: u32) -> Self {
        Self { rest: bytes, word: 0, base: 0, next_base: 0, len, flip: 0 }
    }

    pub(super) fn zeros(bytes: &'a [u8], len: u32) -> Self {
        Self { flip: u64::MAX, ..Self::ones(bytes, len) }
    }
}

impl Iterator for Pieces<'_> {
    type Item = PieceIndex;

    fn next(&mut self) -> Option<PieceIndex> {
        while self.word == 0 {
            if self.rest.is_empty() {
                return None;
            }
            let (chunk, rest) = self.rest.split_at(self.rest.len().min(8));
            self.rest = rest;
            self.word = word(chunk) ^ self.flip;
            self.base = self.next_base;
            self.next_base = self.base.saturating_add(64);
            let pieces = self.len - self.base;
            if pieces < 64 {
                // Flipped spare bits are no pieces.
                self.word &= !(u64::MAX >> pieces);
            }
        }
        let place = self.word.leading_zeros();
        self.word &= !(1 << (63 - place));
        Some(PieceIndex(self.base + place))
    }
}

impl FusedIterator for Pieces<'_> {}
