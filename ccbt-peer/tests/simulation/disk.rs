//! Where blocks come together to pieces, without a byte of payload.

use std::collections::BTreeMap;

use ccbt_peer::Geometry;
use ccbt_peer::core::{PeerKey, Print};
use ccbt_peer::wire::{Bitfield, Block, PieceIndex};

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Waste,
    Fresh,
    /// The last one of a piece that is right.
    Complete,
    /// The last one of a piece with a wrong block.
    Wrong,
}

#[derive(Debug)]
pub(crate) struct Disk {
    geometry: Geometry,
    /// Of pieces that are coming in: who sent each block that is here, and what it is.
    open: BTreeMap<PieceIndex, Vec<Option<(PeerKey, u64)>>>,
    sealed: Bitfield,
    /// Right, and where no crash takes them away.
    flushed: Bitfield,
    /// Right, and on their way there.
    written: Bitfield,
    attempts: BTreeMap<PieceIndex, u32>,
    prints: Vec<Print>,
}

impl Disk {
    pub(crate) fn new(geometry: Geometry, sealed: Bitfield) -> Self {
        Self {
            geometry,
            open: BTreeMap::new(),
            written: sealed.clone(),
            flushed: sealed.clone(),
            sealed,
            attempts: BTreeMap::new(),
            prints: Vec::new(),
        }
    }

    /// Puts a block where it belongs; says which attempt at its piece that was. The digest of a right block is 0.
    pub(crate) fn put(&mut self, from: PeerKey, block: Block, digest: u64) -> (u32, Put) {
        let attempt = self.attempts.get(&block.piece).copied().unwrap_or(0);
        if self.sealed.get(block.piece) {
            return (attempt, Put::Waste);
        }
        let number = self.geometry.number(block).expect("a block that was asked for");
        let count = self.geometry.blocks(block.piece) as usize;
        let blocks = self.open.entry(block.piece).or_insert_with(|| vec![None; count]);
        if blocks[number as usize].is_some() {
            return (attempt, Put::Waste);
        }
        blocks[number as usize] = Some((from, digest));
        if blocks.contains(&None) {
            return (attempt, Put::Fresh);
        }
        let prints =
            blocks.iter().flatten().map(|(from, digest)| Print { from: *from, digest: *digest });
        self.prints = prints.collect();
        let right = self.prints.iter().all(|print| print.digest == 0);
        self.open.remove(&block.piece);
        self.sealed.set(block.piece, true);
        if right {
            self.written.set(block.piece, true);
        }
        (attempt, if right { Put::Complete } else { Put::Wrong })
    }

    /// The blocks of the piece that was complete last.
    pub(crate) fn prints(&self) -> Vec<Print> {
        self.prints.clone()
    }

    /// Whether the piece had to start over.
    pub(crate) fn is_suspect(&self, piece: PieceIndex) -> bool {
        self.attempts.contains_key(&piece)
    }

    /// The piece starts over.
    pub(crate) fn forget(&mut self, piece: PieceIndex) {
        *self.attempts.entry(piece).or_default() += 1;
        self.sealed.set(piece, false);
        self.open.remove(&piece);
    }

    /// The piece is here for good, whatever the core thought of it a moment ago.
    pub(crate) fn seal(&mut self, piece: PieceIndex) {
        self.sealed.set(piece, true);
        self.open.remove(&piece);
    }

    /// No crash takes the piece away from now on.
    pub(crate) fn flush(&mut self, piece: PieceIndex) {
        assert!(self.written.get(piece), "{piece:?} is not right");
        self.flushed.set(piece, true);
    }

    /// Right pieces that no crash takes away.
    pub(crate) fn flushed(&self) -> &Bitfield {
        &self.flushed
    }
}
