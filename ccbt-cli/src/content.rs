//! Files on the disk as one row of bytes, in the order in which a torrent counts them.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files that are kept open for the next read.
const OPEN_FILES: usize = 64;

/// Where the bytes of one file of the torrent come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A regular file.
    Disk(PathBuf),
    /// A stretch of a regular file, from this byte on.
    Within(PathBuf, u64),
    /// Nothing is there to be read.
    Absent,
    /// Filling between files (BEP 47).
    Zeros,
}

/// The payload of a torrent, to be read by many threads at once.
#[derive(Debug)]
pub(crate) struct Content {
    parts: Vec<Part>,
    /// Each is used by one thread at a time: reading moves it.
    idle: Mutex<Vec<(usize, File)>>,
}

#[derive(Debug)]
struct Part {
    origin: Origin,
    offset: u64,
    length: u64,
}

/// A file that cannot be read as it should.
#[derive(Debug)]
pub(crate) struct ReadError {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl Content {
    /// Files with their lengths in bytes, in the order of the payload.
    pub(crate) fn new(files: impl IntoIterator<Item = (Origin, u64)>) -> Self {
        let mut offset = 0_u64;
        let parts = files.into_iter().map(|(origin, length)| {
            let part = Part { origin, offset, length };
            offset = offset.saturating_add(length);
            part
        });
        Self { parts: parts.collect(), idle: Mutex::default() }
    }

    /// Fills `buffer` with what lies at byte `position` of the payload and behind it.
    ///
    /// # Errors
    /// What the system says; `NotFound` for an absent file, `UnexpectedEof` for one that is too short,
    /// and behind the last one.
    pub(crate) fn read(&self, mut position: u64, mut buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut index =
            self.parts.partition_point(|part| part.offset.saturating_add(part.length) <= position);
        while !buffer.is_empty() {
            let Some(part) = self.parts.get(index) else {
                return Err(ReadError {
                    path: PathBuf::new(),
                    source: ErrorKind::UnexpectedEof.into(),
                });
            };
            let at = position - part.offset;
            let length = usize::try_from(part.length - at).unwrap_or(usize::MAX).min(buffer.len());
            let (now, later) = buffer.split_at_mut(length);
            self.read_part(index, part, at, now)?;
            position += length as u64;
            buffer = later;
            index += 1;
        }
        Ok(())
    }

    fn read_part(
        &self,
        index: usize,
        part: &Part,
        at: u64,
        buffer: &mut [u8],
    ) -> Result<(), ReadError> {
        match &part.origin {
            // Nothing of an empty file is ever needed.
            _ if buffer.is_empty() => Ok(()),
            Origin::Zeros => {
                buffer.fill(0);
                Ok(())
            }
            Origin::Absent => {
                Err(ReadError { path: PathBuf::new(), source: ErrorKind::NotFound.into() })
            }
            Origin::Disk(path) => self.read_file(index, path, at, buffer),
            Origin::Within(path, start) => self.read_file(index, path, start + at, buffer),
        }
    }

    fn read_file(
        &self,
        index: usize,
        path: &PathBuf,
        at: u64,
        buffer: &mut [u8],
    ) -> Result<(), ReadError> {
        self.with_file(index, path, |file| {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(buffer)
        })
        .map_err(|source| ReadError { path: path.clone(), source })
    }

    fn with_file(
        &self,
        index: usize,
        path: &PathBuf,
        read: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let kept = {
            let mut idle = self.idle();
            let place = idle.iter().rposition(|(of, _)| *of == index);
            place.map(|place| idle.remove(place).1)
        };
        let mut file = kept.map_or_else(|| File::open(path), Ok)?;
        read(&mut file)?;
        let mut idle = self.idle();
        if idle.len() == OPEN_FILES {
            idle.remove(0);
        }
        idle.push((index, file));
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(usize, File)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(folder: &tempfile::TempDir, files: &[(&str, &[u8])]) -> Content {
        Content::new(files.iter().map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            (Origin::Disk(path), bytes.len() as u64)
        }))
    }

    #[test]
    fn a_read_goes_over_the_borders_of_files() {
        let folder = tempfile::tempdir().unwrap();
        let content = content(&folder, &[("a", b"abc"), ("b", b""), ("c", b"d"), ("d", b"efgh")]);
        for (position, length) in [(0, 8), (2, 3), (3, 1), (4, 4), (7, 1), (0, 0), (8, 0)] {
            let mut buffer = vec![0; length];
            content.read(position, &mut buffer).unwrap();
            let position = usize::try_from(position).unwrap();
            assert_eq!(buffer, b"abcdefgh"[position..position + length]);
        }
        let error = content.read(7, &mut [0; 2]).unwrap_err();
        assert_eq!(error.source.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_absent_or_short_says_so_and_pads_are_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short");
        std::fs::write(&path, b"ab").unwrap();
        let parts = [(Origin::Zeros, 2), (Origin::Disk(path.clone()), 3), (Origin::Absent, 1)];
        let content = Content::new(parts);
        let mut buffer = [7; 4];
        content.read(0, &mut buffer).unwrap();
        assert_eq!(&buffer, b"\0\0ab");
        let error = content.read(2, &mut [0; 3]).unwrap_err();
        assert_eq!((error.path, error.source.kind()), (path, ErrorKind::UnexpectedEof));
        let error = content.read(5, &mut [0; 1]).unwrap_err();
        assert_eq!(error.source.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn files_are_opened_again_when_many_were_read() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..OPEN_FILES * 2).map(|n| n.to_string()).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
        let content = content(&folder, &files);
        let whole = names.concat();
        for _ in 0..2 {
            let mut buffer = vec![0; whole.len()];
            content.read(0, &mut buffer).unwrap();
            assert_eq!(buffer, whole.as_bytes());
        }
    }
}
