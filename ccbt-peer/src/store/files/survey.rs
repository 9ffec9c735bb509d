//! What lies in the output folder where the torrent's files will be.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::folder::Folder;
use super::layout::{Entry, Layout};
use super::marker::{is_reserved, line_of};
use crate::store::StoreError;

/// What we may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Standing {
    /// It does not exist: it is created when its first byte is written.
    Absent,
    /// We created it, or what it holds is known to be of this torrent: it is written to.
    Ours,
    /// It was there before us and nothing is proven: it is read, but only zeros in it are replaced.
    Unproven,
    /// Nobody wants it, and what is at its path, if anything, is left alone. Its bytes in pieces that a wanted
    /// file has a share of lie in the part file.
    Aside,
}

impl Standing {
    pub(super) fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Absent,
            1 => Self::Ours,
            2 => Self::Unproven,
            _ => Self::Aside,
        }
    }
}

/// Looks at every path of the torrent. What is absent is aside if it is not `chosen`, and also if there is a
/// part file that may have bytes of it.
///
/// # Errors
/// `Foreign` for the first chosen file that cannot be a part of this torrent.
pub(super) fn survey(
    folder: &Folder,
    layout: &Layout,
    created: &HashSet<String>,
    chosen: &[bool],
    has_part: bool,
) -> Result<Vec<Standing>, StoreError> {
    let mut folders = Folders { folder, known: HashMap::new() };
    let mut standings = vec![Standing::Absent; layout.len()];
    for (index, entry) in layout.stored() {
        if is_reserved(&entry.path) {
            return Err(folder.foreign(&entry.path, "the name is kept for ccbt's own notes"));
        }
        let found = match folders.exists(entry.path.parent()) {
            Ok(true) => look(folder, entry, created.contains(&line_of(&entry.path))),
            Ok(false) => Ok(Standing::Absent),
            Err(error) => Err(error),
        };
        standings[index] = match found {
            Err(StoreError::Foreign { .. }) if !chosen[index] => Standing::Aside,
            Ok(Standing::Absent) if has_part || !chosen[index] => Standing::Aside,
            found => found?,
        };
    }
    Ok(standings)
}

/// Looks at one path. `created`: the file there was created by us.
///
/// # Errors
/// `Foreign` if it cannot be a part of this torrent.
pub(super) fn look(folder: &Folder, entry: &Entry, created: bool) -> Result<Standing, StoreError> {
    let Some(metadata) = folder.look(&entry.path)? else {
        return Ok(Standing::Absent);
    };
    if !metadata.is_file() {
        let what = match metadata.file_type() {
            kind if kind.is_dir() => "a folder",
            kind if kind.is_symlink() => "a symbolic link",
            _ => "no regular file",
        };
        return Err(folder.foreign(&entry.path, format!("it is {what}")));
    }
    let length = metadata.len();
    if length > entry.length {
        // Not even a file of our own: nothing that we write makes it longer.
        let why = format!("it has {length} bytes, the torrent's file has {}", entry.length);
        return Err(folder.foreign(&entry.path, why));
    }
    let is_ours = length == 0 || created;
    Ok(if is_ours { Standing::Ours } else { Standing::Unproven })
}

/// The folders of the torrent, each looked at once: where nothing is downloaded yet, a torrent of
/// many thousand files costs one look.
struct Folders<'a> {
    folder: &'a Folder,
    known: HashMap<&'a Path, bool>,
}

impl<'a> Folders<'a> {
    fn exists(&mut self, path: Option<&'a Path>) -> Result<bool, StoreError> {
        let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(true);
        };
        if let Some(exists) = self.known.get(path) {
            return Ok(*exists);
        }
        let exists = self.exists(path.parent())?
            && match self.folder.look_through(path)? {
                Some(metadata) if metadata.is_dir() => true,
                Some(_) => {
                    let why = "a file stands where the torrent has a folder";
                    return Err(self.folder.foreign(path, why));
                }
                None => false,
            };
        self.known.insert(path, exists);
        Ok(exists)
    }
}
