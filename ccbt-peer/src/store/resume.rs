//! What a run leaves for the next one: which pieces are right, and how the files looked then.
//!
//! A state is a *base*, written whole, and *records* behind it. The base names only pieces whose bytes were
//! on the medium before it was written: it holds after a crash of the machine. A record is appended when
//! pieces were given to the system; it holds while the same system runs, whatever became of the process.
//! A length and a time of last change for each file tell whether somebody else wrote to it.

mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod place;
mod trust;

#[cfg(test)]
mod tests;

use ccbt_wire::{Bitfield, InfoHash, PieceIndex};

pub(super) use self::place::{Found, Log, Place};
pub(super) use self::trust::{Trust, trust};

/// A regular file as it was seen: its length, and when it was changed the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Bytes.
    pub(crate) length: u64,
    /// Nanoseconds since 1970; before that it is negative.
    pub(crate) modified: i128,
}

/// What is remembered of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// `None`: nothing lies at its path.
    pub(crate) stamp: Option<Stamp>,
    /// It was known to be of this torrent.
    pub(crate) ours: bool,
    /// It was not wanted, and its bytes lay in the part file.
    pub(crate) aside: bool,
}

impl Mark {
    /// No file looks so: it will have to be hashed.
    pub(crate) fn unknown() -> Self {
        let stamp = Some(Stamp { length: u64::MAX, modified: i128::MAX });
        Self { stamp, ..Self::default() }
    }
}

/// The state of one torrent in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResumeState {
    pub(crate) info_hash: InfoHash,
    /// The folder, as its real path without links.
    pub(crate) folder: Vec<u8>,
    /// A mark for each file of the torrent, and behind them that of the part file.
    pub(crate) marks: Vec<Mark>,
    /// The pieces that are whole in the files, and whose hashes were right.
    pub(crate) have: Bitfield,
}

/// What a state must be about to be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) info_hash: InfoHash,
    pub(crate) folder: &'a [u8],
    pub(crate) files: usize,
    pub(crate) pieces: u32,
}

/// What became known after the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Marks that changed, by the index of the file.
    pub(crate) marks: Vec<(u32, Mark)>,
    pub(crate) pieces: Vec<PieceIndex>,
}

impl ResumeState {
    /// Takes in a record; one that does not fit changes nothing.
    pub(crate) fn add(&mut self, record: &Record) -> bool {
        let fits = record.pieces.iter().all(|piece| piece.0 < self.have.len())
            && record.marks.iter().all(|(file, _)| (*file as usize) < self.marks.len());
        if fits {
            record.pieces.iter().for_each(|piece| _ = self.have.set(*piece, true));
            record.marks.iter().for_each(|(file, mark)| self.marks[*file as usize] = *mark);
        }
        fits
    }
}

/// A state that cannot be used: everything is hashed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResumeError {
    /// It does not begin as a state does.
    #[error("it is no resume state")]
    NoState,
    /// It was written by a newer version.
    #[error("it has version {0}, and this program knows version {known}", known = format::VERSION)]
    Version(u32),
    /// It ends too early, or its checksum is wrong.
    #[error("it is damaged")]
    Damaged,
    /// It is about another torrent, another folder or other files.
    #[error("it is about another {0}")]
    Foreign(&'static str),
}
