//! What the peer asked us for.

use std::collections::VecDeque;

use ccbt_wire::{Block, PieceIndex};

use super::UPLOAD_QUEUE;

/// The peer's requests in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    queue: VecDeque<Block>,
}

/// Blocks that lie one behind the other in a piece: read in one go, sent in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The piece of all of them.
    pub piece: PieceIndex,
    /// First byte of the first, counted from the piece's start.
    pub begin: u32,
    /// The blocks.
    pub blocks: Vec<Block>,
}

impl Run {
    /// Bytes of payload.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.blocks.iter().map(|block| block.length).sum()
    }

    /// Whether there is nothing in it; never true for a run of a session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

impl Uploads {
    /// How many more requests are kept.
    pub(super) fn room(&self) -> usize {
        UPLOAD_QUEUE.saturating_sub(self.queue.len())
    }

    pub(super) fn push(&mut self, block: Block) {
        self.queue.push_back(block);
    }

    /// True if the block was still waiting.
    pub(super) fn cancel(&mut self, block: Block) -> bool {
        let at = self.queue.iter().position(|queued| *queued == block);
        at.is_some_and(|at| self.queue.remove(at).is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes out the requests for which `goes` holds.
    pub(super) fn remove(&mut self, goes: impl Fn(&Block) -> bool) -> Vec<Block> {
        let queue = std::mem::take(&mut self.queue).into_iter();
        let (gone, left): (Vec<_>, Vec<_>) = queue.partition(goes);
        self.queue = left.into();
        gone
    }

    pub(super) fn next_run(&mut self, limit: u32) -> Option<Run> {
        let first = self.queue.pop_front()?;
        let mut run = Run { piece: first.piece, begin: first.begin, blocks: vec![first] };
        let mut end = first.begin + first.length;
        while let Some(next) = self.queue.front() {
            let follows = next.piece == first.piece && next.begin == end;
            if !follows || end - first.begin + next.length > limit {
                break;
            }
            end += next.length;
            run.blocks.push(*next);
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some(run)
    }
}
