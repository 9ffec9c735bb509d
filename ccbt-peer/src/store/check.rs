//! Which pieces are in a store already: every piece is read and hashed.

use std::io::{ErrorKind, IoSliceMut};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

use ccbt_wire::{Bitfield, Metainfo, PieceIndex};
use sha1::{Digest, Sha1};

use super::{PieceStore, StoreError};

/// What a thread reads at once: small enough to be hashed while it is in the cache.
const CHUNK: u32 = 256 * 1024;
/// What a thread takes on at once, so that small pieces do not cost a message each.
const BATCH_BYTES: u32 = 4 * 1024 * 1024;

/// Hashes every piece that `store` holds; the result has a bit for each that is right.
///
/// A piece that was never written (the store says `NotFound` or `UnexpectedEof`) is missing, and so
/// is one whose hash is wrong. Blocks until all is read: it uses every core, and 256 KiB of memory
/// for each.
///
/// # Errors
/// The first other error of the store.
pub fn check(store: &dyn PieceStore, metainfo: &Metainfo) -> Result<Bitfield, StoreError> {
    check_with(store, metainfo, &mut |_, _| ())
}

/// Does what [`check`] does, and tells how far it is: `progress(checked, pieces)`, in pieces, some
/// megabytes apart.
///
/// # Errors
/// As [`check`].
pub fn check_with(
    store: &dyn PieceStore,
    metainfo: &Metainfo,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<Bitfield, StoreError> {
    let pieces = metainfo.piece_count();
    check_these(store, metainfo, &Bitfield::full(pieces), Bitfield::new(pieces), progress)
}

/// Does what [`check_with`] does for the pieces in `unsure` alone, and adds those that are right to `have`:
/// what is known already, such as from [`Recall`](super::Recall).
///
/// # Errors
/// As [`check`].
pub fn check_these(
    store: &dyn PieceStore,
    metainfo: &Metainfo,
    unsure: &Bitfield,
    mut have: Bitfield,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<Bitfield, StoreError> {
    let pieces = metainfo.piece_count();
    let work = Work {
        store,
        metainfo,
        unsure,
        batch: (BATCH_BYTES / metainfo.piece_length().max(1)).clamp(1, u64::BITS),
        next: AtomicU32::new(0),
        failed: AtomicBool::new(false),
    };
    let mut outcome = Ok(());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let batches = pieces.div_ceil(work.batch) as usize;
        let mut running = 0;
        for _ in 0..cores.min(batches) {
            let sender = sender.clone();
            let worker = || work.run(sender);
            running += usize::from(thread::Builder::new().spawn_scoped(scope, worker).is_ok());
        }
        if running == 0 {
            work.run(sender);
        } else {
            drop(sender);
        }
        let mut checked = 0;
        for batch in receiver {
            match batch {
                Ok(Batch { first, length, right }) => {
                    for i in (0..length).filter(|i| right >> i & 1 == 1) {
                        have.set(PieceIndex(first + i), true);
                    }
                    checked += length;
                    progress(checked, pieces);
                }
                Err(error) => outcome = Err(error),
            }
        }
    });
    outcome.map(|()| have)
}

/// What the threads share.
struct Work<'a> {
    store: &'a dyn PieceStore,
    metainfo: &'a Metainfo,
    unsure: &'a Bitfield,
    batch: u32,
    next: AtomicU32,
    failed: AtomicBool,
}

/// Up to 64 pieces in a row, a bit for each.
struct Batch {
    first: u32,
    length: u32,
    right: u64,
}

impl Work<'_> {
    fn run(&self, sender: mpsc::Sender<Result<Batch, StoreError>>) {
        let pieces = self.metainfo.piece_count();
        let mut buffer = vec![0; self.metainfo.piece_length().min(CHUNK) as usize];
        while !self.failed.load(Ordering::Relaxed) {
            let Ok(first) = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                (next < pieces).then(|| next.saturating_add(self.batch).min(pieces))
            }) else {
                return;
            };
            let length = self.batch.min(pieces - first);
            let right = (0..length).try_fold(0, |right, i| {
                let piece = PieceIndex(first + i);
                let is_right = self.unsure.get(piece)
                    && is_right(self.store, self.metainfo, piece, &mut buffer)?;
                Ok(right | u64::from(is_right) << i)
            });
            self.failed.fetch_or(right.is_err(), Ordering::Relaxed);
            // The receiver lives as long as there are senders.
            let _ = sender.send(right.map(|right| Batch { first, length, right }));
        }
    }
}

