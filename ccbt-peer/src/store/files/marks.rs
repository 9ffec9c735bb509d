//! How files look from outside: what a resume state remembers of them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};
use std::time::SystemTime;

use ccbt_wire::PieceIndex;

use super::FileStore;
use super::folder::Folder;
use super::seen::Seen;
use super::survey::Standing;
use crate::store::StoreError;
use crate::store::resume::{Mark, Record, Stamp};

/// Files that were written to since they were looked at, by their index; the part file comes behind them.
#[derive(Debug, Default)]
pub(super) struct Touched {
    files: BTreeSet<usize>,
    bytes: u64,
    pub(super) seen: Seen,
}

impl FileStore {
    /// A file is to be written to.
    ///
    /// # Errors
    /// If another program made it shorter since our last write.
    pub(super) fn touch_file(
        &self,
        file: &File,
        index: usize,
        bytes: usize,
    ) -> Result<(), StoreError> {
        let mut touched = self.touched();
        // One look for all writes up to the next one behind them.
        if !touched.files.contains(&index) {
            self.compare(&mut touched, index, file)?;
            touched.files.insert(index);
        }
        touched.bytes += bytes as u64;
        Ok(())
    }

    /// Looks at a file whose writes are over.
    ///
    /// # Errors
    /// As [`touch_file`](Self::touch_file).
    pub(super) fn look_at_end(&self, file: &File, index: usize) -> Result<(), StoreError> {
        let mut touched = self.touched();
        if touched.files.contains(&index) {
            return Ok(());
        }
        self.compare(&mut touched, index, file)
    }

    /// A file was written to.
    pub(super) fn touch(&self, index: usize, bytes: usize) {
        let mut touched = self.touched();
        touched.files.insert(index);
        touched.bytes += bytes as u64;
    }

    /// The part file was written to, or is gone.
    pub(super) fn touch_part(&self) {
        self.touch(self.layout.len(), 0);
    }

    pub(super) fn touched(&self) -> MutexGuard<'_, Touched> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What [`PieceStore::keep`](crate::PieceStore::keep) says.
    pub(super) fn keep_pieces(&self, verified: &[PieceIndex]) -> Result<(), StoreError> {
        let mut touched = self.touched();
        let mut marks = Vec::with_capacity(touched.files.len());
        for index in &touched.files {
            marks.push((u32::try_from(*index).unwrap_or(u32::MAX), self.mark(*index, true)?));
        }
        let files = std::mem::take(&mut touched.files);
        for (index, (_, mark)) in files.iter().zip(&marks) {
            self.see(&mut touched, *index, mark);
        }
        let bytes = std::mem::take(&mut touched.bytes);
        drop(touched);
        let is_news = !files.is_empty() || !verified.is_empty();
        if let Some(remember) = self.remember.get().filter(|_| is_news) {
            remember.record(Record { marks, pieces: verified.to_vec() }, bytes);
        }
        Ok(())
    }

    /// Looks at a file. `written`: it was there a moment ago, and its absence is an error.
    ///
    /// # Errors
    /// If it cannot be looked at, or was removed.
    pub(super) fn mark(&self, index: usize, written: bool) -> Result<Mark, StoreError> {
        if index == self.layout.len() {
            return Ok(Mark {
                stamp: stamp_at(&self.folder, self.part.path())?,
                ..Mark::default()
            });
        }
        let path = &self.layout.file(index).path;
        let standing = self.standing(index);
        let has_file = matches!(standing, Standing::Ours | Standing::Unproven);
        let stamp = match self.pool.find(index, false).filter(|_| has_file) {
            Some(file) => match stamp_of(&file) {
                Ok(None) => {
                    // The next use says that it is gone, until it is back.
                    self.pool.forget(index);
                    None
                }
                found => found.map_err(|error| self.folder.error(path, "look at", error))?,
            },
            None => stamp_at(&self.folder, path)?,
        };
        if written && has_file && stamp.is_none() {
            let source = io::Error::new(ErrorKind::NotFound, "it was removed");
            return Err(self.folder.error(path, "write", source));
        }
        let ours = standing == Standing::Ours;
        Ok(Mark { stamp, ours, aside: stamp.is_some() && standing == Standing::Aside })
    }

    /// Looks at every file, and at the part file behind them.
    pub(super) fn marks(&self) -> Result<Vec<Mark>, StoreError> {
        let look = |index: usize| match index < self.layout.len() && self.layout.file(index).pad {
            true => Ok(Mark::default()),
            false => self.mark(index, false),
        };
        (0..=self.layout.len()).map(look).collect()
    }
}

/// How an open file looks; `None` if it has no name any more.
pub(super) fn stamp_of(file: &File) -> io::Result<Option<Stamp>> {
    let metadata = file.metadata()?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&metadata) == 0 {
        return Ok(None);
    }
    Ok(Some(Stamp { length: metadata.len(), modified: nanoseconds(metadata.modified()?) }))
}

/// How what lies at a path looks; `None` if nothing does.
pub(super) fn stamp_at(folder: &Folder, path: &Path) -> Result<Option<Stamp>, StoreError> {
    let Some(metadata) = folder.look(path)? else { return Ok(None) };
    let modified = metadata.modified().map_err(|error| folder.error(path, "look at", error))?;
    let modified = nanoseconds(modified.into_std());
    Ok(Some(Stamp { length: metadata.len(), modified }))
}

fn nanoseconds(time: SystemTime) -> i128 {
    let nanos =
        |duration: std::time::Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => nanos(since),
        Err(before) => -nanos(before.duration()),
    }
}
