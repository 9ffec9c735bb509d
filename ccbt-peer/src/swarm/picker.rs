//! Which block to ask for next.
//!
//! A peer goes on with the pieces that it works on; then come pieces that nobody works on any more, then
//! the rarest piece that nobody has begun (a random one while we have next to nothing). When too many
//! pieces are open at once, peers share them instead. Pieces that are wanted more come before rarer ones.
//! What somebody failed to deliver in time is asked for elsewhere, and when every block is asked for, idle
//! peers are asked for the same ones: endgame.

use std::collections::{BTreeMap, BTreeSet};

use ccbt_wire::{Bitfield, Block, PieceIndex};

use super::PeerKey;
use super::partial::{Partial, Receipt};
use super::rarity::Rarity;
use crate::Geometry;
use crate::choice::PieceChoice;

/// Until we have so many pieces we take random ones: any piece makes us worth trading with.
const RANDOM_FIRST: u32 = 4;
/// Pieces that are begun and not asked for whole may take so many bytes before peers share them.
const OPEN_BYTES: u64 = 8 << 20;
/// In the endgame a peer is asked for at most so many blocks that others are asked for too.
const ENDGAME_WINDOW: usize = 16;
/// Neighbours of a new piece follow it up to so many bytes, so that small pieces are written in runs.
const RUN_BYTES: u32 = 1 << 20;

/// What is to be fetched, and what is under way.
#[derive(Debug)]
pub(super) struct Picker {
    geometry: Geometry,
    pub(super) rarity: Rarity,
    /// Pieces under way. Ordered, so that equal runs of events give equal picks.
    partials: BTreeMap<PieceIndex, Partial>,
    /// Of these: how many have blocks that nobody is asked for.
    open: u32,
    /// Of these: the ones with a block that somebody failed to deliver in time.
    overdue: BTreeSet<PieceIndex>,
    /// Pieces that one peer alone is to send; nobody else is asked for them.
    withheld: BTreeSet<PieceIndex>,
    /// Pieces come in order rather than the rarest first.
    sequential: bool,
    /// Counts whenever there is something to ask for that was not there before.
    version: u64,
    rng: fastrand::Rng,
}

/// The peer for which blocks are picked.
pub(super) struct Asker<'a> {
    pub(super) key: PeerKey,
    /// What it has; `None` if everything.
    pub(super) has: Option<&'a Bitfield>,
    /// The piece that it was asked for last; brought up to date by the picker.
    pub(super) working: &'a mut Option<PieceIndex>,
    pub(super) in_flight: usize,
    /// In the endgame it may be asked for what others are asked for too.
    pub(super) may_double: bool,
}

impl Asker<'_> {
    fn has(&self, piece: PieceIndex) -> bool {
        self.has.is_none_or(|bits| bits.get(piece))
    }
}

/// Who sent a piece, as far as it is known here: the word of a block may still be on its way from another
/// connection than that of the last block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Senders {
    /// Each once.
    pub(super) known: Vec<PeerKey>,
    /// There are no others.
    pub(super) all: bool,
}

impl Senders {
    fn of(partial: &Partial) -> Self {
        Self { known: partial.senders(), all: partial.is_complete() }
    }
}

impl Picker {
    pub(super) fn new(
        geometry: Geometry,
        have: &Bitfield,
        choice: &PieceChoice,
        mut rng: fastrand::Rng,
    ) -> Self {
        let rarity = Rarity::new(have, choice, &mut rng);
        Self {
            geometry,
            rarity,
            partials: BTreeMap::new(),
            open: 0,
            overdue: BTreeSet::new(),
            withheld: BTreeSet::new(),
            sequential: choice.is_sequential(),
            version: 0,
            rng,
        }
    }

    /// From now on pieces are wanted as `choice` says. Gives those that were under way and no longer are:
    /// nobody need send their blocks, and what is here of them is to be forgotten.
    pub(super) fn choose(&mut self, choice: &PieceChoice, have: &Bitfield) -> Vec<PieceIndex> {
        self.withheld.retain(|piece| choice.wants(*piece));
        let under_way = self.partials.values().filter(|partial| !partial.is_complete());
        let unwanted = under_way.map(|partial| partial.piece).filter(|piece| !choice.wants(*piece));
        let unwanted: Vec<PieceIndex> = unwanted.collect();
        for piece in &unwanted {
            self.drop_partial(*piece);
        }
        let is_idle = |piece: &PieceIndex| {
            !self.partials.contains_key(piece) && !self.withheld.contains(piece)
        };
        let idle = have.iter_zeros().filter(is_idle).collect();
        self.rarity.choose(choice, idle, &mut self.rng);
        self.sequential = choice.is_sequential();
        self.version += 2;
        unwanted
    }

