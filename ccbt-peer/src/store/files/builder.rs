//! How a store of files is opened.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8};
use std::sync::{Arc, Mutex, OnceLock};

use ccbt_wire::{Bitfield, Metainfo};

use super::folder::Folder;
use super::layout::Layout;
use super::lock::Lock;
use super::marker::{Marker, line_of};
use super::part::{Part, Places};
use super::pool::Pool;
use super::recall::{Recalled, Remembered};
use super::remember::Remember;
use super::survey::{self, Standing};
use super::{Allocation, FileStore, Notes, OPEN_FILES};
use crate::Choice;
use crate::store::StoreError;
use crate::store::check::check_these;
use crate::store::extent::Extent;
use crate::store::resume::{Mark, Trust};

/// A store of files to be.
#[derive(Debug)]
pub struct FileStoreBuilder<'a> {
    folder: PathBuf,
    metainfo: &'a Metainfo,
    chosen: Vec<bool>,
    allocation: Allocation,
    states: Option<PathBuf>,
    check_all: bool,
    exclusive: bool,
    open_files: usize,
    given_up: Option<Arc<AtomicBool>>,
}

impl<'a> FileStoreBuilder<'a> {
    pub(super) fn new(folder: &Path, metainfo: &'a Metainfo) -> Self {
        Self {
            folder: folder.to_owned(),
            metainfo,
            chosen: vec![true; metainfo.files().len()],
            allocation: Allocation::default(),
            states: None,
            check_all: false,
            exclusive: false,
            open_files: OPEN_FILES,
            given_up: None,
        }
    }

    /// Keeps a resume state in the folder `states`, which is created if it is missing, and begins with the one
    /// that an earlier run left there: [`resume`](Self::resume) then hashes only what may have changed, and
    /// [`FileStore::recalled`] tells what that was.
    ///
    /// The state names a piece when its bytes are with the system, and in a form that outlives a crash of the
    /// system only when they are on the medium: every 5 s while something is written, on a thread of its own,
    /// and when the store is closed. A state that cannot be written is no error of the store
    /// ([`trouble`](crate::PieceStore::trouble)).
    #[must_use]
    pub fn remember(mut self, states: impl AsRef<Path>) -> Self {
        self.states = Some(states.as_ref().to_owned());
        self
    }

    /// Hashes everything, whatever an earlier run left: bits that flipped on the medium change no time of last
    /// change.
    #[must_use]
    pub fn check_all(self) -> Self {
        Self { check_all: true, ..self }
    }

    /// Fails with [`StoreError::InUse`] if another process, or another store of this one, is at work on the
    /// same torrent in the same folder and said so. While the store is there, a file
    /// `.ccbt-<16 hex digits of the info hash>.lock.part` in the folder is locked; the system takes the lock back
    /// from a process that is killed.
    #[must_use]
    pub fn exclusive(self) -> Self {
        Self { exclusive: true, ..self }
    }

    /// Which files are wanted; all by default. Files that the choice does not know are not wanted.
    #[must_use]
    pub fn choice(mut self, choice: &Choice) -> Self {
        self.chosen = (0..self.metainfo.files().len()).map(|file| choice.wants(file)).collect();
        self
    }

    /// How files take their room on the disk.
    #[must_use]
    pub fn allocation(self, allocation: Allocation) -> Self {
        Self { allocation, ..self }
    }

    /// Files that are open at a time, one at least; 64 by default.
    #[must_use]
    pub fn open_files(self, files: usize) -> Self {
        Self { open_files: files.max(1), ..self }
    }

    /// As soon as this is true, the reading of a [`resume`](Self::resume) that is under way ends with
    /// [`StoreError::GivenUp`]. On a store that is open it has no effect.
    #[must_use]
    pub fn give_up_when(self, given_up: &Arc<AtomicBool>) -> Self {
        Self { given_up: Some(Arc::clone(given_up)), ..self }
    }

    /// Opens the store as [`FileStore::open`] does.
    ///
    /// # Errors
    /// As there; a wanted file alone can stand in the way.
    pub fn open(self) -> Result<FileStore, StoreError> {
        let mut this = self;
        let mut store = this.survey()?;
        store.given_up = None;
        store.bring_all_home(&mut store.notes())?;
        Ok(store)
    }

