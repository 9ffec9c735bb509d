//! What lies on the disk where the torrent's files should be: looked at, and never changed.

use std::fs;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::path::Path;

use ccbt_peer::store::{PartFile, PieceStore, StoreError};
use ccbt_peer::wire::{Metainfo, PieceIndex};

use crate::content::{Content, Origin, ReadError};
use crate::exit::{Exit, Failure};

/// What is found at the path of one of the torrent's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A regular file of so many bytes.
    File(u64),
    /// Something else, such as a folder or a link.
    Other(&'static str),
    Nothing,
    /// Nothing is expected: a pad file is never stored.
    Pad,
}

impl Found {
    /// Bytes of a file of `length` that can be read.
    pub(super) fn readable(self, length: u64) -> u64 {
        match self {
            Self::File(found) => found.min(length),
            Self::Pad => length,
            Self::Other(_) | Self::Nothing => 0,
        }
    }
}

/// Looks at every file, in the torrent's order.
///
/// # Errors
/// The folder, or a path in it, cannot be looked at.
pub(super) fn look(folder: &Path, metainfo: &Metainfo) -> Result<Vec<Found>, Failure> {
    let failed = |path: &Path| Failure::of(Exit::Disk, path.display().to_string());
    if !fs::metadata(folder).map_err(failed(folder))?.is_dir() {
        return Err(failed(folder)(io::Error::from(ErrorKind::NotADirectory)));
    }
    let look = |file: &ccbt_peer::wire::File| {
        if file.pad {
            return Ok(Found::Pad);
        }
        let path = folder.join(&file.path);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Found::File(metadata.len())),
            Ok(metadata) if metadata.is_dir() => Ok(Found::Other("a folder")),
            Ok(metadata) if metadata.is_symlink() => Ok(Found::Other("a symbolic link")),
            Ok(_) => Ok(Found::Other("no regular file")),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(Found::Nothing),
                _ => Err(failed(&path)(error)),
            },
        }
    };
    metainfo.files().iter().map(look).collect()
}

/// What is found in a folder that is not there.
pub(super) fn nothing(metainfo: &Metainfo) -> Vec<Found> {
    let found = |file: &ccbt_peer::wire::File| if file.pad { Found::Pad } else { Found::Nothing };
    metainfo.files().iter().map(found).collect()
}

/// The files as a store that can only be read.
#[derive(Debug)]
pub(crate) struct Disk {
    content: Content,
    piece_length: u64,
}

impl Disk {
    pub(super) fn new(folder: &Path, metainfo: &Metainfo, found: &[Found]) -> Self {
        let part = PartFile::of(metainfo);
        let is_there = folder.join(part.path()).is_file();
        let mut parts = Vec::new();
        for (file, found) in metainfo.files().iter().zip(found) {
            match found {
                Found::File(_) => parts.push((Origin::Disk(folder.join(&file.path)), file.length)),
                Found::Pad => parts.push((Origin::Zeros, file.length)),
                Found::Other(_) | Found::Nothing if is_there => {
                    parts.extend(aside(folder, metainfo, &part, file));
                }
                Found::Other(_) | Found::Nothing => parts.push((Origin::Absent, file.length)),
            }
        }
        Self { content: Content::new(parts), piece_length: metainfo.piece_length().into() }
    }
}

/// Where the bytes of a file lie that is not in its place: of pieces that it shares, in the part file.
fn aside(
    folder: &Path,
    metainfo: &Metainfo,
    part: &PartFile,
    file: &ccbt_peer::wire::File,
) -> Vec<(Origin, u64)> {
    let piece_length = u64::from(metainfo.piece_length());
    let (mut at, end) = (file.offset, file.offset + file.length);
    let mut parts = Vec::new();
    while at < end {
        let piece = at / piece_length;
        let next = ((piece + 1) * piece_length).min(end);
        let place = u32::try_from(piece).ok().and_then(|piece| part.place(PieceIndex(piece)));
        match (place, parts.last_mut()) {
            (Some(place), _) => {
                let start = place + at % piece_length;
                parts.push((Origin::Within(folder.join(part.path()), start), next - at));
            }
            (None, Some((Origin::Absent, length))) => *length += next - at,
            (None, _) => parts.push((Origin::Absent, next - at)),
        }
        at = next;
    }
    parts
}

impl PieceStore for Disk {
    fn write_run(&self, _: PieceIndex, _: u32, _: &[IoSlice<'_>]) -> Result<(), StoreError> {
        Err(failed(
            "write",
            ReadError { path: Default::default(), source: ErrorKind::ReadOnlyFilesystem.into() },
        ))
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        let mut position = u64::from(piece.0) * self.piece_length + u64::from(begin);
        for buffer in buffers {
            self.content.read(position, buffer).map_err(|error| failed("read", error))?;
            position += buffer.len() as u64;
        }
        Ok(())
    }
}

fn failed(action: &'static str, error: ReadError) -> StoreError {
    StoreError::Io { path: error.path, action, source: error.source }
}
