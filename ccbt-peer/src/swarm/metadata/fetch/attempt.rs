//! A copy of the metadata in the making.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use ccbt_policy::Time;
use ccbt_wire::metadata_blocks;

use super::super::super::PeerKey;
use super::block;

/// A copy, of one peer alone or of all that claim its size.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Bytes of the dictionary.
    pub(super) size: u32,
    /// Whose copy it is; `None` if several peers make it.
    pub(super) of: Option<PeerKey>,
    /// When it got a block last, or was begun.
    pub(super) moved_at: Time,
    blocks: Vec<Option<(PeerKey, Bytes)>>,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    More,
    /// It was the last.
    Complete,
    /// It was here.
    Same,
    /// It was here, with other bytes.
    Differs,
}

impl Attempt {
    pub(super) fn new(now: Time, size: u32, of: Option<PeerKey>) -> Self {
        let blocks = vec![None; metadata_blocks(size) as usize];
        Self { size, of, moved_at: now, blocks }
    }

    pub(super) fn put(&mut self, now: Time, from: PeerKey, piece: u32, data: &Bytes) -> Put {
        let Some(slot) = self.blocks.get_mut(piece as usize) else { return Put::Same };
        if let Some((_, here)) = slot {
            return if here == data { Put::Same } else { Put::Differs };
        }
        // It may be a slice of something larger, which is not to stay for its sake.
        *slot = Some((from, Bytes::copy_from_slice(data)));
        self.moved_at = now;
        if self.blocks.iter().all(Option::is_some) { Put::Complete } else { Put::More }
    }

    /// Bytes that are here.
    pub(super) fn have(&self) -> u32 {
        let bytes: usize = self.here().map(|(_, _, data)| data.len()).sum();
        u32::try_from(bytes).unwrap_or(self.size)
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.blocks).filter(|(_, block)| block.is_none()).map(|(piece, _)| piece)
    }

    pub(super) fn join(&self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.size as usize);
        self.here().for_each(|(_, _, data)| whole.extend_from_slice(data));
        whole.freeze()
    }

    /// Who had a part in it, each once.
    pub(super) fn senders(&self) -> Vec<PeerKey> {
        self.here().map(|(_, from, _)| from).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A copy of `sender` alone, begun with what it gave for this one.
    pub(super) fn part_of(&self, sender: PeerKey) -> Self {
        let its =
            |block: &Option<(PeerKey, Bytes)>| block.clone().filter(|(from, _)| *from == sender);
        let blocks = self.blocks.iter().map(its).collect();
        Self { size: self.size, of: Some(sender), moved_at: self.moved_at, blocks }
    }

    /// Who sent blocks that are not those of the dictionary.
    pub(super) fn differing<'a>(&'a self, whole: &'a Bytes) -> impl Iterator<Item = PeerKey> + 'a {
        self.here()
            .filter(|(piece, _, data)| block(whole, *piece) != **data)
            .map(|(_, from, _)| from)
    }

    fn here(&self) -> impl Iterator<Item = (u32, PeerKey, &Bytes)> {
        let blocks = (0..).zip(&self.blocks);
        blocks.filter_map(|(piece, block)| block.as_ref().map(|(from, data)| (piece, *from, data)))
    }
}
