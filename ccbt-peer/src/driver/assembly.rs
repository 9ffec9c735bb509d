//! Where blocks come together to pieces: buffers, claims, and the hash on arrival.
//!
//! A block is written by one connection alone, which *claims* it first; whoever else receives the same
//! block brings it in a buffer of its own and puts it there whole. So no connection ever sees half of
//! another's bytes, and bytes that were hashed are never written again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccbt_wire::{BLOCK_LEN, Bitfield, Block, Metainfo, PieceIndex};
use sha1::{Digest, Sha1};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Geometry;
use crate::swarm::{PeerKey, Print};

/// Piece buffers take no more than this together. A piece for which there is none is written block by
/// block.
const BUDGET: u64 = 8 << 20;
/// Of small pieces less is enough: with six buffers of [`SMALL`] nobody waits for the writer.
const BUDGET_OF_SMALL: u64 = 6 << 20;
const SMALL: u32 = 1 << 20;

/// The pieces of a torrent that are coming in.
#[derive(Debug)]
pub(crate) struct Assemblies {
    metainfo: Arc<Metainfo>,
    geometry: Geometry,
    inner: Mutex<Inner>,
    buffers: Arc<Semaphore>,
}

#[derive(Debug)]
struct Inner {
    open: HashMap<PieceIndex, Shared>,
    /// Complete pieces, verified or on their way to it.
    sealed: Bitfield,
    attempts: HashMap<PieceIndex, u32>,
    spare: Vec<Vec<u8>>,
}

/// An assembly that several connections may hold.
pub(crate) type Shared = Arc<Mutex<Assembly>>;

/// One piece that is coming in.
#[derive(Debug)]
pub(crate) struct Assembly {
    length: u32,
    attempt: u32,
    place: Place,
    blocks: Vec<Slot>,
    done: usize,
    hasher: Sha1,
    /// Bytes from the front that are hashed.
    hashed: u32,
}

/// Where the blocks of a piece lie.
#[derive(Debug)]
enum Place {
    Buffer(PieceBuffer),
    /// Each is written when it comes.
    Store,
    /// The piece is complete or starts over: nothing goes in any more.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Missing,
    Claimed(PeerKey),
    /// Here, and on its way to the store.
    Writing,
    /// Here, from this peer.
    Done(PeerKey),
}

/// A whole piece in memory, and its share of the budget.
#[derive(Debug)]
pub(crate) struct PieceBuffer {
    pub(crate) bytes: Vec<u8>,
    permit: OwnedSemaphorePermit,
}

/// What became of a block that came whole.
#[derive(Debug)]
pub(crate) enum Added {
    /// It was here already, or its piece is over.
    Waste,
    /// It lies with the others.
    Fresh,
    /// It was the last one.
    Complete(Complete),
}

/// A piece of which every block is here.
#[derive(Debug)]
pub(crate) enum Complete {
    /// In memory, with its hash.
    Buffer(PieceBuffer, [u8; 20]),
    /// In the store. So many bytes from the front are in the hash already.
    Store(Box<Sha1>, u32),
}

/// Where a block that begins to arrive is to go.
#[derive(Debug)]
pub(crate) enum Landing {
    /// Straight into the piece's buffer, which is claimed for it.
    Buffer(Shared),
    /// Into a buffer of the connection's own, and from there to its piece.
    Aside(Shared),
    /// Nowhere.
    Waste,
    /// There is no buffer for its piece at the moment.
    NoBuffer,
}

