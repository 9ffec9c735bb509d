//! Pieces that nobody has begun: the most wanted first, of these the rarest, kept in order at O(1) per HAVE.

mod order;

use ccbt_wire::{Bitfield, PieceIndex};

use crate::choice::{Level, PieceChoice};
use order::Order;

const ABSENT: u32 = u32::MAX;

/// The needed pieces that are not under way, by how much they are wanted, and then by how many peers have
/// each. Peers that have everything do not count: they change no order.
#[derive(Debug)]
pub(super) struct Rarity {
    /// One for each level of wanted pieces, the least wanted first; in a class in random order.
    orders: [Order; Level::COUNT],
    /// How much each piece is wanted; empty if all are wanted alike.
    levels: Vec<Level>,
    /// Where a piece stands in the order of its level; `ABSENT` if it is not there.
    at: Vec<u32>,
    /// How many peers have a piece.
    count: Vec<u16>,
    /// No piece before this one is in any order.
    first: u32,
}

impl Rarity {
    /// All pieces that `have` lacks and `choice` wants.
    pub(super) fn new(have: &Bitfield, choice: &PieceChoice, rng: &mut fastrand::Rng) -> Self {
        let mut rarity = Self {
            orders: Default::default(),
            levels: Vec::new(),
            at: vec![ABSENT; have.len() as usize],
            count: vec![0; have.len() as usize],
            first: 0,
        };
        rarity.choose(choice, have.iter_zeros().collect(), rng);
        rarity
    }

