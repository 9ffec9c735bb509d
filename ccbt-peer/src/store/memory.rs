//! Pieces in memory: for tests, for demonstrations, for small torrents that need no disk.

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::sync::{PoisonError, RwLock};

use ccbt_wire::{Metainfo, PieceIndex};

use super::extent::{Extent, length_of};
use super::{PieceStore, StoreError};

/// The whole payload of a torrent in memory.
///
/// Bytes that were never written read as zeros, so [`check`](super::check) tells by their hash that
/// they are missing. Pad files take room like any other.
pub struct MemoryStore {
    extent: Extent,
    payload: RwLock<Vec<u8>>,
}

impl MemoryStore {
    /// An empty store: `metainfo.total_len()` zeros.
    ///
    /// # Panics
    /// If the memory for the payload cannot be had.
    #[must_use]
    pub fn new(metainfo: &Metainfo) -> Self {
        Self::with(metainfo, Vec::new())
    }

    /// A store that holds `payload`, cut or filled up with zeros to `metainfo.total_len()` bytes.
    ///
    /// # Panics
    /// If the memory for the payload cannot be had.
    #[must_use]
    pub fn with(metainfo: &Metainfo, payload: Vec<u8>) -> Self {
        let extent = Extent::of(metainfo);
        let total = usize::try_from(extent.total()).unwrap_or(usize::MAX);
        let payload = if payload.is_empty() {
            // Zeros from the allocator are not touched: pages that are never written cost nothing.
            vec![0; total]
        } else {
            let mut payload = payload;
            payload.resize(total, 0);
            payload
        };
        Self { extent, payload: RwLock::new(payload) }
    }

    /// A copy of the payload as it is now.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.payload.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("bytes", &self.extent.total()).finish_non_exhaustive()
    }
}

impl PieceStore for MemoryStore {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        let length = length_of(data);
        let position = self.extent.place(piece, begin, length)?;
        let mut payload = self.payload.write().unwrap_or_else(PoisonError::into_inner);
        let mut rest = payload.get_mut(as_index(position)..).unwrap_or_default();
        for buffer in data {
            let (target, behind) = rest.split_at_mut(buffer.len());
            target.copy_from_slice(buffer);
            rest = behind;
        }
        Ok(())
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        let length = length_of(buffers);
        let position = self.extent.place(piece, begin, length)?;
        let payload = self.payload.read().unwrap_or_else(PoisonError::into_inner);
        let mut rest = payload.get(as_index(position)..).unwrap_or_default();
        for buffer in buffers {
            let (source, behind) = rest.split_at(buffer.len());
            buffer.copy_from_slice(source);
            rest = behind;
        }
        Ok(())
    }

    fn read_at_hand(&self, piece: PieceIndex, begin: u32, buffers: &mut [IoSliceMut<'_>]) -> bool {
        self.read_run(piece, begin, buffers).is_ok()
    }
}

/// A position within the payload, which is in memory as a whole.
fn as_index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures;

    #[test]
    fn what_was_written_over_a_piece_border_is_read_back() {
        let torrent = fixtures::single("a", 100_000, 16_384);
        let store = MemoryStore::new(&torrent.metainfo);
        let payload = &torrent.payload;
        let run = [IoSlice::new(&payload[10_000..20_000]), IoSlice::new(&payload[20_000..40_000])];
        store.write_run(PieceIndex(0), 10_000, &run).unwrap();
        let mut read = vec![0; 20_000];
        store
            .read_run(PieceIndex(1), 16_384 - 6_384, &mut [IoSliceMut::new(&mut read[..10_000])])
            .unwrap();
        assert_eq!(read[..10_000], payload[26_384..36_384]);
        assert_eq!(store.to_vec()[..10_000], [0; 10_000]);
    }

    #[test]
    fn a_payload_is_cut_or_filled_to_the_length_of_the_torrent() {
        let torrent = fixtures::single("a", 1_000, 16_384);
        assert_eq!(MemoryStore::with(&torrent.metainfo, vec![1; 2_000]).to_vec(), vec![1; 1_000]);
        let filled = MemoryStore::with(&torrent.metainfo, vec![1; 10]).to_vec();
        assert_eq!((filled.len(), filled[9], filled[10]), (1_000, 1, 0));
    }

    #[test]
    fn a_run_behind_the_end_is_refused_with_its_numbers() {
        let torrent = fixtures::single("a", 1_000, 16_384);
        let store = MemoryStore::new(&torrent.metainfo);
        let error = store.write_run(PieceIndex(0), 900, &[IoSlice::new(&[0; 101])]).unwrap_err();
        assert_eq!(error.to_string(), "101 bytes at 900 of piece 0 are outside the torrent");
        assert!(store.write_run(PieceIndex(1), 0, &[]).is_err());
        assert!(store.read_run(PieceIndex(u32::MAX), u32::MAX, &mut []).is_err());
    }
}
