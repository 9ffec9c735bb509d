//! Pieces in files: the torrent as it is meant to lie on a disk.

mod belongs;
mod builder;
mod choosing;
mod cut;
mod folder;
mod layout;
mod lock;
mod marker;
mod marks;
mod part;
mod pool;
mod positional;
mod recall;
mod remember;
mod room;
mod seen;
mod survey;

#[cfg(test)]
mod many;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ccbt_wire::{Bitfield, Metainfo, PieceIndex};

pub use self::builder::FileStoreBuilder;
pub use self::part::PartFile;
pub use self::recall::{Recall, Recalled};
pub use self::room::{Allocation, Room};

use self::cut::{Cut, CutMut};
use self::folder::Folder;
use self::layout::Layout;
use self::lock::Lock;
use self::marker::Marker;
use self::marks::Touched;
use self::part::Part;
use self::pool::Pool;
use self::remember::Remember;
use self::survey::Standing;
use super::extent::{Extent, length_of};
use super::{PieceStore, StoreError};

/// Files that are open at a time.
const OPEN_FILES: usize = 64;

/// The files of a torrent in an output folder.
///
/// **Nothing outside.** No byte outside the folder is read or written, not even where symbolic links
/// in it lead out.
///
/// **When files appear.** A file is created, with the folders above it, when its first byte is written;
/// it is sparse. Empty files are created by [`finish`](PieceStore::finish). Pad files (BEP 47) are never
/// created: they read as zeros, and what is written to them is dropped.
///
/// **Foreign files.** A file that does not belong to the torrent is never overwritten. A file that lies
/// at a path of the torrent is foreign if it is no regular file, if it is longer than the torrent's, or
/// if pieces lie wholly in it and none of them is right; it then stands in the way and
/// [`resume`](Self::resume) fails with [`StoreError::Foreign`]. Empty files and files of zeros are not
/// foreign, and those that an earlier run created are not either: while the torrent is incomplete, a
/// hidden file `.ccbt-<16 hex digits of the info hash>.part` in the folder lists them.
/// A small file that shares all of its pieces with neighbours may not be provable in either way. It
/// is kept, and only zeros in it are replaced: a write that would change another byte fails with
/// [`StoreError::Foreign`] before anything of it is written to that file.
///
/// **Files that are not wanted** ([`builder`](Self::builder), [`choose`](PieceStore::choose)) are neither
/// created nor, where something lies in their place, changed, unless that is known to be of this torrent.
/// What they have of pieces that wanted files share lies in a hidden *part file* beside the payload,
/// `.ccbt-<16 hex digits>.pieces.part`, and is moved into its place when they are wanted. The part file goes
/// when it holds nothing.
///
/// **Changes by others.** A file that another program made shorter is written to no more
/// ([`StoreError::Changed`]). One whose time of last change is not that of our own last write is hashed by
/// [`finish`](PieceStore::finish), which fails in the same way if a piece is wrong.
///
/// Calls may come from many threads; none waits for another one's I/O, except to create a file.
#[derive(Debug)]
pub struct FileStore {
    folder: Arc<Folder>,
    layout: Arc<Layout>,
    extent: Extent,
    metainfo: Metainfo,
    /// A [`Standing`] for each file.
    standings: Box<[AtomicU8]>,
    pool: Pool,
    part: Part,
    allocation: Allocation,
    /// Also held while a file is created, so that it is created once.
    notes: Mutex<Notes>,
    touched: Mutex<Touched>,
    /// Set when it is known what lies in the folder, if there is a place for it.
    remember: OnceLock<Remember>,
    recalled: Recalled,
    /// While it is opened: whether it is still wanted.
    given_up: Option<Arc<AtomicBool>>,
    _lock: Option<Lock>,
}

/// What is known of files beside their standing.
#[derive(Debug)]
struct Notes {
    marker: Marker,
    /// Which files are in the note of those that we created.
    noted: Vec<bool>,
    /// Which files are wanted.
    chosen: Vec<bool>,
}

impl FileStore {
    /// Opens the store and looks at what lies in `folder`, but hashes nothing. A missing folder is
    /// created.
    ///
    /// Files that were there before are readable; until a piece proves them, only zeros in them are
    /// replaced.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for what can be seen without reading: a file that is too long, a folder
    /// or a link where a file should be. [`StoreError::Io`] if the folder cannot be opened or created.
    pub fn open(folder: impl AsRef<Path>, metainfo: &Metainfo) -> Result<Self, StoreError> {
        Self::builder(folder, metainfo).open()
    }

    /// Opens the store, hashes what lies in `folder`, and tells which pieces are right.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`StoreError::Foreign`] for a file that does not belong to the torrent;
    /// [`StoreError::Io`] if a file cannot be read.
    pub fn resume(
        folder: impl AsRef<Path>,
        metainfo: &Metainfo,
    ) -> Result<(Self, Bitfield), StoreError> {
        Self::resume_with(folder, metainfo, |_, _| ())
    }

