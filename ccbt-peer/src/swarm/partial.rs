//! One piece under way: which block was asked from whom, and who sent it.

use ccbt_wire::PieceIndex;

use super::PeerKey;

/// More peers than these are not asked for one block at the same time.
const ASKERS: usize = 2;

/// A piece of which at least one block was asked for.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) piece: PieceIndex,
    blocks: Vec<Slot>,
    /// Blocks that did not come in time, and who still owes them: others are asked too, the debtor is
    /// not asked again.
    late: Vec<(u32, PeerKey)>,
    /// Blocks that nobody is asked for.
    missing: u32,
    received: u32,
    /// After a wrong hash with several senders: this peer alone sends it, so that a second wrong hash
    /// has a culprit.
    pub(super) sole: Option<PeerKey>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    askers: [Option<PeerKey>; ASKERS],
    from: Option<PeerKey>,
}

/// What a block that came means to its piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    /// Others who were asked for it and can be told not to send it.
    pub(super) others: Vec<PeerKey>,
}

impl Partial {
    pub(super) fn new(piece: PieceIndex, blocks: u32, sole: Option<PeerKey>) -> Self {
        let slots = vec![Slot::default(); blocks as usize];
        Self { piece, blocks: slots, late: Vec::new(), missing: blocks, received: 0, sole }
    }

    pub(super) fn missing(&self) -> u32 {
        self.missing
    }

    /// No block of it is here, asked for or owed.
    pub(super) fn is_untouched(&self) -> bool {
        self.received == 0 && self.missing as usize == self.blocks.len() && self.late.is_empty()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.received as usize == self.blocks.len()
    }

    /// Blocks that are here, and all.
    pub(super) fn progress(&self) -> (u32, u32) {
        (self.received, u32::try_from(self.blocks.len()).unwrap_or(u32::MAX))
    }

    /// Whether a block of it came from `peer`.
    pub(super) fn is_from(&self, peer: PeerKey) -> bool {
        self.blocks.iter().any(|slot| slot.from == Some(peer))
    }

    /// Whether `peer` may send blocks of this piece.
    pub(super) fn is_open_to(&self, peer: PeerKey) -> bool {
        self.sole.is_none_or(|owner| owner == peer)
    }

    /// Whether there is a block that `peer` can be asked for and nobody is.
    pub(super) fn offers(&self, peer: PeerKey) -> bool {
        self.next_missing(peer).is_some()
    }

    fn next_missing(&self, peer: PeerKey) -> Option<u32> {
        if self.missing == 0 || !self.is_open_to(peer) {
            return None;
        }
        let mut numbered = (0..).zip(&self.blocks);
        numbered.find(|(n, slot)| slot.is_missing() && !self.owes(peer, *n)).map(|(n, _)| n)
    }

    fn owes(&self, peer: PeerKey, n: u32) -> bool {
        self.late.contains(&(n, peer))
    }

    /// Asks `peer` for the next block that nobody is asked for.
    pub(super) fn ask_missing(&mut self, peer: PeerKey) -> Option<u32> {
        let n = self.next_missing(peer)?;
        self.blocks[n as usize].askers[0] = Some(peer);
        self.missing -= 1;
        Some(n)
    }

    /// Asks `peer` for a block that others are asked for already; the last ones first, since others
    /// are asked from the front. With `overdue_only`, only for what somebody failed to deliver.
    pub(super) fn ask_again(&mut self, peer: PeerKey, overdue_only: bool) -> Option<u32> {
        if self.sole.is_some() {
            return None;
        }
        let late = |n| self.late.iter().any(|(late, _)| *late == n);
        let numbered = (0..).zip(&self.blocks).filter(|(n, slot)| {
            slot.from.is_none()
                && (!overdue_only || late(*n))
                && slot.askers.contains(&None)
                && !slot.askers.contains(&Some(peer))
                && !self.owes(peer, *n)
        });
        let n = numbered.last()?.0;
        let slot = &mut self.blocks[n as usize];
        if slot.is_missing() {
            self.missing -= 1;
        }
        let free = slot.askers.iter().position(Option::is_none)?;
        slot.askers[free] = Some(peer);
        Some(n)
    }

    /// `peer` will not send the block: choked, gone, rejected. With `overdue` it may yet, but others
    /// are asked too.
    pub(super) fn give_back(&mut self, peer: PeerKey, n: u32, overdue: bool) {
        let Some(slot) = self.blocks.get_mut(n as usize) else { return };
        if !overdue {
            self.late.retain(|late| *late != (n, peer));
        }
        let Some(asked) = slot.askers.iter().position(|asker| *asker == Some(peer)) else { return };
        slot.askers[asked] = None;
        if overdue {
            self.late.push((n, peer));
        }
        if slot.is_missing() {
            self.missing += 1;
        }
    }