impl Assemblies {
    pub(crate) fn new(metainfo: Arc<Metainfo>, have: &Bitfield) -> Self {
        let geometry = Geometry::of(&metainfo);
        let budget = if geometry.piece_length() > SMALL { BUDGET } else { BUDGET_OF_SMALL };
        let fits = budget / u64::from(geometry.piece_length());
        let permits = usize::try_from(fits).unwrap_or(0).min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            open: HashMap::new(),
            sealed: have.clone(),
            attempts: HashMap::new(),
            spare: Vec::new(),
        };
        let buffers = Arc::new(Semaphore::new(permits));
        Self { metainfo, geometry, inner: Mutex::new(inner), buffers }
    }

    /// Where `block`, which comes from `peer`, is to go. `spill`: if there is no buffer for its piece,
    /// the piece goes to the store block by block.
    pub(crate) fn land(&self, peer: PeerKey, block: Block, spill: bool) -> Landing {
        let Some(n) = self.geometry.number(block) else { return Landing::Waste };
        let mut inner = self.lock();
        if inner.sealed.get(block.piece) {
            return Landing::Waste;
        }
        let shared = if let Some(open) = inner.open.get(&block.piece) {
            open.clone()
        } else {
            let Some(place) = self.place(&mut inner, spill) else { return Landing::NoBuffer };
            let attempt = inner.attempts.get(&block.piece).copied().unwrap_or(0);
            let assembly = Assembly::new(self.geometry, block.piece, attempt, place);
            let shared = Arc::new(Mutex::new(assembly));
            inner.open.insert(block.piece, shared.clone());
            shared
        };
        drop(inner);
        let claimed = lock(&shared).claim(peer, n);
        match claimed {
            Claim::Yours => Landing::Buffer(shared),
            Claim::Elsewhere => Landing::Aside(shared),
            Claim::Done => Landing::Waste,
        }
    }

    /// Resolves when there may be a buffer again.
    pub(crate) async fn buffer_freed(&self) {
        // The permit is given back at once: whoever lands next takes it.
        drop(self.buffers.acquire().await);
    }

    fn place(&self, inner: &mut Inner, spill: bool) -> Option<Place> {
        let large = u64::from(self.geometry.piece_length()) > BUDGET;
        match self.buffers.clone().try_acquire_owned() {
            Ok(permit) => {
                let bytes = inner.spare.pop().unwrap_or_default();
                Some(Place::Buffer(PieceBuffer { bytes, permit }))
            }
            Err(_) => (large || spill).then_some(Place::Store),
        }
    }

    /// Whether the piece had to start over: what its blocks are, and whose, matters then.
    pub(crate) fn is_suspect(&self, piece: PieceIndex) -> bool {
        self.lock().attempts.contains_key(&piece)
    }

    /// All blocks of the piece are here; nothing more goes in.
    pub(crate) fn seal(&self, piece: PieceIndex) {
        let mut inner = self.lock();
        inner.sealed.set(piece, true);
        let shared = inner.open.remove(&piece);
        drop(inner);
        self.abandon(shared);
    }

    /// The piece starts over.
    pub(crate) fn start_over(&self, piece: PieceIndex) {
        let mut inner = self.lock();
        *inner.attempts.entry(piece).or_default() += 1;
        inner.sealed.set(piece, false);
        let shared = inner.open.remove(&piece);
        drop(inner);
        self.abandon(shared);
    }

    /// Whoever still holds the assembly puts nothing in.
    fn abandon(&self, shared: Option<Shared>) {
        if let Some(shared) = shared
            && let Place::Buffer(buffer) = std::mem::replace(&mut lock(&shared).place, Place::Over)
        {
            self.reuse(buffer);
        }
    }

    /// Takes back a buffer for the next piece.
    pub(crate) fn reuse(&self, buffer: PieceBuffer) {
        let PieceBuffer { bytes, permit } = buffer;
        // First the buffer, then the permit: whoever gets the permit finds the buffer.
        self.lock().spare.push(bytes);
        drop(permit);
    }

    /// Whether `hash` is the one that the torrent names for `piece`.
    pub(crate) fn is_right(&self, piece: PieceIndex, hash: [u8; 20]) -> bool {
        self.metainfo.piece_hash(piece).is_some_and(|right| right == hash)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Claim {
    Yours,
    Elsewhere,
    Done,
}

impl Assembly {
    fn new(geometry: Geometry, piece: PieceIndex, attempt: u32, mut place: Place) -> Self {
        let length = geometry.piece_len(piece);
        if let Place::Buffer(buffer) = &mut place {
            // Its old content is overwritten block by block; only a first use or a longer piece grows it.
            buffer.bytes.resize(length as usize, 0);
        }
        let blocks = vec![Slot::Missing; geometry.blocks(piece) as usize];
        Self { length, attempt, place, blocks, done: 0, hasher: Sha1::new(), hashed: 0 }
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(crate) fn is_in_store(&self) -> bool {
        matches!(self.place, Place::Store)
    }

    fn claim(&mut self, peer: PeerKey, n: u32) -> Claim {
        let slot = &mut self.blocks[n as usize];
        match (*slot, &self.place) {
            (Slot::Done(_) | Slot::Writing, _) | (_, Place::Over) => Claim::Done,
            (_, Place::Store) => Claim::Elsewhere,
            (Slot::Claimed(owner), _) if owner != peer => Claim::Elsewhere,
            _ => {
                *slot = Slot::Claimed(peer);
                Claim::Yours
            }
        }
    }

    /// Claims a block that is expected but has not begun to arrive; false if it is not to be written
    /// straight.
    pub(crate) fn claim_ahead(&mut self, peer: PeerKey, block: Block) -> bool {
        matches!(self.claim(peer, block.begin / BLOCK_LEN), Claim::Yours)
    }

    /// `peer` is gone; what it claimed is free.
    pub(crate) fn release(&mut self, peer: PeerKey) {
        for slot in &mut self.blocks {
            if *slot == Slot::Claimed(peer) {
                *slot = Slot::Missing;
            }
        }
    }

    /// The piece's buffer, if `peer` still holds the claim on `block`.
    pub(crate) fn buffer_for(&mut self, peer: PeerKey, block: Block) -> Option<&mut [u8]> {
        let held = self.blocks[(block.begin / BLOCK_LEN) as usize] == Slot::Claimed(peer);
        match &mut self.place {
            Place::Buffer(buffer) if held => Some(&mut buffer.bytes),
            _ => None,
        }
    }

    /// A claimed block is there whole.
    pub(crate) fn landed(&mut self, peer: PeerKey, block: Block) -> Added {
        if self.buffer_for(peer, block).is_none() {
            return Added::Waste;
        }
        self.add(peer, block)
    }

    /// A block that was received aside, of a piece in memory.
    pub(crate) fn put(&mut self, peer: PeerKey, block: Block, bytes: &[u8]) -> Added {
        let Place::Buffer(buffer) = &mut self.place else { return Added::Waste };
        if matches!(self.blocks[(block.begin / BLOCK_LEN) as usize], Slot::Done(_)) {
            return Added::Waste;
        }
        let begin = block.begin as usize;
        buffer.bytes[begin..begin + bytes.len()].copy_from_slice(bytes);
        self.add(peer, block)
    }

    /// A block of a piece that is not kept in memory is here: true if it is to be written, which nobody
    /// else does from now on. [`Assembly::written`] follows when it is on its way to the store.
    pub(crate) fn reserve(&mut self, block: Block) -> bool {
        let slot = &mut self.blocks[(block.begin / BLOCK_LEN) as usize];
        if !matches!(self.place, Place::Store) || matches!(slot, Slot::Done(_) | Slot::Writing) {
            return false;
        }
        *slot = Slot::Writing;
        true
    }

    /// A reserved block stands in the writer's queue.
    pub(crate) fn written(&mut self, peer: PeerKey, block: Block, bytes: &[u8]) -> Added {
        if !self.is_in_store() {
            return Added::Waste;
        }
        if block.begin == self.hashed {
            self.hasher.update(bytes);
            self.hashed += block.length;
        }
        self.add(peer, block)
    }

    /// Who sent each block; of those that are here.
    pub(crate) fn senders(&self) -> Vec<PeerKey> {
        let sender = |slot: &Slot| match slot {
            Slot::Done(peer) => Some(*peer),
            _ => None,
        };
        self.blocks.iter().filter_map(sender).collect()
    }

    fn add(&mut self, peer: PeerKey, block: Block) -> Added {
        self.blocks[(block.begin / BLOCK_LEN) as usize] = Slot::Done(peer);
        self.done += 1;
        if let Place::Buffer(buffer) = &self.place {
            // In order, the bytes are hashed while they are in the cache.
            while let Some(Slot::Done(_)) = self.blocks.get((self.hashed / BLOCK_LEN) as usize)
                && self.hashed < self.length
            {
                let end = (self.hashed + BLOCK_LEN).min(self.length);
                self.hasher.update(&buffer.bytes[self.hashed as usize..end as usize]);
                self.hashed = end;
            }
        }
        if self.done < self.blocks.len() {
            return Added::Fresh;
        }
        let hasher = std::mem::take(&mut self.hasher);
        Added::Complete(match std::mem::replace(&mut self.place, Place::Over) {
            Place::Buffer(buffer) => Complete::Buffer(buffer, hasher.finalize().into()),
            _ => Complete::Store(Box::new(hasher), self.hashed),
        })
    }
}

/// What blocks look like that lie one behind the other: enough to tell later which of two copies of a block
/// is the wrong one.
pub(crate) fn prints(senders: &[PeerKey], bytes: &[u8]) -> Vec<Print> {
    let blocks = bytes.chunks(BLOCK_LEN as usize);
    let print = |(from, block): (&PeerKey, &[u8])| {
        let hash: [u8; 20] = Sha1::digest(block).into();
        let digest = hash.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte));
        Print { from: *from, digest }
    };
    senders.iter().zip(blocks).map(print).collect()
}

/// The lock of an assembly. A connection that panicked left no half-written block that counts as done.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Assembly> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
