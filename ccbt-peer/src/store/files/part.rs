//! The part file: what pieces of chosen files have of their neighbours, which are not to appear.
//!
//! Only a piece in which one file ends and another begins can be shared by files that are wanted and files
//! that are not. Each such piece of the torrent has a place in the part file, in order, whatever is chosen;
//! so there is no index that could be lost, and a hash tells what a place holds. The file is sparse.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccbt_wire::{InfoHash, Metainfo, PieceIndex};

use super::cut::{Cut, CutMut};
use super::folder::Folder;
use super::layout::{Entry, Layout};
use super::marker::reserved;
use super::positional;
use crate::store::StoreError;
use crate::store::extent::Extent;

/// Bytes that are copied at a time.
const CHUNK: u64 = 256 * 1024;

/// Where shared pieces lie in the part file.
#[derive(Debug)]
pub(super) struct Places {
    /// In growing order; the place of each is its position here.
    shared: Box<[u32]>,
    extent: Extent,
}

/// A stretch of the payload within one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    pub(super) piece: PieceIndex,
    /// Where it begins in the payload.
    pub(super) position: u64,
    pub(super) length: u64,
    /// Where it begins in the part file; `None` if its piece is not shared.
    at: Option<u64>,
}

impl Places {
    pub(super) fn of(layout: &Layout, extent: Extent) -> Self {
        let mut shared: Vec<u32> = Vec::new();
        let mut last_before = None;
        for (_, entry) in layout.stored().filter(|(_, entry)| entry.length > 0) {
            let mut pieces =
                extent.pieces_of(entry.offset, entry.length).map(|(piece, ..)| piece.0);
            let first = pieces.next();
            if first == last_before && first != shared.last().copied() {
                shared.extend(first);
            }
            last_before = pieces.last().or(first);
        }
        Self { shared: shared.into(), extent }
    }

    /// All pieces that have a place.
    pub(super) fn pieces(&self) -> impl Iterator<Item = PieceIndex> {
        self.shared.iter().map(|piece| PieceIndex(*piece))
    }

    /// Where a piece begins in the part file.
    fn place(&self, piece: PieceIndex) -> Option<u64> {
        let place = self.shared.binary_search(&piece.0).ok()?;
        Some(place as u64 * self.extent.piece_length())
    }

    /// The longest that a part file can be.
    fn length(&self) -> u64 {
        self.shared.len() as u64 * self.extent.piece_length()
    }

    /// A stretch of the payload, piece by piece.
    pub(super) fn portions(&self, position: u64, length: u64) -> impl Iterator<Item = Portion> {
        let pieces = (length > 0).then(|| self.extent.pieces_of(position, length));
        pieces.into_iter().flatten().map(|(piece, from, to)| {
            let piece_length = self.extent.piece_length();
            let begin = from - u64::from(piece.0) * piece_length;
            let at = self.place(piece).map(|place| place + begin);
            Portion { piece, position: from, length: to - from, at }
        })
    }
}

/// Where the part file of a torrent is, and what lies where in it, for whoever wants to read it.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    places: Places,
}

impl PartFile {
    /// That of this torrent, whether it exists or not.
    #[must_use]
    pub fn of(metainfo: &Metainfo) -> Self {
        let places = Places::of(&Layout::of(metainfo), Extent::of(metainfo));
        Self { path: path_of(metainfo.info_hash()), places }
    }

    /// Its path in the output folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the first byte of a piece lies in it, if it does; `None` if no two files share the piece. Of
    /// other bytes of the piece than those of files that were not wanted there may be none.
    #[must_use]
    pub fn place(&self, piece: PieceIndex) -> Option<u64> {
        self.places.place(piece)
    }
}

fn path_of(info_hash: InfoHash) -> PathBuf {
    reserved(info_hash, ".pieces")
}

/// The part file of a torrent, which does not have to exist.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    pub(super) places: Places,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    file: Option<Arc<File>>,
    /// Pieces of which there may be bytes in it.
    pub(super) held: BTreeSet<PieceIndex>,
}

