//! Pieces that nobody has begun, rarest first, kept in order at O(1) per HAVE.

use ccbt_wire::{Bitfield, PieceIndex};

const ABSENT: u32 = u32::MAX;

/// The needed pieces that are not under way, grouped by how many peers have each. Peers that have
/// everything do not count: they change no order.
#[derive(Debug)]
pub(super) struct Rarity {
    /// Pieces, class by class; in a class in random order.
    order: Vec<u32>,
    /// Where a piece stands in `order`; `ABSENT` if it is not there.
    at: Vec<u32>,
    /// How many peers have a piece.
    count: Vec<u16>,
    /// `ends[c]`: where the class of pieces that `c` peers have ends in `order`.
    ends: Vec<u32>,
}

impl Rarity {
    /// All pieces that `have` lacks.
    pub(super) fn new(have: &Bitfield, rng: &mut fastrand::Rng) -> Self {
        let mut order: Vec<u32> = have.iter_zeros().map(|piece| piece.0).collect();
        rng.shuffle(&mut order);
        let mut at = vec![ABSENT; have.len() as usize];
        for (position, piece) in (0..).zip(&order) {
            at[*piece as usize] = position;
        }
        let ends = vec![len32(&order)];
        Self { order, at, count: vec![0; have.len() as usize], ends }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn contains(&self, piece: PieceIndex) -> bool {
        self.at[piece.0 as usize] != ABSENT
    }

    /// How many peers have the piece, without those that have everything.
    pub(super) fn count(&self, piece: PieceIndex) -> u16 {
        self.count[piece.0 as usize]
    }

    /// One more peer has the piece.
    pub(super) fn add(&mut self, piece: PieceIndex) {
        let class = self.count[piece.0 as usize];
        if class == u16::MAX {
            return;
        }
        self.count[piece.0 as usize] = class + 1;
        if self.contains(piece) {
            self.raise(piece.0, usize::from(class));
        }
    }

    /// One peer less has the piece.
    pub(super) fn sub(&mut self, piece: PieceIndex) {
        let class = self.count[piece.0 as usize];
        if class == 0 {
            return;
        }
        self.count[piece.0 as usize] = class - 1;
        if self.contains(piece) {
            self.lower(piece.0, usize::from(class));
        }
    }

    pub(super) fn add_all(&mut self, pieces: &Bitfield) {
        pieces.iter_ones().for_each(|piece| self.add(piece));
    }

    pub(super) fn sub_all(&mut self, pieces: &Bitfield) {
        pieces.iter_ones().for_each(|piece| self.sub(piece));
    }

    /// Takes a piece out: it is under way now.
    pub(super) fn remove(&mut self, piece: PieceIndex) {
        if !self.contains(piece) {
            return;
        }
        let class = usize::from(self.count(piece));
        for above in class..self.ends.len() {
            self.raise(piece.0, above);
        }
        // It has passed the last class, so it is the last of all.
        self.order.pop();
        self.ends.pop();
        self.at[piece.0 as usize] = ABSENT;
    }

    /// Puts a piece back: it is to be fetched from the beginning.
    pub(super) fn insert(&mut self, piece: PieceIndex) {
        if self.contains(piece) {
            return;
        }
        let class = usize::from(self.count(piece));
        while self.ends.len() <= class {
            self.ends.push(len32(&self.order));
        }
        self.at[piece.0 as usize] = len32(&self.order);
        self.order.push(piece.0);
        self.ends.push(len32(&self.order));
        for above in (class + 1..self.ends.len()).rev() {
            self.lower(piece.0, above);
        }
        self.ends.pop();
    }

    /// The rarest piece for which `wanted` holds.
    pub(super) fn rarest(&self, wanted: impl Fn(PieceIndex) -> bool) -> Option<PieceIndex> {
        self.order.iter().map(|piece| PieceIndex(*piece)).find(|piece| wanted(*piece))
    }

    /// A random piece for which `wanted` holds.
    pub(super) fn random(
        &self,
        wanted: impl Fn(PieceIndex) -> bool,
        rng: &mut fastrand::Rng,
    ) -> Option<PieceIndex> {
        let start = rng.usize(..self.order.len().max(1));
        let (before, after) = self.order.split_at(start.min(self.order.len()));
        let mut around = after.iter().chain(before).map(|piece| PieceIndex(*piece));
        around.find(|piece| wanted(*piece))
    }

    /// Moves a piece from `class` to the class above: behind the last of its own, and the border down.
    fn raise(&mut self, piece: u32, class: usize) {
        if self.ends.len() == class + 1 {
            self.ends.push(len32(&self.order));
        }
        let last = self.ends[class] - 1;
        self.swap(self.at[piece as usize], last);
        self.ends[class] = last;
    }

    /// Moves a piece from `class` to the class below.
    fn lower(&mut self, piece: u32, class: usize) {
        let first = self.ends[class - 1];
        self.swap(self.at[piece as usize], first);
        self.ends[class - 1] = first + 1;
    }

    fn swap(&mut self, a: u32, b: u32) {
        self.order.swap(a as usize, b as usize);
        self.at[self.order[a as usize] as usize] = a;
        self.at[self.order[b as usize] as usize] = b;
    }
}

fn len32(order: &[u32]) -> u32 {
    u32::try_from(order.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rarity: &Rarity, in_order: &[bool]) {
        let mut start = 0;
        for (class, end) in rarity.ends.iter().enumerate() {
            for position in start..*end {
                let piece = rarity.order[position as usize] as usize;
                assert_eq!(usize::from(rarity.count[piece]), class);
                assert_eq!(rarity.at[piece], position);
            }
            start = *end;
        }
        assert_eq!(start as usize, rarity.order.len());
        for (piece, inside) in in_order.iter().enumerate() {
            assert_eq!(rarity.at[piece] != ABSENT, *inside, "piece {piece}");
        }
    }

    #[test]
    fn the_order_holds_under_random_changes() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut rarity = Rarity::new(&Bitfield::new(50), &mut rng);
        let mut inside = vec![true; 50];
        for _ in 0..5000 {
            let piece = rng.u32(..50);
            match rng.u8(..4) {
                0 => rarity.add(PieceIndex(piece)),
                1 => rarity.sub(PieceIndex(piece)),
                2 => {
                    rarity.remove(PieceIndex(piece));
                    inside[piece as usize] = false;
                }
                _ => {
                    rarity.insert(PieceIndex(piece));
                    inside[piece as usize] = true;
                }
            }
            check(&rarity, &inside);
        }
    }

    #[test]
    fn the_rarest_wanted_piece_comes_first() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rarity = Rarity::new(&Bitfield::new(4), &mut rng);
        for (piece, peers) in [(0, 3), (1, 1), (2, 2), (3, 1)] {
            (0..peers).for_each(|_| rarity.add(PieceIndex(piece)));
        }
        rarity.remove(PieceIndex(3));
        assert_eq!(rarity.rarest(|_| true), Some(PieceIndex(1)));
        assert_eq!(rarity.rarest(|piece| piece.0 != 1), Some(PieceIndex(2)));
        assert_eq!(rarity.rarest(|piece| piece.0 == 3), None);
    }
}
