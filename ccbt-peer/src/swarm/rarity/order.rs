//! Pieces that are wanted equally, grouped by how many peers have each.

use super::{ABSENT, len32};

/// Pieces, class by class: first those that nobody has, then those that one peer has, and so on.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) pieces: Vec<u32>,
    /// `ends[c]`: where the class of pieces that `c` peers have ends in `pieces`.
    pub(super) ends: Vec<u32>,
}

impl Order {
    /// Takes in a piece of this class. `at`: where each piece stands.
    pub(super) fn insert(&mut self, at: &mut [u32], piece: u32, class: usize) {
        while self.ends.len() <= class {
            self.ends.push(len32(&self.pieces));
        }
        at[piece as usize] = len32(&self.pieces);
        self.pieces.push(piece);
        self.ends.push(len32(&self.pieces));
        for above in (class + 1..self.ends.len()).rev() {
            self.lower(at, piece, above);
        }
        self.ends.pop();
    }

    /// Takes out a piece of this class.
    pub(super) fn remove(&mut self, at: &mut [u32], piece: u32, class: usize) {
        for above in class..self.ends.len() {
            self.raise(at, piece, above);
        }
        // It has passed the last class, so it is the last of all.
        self.pieces.pop();
        self.ends.pop();
        at[piece as usize] = ABSENT;
    }

    /// Moves a piece from `class` to the class above: behind the last of its own, and the border down.
    pub(super) fn raise(&mut self, at: &mut [u32], piece: u32, class: usize) {
        if self.ends.len() == class + 1 {
            self.ends.push(len32(&self.pieces));
        }
        let last = self.ends[class] - 1;
        self.swap(at, at[piece as usize], last);
        self.ends[class] = last;
    }

    /// Moves a piece from `class` to the class below.
    pub(super) fn lower(&mut self, at: &mut [u32], piece: u32, class: usize) {
        let first = self.ends[class - 1];
        self.swap(at, at[piece as usize], first);
        self.ends[class - 1] = first + 1;
    }

    fn swap(&mut self, at: &mut [u32], a: u32, b: u32) {
        self.pieces.swap(a as usize, b as usize);
        at[self.pieces[a as usize] as usize] = a;
        at[self.pieces[b as usize] as usize] = b;
    }
}