    /// Changes whenever a peer for which there was nothing may find something.
    pub(super) fn version(&self) -> u64 {
        self.version + u64::from(self.is_endgame())
    }

    /// Every block that we need is here or asked for.
    pub(super) fn is_endgame(&self) -> bool {
        self.rarity.is_empty() && self.open == 0
    }

    /// Up to `room` blocks for this peer. `have` is how many pieces we have.
    pub(super) fn pick(&mut self, mut asker: Asker<'_>, room: usize, have: u32) -> Vec<Block> {
        let mut picked = Vec::new();
        while picked.len() < room {
            let Some(piece) = self.next_piece(&mut asker, have) else { break };
            self.take_missing(piece, asker.key, room, &mut picked);
        }
        if picked.len() < room {
            self.take_overdue(&asker, room, &mut picked);
        }
        let may_double = asker.may_double && asker.in_flight < ENDGAME_WINDOW;
        if picked.is_empty() && may_double && self.is_endgame() {
            self.take_duplicates(&asker, room.min(ENDGAME_WINDOW), &mut picked);
        }
        picked
    }

    /// Up to `room` blocks of these pieces, for a peer that gives no others.
    pub(super) fn pick_among(
        &mut self,
        asker: &Asker<'_>,
        room: usize,
        pieces: &[PieceIndex],
    ) -> Vec<Block> {
        let mut picked = Vec::new();
        for piece in pieces.iter().copied().filter(|piece| asker.has(*piece)) {
            if picked.len() >= room {
                break;
            }
            if self.rarity.contains(piece) {
                self.begin(piece);
            }
            self.take_missing(piece, asker.key, room, &mut picked);
        }
        picked
    }

    /// The piece from which this peer is to be asked for missing blocks next.
    fn next_piece(&mut self, asker: &mut Asker<'_>, have: u32) -> Option<PieceIndex> {
        // Who names other pieces than before no longer has what it works on.
        if let Some(piece) = self.entrusted(asker) {
            return Some(piece);
        }
        let on = asker.working.and_then(|piece| self.partials.get(&piece));
        if let Some(partial) = on.filter(|on| asker.has(on.piece) && on.offers(asker.key)) {
            return Some(partial.piece);
        }
        let crowded = u64::from(self.open) * u64::from(self.geometry.piece_length()) >= OPEN_BYTES;
        let piece = (self.abandoned(asker))
            .or_else(|| if crowded { self.shared(asker) } else { None })
            .or_else(|| self.fresh(asker, have))
            .or_else(|| self.shared(asker))?;
        *asker.working = Some(piece);
        Some(piece)
    }

    /// A piece under way with missing blocks that nobody is asked for a block of.
    fn abandoned(&self, asker: &Asker<'_>) -> Option<PieceIndex> {
        if self.open == 0 {
            return None;
        }
        self.find_open(asker, |partial| !partial.is_asked())
    }

    /// A piece that others work on.
    fn shared(&self, asker: &Asker<'_>) -> Option<PieceIndex> {
        if self.open == 0 {
            return None;
        }
        self.find_open(asker, |_| true)
    }

    fn find_open(&self, asker: &Asker<'_>, fits: impl Fn(&Partial) -> bool) -> Option<PieceIndex> {
        let open = self.partials.values().filter(|partial| partial.missing() > 0);
        open.filter(|p| asker.has(p.piece) && fits(p) && p.offers(asker.key))
            .min_by_key(|partial| partial.missing())
            .map(|partial| partial.piece)
    }

    /// A piece that nobody has begun.
    fn fresh(&mut self, asker: &Asker<'_>, have: u32) -> Option<PieceIndex> {
        let piece = if self.sequential {
            self.rarity.earliest(|piece| asker.has(piece))?
        } else if let Some(next) = self.neighbour(asker) {
            next
        } else if have < RANDOM_FIRST {
            self.rarity.random(|piece| asker.has(piece), &mut self.rng)?
        } else {
            self.rarity.rarest(|piece| asker.has(piece))?
        };
        self.begin(piece);
        Some(piece)
    }

