//! The files that are open: a bounded number, the least recently used goes first.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open files by their index in the torrent. No call does I/O while it holds the lock.
#[derive(Debug)]
pub(super) struct Pool {
    capacity: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<usize, Slot>,
    uses: u64,
}

#[derive(Debug)]
struct Slot {
    file: Arc<File>,
    writable: bool,
    used_at: u64,
}

impl Pool {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, open: Mutex::default() }
    }

    /// The open file, if it is open in a way that serves.
    pub(super) fn find(&self, index: usize, writable: bool) -> Option<Arc<File>> {
        let mut open = self.lock();
        open.uses += 1;
        let now = open.uses;
        let slot = open.files.get_mut(&index).filter(|slot| slot.writable || !writable)?;
        slot.used_at = now;
        Some(Arc::clone(&slot.file))
    }

    /// Keeps `file` open; another one is let go if there are too many. Whoever uses that one still
    /// has it until they are done.
    pub(super) fn keep(&self, index: usize, file: &Arc<File>, writable: bool) {
        let mut closed = None;
        let mut open = self.lock();
        open.uses += 1;
        let used_at = open.uses;
        if open.files.get(&index).is_some_and(|slot| slot.writable && !writable) {
            return;
        }
        if open.files.len() >= self.capacity && !open.files.contains_key(&index) {
            let oldest = open.files.iter().min_by_key(|(_, slot)| slot.used_at).map(|(i, _)| *i);
            closed = oldest.and_then(|oldest| open.files.remove(&oldest));
        }
        open.files.insert(index, Slot { file: Arc::clone(file), writable, used_at });
        drop(open);
        drop(closed);
    }

    /// Lets go of one file.
    pub(super) fn forget(&self, index: usize) {
        let file = self.lock().files.remove(&index);
        drop(file);
    }

    /// Lets go of every file that nobody is using.
    pub(super) fn clear(&self) {
        let files = std::mem::take(&mut self.lock().files);
        drop(files);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().files.len()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Arc<File> {
        Arc::new(tempfile::tempfile().unwrap())
    }

    #[test]
    fn the_least_recently_used_file_goes_first() {
        let pool = Pool::new(2);
        pool.keep(1, &file(), false);
        pool.keep(2, &file(), false);
        assert!(pool.find(1, false).is_some());
        pool.keep(3, &file(), false);
        assert_eq!(pool.len(), 2);
        assert!(pool.find(2, false).is_none());
        assert!(pool.find(1, false).is_some() && pool.find(3, false).is_some());
    }

    #[test]
    fn a_file_open_for_reading_does_not_serve_a_writer_nor_take_its_place() {
        let pool = Pool::new(2);
        pool.keep(1, &file(), false);
        assert!(pool.find(1, true).is_none());
        pool.keep(1, &file(), true);
        pool.keep(1, &file(), false);
        assert!(pool.find(1, true).is_some() && pool.find(1, false).is_some());
        pool.clear();
        assert!(pool.find(1, false).is_none());
    }
}
