//! Which files are wanted: what is moved where when that changes.

use std::collections::BTreeSet;
use std::io::IoSlice;
use std::sync::Arc;

use ccbt_wire::{Bitfield, Metainfo, PieceIndex};

use super::belongs::{self, Judgement};
use super::survey::{self, Standing};
use super::{FileStore, Notes};
use crate::store::StoreError;
use crate::store::check::check_again;

impl FileStore {
    /// Draws the conclusions from which pieces are right. A file that is not wanted and cannot be proven is
    /// left alone, and what it may have had of them is looked for in the part file.
    pub(super) fn settle(
        &self,
        metainfo: &Metainfo,
        have: &mut Bitfield,
    ) -> Result<(), StoreError> {
        let mut notes = self.notes();
        let mut again = BTreeSet::new();
        for (index, entry) in self.layout.stored() {
            if self.standing(index) != Standing::Unproven {
                continue;
            }
            if belongs::judge(entry, &self.extent, have) == Judgement::Belongs {
                self.set_standing(index, Standing::Ours);
            } else if !notes.chosen[index] {
                again
                    .extend(self.part.places.portions(entry.offset, entry.length).map(|p| p.piece));
                self.set_standing(index, Standing::Aside);
            }
        }
        for piece in &again {
            have.set(*piece, false);
        }
        again.retain(|piece| self.part.lock().held.contains(piece));
        check_again(self, metainfo, again, have)?;
        for (index, entry) in self.layout.stored() {
            if self.standing(index) != Standing::Unproven {
                continue;
            }
            let judgement = belongs::judge(entry, &self.extent, have);
            if judgement == Judgement::Belongs {
                self.set_standing(index, Standing::Ours);
            } else if judgement == Judgement::Disproven {
                let file = self.handle(index, false)?;
                let zeros = belongs::is_all_zeros(&file);
                if !zeros.map_err(|error| self.folder.error(&entry.path, "read", error))? {
                    let why = "it does not belong to this torrent: no piece of it is right";
                    return Err(self.folder.foreign(&entry.path, why));
                }
                self.set_standing(index, Standing::Ours);
            }
        }
        self.part.lock().held.retain(|piece| have.get(*piece));
        self.bring_all_home(&mut notes)
    }

    /// No wanted file is aside from now on.
    pub(super) fn bring_all_home(&self, notes: &mut Notes) -> Result<(), StoreError> {
        for (index, _) in self.layout.stored() {
            if notes.chosen[index] {
                self.bring_home(index, notes)?;
            }
        }
        self.keep_part()
    }

    /// What [`PieceStore::choose`](crate::PieceStore::choose) says.
    pub(super) fn choose_files(&self, files: &[bool]) -> Result<(), StoreError> {
        let mut notes = self.notes();
        let wants = |index: usize| files.get(index).copied().unwrap_or(true);
        let newly: Vec<usize> =
            (0..self.layout.len()).filter(|index| wants(*index) && !notes.chosen[*index]).collect();
        // Nothing is moved before all is known to be possible.
        for index in &newly {
            if self.standing(*index) == Standing::Aside && !self.layout.file(*index).pad {
                self.look_again(*index, &notes)?;
            }
        }
        let brought = newly.iter().try_for_each(|index| self.bring_home(*index, &mut notes));
        if brought.is_ok() {
            notes.chosen = (0..self.layout.len()).map(wants).collect();
        }
        for (index, _) in self.layout.stored().filter(|(index, _)| !notes.chosen[*index]) {
            if self.standing(index) == Standing::Absent {
                self.set_standing(index, Standing::Aside);
            }
        }
        brought?;
        self.keep_part()
    }

    /// A file that was aside is in its place from now on, with what the part file has of it.
    pub(super) fn bring_home(&self, index: usize, notes: &mut Notes) -> Result<(), StoreError> {
        let entry = self.layout.file(index);
        if entry.pad || self.standing(index) != Standing::Aside {
            return Ok(());
        }
        let found = self.look_again(index, notes)?;
        // Held until the file is in its place: nobody is to write to the part file what is being moved.
        let part = self.part.lock();
        let portions = self.part.held_of(&part, entry);
        if portions.is_empty() {
            self.set_standing(index, found);
            return Ok(());
        }
        let (file, standing) = if found == Standing::Absent {
            (self.create(index, notes)?, Standing::Ours)
        } else {
            (self.with_room(|| self.folder.open_file(&entry.path, true))?, found)
        };
        for portion in portions {
            self.part.copy(&self.folder, &part, portion, |bytes, position| {
                let (data, at) = ([IoSlice::new(bytes)], position - entry.offset);
                self.put(&file, index, standing, &data, at)
            })?;
        }
        self.touch_part();
        let synced = file.sync_data();
        synced.map_err(|error| self.folder.error(&entry.path, "write", error))?;
        self.pool.keep(index, &Arc::new(file), true);
        self.set_standing(index, standing);
        Ok(())
    }

    /// What lies by now in the place of a file that was aside. One that is there and not of our making was
    /// not wanted when pieces were checked, so nothing speaks for it.
    fn look_again(&self, index: usize, notes: &Notes) -> Result<Standing, StoreError> {
        let entry = self.layout.file(index);
        match survey::look(&self.folder, entry, notes.noted[index])? {
            Standing::Unproven => {
                let why = "it is there, and ccbt did not create it";
                Err(self.folder.foreign(&entry.path, why))
            }
            found => Ok(found),
        }
    }

    /// Keeps in the part file what files that are aside have of pieces, and it only if it has something.
    pub(super) fn keep_part(&self) -> Result<(), StoreError> {
        self.touch_part();
        self.part.keep(&self.folder, |piece| self.has_aside(piece))
    }

    /// Whether a file that is aside has a share of the piece.
    fn has_aside(&self, piece: PieceIndex) -> bool {
        let start = u64::from(piece.0) * self.extent.piece_length();
        let length = self.extent.piece_length().min(self.extent.total().saturating_sub(start));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut spans = self.layout.spans(start, length);
        spans.any(|span| {
            !self.layout.file(span.file).pad && self.standing(span.file) == Standing::Aside
        })
    }
}

#[cfg(test)]
mod tests;
