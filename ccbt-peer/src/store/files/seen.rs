//! Whether another program changed files while the store is written to.
//!
//! A file looks as it did after our own last write, or somebody else was at it. One that is shorter is believed no
//! more at once. A time of last change alone may differ for harmless reasons: `touch`, or a file system that sets it
//! late. That is a suspicion, which the hashes of the file's pieces settle before anything is said to be complete.

use std::collections::BTreeMap;
use std::fs::File;

use ccbt_wire::{Bitfield, PieceIndex};

use super::FileStore;
use super::marks::{Touched, stamp_of};
use super::survey::Standing;
use crate::store::StoreError;
use crate::store::check::check_these;
use crate::store::resume::{Mark, Stamp};

/// How files looked after our last write, and which of them look otherwise.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By the file's index; those that were never looked at may be missing at the end.
    looks: Vec<Option<Look>>,
    /// Files that are to be hashed at the end, with how they looked when they were found to be wrong.
    suspects: BTreeMap<usize, Option<Stamp>>,
}

/// A [`Stamp`] in half the room, as there is one for each file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    length: u64,
    modified: i64,
}

impl Look {
    fn of(stamp: Stamp) -> Self {
        let modified = i64::try_from(stamp.modified).unwrap_or(i64::MAX);
        Self { length: stamp.length, modified }
    }
}

impl Seen {
    fn look(&self, index: usize) -> Option<Look> {
        self.looks.get(index).copied().flatten()
    }

    fn set(&mut self, index: usize, look: Look) {
        if self.looks.len() <= index {
            self.looks.resize(index + 1, None);
        }
        self.looks[index] = Some(look);
    }
}

impl FileStore {
    /// So files looked before their pieces were hashed.
    pub(super) fn begin_with(&self, marks: &[Mark]) {
        let mut touched = self.touched();
        for (index, mark) in marks.iter().enumerate().take(self.layout.len()) {
            if let Some(stamp) = mark.stamp.filter(|_| self.has_file(index)) {
                touched.seen.set(index, Look::of(stamp));
            }
        }
    }

    /// So a file looks after our own writes. They make none shorter.
    pub(super) fn see(&self, touched: &mut Touched, index: usize, mark: &Mark) {
        let Some(stamp) = mark.stamp.filter(|_| index < self.layout.len() && self.has_file(index))
        else {
            return;
        };
        let mut now = Look::of(stamp);
        if let Some(then) = touched.seen.look(index).filter(|then| now.length < then.length) {
            self.suspect(touched, index);
            now.length = then.length;
        }
        touched.seen.set(index, now);
    }

    /// Compares a file with what it was after our last write.
    ///
    /// # Errors
    /// `Changed` if it is shorter.
    pub(super) fn compare(
        &self,
        touched: &mut Touched,
        index: usize,
        file: &File,
    ) -> Result<(), StoreError> {
        let Some(then) = touched.seen.look(index) else { return Ok(()) };
        let path = &self.layout.file(index).path;
        let now = stamp_of(file).map_err(|error| self.folder.error(path, "look at", error))?;
        // Of one that is gone the next look at the marks tells.
        let Some(now) = now.map(Look::of).filter(|now| *now != then) else { return Ok(()) };
        self.suspect(touched, index);
        if now.length < then.length {
            return Err(self.folder.changed(path));
        }
        Ok(())
    }

    /// From now on nothing of the file is remembered for a later run, until its pieces were hashed.
    fn suspect(&self, touched: &mut Touched, index: usize) {
        if touched.seen.suspects.contains_key(&index) {
            return;
        }
        touched.seen.suspects.insert(index, None);
        if let Some(remember) = self.remember.get() {
            remember.doubt(index);
        }
    }

    /// Hashes the files that may have been changed; each is above suspicion then.
    ///
    /// # Errors
    /// `Changed` for one of which a piece is wrong.
    pub(super) fn judge_suspects(&self, chosen: &[bool]) -> Result<(), StoreError> {
        let suspects = self.touched().seen.suspects.clone();
        suspects
            .into_iter()
            .filter(|(index, _)| chosen[*index])
            .try_for_each(|(index, wrong)| self.judge(index, wrong))
    }

    /// `wrong`: how the file looked when it was hashed the last time.
    fn judge(&self, index: usize, wrong: Option<Stamp>) -> Result<(), StoreError> {
        let entry = self.layout.file(index);
        // What lies at its path counts, not what we have open. What a close changes is changed before the look.
        self.pool.forget(index);
        let mark = self.mark(index, false)?;
        let changed = || self.folder.changed(&entry.path);
        let may_be_right = |stamp: &Stamp| stamp.length == entry.length && Some(*stamp) != wrong;
        let before = mark.stamp.filter(may_be_right).ok_or_else(changed)?;
        let mut unsure = Bitfield::new(self.metainfo.piece_count());
        for piece in self.metainfo.pieces_of(entry.offset, entry.length) {
            unsure.set(PieceIndex(piece), true);
        }
        let none = Bitfield::new(self.metainfo.piece_count());
        let right = check_these(self, &self.metainfo, &unsure, none, &mut |_, _| ())?;
        let is_same = self.mark(index, false)?.stamp == mark.stamp;
        let mut touched = self.touched();
        if right != unsure || !is_same {
            let wrong = is_same.then_some(before);
            touched.seen.suspects.insert(index, wrong);
            return Err(changed());
        }
        touched.seen.suspects.remove(&index);
        touched.seen.set(index, Look::of(before));
        drop(touched);
        if let Some(remember) = self.remember.get() {
            remember.believe(index, mark);
        }
        Ok(())
    }

    fn has_file(&self, index: usize) -> bool {
        matches!(self.standing(index), Standing::Ours | Standing::Unproven)
    }
}

#[cfg(test)]
mod tests;
