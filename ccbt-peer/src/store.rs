//! Where verified pieces lie: the trait, files, and memory.

mod check;
mod extent;
mod files;
#[cfg(test)]
mod fixtures;
mod memory;
mod resume;

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::path::PathBuf;

use ccbt_wire::PieceIndex;

pub use check::{check, check_these, check_with};
pub use files::{Allocation, FileStore, FileStoreBuilder, PartFile, Recall, Recalled, Room};
pub use memory::MemoryStore;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use resume::fuzzing::resume_state;

/// A place for the payload of one torrent.
///
/// All calls are synchronous and positional; the swarm makes them from a writer thread and from
/// blocking workers, many at a time. A *run* is a range of the torrent's payload that may reach over
/// piece and file borders.
pub trait PieceStore: fmt::Debug + Send + Sync {
    /// Writes `data`, buffer behind buffer, from byte `begin` of `piece` on.
    ///
    /// # Errors
    /// Whatever the medium says, with the path; the swarm then stops.
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError>;

    /// Fills `buffers`, one behind the other, from byte `begin` of `piece` on.
    ///
    /// # Errors
    /// What the medium says; `NotFound` or `UnexpectedEof` if these bytes were never written.
    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError>;

    /// As [`read_run`](Self::read_run), but only if the bytes are at hand, in memory; false if they are not, and
    /// then the buffers hold anything. It must not wait for a medium: the swarm calls it where others wait.
    fn read_at_hand(&self, _: PieceIndex, _begin: u32, _: &mut [IoSliceMut<'_>]) -> bool {
        false
    }

    /// From now on these files of the torrent are wanted and the others are not: one word for each of
    /// [`Metainfo::files`](ccbt_wire::Metainfo::files). Called before pieces of newly wanted files are
    /// written, and possibly with the choice that holds already. Stores without files need not care.
    ///
    /// # Errors
    /// If a file cannot be had in its place; then the choice before holds on.
    fn choose(&self, _files: &[bool]) -> Result<(), StoreError> {
        Ok(())
    }

    /// These pieces are whole in the store and their hashes are right: what is remembered from run to run may
    /// name them. Called behind every few writes, before anybody is told of the pieces, and without pieces if
    /// blocks alone were written. Stores that remember nothing need not care.
    ///
    /// # Errors
    /// If what was written is gone, such as a file that somebody removed.
    fn keep(&self, _verified: &[PieceIndex]) -> Result<(), StoreError> {
        Ok(())
    }

    /// What the store cannot do beside its work, such as to remember; `None` if all is well. It is asked behind
    /// [`keep`](Self::keep) and [`finish`](Self::finish), and told as
    /// [`StateFailed`](crate::EventKind::StateFailed).
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Nothing more is written: settle what is remembered. It must not take long.
    fn close(&self) {}

    /// Called when every wanted piece is in, and again after other files were chosen: settle what is only
    /// needed while pieces are missing.
    ///
    /// # Errors
    /// As `write_run`.
    fn finish(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl<T: PieceStore + ?Sized> PieceStore for std::sync::Arc<T> {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        (**self).write_run(piece, begin, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        (**self).read_run(piece, begin, buffers)
    }

    fn read_at_hand(&self, piece: PieceIndex, begin: u32, buffers: &mut [IoSliceMut<'_>]) -> bool {
        (**self).read_at_hand(piece, begin, buffers)
    }

    fn choose(&self, files: &[bool]) -> Result<(), StoreError> {
        (**self).choose(files)
    }

    fn finish(&self) -> Result<(), StoreError> {
        (**self).finish()
    }

    fn keep(&self, verified: &[PieceIndex]) -> Result<(), StoreError> {
        (**self).keep(verified)
    }

    fn trouble(&self) -> Option<String> {
        (**self).trouble()
    }

    fn close(&self) {
        (**self).close();
    }
}

/// A store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An operation on a file failed.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as in "cannot write".
        action: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// A file in the output folder that is not a part of this torrent stands in the way.
    #[error("{}: {why}; move it away or choose another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        why: String,
    },
    /// Another program wrote to a file that is being written here, or cut it short. What it had is wrong; a later
    /// start hashes it and goes on with what is right.
    #[error("{}: it was changed by another program", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Whoever was to open the store gave it up.
    #[error("the opening of the store was given up")]
    GivenUp,
    /// Another process is at work on the same torrent in the same folder.
    #[error("{}: another process has this torrent open here ({})", folder.display(), lock.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The file that it has locked.
        lock: PathBuf,
    },
    /// A range that the torrent does not have.
    #[error("{length} bytes at {begin} of piece {piece} are outside the torrent")]
    OutOfRange {
        /// The piece, counted from 0.
        piece: u32,
        /// First byte, counted from the piece's start.
        begin: u32,
        /// Length in bytes.
        length: u64,
    },
}

impl StoreError {
    /// The system's error kind; `Other` where the system was not asked.
    #[must_use]
    pub fn kind(&self) -> std::io::ErrorKind {
        match self {
            Self::Io { source, .. } => source.kind(),
            _ => std::io::ErrorKind::Other,
        }
    }
}