    /// A piece with missing blocks that this peer alone is to send.
    fn entrusted(&self, asker: &Asker<'_>) -> Option<PieceIndex> {
        let withheld = self.withheld.iter().filter(|piece| asker.has(**piece));
        let mut withheld = withheld.filter_map(|piece| self.partials.get(piece));
        let offers = |p: &&Partial| p.sole == Some(asker.key) && p.offers(asker.key);
        withheld.find(offers).map(|partial| partial.piece)
    }

    /// The piece behind the one that this peer took last, if it is as rare, up to the length of a run.
    fn neighbour(&self, asker: &Asker<'_>) -> Option<PieceIndex> {
        let last = (*asker.working)?;
        let next = PieceIndex(last.0 + 1);
        let run = RUN_BYTES / self.geometry.piece_length();
        let follows = run > 1
            && !next.0.is_multiple_of(run)
            && next.0 < self.geometry.pieces()
            && self.rarity.contains(next)
            && self.rarity.is_most_wanted(next)
            && self.rarity.count(next) == self.rarity.count(last)
            && asker.has(next);
        follows.then_some(next)
    }

    fn begin(&mut self, piece: PieceIndex) {
        self.rarity.remove(piece);
        self.partials.insert(piece, Partial::new(piece, self.geometry.blocks(piece), None));
        self.open += 1;
    }

    fn take_missing(
        &mut self,
        piece: PieceIndex,
        key: PeerKey,
        room: usize,
        picked: &mut Vec<Block>,
    ) {
        let Some(partial) = self.partials.get_mut(&piece) else { return };
        let before = partial.missing();
        while picked.len() < room {
            let Some(n) = partial.ask_missing(key) else { break };
            picked.push(self.geometry.block(piece, n));
        }
        self.open -= u32::from(before > 0 && partial.missing() == 0);
    }

    fn take_overdue(&mut self, asker: &Asker<'_>, room: usize, picked: &mut Vec<Block>) {
        for piece in self.overdue.iter().filter(|piece| asker.has(**piece)) {
            let Some(partial) = self.partials.get_mut(piece) else { continue };
            while picked.len() < room {
                let before = partial.missing();
                let Some(n) = partial.ask_again(asker.key, true) else { break };
                self.open -= u32::from(before > 0 && partial.missing() == 0);
                picked.push(self.geometry.block(partial.piece, n));
            }
        }
    }

    fn take_duplicates(&mut self, asker: &Asker<'_>, room: usize, picked: &mut Vec<Block>) {
        for partial in self.partials.values_mut().rev().filter(|p| asker.has(p.piece)) {
            while picked.len() < room {
                let Some(n) = partial.ask_again(asker.key, false) else { break };
                picked.push(self.geometry.block(partial.piece, n));
            }
        }
    }

    /// `peer` will not send the block, or not in time (`overdue`).
    pub(super) fn give_back(&mut self, peer: PeerKey, block: Block, overdue: bool) {
        let Some(n) = self.geometry.number(block) else { return };
        let Some(partial) = self.partials.get_mut(&block.piece) else { return };
        let before = partial.missing();
        partial.give_back(peer, n, overdue);
        self.version += 2;
        if overdue {
            self.overdue.insert(block.piece);
        }
        if before == 0 && partial.missing() > 0 {
            self.open += 1;
        }
        if partial.is_untouched() && partial.sole.is_none() && !partial.is_asked() {
            self.drop_partial(block.piece);
            self.rarity.insert(block.piece);
        }
    }

    /// A block came and lies with the others of its piece.
    pub(super) fn receive(&mut self, peer: PeerKey, block: Block) -> Option<Receipt> {
        let n = self.geometry.number(block)?;
        if !self.partials.contains_key(&block.piece) {
            // The last request for it was given back, and then it came after all.
            if !self.rarity.contains(block.piece) {
                return None;
            }
            self.begin(block.piece);
        }
        let partial = self.partials.get_mut(&block.piece)?;
        let before = partial.missing();
        let receipt = partial.receive(peer, n)?;
        if before > 0 && partial.missing() == 0 {
            self.open -= 1;
        }
        Some(receipt)
    }