impl Part {
    /// Looks for the part file of an earlier run.
    pub(super) fn open(
        folder: &Folder,
        info_hash: InfoHash,
        places: Places,
    ) -> Result<Self, StoreError> {
        let path = path_of(info_hash);
        let (mut file, mut held) = (None, BTreeSet::new());
        if let Some(metadata) = folder.look(&path)? {
            if !metadata.is_file() || metadata.len() > places.length() {
                return Err(folder.foreign(&path, "it is no part file of ccbt"));
            }
            file = Some(Arc::new(folder.open_file(&path, true)?));
            held = places.pieces().collect();
        }
        Ok(Self { path, places, inner: Mutex::new(Inner { file, held }) })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_there(&self) -> bool {
        self.lock().file.is_some()
    }

    /// Whether all of the stretch has a place.
    pub(super) fn has_place(&self, position: u64, length: u64) -> bool {
        self.places.portions(position, length).all(|portion| portion.at.is_some())
    }

    /// Writes a stretch of the payload, all of which has a place. `inner` is what [`lock`](Self::lock) gives.
    pub(super) fn write(
        &self,
        folder: &Folder,
        inner: &mut Inner,
        data: &[IoSlice<'_>],
        position: u64,
    ) -> Result<(), StoreError> {
        let file = match &inner.file {
            Some(file) => file.clone(),
            None => inner.file.insert(Arc::new(folder.create_file(&self.path)?)).clone(),
        };
        let length = data.iter().map(|data| data.len() as u64).sum();
        let mut cut = Cut::new(data);
        for portion in self.places.portions(position, length) {
            let bytes = cut.take(usize::try_from(portion.length).unwrap_or(usize::MAX));
            let Some(at) = portion.at else { return Err(self.nothing(folder)) };
            inner.held.insert(portion.piece);
            positional::write_all_at(&file, &bytes, at)
                .map_err(|error| folder.error(&self.path, "write", error))?;
        }
        Ok(())
    }

    /// Reads a stretch of the payload.
    ///
    /// # Errors
    /// `NotFound` or `UnexpectedEof` if it was never written.
    pub(super) fn read(
        &self,
        folder: &Folder,
        buffers: &mut [IoSliceMut<'_>],
        position: u64,
    ) -> Result<(), StoreError> {
        let Some(file) = self.lock().file.clone() else { return Err(self.nothing(folder)) };
        let length = buffers.iter().map(|buffer| buffer.len() as u64).sum();
        let mut cut = CutMut::new(buffers);
        for portion in self.places.portions(position, length) {
            let mut bytes = cut.take(usize::try_from(portion.length).unwrap_or(usize::MAX));
            let Some(at) = portion.at else { return Err(self.nothing(folder)) };
            positional::read_exact_at(&file, &mut bytes, at)
                .map_err(|error| folder.error(&self.path, "read", error))?;
        }
        Ok(())
    }

    /// What may be here of a file of the torrent.
    pub(super) fn held_of(&self, inner: &Inner, entry: &Entry) -> Vec<Portion> {
        let portions = self.places.portions(entry.offset, entry.length);
        let held = |portion: &Portion| portion.at.is_some() && inner.held.contains(&portion.piece);
        portions.filter(held).collect()
    }

    /// Takes the bytes of a portion out, some at a time, with their position in the payload. A portion that
    /// was never written has none.
    pub(super) fn copy(
        &self,
        folder: &Folder,
        inner: &Inner,
        portion: Portion,
        mut put: impl FnMut(&[u8], u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (Some(file), Some(at)) = (&inner.file, portion.at) else { return Ok(()) };
        let mut buffer = vec![0; usize::try_from(portion.length.min(CHUNK)).unwrap_or(0)];
        let mut done = 0;
        while done < portion.length {
            let rest = usize::try_from(portion.length - done).unwrap_or(usize::MAX);
            let length = rest.min(buffer.len());
            match positional::read_exact_at(
                file,
                &mut [IoSliceMut::new(&mut buffer[..length])],
                at + done,
            ) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                result => result.map_err(|error| folder.error(&self.path, "read", error))?,
            }
            put(&buffer[..length], portion.position + done)?;
            done += length as u64;
        }
        Ok(())
    }

    /// Keeps the pieces for which `needed` holds; removes the file when it holds nothing.
    pub(super) fn keep(
        &self,
        folder: &Folder,
        needed: impl Fn(PieceIndex) -> bool,
    ) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.held.retain(|piece| needed(*piece));
        if inner.held.is_empty() && inner.file.take().is_some() {
            folder.remove_file(&self.path)?;
        }
        Ok(())
    }

    fn nothing(&self, folder: &Folder) -> StoreError {
        folder.error(&self.path, "read", ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures;

    #[test]
    fn only_pieces_in_which_files_meet_have_a_place() {
        // Pieces of 1,000 bytes: a 0-1, b 1, c 1-2, an empty file, d 3-5, a pad in 5, e 6, f 6-8.
        let files = [
            ("a", 1_500),
            ("b", 100),
            ("c", 1_400),
            ("empty", 0),
            ("d", 2_500),
            (".pad/500", 500),
            ("e", 10),
            ("f", 2_000),
        ];
        let torrent = fixtures::multi(&files, 1_000);
        let layout = Layout::of(&torrent.metainfo);
        let places = Places::of(&layout, Extent::of(&torrent.metainfo));
        assert_eq!(places.pieces().map(|piece| piece.0).collect::<Vec<_>>(), [1, 6]);
        let portions: Vec<_> = places.portions(900, 700).collect();
        assert_eq!(portions.len(), 2);
        assert_eq!((portions[0].at, portions[0].length), (None, 100));
        assert_eq!((portions[1].at, portions[1].length), (Some(0), 600));
        assert_eq!(places.portions(6_010, 5).next().unwrap().at, Some(1_010));
        assert_eq!(places.portions(10, 0).count(), 0);
    }
}