    /// Block `n` came from `peer`.
    pub(super) fn receive(&mut self, peer: PeerKey, n: u32) -> Option<Receipt> {
        let slot = self.blocks.get_mut(n as usize)?;
        if slot.from.is_some() {
            return None;
        }
        if slot.is_missing() {
            self.missing -= 1;
        }
        let askers = std::mem::take(&mut slot.askers);
        slot.from = Some(peer);
        self.received += 1;
        let debtors = self.late.extract_if(.., |(late, _)| *late == n).map(|(_, debtor)| debtor);
        let others = askers.into_iter().flatten().chain(debtors);
        Some(Receipt { others: others.filter(|asker| *asker != peer).collect() })
    }

    /// Everybody who sent a block of it, each once.
    pub(super) fn senders(&self) -> Vec<PeerKey> {
        let mut senders: Vec<PeerKey> = self.blocks.iter().filter_map(|slot| slot.from).collect();
        senders.sort_unstable();
        senders.dedup();
        senders
    }

    /// Whether `peer` sent a block of it or is asked for one.
    pub(super) fn involves(&self, peer: PeerKey) -> bool {
        self.blocks.iter().any(|slot| slot.from == Some(peer) || slot.askers.contains(&Some(peer)))
    }

    /// Whether anybody is asked for a block of it.
    pub(super) fn is_asked(&self) -> bool {
        self.blocks.iter().any(|slot| slot.askers != [None; ASKERS])
    }
}

impl Slot {
    fn is_missing(&self) -> bool {
        self.from.is_none() && self.askers == [None; ASKERS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerKey = PeerKey(1);
    const B: PeerKey = PeerKey(2);
    const C: PeerKey = PeerKey(3);

    #[test]
    fn a_block_given_back_is_asked_again() {
        let mut partial = Partial::new(PieceIndex(0), 2, None);
        assert_eq!(partial.ask_missing(A), Some(0));
        assert_eq!(partial.ask_missing(B), Some(1));
        assert_eq!(partial.ask_missing(C), None);
        partial.give_back(A, 0, false);
        assert_eq!(partial.missing(), 1);
        assert_eq!(partial.ask_missing(C), Some(0));
    }

    #[test]
    fn in_the_endgame_the_slower_one_is_named_for_a_cancel() {
        let mut partial = Partial::new(PieceIndex(0), 1, None);
        partial.ask_missing(A);
        assert_eq!(partial.ask_again(A, false), None, "nobody is asked twice");
        assert_eq!(partial.ask_again(B, true), None, "nothing is overdue");
        assert_eq!(partial.ask_again(B, false), Some(0));
        assert_eq!(partial.ask_again(C, false), None, "two are enough");
        let receipt = partial.receive(B, 0).unwrap();
        assert_eq!(receipt, Receipt { others: vec![A] });
        assert_eq!(partial.receive(A, 0), None);
        assert_eq!(partial.senders(), [B]);
    }

    #[test]
    fn a_block_that_nobody_was_asked_for_any_more_still_counts() {
        let mut partial = Partial::new(PieceIndex(0), 2, None);
        partial.ask_missing(A);
        partial.give_back(A, 0, false);
        assert_eq!(partial.missing(), 2);
        assert_eq!(partial.receive(A, 0), Some(Receipt { others: vec![] }));
        assert_eq!(partial.missing(), 1);
    }

    #[test]
    fn a_late_block_is_asked_from_others_and_cancelled_at_all_who_owe_it() {
        let mut partial = Partial::new(PieceIndex(0), 1, None);
        partial.ask_missing(A);
        partial.give_back(A, 0, true);
        assert!(!partial.offers(A) && partial.offers(B), "the debtor is not asked again");
        assert_eq!(partial.ask_again(A, true), None);
        assert!(!partial.is_untouched());
        assert_eq!(partial.ask_missing(B), Some(0));
        partial.give_back(B, 0, true);
        assert_eq!(partial.ask_again(C, true), Some(0));
        assert_eq!(partial.receive(C, 0).unwrap().others, [A, B]);
    }

    #[test]
    fn a_debtor_that_is_relieved_may_be_asked_again() {
        let mut partial = Partial::new(PieceIndex(0), 1, None);
        partial.ask_missing(A);
        partial.give_back(A, 0, true);
        partial.give_back(A, 0, false);
        assert!(partial.is_untouched());
        assert_eq!(partial.ask_missing(A), Some(0));
    }

    #[test]
    fn a_suspect_piece_is_sent_by_one_peer_alone() {
        let mut partial = Partial::new(PieceIndex(0), 3, Some(A));
        assert_eq!(partial.ask_missing(A), Some(0));
        assert_eq!(partial.ask_missing(B), None);
        assert_eq!(partial.ask_again(B, false), None);
        assert_eq!(partial.ask_missing(A), Some(1));
    }
}