    /// The store with what can be seen; what the part file has of wanted files is still there.
    fn survey(&mut self) -> Result<FileStore, StoreError> {
        let folder = Arc::new(Folder::open(&self.folder)?);
        let info_hash = self.metainfo.info_hash();
        let lock = if self.exclusive { Some(Lock::take(&folder, info_hash)?) } else { None };
        let layout = Layout::of(self.metainfo);
        let extent = Extent::of(self.metainfo);
        let (marker, created) = Marker::read(&folder, info_hash)?;
        let part = Part::open(&folder, info_hash, Places::of(&layout, extent))?;
        let has_part = part.is_there();
        let standings = survey::survey(&folder, &layout, &created, &self.chosen, has_part)?;
        let files = (0..layout.len()).map(|index| layout.file(index));
        let noted = files.map(|entry| !entry.pad && created.contains(&line_of(&entry.path)));
        let noted = noted.collect();
        Ok(FileStore {
            folder,
            layout: Arc::new(layout),
            extent,
            metainfo: self.metainfo.clone(),
            standings: standings
                .into_iter()
                .map(|standing| AtomicU8::new(standing as u8))
                .collect(),
            pool: Pool::new(self.open_files),
            part,
            allocation: self.allocation,
            notes: Mutex::new(Notes { marker, noted, chosen: std::mem::take(&mut self.chosen) }),
            touched: Mutex::default(),
            remember: OnceLock::new(),
            recalled: Recalled::default(),
            given_up: self.given_up.take(),
            _lock: lock,
        })
    }

    /// Opens the store, hashes what lies in the folder, and tells which pieces are right, as
    /// [`FileStore::resume`] does.
    ///
    /// # Errors
    /// As there; a wanted file alone can stand in the way.
    pub fn resume(self) -> Result<(FileStore, Bitfield), StoreError> {
        self.resume_with(|_, _| ())
    }

    /// Does what [`resume`](Self::resume) does, and tells how far it is: `progress(checked, pieces)`.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_with(
        mut self,
        mut progress: impl FnMut(u32, u32),
    ) -> Result<(FileStore, Bitfield), StoreError> {
        let metainfo = self.metainfo;
        let mut store = self.survey()?;
        let remembered = match &self.states {
            Some(states) => {
                Some(Remembered::read(states, &store.folder, metainfo, self.check_all)?)
            }
            None => None,
        };
        let pieces = metainfo.piece_count();
        if store.is_untouched() {
            store.given_up = None;
            progress(pieces, pieces);
            store.recalled.unusable =
                remembered.as_ref().and_then(|remembered| remembered.unusable.clone());
            store.start_to_remember(metainfo, remembered, Vec::new(), &Bitfield::new(pieces));
            return Ok((store, Bitfield::new(pieces)));
        }
        let marks = store.marks()?;
        let trust = match &remembered {
            Some(remembered) => remembered.trust(&marks, metainfo),
            None => Trust::nothing(pieces),
        };
        store.recalled = Recalled {
            known: trust.have.count_ones(),
            hashed: trust.unsure.count_ones(),
            unusable: remembered.as_ref().and_then(|remembered| remembered.unusable.clone()),
        };
        if let Some(remembered) = &remembered {
            for (index, mark) in marks.iter().enumerate().take(store.layout.len()) {
                let is_open = store.standing(index) == Standing::Unproven;
                if is_open && remembered.was_ours(index, mark) {
                    store.set_standing(index, Standing::Ours);
                }
            }
        }
        let mut have = check_these(&store, metainfo, &trust.unsure, trust.have, &mut progress)?;
        store.given_up = None;
        store.settle(metainfo, &mut have)?;
        store.begin_with(&marks);
        store.start_to_remember(metainfo, remembered, marks, &have);
        Ok((store, have))
    }
}

impl FileStore {
    /// Whether there is nothing to read at all, as at the start of most downloads.
    fn is_untouched(&self) -> bool {
        let is_missing = |index| {
            let missing = matches!(self.standing(index), Standing::Absent | Standing::Aside);
            missing && !self.layout.file(index).pad
        };
        !self.part.is_there() && (0..self.layout.len()).all(is_missing)
    }

    /// Keeps the state from now on, if it has a place. `marks`: how files looked before their pieces were
    /// hashed; none if there are no files.
    fn start_to_remember(
        &self,
        metainfo: &Metainfo,
        remembered: Option<Remembered>,
        mut marks: Vec<Mark>,
        have: &Bitfield,
    ) {
        let Some(remembered) = remembered else { return };
        marks.resize(self.layout.len() + 1, Mark::default());
        for (index, mark) in marks.iter_mut().enumerate().take(self.layout.len()) {
            mark.ours = self.standing(index) == Standing::Ours;
            mark.aside = mark.stamp.is_some() && self.standing(index) == Standing::Aside;
        }
        let there = |(index, mark): (usize, &Mark)| mark.stamp.map(|_| index);
        let present: BTreeSet<usize> = marks.iter().enumerate().filter_map(there).collect();
        let state = remembered.renewed(metainfo, marks, have.clone());
        let is_kept = remembered.is_base && remembered.state.as_ref() == Some(&state);
        let unsynced = if is_kept { BTreeSet::new() } else { present };
        let (folder, layout) = (Arc::clone(&self.folder), Arc::clone(&self.layout));
        let part = self.part.path().to_owned();
        let remember =
            Remember::start(folder, layout, part, remembered.place, state, is_kept, unsynced);
        // It is set once: here.
        let _ = self.remember.set(remember);
    }
}