    /// From now on pieces are wanted as `choice` says. `pieces`: all that are not under way and not here; of
    /// these the wanted ones come into the order, and no others.
    pub(super) fn choose(
        &mut self,
        choice: &PieceChoice,
        mut pieces: Vec<PieceIndex>,
        rng: &mut fastrand::Rng,
    ) {
        let all = (0..self.count.len()).map(|piece| PieceIndex(u32::try_from(piece).unwrap_or(0)));
        let alike = all.clone().all(|piece| choice.level(piece) == Level::NORMAL);
        self.levels =
            if alike { Vec::new() } else { all.map(|piece| choice.level(piece)).collect() };
        self.orders = Default::default();
        self.at.fill(ABSENT);
        rng.shuffle(&mut pieces);
        for piece in pieces {
            self.insert(piece);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.orders.iter().all(|order| order.pieces.is_empty())
    }

    pub(super) fn contains(&self, piece: PieceIndex) -> bool {
        self.at[piece.0 as usize] != ABSENT
    }

    /// Whether the piece is wanted, here or not.
    pub(super) fn wants(&self, piece: PieceIndex) -> bool {
        self.level(piece) != Level::SKIP
    }

    /// Whether no piece in the order is wanted more than this one.
    pub(super) fn is_most_wanted(&self, piece: PieceIndex) -> bool {
        let level = self.level(piece).index().map_or(0, |level| level + 1);
        self.orders[level..].iter().all(|order| order.pieces.is_empty())
    }

    fn level(&self, piece: PieceIndex) -> Level {
        self.levels.get(piece.0 as usize).copied().unwrap_or(Level::NORMAL)
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
        if let Some(level) = self.place(piece) {
            self.orders[level].raise(&mut self.at, piece.0, usize::from(class));
        }
    }

    /// One peer less has the piece.
    pub(super) fn sub(&mut self, piece: PieceIndex) {
        let class = self.count[piece.0 as usize];
        if class == 0 {
            return;
        }
        self.count[piece.0 as usize] = class - 1;
        if let Some(level) = self.place(piece) {
            self.orders[level].lower(&mut self.at, piece.0, usize::from(class));
        }
    }

    /// In which order the piece stands, if in any.
    fn place(&self, piece: PieceIndex) -> Option<usize> {
        if self.contains(piece) { self.level(piece).index() } else { None }
    }

    pub(super) fn add_all(&mut self, pieces: &Bitfield) {
        pieces.iter_ones().for_each(|piece| self.add(piece));
    }

    pub(super) fn sub_all(&mut self, pieces: &Bitfield) {
        pieces.iter_ones().for_each(|piece| self.sub(piece));
    }

    /// Takes a piece out: it is under way now.
    pub(super) fn remove(&mut self, piece: PieceIndex) {
        if let Some(level) = self.place(piece) {
            let class = usize::from(self.count(piece));
            self.orders[level].remove(&mut self.at, piece.0, class);
        }
    }

    /// Puts a piece back, if it is wanted: it is to be fetched from the beginning.
    pub(super) fn insert(&mut self, piece: PieceIndex) {
        let Some(level) = self.level(piece).index().filter(|_| !self.contains(piece)) else {
            return;
        };
        let class = usize::from(self.count(piece));
        self.orders[level].insert(&mut self.at, piece.0, class);
        self.first = self.first.min(piece.0);
    }

    /// The rarest of the most wanted pieces for which `fits` holds.
    pub(super) fn rarest(&self, fits: impl Fn(PieceIndex) -> bool) -> Option<PieceIndex> {
        let pieces = self.orders.iter().rev().flat_map(|order| &order.pieces);
        pieces.map(|piece| PieceIndex(*piece)).find(|piece| fits(*piece))
    }

    /// A random one of the most wanted pieces for which `fits` holds.
    pub(super) fn random(
        &self,
        fits: impl Fn(PieceIndex) -> bool,
        rng: &mut fastrand::Rng,
    ) -> Option<PieceIndex> {
        let orders = self.orders.iter().rev().filter(|order| !order.pieces.is_empty());
        for order in orders {
            let (before, after) = order.pieces.split_at(rng.usize(..order.pieces.len()));
            let mut around = after.iter().chain(before).map(|piece| PieceIndex(*piece));
            if let Some(piece) = around.find(|piece| fits(*piece)) {
                return Some(piece);
            }
        }
        None
    }

    /// The first of the most wanted pieces, in the order of the payload, for which `fits` holds.
    pub(super) fn earliest(&mut self, fits: impl Fn(PieceIndex) -> bool) -> Option<PieceIndex> {
        let pieces = len32(&self.at);
        while self.first < pieces && !self.contains(PieceIndex(self.first)) {
            self.first += 1;
        }
        let mut best: Option<(Level, PieceIndex)> = None;
        for piece in (self.first..pieces).map(PieceIndex).filter(|piece| self.contains(*piece)) {
            let level = self.level(piece);
            if best.is_none_or(|(best, _)| level > best) && fits(piece) {
                best = Some((level, piece));
                if self.is_most_wanted(piece) {
                    break;
                }
            }
        }
        best.map(|(_, piece)| piece)
    }
}

fn len32(pieces: &[u32]) -> u32 {
    u32::try_from(pieces.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Priority;

    fn check(rarity: &Rarity, in_order: &[bool]) {
        let mut standing = 0;
        for (level, order) in rarity.orders.iter().enumerate() {
            let mut start = 0;
            for (class, end) in order.ends.iter().enumerate() {
                for position in start..*end {
                    let piece = order.pieces[position as usize];
                    assert_eq!(usize::from(rarity.count[piece as usize]), class);
                    assert_eq!(rarity.at[piece as usize], position);
                    assert_eq!(rarity.level(PieceIndex(piece)).index(), Some(level));
                }
                start = *end;
            }
            assert_eq!(start as usize, order.pieces.len());
            standing += order.pieces.len();
        }
        let inside = (0..).map(PieceIndex).zip(in_order);
        let inside = inside.filter(|(piece, inside)| {
            assert_eq!(rarity.contains(*piece), **inside && rarity.wants(*piece), "{piece:?}");
            rarity.contains(*piece)
        });
        assert_eq!(standing, inside.count());
    }

    fn any_choice(rng: &mut fastrand::Rng) -> PieceChoice {
        let levels = [Priority::Skip, Priority::Low, Priority::Normal, Priority::High];
        PieceChoice::of((0..50).map(|_| levels[rng.usize(..4)]))
    }

    #[test]
    fn the_order_holds_under_random_changes() {
        let mut rng = fastrand::Rng::with_seed(7);
        let plain = PieceChoice::default();
        let mut rarity = Rarity::new(&Bitfield::new(50), &plain, &mut rng);
        let mut inside = vec![true; 50];
        for turn in 0..5000 {
            if turn % 500 == 499 {
                let idle = (0..).zip(&inside).filter(|(_, inside)| **inside);
                let idle = idle.map(|(piece, _)| PieceIndex(piece)).collect();
                rarity.choose(&any_choice(&mut rng), idle, &mut rng);
            }
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
        let mut rarity = Rarity::new(&Bitfield::new(4), &PieceChoice::default(), &mut rng);
        for (piece, peers) in [(0, 3), (1, 1), (2, 2), (3, 1)] {
            (0..peers).for_each(|_| rarity.add(PieceIndex(piece)));
        }
        rarity.remove(PieceIndex(3));
        assert_eq!(rarity.rarest(|_| true), Some(PieceIndex(1)));
        assert_eq!(rarity.rarest(|piece| piece.0 != 1), Some(PieceIndex(2)));
        assert_eq!(rarity.rarest(|piece| piece.0 == 3), None);
    }

    #[test]
    fn what_is_wanted_more_comes_before_what_is_rarer_or_earlier() {
        let mut rng = fastrand::Rng::with_seed(1);
        let choice = [Priority::Low, Priority::Skip, Priority::Normal, Priority::High];
        let mut rarity = Rarity::new(&Bitfield::new(4), &PieceChoice::of(choice), &mut rng);
        rarity.add(PieceIndex(3));
        let expected = [3, 2, 0].map(|piece| Some(PieceIndex(piece)));
        assert_eq!([4, 3, 2].map(|end| rarity.rarest(|piece| piece.0 < end)), expected);
        assert_eq!([4, 3, 2].map(|end| rarity.random(|piece| piece.0 < end, &mut rng)), expected);
        assert_eq!([4, 3, 2].map(|end| rarity.earliest(|piece| piece.0 < end)), expected);
        assert_eq!(rarity.earliest(|piece| piece.0 == 1), None, "it is not wanted");
    }

    #[test]
    fn the_earliest_piece_is_found_again_when_it_comes_back() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rarity = Rarity::new(&Bitfield::new(4), &PieceChoice::default(), &mut rng);
        rarity.remove(PieceIndex(0));
        rarity.remove(PieceIndex(1));
        assert_eq!(rarity.earliest(|_| true), Some(PieceIndex(2)));
        rarity.insert(PieceIndex(1));
        assert_eq!(rarity.earliest(|_| true), Some(PieceIndex(1)));
    }
}