    /// The piece is verified; who sent it.
    pub(super) fn stored(&mut self, piece: PieceIndex) -> Senders {
        self.rarity.remove(piece);
        self.withheld.remove(&piece);
        self.drop_partial(piece).map(|partial| Senders::of(&partial)).unwrap_or_default()
    }

    /// The piece had a wrong hash and starts over; who sent it.
    pub(super) fn failed(&mut self, piece: PieceIndex) -> Senders {
        let Some(partial) = self.drop_partial(piece) else { return Senders::default() };
        self.reopen(piece);
        Senders::of(&partial)
    }

    /// From now on one peer alone is to send the piece: whom it is [entrusted](Self::entrust) to. Nobody is
    /// to send what is not wanted.
    pub(super) fn withhold(&mut self, piece: PieceIndex) {
        if !self.rarity.wants(piece) {
            return;
        }
        self.withheld.insert(piece);
        self.rarity.remove(piece);
    }

    /// Has one peer alone send a withheld piece; false if there is something of it under way.
    pub(super) fn entrust(&mut self, piece: PieceIndex, owner: PeerKey) -> bool {
        let free = self.withheld.contains(&piece) && !self.partials.contains_key(&piece);
        if free {
            let blocks = self.geometry.blocks(piece);
            self.partials.insert(piece, Partial::new(piece, blocks, Some(owner)));
            self.open += 1;
            self.version += 2;
        }
        free
    }

    /// How many pieces this peer alone is to send, and has not.
    pub(super) fn entrusted_to(&self, key: PeerKey) -> usize {
        let withheld = self.withheld.iter().filter_map(|piece| self.partials.get(piece));
        withheld.filter(|partial| partial.sole == Some(key) && !partial.is_complete()).count()
    }

    /// Who alone is to send the piece, if somebody is.
    pub(super) fn owner(&self, piece: PieceIndex) -> Option<PeerKey> {
        self.partials.get(&piece)?.sole
    }

    /// How many blocks of a piece under way are here, and of how many.
    pub(super) fn progress(&self, piece: PieceIndex) -> (u32, u32) {
        self.partials.get(&piece).map_or((0, 0), Partial::progress)
    }

    /// `owner` is no longer to send the piece; its blocks are to be forgotten.
    pub(super) fn take_from(&mut self, owner: PeerKey, piece: PieceIndex) {
        if self.owner(piece) == Some(owner) {
            self.drop_partial(piece);
            self.reopen(piece);
        }
    }

    /// Pieces that `peer` alone was to send and will not: their blocks are to be forgotten.
    pub(super) fn release(&mut self, peer: PeerKey) -> Vec<PieceIndex> {
        self.drop_all(|partial| partial.sole == Some(peer))
    }

    /// Pieces with a block of `peer`: it is not to be trusted, and their blocks are to be forgotten.
    pub(super) fn discard(&mut self, peer: PeerKey) -> Vec<PieceIndex> {
        self.drop_all(|partial| partial.is_from(peer))
    }

    /// Drops the pieces under way that are not whole and for which `goes` holds.
    fn drop_all(&mut self, goes: impl Fn(&Partial) -> bool) -> Vec<PieceIndex> {
        let partials = self.partials.values();
        let gone = partials.filter(|partial| !partial.is_complete() && goes(partial));
        let pieces: Vec<PieceIndex> = gone.map(|partial| partial.piece).collect();
        for piece in &pieces {
            self.drop_partial(*piece);
            self.reopen(*piece);
        }
        pieces
    }

    /// The piece is to be fetched from the beginning.
    fn reopen(&mut self, piece: PieceIndex) {
        self.version += 2;
        if !self.withheld.contains(&piece) {
            self.rarity.insert(piece);
        }
    }

    fn drop_partial(&mut self, piece: PieceIndex) -> Option<Partial> {
        let partial = self.partials.remove(&piece)?;
        self.open -= u32::from(partial.missing() > 0);
        self.overdue.remove(&piece);
        Some(partial)
    }

    /// Whether `peer` has a part in a piece that is under way.
    pub(super) fn involves(&self, peer: PeerKey) -> bool {
        self.partials.values().any(|partial| partial.involves(peer))
    }
}

#[cfg(test)]
mod tests;
