//! What we asked the peer for.

use std::collections::VecDeque;

use ccbt_wire::Block;

/// Void requests that are remembered: a peer may answer them long after they fell away.
const VOID: usize = 4096;

/// Our requests on one connection: the live ones in the order in which they were sent, and those that
/// fell away (choked, cancelled) and may still be answered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    live: VecDeque<Block>,
    #[allow(clippy::box_collection, reason = "most connections never come to it, and room counts")]
    void: Option<Box<VecDeque<Block>>>,
}

/// What a block that arrived, or its refusal, is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// We wait for it.
    Expected,
    /// We asked for it once.
    Late,
    /// We never asked for it.
    Never,
}

impl Requests {
    /// A block that fell away before stays among the void ones: the peer may well send it twice.
    pub(super) fn ask(&mut self, block: Block) {
        self.live.push_back(block);
    }

    pub(super) fn live(&self) -> impl Iterator<Item = Block> + '_ {
        self.live.iter().copied()
    }

    /// True if the request was live.
    pub(super) fn cancel(&mut self, block: Block) -> bool {
        let live = take(&mut self.live, block);
        if live {
            self.remember(block);
        }
        live
    }

    /// Live requests for which `void` holds fall away.
    pub(super) fn void(&mut self, void: impl Fn(&Block) -> bool) {
        // An idle connection keeps no memory for what it once asked.
        let (gone, live): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.live).into_iter().partition(void);
        self.live = live.into();
        gone.into_iter().for_each(|block| self.remember(block));
    }

    pub(super) fn arrived(&mut self, block: Block) -> Arrival {
        if take(&mut self.live, block) {
            Arrival::Expected
        } else if self.take_void(block) {
            Arrival::Late
        } else {
            Arrival::Never
        }
    }

    /// What a refusal is of. Peers answer in order, so it is of the oldest request.
    pub(super) fn rejected(&mut self, block: Block) -> Arrival {
        if self.take_void(block) {
            Arrival::Late
        } else if take(&mut self.live, block) {
            Arrival::Expected
        } else {
            Arrival::Never
        }
    }

    fn remember(&mut self, block: Block) {
        let void = self.void.get_or_insert_default();
        if void.len() == VOID {
            void.pop_front();
        }
        void.push_back(block);
    }

    fn take_void(&mut self, block: Block) -> bool {
        let Some(void) = &mut self.void else { return false };
        let taken = take(void, block);
        if void.is_empty() {
            self.void = None;
        }
        taken
    }
}

/// Peers answer in order, so the search nearly always ends at the front.
fn take(queue: &mut VecDeque<Block>, block: Block) -> bool {
    match queue.iter().position(|queued| *queued == block) {
        Some(0) => queue.pop_front().is_some(),
        Some(at) => queue.remove(at).is_some(),
        None => false,
    }
}
