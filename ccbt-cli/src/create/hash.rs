//! The hashes of all pieces, on all cores.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use ccbt_peer::wire::metainfo::build::PieceHasher;

use crate::content::{Content, ReadError};
use crate::hashing::Done;

/// What a thread reads at once: small enough to be hashed while it is in the cache.
const CHUNK: u64 = 256 << 10;
/// What a thread takes on at once, so that small pieces do not cost a turn each.
const BATCH: u64 = 4 << 20;

/// SHA-1 of every piece, in their order.
///
/// # Errors
/// The first file that cannot be read, or is shorter than it was.
pub(super) fn pieces(
    content: &Content,
    piece_length: u32,
    total: u64,
    done: &Done,
) -> Result<Vec<[u8; 20]>, ReadError> {
    let piece = u64::from(piece_length.max(1));
    let batch = (BATCH / piece).max(1) * piece;
    let work = Work {
        content,
        piece_length,
        total,
        batch,
        next: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        done,
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut hashed = thread::scope(|scope| {
        let worker = || thread::Builder::new().spawn_scoped(scope, || work.run()).ok();
        // This thread works, too: so it is done even where no other can be had.
        let others: Vec<_> = (1..cores).filter_map(|_| worker()).collect();
        let mut hashed = work.run()?;
        for other in others {
            match other.join() {
                Ok(more) => hashed.extend(more?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(hashed)
    })?;
    hashed.sort_unstable_by_key(|(begin, _)| *begin);
    Ok(hashed.into_iter().flat_map(|(_, hashes)| hashes).collect())
}

/// Hashes of the pieces from a position on.
type Hashed = (u64, Vec<[u8; 20]>);

/// What the threads share.
struct Work<'a> {
    content: &'a Content,
    piece_length: u32,
    total: u64,
    /// Bytes of whole pieces that are hashed by one thread.
    batch: u64,
    next: AtomicU64,
    failed: AtomicBool,
    done: &'a Done,
}

impl Work<'_> {
    fn run(&self) -> Result<Vec<Hashed>, ReadError> {
        let mut hashed = Vec::new();
        let mut buffer = vec![0; usize::try_from(self.batch.min(CHUNK)).unwrap_or_default()];
        while !self.failed.load(Ordering::Relaxed) {
            let begin = self.next.fetch_add(self.batch, Ordering::Relaxed);
            if begin >= self.total {
                break;
            }
            let hashes = self.batch(begin, &mut buffer);
            self.failed.fetch_or(hashes.is_err(), Ordering::Relaxed);
            hashed.push((begin, hashes?));
        }
        Ok(hashed)
    }

    fn batch(&self, begin: u64, buffer: &mut [u8]) -> Result<Vec<[u8; 20]>, ReadError> {
        let end = self.total.min(begin + self.batch);
        let mut hasher = PieceHasher::new(self.piece_length);
        let mut position = begin;
        while position < end {
            let length = (end - position).min(buffer.len() as u64);
            let chunk = &mut buffer[..usize::try_from(length).unwrap_or_default()];
            self.content.read(position, chunk)?;
            hasher.update(chunk);
            position += length;
            self.done.fetch_add(length, Ordering::Relaxed);
        }
        Ok(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Origin;

    #[test]
    fn hashes_are_those_of_one_thread_that_reads_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let random = |n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[3];
        let whole: Vec<u8> = (0..9_000_001).map(random).collect();
        let files = whole.chunks(1_234_567).enumerate().map(|(n, bytes)| {
            let path = folder.path().join(n.to_string());
            std::fs::write(&path, bytes).unwrap();
            (Origin::Disk(path), bytes.len() as u64)
        });
        let content = Content::new(files.collect::<Vec<_>>());
        for piece_length in [16 << 10, 1 << 20, 8 << 20, 256 << 20] {
            let done = Done::new(0);
            let hashes = pieces(&content, piece_length, whole.len() as u64, &done).unwrap();
            let mut hasher = PieceHasher::new(piece_length);
            hasher.update(&whole);
            assert!(hashes == hasher.finish(), "{piece_length}");
            assert_eq!(done.into_inner(), whole.len() as u64);
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"ab").unwrap();
        let content = Content::new([(Origin::Disk(path.clone()), 3)]);
        let error = pieces(&content, 16 << 10, 3, &Done::new(0)).unwrap_err();
        assert_eq!(error.path, path);
    }
}
