//! How a store of files is opened.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicU8;

use ccbt_wire::{Bitfield, Metainfo};

use super::folder::Folder;
use super::layout::Layout;
use super::marker::{Marker, line_of};
use super::part::{Part, Places};
use super::pool::Pool;
use super::survey::{self, Standing};
use super::{Allocation, FileStore, Notes, OPEN_FILES};
use crate::Choice;
use crate::store::extent::Extent;
use crate::store::{StoreError, check_with};

/// A store of files to be.
#[derive(Debug)]
pub struct FileStoreBuilder<'a> {
    folder: PathBuf,
    metainfo: &'a Metainfo,
    chosen: Vec<bool>,
    allocation: Allocation,
    open_files: usize,
}

impl<'a> FileStoreBuilder<'a> {
    pub(super) fn new(folder: &Path, metainfo: &'a Metainfo) -> Self {
        Self {
            folder: folder.to_owned(),
            metainfo,
            chosen: vec![true; metainfo.files().len()],
            allocation: Allocation::default(),
            open_files: OPEN_FILES,
        }
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

    /// Opens the store as [`FileStore::open`] does.
    ///
    /// # Errors
    /// As there; a wanted file alone can stand in the way.
    pub fn open(self) -> Result<FileStore, StoreError> {
        let store = self.survey()?;
        store.bring_all_home(&mut store.notes())?;
        Ok(store)
    }

    /// The store with what can be seen; what the part file has of wanted files is still there.
    fn survey(self) -> Result<FileStore, StoreError> {
        let folder = Folder::open(&self.folder)?;
        let layout = Layout::of(self.metainfo);
        let extent = Extent::of(self.metainfo);
        let info_hash = self.metainfo.info_hash();
        let (marker, created) = Marker::read(&folder, info_hash)?;
        let part = Part::open(&folder, info_hash, Places::of(&layout, extent))?;
        let has_part = part.is_there();
        let standings = survey::survey(&folder, &layout, &created, &self.chosen, has_part)?;
        let files = (0..layout.len()).map(|index| layout.file(index));
        let noted = files.map(|entry| !entry.pad && created.contains(&line_of(&entry.path)));
        let noted = noted.collect();
        Ok(FileStore {
            folder,
            layout,
            extent,
            standings: standings
                .into_iter()
                .map(|standing| AtomicU8::new(standing as u8))
                .collect(),
            pool: Pool::new(self.open_files),
            part,
            allocation: self.allocation,
            notes: Mutex::new(Notes { marker, noted, chosen: self.chosen }),
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
        self,
        mut progress: impl FnMut(u32, u32),
    ) -> Result<(FileStore, Bitfield), StoreError> {
        let metainfo = self.metainfo;
        let store = self.survey()?;
        let pieces = metainfo.piece_count();
        if store.is_untouched() {
            progress(pieces, pieces);
            return Ok((store, Bitfield::new(pieces)));
        }
        let mut have = check_with(&store, metainfo, &mut progress)?;
        store.settle(metainfo, &mut have)?;
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
}