    /// Does what [`resume`](Self::resume) does, and tells how far it is: `progress(checked, pieces)`.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_with(
        folder: impl AsRef<Path>,
        metainfo: &Metainfo,
        progress: impl FnMut(u32, u32),
    ) -> Result<(Self, Bitfield), StoreError> {
        Self::builder(folder, metainfo).resume_with(progress)
    }

    /// A store that is opened with more than a folder.
    pub fn builder(folder: impl AsRef<Path>, metainfo: &Metainfo) -> FileStoreBuilder<'_> {
        FileStoreBuilder::new(folder.as_ref(), metainfo)
    }

    /// Fails with [`StoreError::InUse`] if there is an [exclusive](FileStoreBuilder::exclusive) store of this
    /// torrent in `folder`: for whoever only reads, and changes nothing there.
    ///
    /// # Errors
    /// That one alone: a folder that cannot be opened is for others to find.
    pub fn ensure_unused(folder: impl AsRef<Path>, metainfo: &Metainfo) -> Result<(), StoreError> {
        match Folder::open_existing(folder.as_ref()) {
            Ok(folder) => lock::is_taken(&folder, metainfo.info_hash()),
            Err(_) => Ok(()),
        }
    }

    /// What an earlier run left, and how much of it could be used.
    #[must_use]
    pub fn recalled(&self) -> &Recalled {
        &self.recalled
    }

    fn standing(&self, index: usize) -> Standing {
        Standing::from_u8(self.standings[index].load(Ordering::Acquire))
    }

    fn set_standing(&self, index: usize, standing: Standing) {
        self.standings[index].store(standing as u8, Ordering::Release);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file, open; for a writer it is created if it does not exist.
    fn handle(&self, index: usize, writable: bool) -> Result<Arc<File>, StoreError> {
        if let Some(file) = self.pool.find(index, writable) {
            return Ok(file);
        }
        let path = &self.layout.file(index).path;
        let is_missing = || matches!(self.standing(index), Standing::Absent | Standing::Aside);
        if is_missing() {
            if !writable {
                return Err(self.folder.error(path, "read", ErrorKind::NotFound.into()));
            }
            let mut notes = self.notes();
            self.bring_home(index, &mut notes)?;
            // Another thread may have been faster.
            if self.standing(index) == Standing::Absent {
                let file = self.create(index, &mut notes)?;
                self.set_standing(index, Standing::Ours);
                return Ok(self.pooled(index, file, writable));
            }
        }
        let file = self.with_room(|| self.folder.open_file(path, writable))?;
        Ok(self.pooled(index, file, writable))
    }

    /// Creates a file that is absent.
    fn create(&self, index: usize, notes: &mut Notes) -> Result<File, StoreError> {
        let path = &self.layout.file(index).path;
        notes.marker.note(&self.folder, path)?;
        notes.noted[index] = true;
        let file = self.with_room(|| self.folder.create_file(path))?;
        self.touch(index, 0);
        self.take_room(index, &file)?;
        Ok(file)
    }

    fn pooled(&self, index: usize, file: File, writable: bool) -> Arc<File> {
        let file = Arc::new(file);
        self.pool.keep(index, &file, writable);
        file
    }

    /// Opens a file; if the process has too many open, our own are closed first.
    fn with_room(&self, open: impl Fn() -> Result<File, StoreError>) -> Result<File, StoreError> {
        match open() {
            Err(StoreError::Io { source, .. }) if crate::driver::is_lack(&source) => {
                self.pool.clear();
                open()
            }
            result => result,
        }
    }

    fn write_file(&self, index: usize, data: &[IoSlice<'_>], at: u64) -> Result<(), StoreError> {
        if self.standing(index) == Standing::Aside && self.write_aside(index, data, at)? {
            return Ok(());
        }
        let file = self.handle(index, true)?;
        self.put(&file, index, self.standing(index), data, at)
    }

    /// Writes what a file that is aside has of shared pieces. False if it is not aside any more, or if that
    /// is no such piece: it was asked for while the file was wanted, and is to lie in its place.
    fn write_aside(&self, index: usize, data: &[IoSlice<'_>], at: u64) -> Result<bool, StoreError> {
        let position = self.layout.file(index).offset + at;
        let mut part = self.part.lock();
        let aside = self.standing(index) == Standing::Aside
            && self.part.has_place(position, length_of(data) as u64);
        if aside {
            self.touch_part();
            self.part.write(&self.folder, &mut part, data, position)?;
        }
        Ok(aside)
    }

    /// Writes to a file as its standing allows.
    fn put(
        &self,
        file: &File,
        index: usize,
        standing: Standing,
        data: &[IoSlice<'_>],
        at: u64,
    ) -> Result<(), StoreError> {
        let path = &self.layout.file(index).path;
        if standing == Standing::Unproven {
            let conflict = belongs::conflict(file, data, at);
            if let Some(at) = conflict.map_err(|error| self.folder.error(path, "read", error))? {
                let why = format!("its byte {at} differs from the torrent's");
                return Err(self.folder.foreign(path, why));
            }
        }
        self.touch_file(file, index, length_of(data))?;
        let written = positional::write_all_at(file, data, at);
        written.map_err(|error| self.folder.error(path, "write", error))
    }

    fn read_file(
        &self,
        index: usize,
        buffers: &mut [IoSliceMut<'_>],
        at: u64,
    ) -> Result<(), StoreError> {
        let entry = self.layout.file(index);
        if self.standing(index) == Standing::Aside {
            let read = self.part.read(&self.folder, buffers, entry.offset + at);
            // It may just have been moved into its place.
            if read.is_ok() || self.standing(index) == Standing::Aside {
                return read;
            }
        }
        let file = self.handle(index, false)?;
        positional::read_exact_at(&file, buffers, at)
            .map_err(|error| self.folder.error(&entry.path, "read", error))
    }
}

impl PieceStore for FileStore {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        let length = length_of(data);
        let position = self.extent.place(piece, begin, length)?;
        if let Some(span) = self.layout.only_span(position, length) {
            return self.write_file(span.file, data, span.at);
        }
        let mut cut = Cut::new(data);
        for span in self.layout.spans(position, length) {
            let part = cut.take(span.length);
            if !self.layout.file(span.file).pad {
                self.write_file(span.file, &part, span.at)?;
            }
        }
        Ok(())
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        if self.given_up.as_ref().is_some_and(|given_up| given_up.load(Ordering::Relaxed)) {
            return Err(StoreError::GivenUp);
        }
        let length = length_of(buffers);
        let position = self.extent.place(piece, begin, length)?;
        if let Some(span) = self.layout.only_span(position, length) {
            return self.read_file(span.file, buffers, span.at);
        }
        let mut cut = CutMut::new(buffers);
        for span in self.layout.spans(position, length) {
            let mut part = cut.take(span.length);
            if self.layout.file(span.file).pad {
                part.iter_mut().for_each(|buffer| buffer.fill(0));
            } else {
                self.read_file(span.file, &mut part, span.at)?;
            }
        }
        Ok(())
    }

    fn read_at_hand(&self, piece: PieceIndex, begin: u32, buffers: &mut [IoSliceMut<'_>]) -> bool {
        let length = length_of(buffers);
        let position = self.extent.place(piece, begin, length);
        let span = position.ok().and_then(|position| self.layout.only_span(position, length));
        let span = span.filter(|span| self.standing(span.file) != Standing::Aside);
        // To open a file may take as long as to read it.
        let file = span.and_then(|span| Some((self.pool.find(span.file, false)?, span.at)));
        file.is_some_and(|(file, at)| positional::read_cached(&file, buffers, at))
    }

    fn choose(&self, files: &[bool]) -> Result<(), StoreError> {
        self.choose_files(files)
    }

    /// Creates the wanted files that are empty and removes the note about the files in progress, unless
    /// there are others that we began, or wanted ones that are not all there: more may have been chosen in
    /// the meantime. Does nothing if both is done. Files that another program may have changed since our last
    /// write are hashed first.
    fn finish(&self) -> Result<(), StoreError> {
        let mut notes = self.notes();
        self.keep_part()?;
        let mut begun = false;
        for (index, entry) in self.layout.stored() {
            let is_missing = matches!(self.standing(index), Standing::Absent | Standing::Aside);
            if !notes.chosen[index] {
                begun |= notes.noted[index];
            } else if entry.length > 0 && is_missing {
                begun = true;
            } else if entry.length > 0 {
                // Somebody may have removed what we wrote: then nothing is finished.
                let file = self.folder.open_file(&entry.path, false)?;
                self.look_at_end(&file, index)?;
                let length = file.metadata().map(|metadata| metadata.len());
                let length = length.map_err(|e| self.folder.error(&entry.path, "look at", e))?;
                begun |= length < entry.length;
            } else if is_missing {
                self.with_room(|| self.folder.create_file(&entry.path))?;
                self.touch(index, 0);
                self.set_standing(index, Standing::Ours);
            }
        }
        self.judge_suspects(&notes.chosen)?;
        if begun {
            return Ok(());
        }
        notes.noted.fill(false);
        notes.marker.remove(&self.folder)
    }

    fn keep(&self, verified: &[PieceIndex]) -> Result<(), StoreError> {
        self.keep_pieces(verified)
    }

    /// Why the resume state could not be written the last time: the next start will hash more than it had to.
    fn trouble(&self) -> Option<String> {
        self.remember.get().and_then(Remember::trouble)
    }

    fn close(&self) {
        // A file that was removed is for the next start to see.
        let _ = self.keep_pieces(&[]);
        if let Some(remember) = self.remember.get() {
            remember.close();
        }
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        // The lock goes behind it.
        self.close();
    }
}
