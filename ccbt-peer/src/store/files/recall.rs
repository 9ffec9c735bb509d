//! What an earlier run left: the resume state, compared with what lies in the folder now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ccbt_wire::{Bitfield, Metainfo};

use super::folder::Folder;
use super::marks::stamp_at;
use super::part::PartFile;
use crate::store::StoreError;
use crate::store::resume::{About, Found, Mark, Place, ResumeState, Trust, trust};

/// How much of an earlier run's state could be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recalled {
    /// Pieces that were right then, in files that did not change since: they were not hashed.
    pub known: u32,
    /// Pieces that were hashed.
    pub hashed: u32,
    /// Why there was a state and it could not be used.
    pub unusable: Option<String>,
}

/// A look at a folder that is not written to, beside what is remembered of it.
///
/// States lie in a folder of their own, one for each torrent and each folder of payload. What a state says of a
/// piece counts as long as every file with a share of it has the length and the time of last change that the
/// state names.
#[derive(Debug)]
pub struct Recall {
    folder: Folder,
    part: PathBuf,
    remembered: Remembered,
    marks: Vec<Mark>,
    trust: Trust,
}

/// The place of a state, and what was found there.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) place: Place,
    pub(super) state: Option<ResumeState>,
    /// The state is as good as the medium: it has no records behind its base.
    pub(super) is_base: bool,
    pub(super) unusable: Option<String>,
}

impl Remembered {
    /// Reads the state of a torrent in `folder`, which exists; with `ignore`, all is as if there were none.
    pub(super) fn read(
        states: &Path,
        folder: &Folder,
        metainfo: &Metainfo,
        ignore: bool,
    ) -> Result<Self, StoreError> {
        let place = Place::of(states, folder.path(), metainfo.info_hash());
        let place = place.map_err(|error| folder.error(Path::new(""), "look at", error))?;
        let about = About {
            info_hash: metainfo.info_hash(),
            folder: &place.folder,
            files: metainfo.files().len(),
            pieces: metainfo.piece_count(),
        };
        let found = if ignore { Found::Nothing } else { place.read(about) };
        let (state, is_base, unusable) = match found {
            Found::Nothing => (None, false, None),
            Found::State(state, has_records) => (Some(*state), !has_records, None),
            Found::Unusable(why) => (None, false, Some(why)),
        };
        Ok(Self { place, state, is_base, unusable })
    }

    /// What is known by it, if files look so now.
    pub(super) fn trust(&self, marks: &[Mark], metainfo: &Metainfo) -> Trust {
        let nothing = || Trust::nothing(metainfo.piece_count());
        self.state.as_ref().map_or_else(nothing, |state| trust(state, marks, metainfo))
    }

    /// Whether a file was known to be of the torrent, and is still the same.
    pub(super) fn was_ours(&self, index: usize, now: &Mark) -> bool {
        let then = self.state.as_ref().and_then(|state| state.marks.get(index));
        then.is_some_and(|then| then.ours && then.stamp.is_some() && then.stamp == now.stamp)
    }

    /// The state of files that look so.
    pub(super) fn renewed(
        &self,
        metainfo: &Metainfo,
        marks: Vec<Mark>,
        have: Bitfield,
    ) -> ResumeState {
        let folder = self.place.folder.clone();
        ResumeState { info_hash: metainfo.info_hash(), folder, marks, have }
    }
}

impl Recall {
    /// Looks at every file of the torrent in `folder`, which must exist, and reads what the folder `states`
    /// has of it. Nothing is hashed, nothing is changed.
    ///
    /// # Errors
    /// If a file or the folder cannot be looked at. A state that cannot be used is none.
    pub fn of(
        states: impl AsRef<Path>,
        folder: impl AsRef<Path>,
        metainfo: &Metainfo,
    ) -> Result<Self, StoreError> {
        let folder = Folder::open_existing(folder.as_ref())?;
        let remembered = Remembered::read(states.as_ref(), &folder, metainfo, false)?;
        let part = PartFile::of(metainfo).path().to_owned();
        let marks = look(&folder, metainfo, &part)?;
        let trust = remembered.trust(&marks, metainfo);
        Ok(Self { folder, part, remembered, marks, trust })
    }

    /// The pieces that are right.
    #[must_use]
    pub fn have(&self) -> &Bitfield {
        &self.trust.have
    }

    /// The pieces that only a hash can tell; whatever is neither here nor in [`have`](Self::have) is missing.
    #[must_use]
    pub fn unsure(&self) -> &Bitfield {
        &self.trust.unsure
    }

    /// Why there is a state and it cannot be used.
    #[must_use]
    pub fn unusable(&self) -> Option<&str> {
        self.remembered.unusable.as_deref()
    }

    /// Writes that the pieces in `have` were found right since this look, and has the medium take the files
    /// before. A file that has changed since the look is remembered as one that has to be hashed.
    ///
    /// # Errors
    /// If the files or the state cannot be written.
    pub fn keep(self, metainfo: &Metainfo, have: &Bitfield) -> Result<(), StoreError> {
        let mut marks = look(&self.folder, metainfo, &self.part)?;
        for (index, (mark, before)) in marks.iter_mut().zip(&self.marks).enumerate() {
            if mark.stamp == before.stamp {
                mark.ours = self.remembered.was_ours(index, mark);
            } else {
                *mark = Mark::unknown();
            }
        }
        let state = self.remembered.renewed(metainfo, marks, have.clone());
        if self.remembered.is_base && self.remembered.state.as_ref() == Some(&state) {
            return Ok(());
        }
        let there = |(index, mark): (usize, &Mark)| mark.stamp.map(|_| index);
        let present: BTreeSet<usize> = state.marks.iter().enumerate().filter_map(there).collect();
        let path = |index: usize| metainfo.files().get(index).map_or(&self.part, |file| &file.path);
        self.folder.sync_files(present.into_iter().map(path))?;
        let place = &self.remembered.place;
        let written = place.prepare(&state).and_then(|_| place.replace());
        written.map_err(|source| StoreError::Io {
            path: place.path().to_owned(),
            action: "write",
            source,
        })
    }
}

/// How every file looks, and the part file behind them.
fn look(folder: &Folder, metainfo: &Metainfo, part: &Path) -> Result<Vec<Mark>, StoreError> {
    let mark = |stamp| Mark { stamp, ..Mark::default() };
    let files = metainfo.files().iter().map(|file| match file.pad {
        true => Ok(Mark::default()),
        false => stamp_at(folder, &file.path).map(mark),
    });
    files.chain([stamp_at(folder, part).map(mark)]).collect()
}
