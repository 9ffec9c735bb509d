//! Room on the disk: how much is there, how much is needed, and how it is taken.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::PathBuf;

use ccbt_wire::Bitfield;

use super::survey::Standing;
use super::{FileStore, positional};
use crate::store::StoreError;

/// How files of a torrent take their room on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allocation {
    /// A file takes the room of what was written to it.
    #[default]
    Sparse,
    /// A file takes all of its room when it is created: the disk cannot be full in the middle of it, and it
    /// lies in fewer stretches.
    Full,
}

/// Room for a torrent, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// What is still to be written to the wanted files and takes room that they do not have yet.
    pub needed: u64,
    /// What the file system of the output folder has for us; `None` if it does not say.
    pub free: Option<u64>,
}

impl Room {
    /// Whether there is too little of it, as far as can be known.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.free.is_some_and(|free| free < self.needed)
    }
}

const CHUNK: usize = 256 * 1024;

impl FileStore {
    /// How much room is needed and how much there is, if the pieces in `have` are there already.
    ///
    /// # Errors
    /// If a file or the folder cannot be looked at.
    pub fn room(&self, have: &Bitfield) -> Result<Room, StoreError> {
        let notes = self.notes();
        let mut needed: u64 = 0;
        for (index, entry) in self.layout.stored().filter(|(index, _)| notes.chosen[*index]) {
            let pieces = self.part.places.portions(entry.offset, entry.length);
            let missing = pieces.filter(|portion| !have.get(portion.piece));
            let missing: u64 = missing.map(|portion| portion.length).sum();
            // Room that was taken before need not be free again.
            let taken = match self.standing(index) {
                Standing::Absent | Standing::Aside => 0,
                _ => self.folder.look(&entry.path)?.map_or(0, |found| taken(&found)),
            };
            needed = needed.saturating_add(missing.min(entry.length.saturating_sub(taken)));
        }
        Ok(Room { needed, free: self.folder.free()? })
    }

    /// Whether anything can be written to the folder, to be asked before peers are: creates a small file there
    /// and removes it.
    ///
    /// # Errors
    /// If it cannot be created: a medium that is mounted read-only, a folder of somebody else's.
    pub fn ensure_writable(&self) -> Result<(), StoreError> {
        let probe = PathBuf::from(format!(".ccbt-{}.probe.part", std::process::id()));
        self.folder.open_or_create(&probe)?;
        self.folder.remove_file(&probe)
    }

    /// Creates the wanted files and takes all of their room, if the store was opened with
    /// [`Allocation::Full`]; does nothing otherwise.
    ///
    /// # Errors
    /// If there is not enough room, or a file cannot be created.
    pub fn allocate(&self) -> Result<(), StoreError> {
        if self.allocation != Allocation::Full {
            return Ok(());
        }
        let chosen = self.notes().chosen.clone();
        for (index, entry) in self.layout.stored() {
            let ours = matches!(self.standing(index), Standing::Absent | Standing::Ours);
            if chosen[index] && ours && entry.length > 0 {
                let file = self.handle(index, true)?;
                self.take_room(index, &file)?;
            }
        }
        self.keep_pieces(&[])
    }

    /// Has a file take all of its room now, if that is how it is to be.
    pub(super) fn take_room(&self, index: usize, file: &File) -> Result<(), StoreError> {
        let entry = self.layout.file(index);
        if self.allocation != Allocation::Full || entry.length == 0 {
            return Ok(());
        }
        // To ask again would change the time of its last change, and a later run would have to hash it.
        if has_room(file, entry.length) {
            return Ok(());
        }
        self.touch(index, 0);
        let taken = reserve(file, entry.length);
        taken.map_err(|error| self.folder.error(&entry.path, "be given all of its room", error))
    }
}

/// Whether a file has all of its room.
#[cfg(unix)]
fn has_room(file: &File, length: u64) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |found: std::fs::Metadata| found.len() >= length && found.blocks() * 512 >= length;
    file.metadata().is_ok_and(of)
}

#[cfg(not(unix))]
fn has_room(file: &File, length: u64) -> bool {
    file.metadata().is_ok_and(|found| found.len() >= length)
}

/// Makes a file so long, with room for every byte, and leaves what it holds as it is.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn reserve(file: &File, length: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    loop {
        match fallocate(file, FallocateFlags::empty(), 0, length) {
            Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return fill(file, length),
            result => return Ok(result?),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn reserve(file: &File, length: u64) -> io::Result<()> {
    fill(file, length)
}

/// Where the system cannot reserve room, zeros behind the end take it.
fn fill(file: &File, length: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK];
    let mut at = file.metadata()?.len();
    while at < length {
        let step = usize::try_from(length - at).unwrap_or(CHUNK).min(CHUNK);
        positional::write_all_at(file, &[IoSlice::new(&zeros[..step])], at)?;
        at += step as u64;
    }
    Ok(())
}

/// Bytes of the disk that a file has.
#[cfg(unix)]
fn taken(metadata: &cap_std::fs::Metadata) -> u64 {
    use cap_std::fs::MetadataExt;
    metadata.blocks().saturating_mul(512)
}

#[cfg(not(unix))]
fn taken(metadata: &cap_std::fs::Metadata) -> u64 {
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_make_room_behind_what_is_there() {
        let file = tempfile::tempfile().unwrap();
        positional::write_all_at(&file, &[IoSlice::new(b"abc")], 0).unwrap();
        fill(&file, 300_000).unwrap();
        let mut bytes = vec![7; 300_001];
        assert_eq!(positional::read_at_most(&file, &mut bytes, 0).unwrap(), 300_000);
        assert_eq!(bytes[..4], *b"abc\0");
        fill(&file, 10).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 300_000, "nothing is cut");
    }

    #[test]
    fn room_is_short_only_where_it_is_known() {
        let room = |free| Room { needed: 10, free };
        assert!(room(Some(9)).is_short());
        assert!(!room(Some(10)).is_short() && !room(None).is_short());
    }
}