/// Whether a piece is there and right. `buffer` has room for the piece, or for [`CHUNK`].
fn is_right(
    store: &dyn PieceStore,
    metainfo: &Metainfo,
    piece: PieceIndex,
    buffer: &mut [u8],
) -> Result<bool, StoreError> {
    let length = metainfo.piece_len(piece);
    let mut hash = Sha1::new();
    let mut begin = 0;
    while begin < length {
        let chunk = (length - begin).min(CHUNK);
        let Some(target) = buffer.get_mut(..chunk as usize) else {
            return Ok(false);
        };
        match store.read_run(piece, begin, &mut [IoSliceMut::new(target)]) {
            Ok(()) => hash.update(target),
            Err(error) if is_absence(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        begin += chunk;
    }
    Ok(metainfo.piece_hash(piece).is_some_and(|expected| hash.finalize()[..] == expected[..]))
}

/// Hashes some pieces again and notes in `have` those that are right.
pub(super) fn check_again(
    store: &dyn PieceStore,
    metainfo: &Metainfo,
    pieces: impl IntoIterator<Item = PieceIndex>,
    have: &mut Bitfield,
) -> Result<(), StoreError> {
    let mut buffer = vec![0; metainfo.piece_length().min(CHUNK) as usize];
    for piece in pieces {
        if is_right(store, metainfo, piece, &mut buffer)? {
            have.set(piece, true);
        }
    }
    Ok(())
}

fn is_absence(error: &StoreError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::io::{self, IoSlice};

    use super::*;
    use crate::store::{MemoryStore, fixtures};

    /// Fails at one piece, in one way.
    #[derive(Debug)]
    struct Failing(MemoryStore, u32, ErrorKind);

    impl PieceStore for Failing {
        fn write_run(
            &self,
            piece: PieceIndex,
            begin: u32,
            data: &[IoSlice<'_>],
        ) -> Result<(), StoreError> {
            self.0.write_run(piece, begin, data)
        }

        fn read_run(
            &self,
            piece: PieceIndex,
            begin: u32,
            into: &mut [IoSliceMut<'_>],
        ) -> Result<(), StoreError> {
            if piece.0 == self.1 {
                let source = io::Error::from(self.2);
                return Err(StoreError::Io { path: "x".into(), action: "read", source });
            }
            self.0.read_run(piece, begin, into)
        }
    }

    #[test]
    fn right_pieces_are_found_and_wrong_ones_are_not() {
        let torrent = fixtures::single("a", 1_000_000, 16_384);
        let mut payload = torrent.payload.clone();
        payload[3 * 16_384] ^= 1;
        *payload.last_mut().unwrap() ^= 1;
        let store = MemoryStore::with(&torrent.metainfo, payload);
        let have = check(&store, &torrent.metainfo).unwrap();
        let missing: Vec<u32> = have.iter_zeros().map(|piece| piece.0).collect();
        assert_eq!(missing, [3, torrent.metainfo.piece_count() - 1]);
    }

    #[test]
    fn pieces_larger_than_a_chunk_are_hashed_as_one() {
        let torrent = fixtures::single("a", 1_500_000, 1 << 20);
        let store = MemoryStore::with(&torrent.metainfo, torrent.payload.clone());
        assert!(check(&store, &torrent.metainfo).unwrap().all());
    }

    #[test]
    fn progress_grows_and_ends_at_the_number_of_pieces() {
        let torrent = fixtures::single("a", 3_000_000, 1024);
        let store = MemoryStore::new(&torrent.metainfo);
        let mut told = vec![0];
        check_with(&store, &torrent.metainfo, &mut |checked, pieces| {
            assert_eq!(pieces, torrent.metainfo.piece_count());
            told.push(checked);
        })
        .unwrap();
        assert!(told.is_sorted());
        assert_eq!(told.last(), Some(&torrent.metainfo.piece_count()));
    }

    #[test]
    fn an_absent_piece_is_missing_and_any_other_error_is_one() {
        let torrent = fixtures::single("a", 100_000, 16_384);
        for kind in [ErrorKind::NotFound, ErrorKind::UnexpectedEof] {
            let store =
                Failing(MemoryStore::with(&torrent.metainfo, torrent.payload.clone()), 2, kind);
            let have = check(&store, &torrent.metainfo).unwrap();
            assert_eq!(have.iter_zeros().map(|piece| piece.0).collect::<Vec<_>>(), [2]);
        }
        let store = Failing(MemoryStore::new(&torrent.metainfo), 2, ErrorKind::PermissionDenied);
        assert_eq!(
            check(&store, &torrent.metainfo).unwrap_err().kind(),
            ErrorKind::PermissionDenied
        );
    }
}
