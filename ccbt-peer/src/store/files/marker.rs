//! The note of a download in progress: which files we created ourselves.
//!
//! While a torrent is incomplete, a small hidden file in the output folder says which files there are
//! our own, so that the next start may write to them although no piece of them is verified yet. A path
//! is in it before its file is created.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use ccbt_wire::InfoHash;

use super::folder::Folder;
use crate::store::StoreError;

/// More than any torrent's paths take; a longer note is not ours.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// The note, which does not have to exist.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    /// Where one goes that is none.
    aside: PathBuf,
    heading: String,
    /// Its length up to the last whole line, if it lies there from an earlier run.
    left_over: Option<u64>,
    /// What lies there is none: it is set aside before there is a new one.
    is_damaged: bool,
    file: Option<File>,
}

impl Marker {
    /// Reads the note of this torrent, if there is one, and the paths in it.
    pub(super) fn read(
        folder: &Folder,
        info_hash: InfoHash,
    ) -> Result<(Self, HashSet<String>), StoreError> {
        let hash = info_hash.to_string();
        let mut marker = Self {
            path: reserved(info_hash, ""),
            aside: reserved(info_hash, ".broken"),
            heading: format!("ccbt 1: files of {hash} that are being downloaded\n"),
            left_over: None,
            is_damaged: false,
            file: None,
        };
        let Some(metadata) = folder.look(&marker.path)? else {
            return Ok((marker, HashSet::new()));
        };
        if !metadata.is_file() || metadata.len() > MOST_BYTES {
            return Err(folder.foreign(&marker.path, "it is no note of ccbt"));
        }
        let mut bytes = Vec::new();
        let read = folder.open_file(&marker.path, false)?.take(MOST_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| folder.error(&marker.path, "read", error))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        // Without a whole heading no file had been created when that run ended.
        let ours = match whole {
            0 => marker.heading.as_bytes().starts_with(&bytes),
            _ => bytes.starts_with(marker.heading.as_bytes()),
        };
        if !ours {
            // The name is ours, so it was: without it, files have to be proven by their pieces.
            marker.is_damaged = true;
            return Ok((marker, HashSet::new()));
        }
        bytes.truncate(whole);
        marker.left_over = Some(whole as u64);
        let paths = String::from_utf8_lossy(&bytes).lines().skip(1).map(str::to_owned).collect();
        Ok((marker, paths))
    }

    /// Notes that we are about to create `path`.
    pub(super) fn note(&mut self, folder: &Folder, path: &Path) -> Result<(), StoreError> {
        let failed = |error| folder.error(&self.path, "write", error);
        let mut line = line_of(path) + "\n";
        if std::mem::take(&mut self.is_damaged) {
            folder.rename(&self.path, &self.aside)?;
        }
        let file = match (self.file.take(), self.left_over) {
            (Some(file), _) => file,
            (None, None) => {
                line.insert_str(0, &self.heading);
                folder.create_file(&self.path)?
            }
            (None, Some(length)) => {
                if length == 0 {
                    line.insert_str(0, &self.heading);
                }
                let file = folder.append_to_file(&self.path)?;
                file.set_len(length).map_err(failed)?;
                file
            }
        };
        (&file).write_all(line.as_bytes()).map_err(failed)?;
        self.file = Some(file);
        Ok(())
    }

    /// Removes the note: the torrent is complete.
    pub(super) fn remove(&mut self, folder: &Folder) -> Result<(), StoreError> {
        let created = self.file.take().is_some();
        let left_over = self.left_over.take().is_some();
        if created || left_over { folder.remove_file(&self.path) } else { Ok(()) }
    }
}

/// A path of our own for this torrent, with a word to tell it from others.
pub(super) fn reserved(info_hash: InfoHash, word: &str) -> PathBuf {
    let name: String = info_hash.to_string().chars().take(16).collect();
    format!(".ccbt-{name}{word}.part").into()
}

/// Whether a file of a torrent may not have this path, because notes have such.
pub(super) fn is_reserved(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    name.starts_with(".ccbt-") && name.ends_with(".part")
}

/// A path as it stands in the note: the same on every system.
pub(super) fn line_of(path: &Path) -> String {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    names.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([0xab; 20]);
    const NAME: &str = ".ccbt-abababababababab.part";

    fn folder() -> (tempfile::TempDir, Folder) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        (root, folder)
    }

    fn read(folder: &Folder) -> (Marker, Vec<String>) {
        let (marker, paths) = Marker::read(folder, HASH).unwrap();
        let mut paths: Vec<String> = paths.into_iter().collect();
        paths.sort();
        (marker, paths)
    }

    #[test]
    fn what_was_noted_is_known_to_the_next_run_until_it_is_removed() {
        let (root, folder) = folder();
        let (mut marker, _) = read(&folder);
        marker.note(&folder, Path::new("a/b")).unwrap();
        marker.note(&folder, Path::new("c")).unwrap();
        let (mut next, paths) = read(&folder);
        assert_eq!(paths, ["a/b", "c"]);
        next.note(&folder, Path::new("d")).unwrap();
        assert_eq!(read(&folder).1, ["a/b", "c", "d"]);
        next.remove(&folder).unwrap();
        assert!(!root.path().join(NAME).exists());
        assert!(read(&folder).1.is_empty());
    }

    #[test]
    fn a_line_that_is_torn_is_forgotten_and_written_over() {
        let (root, folder) = folder();
        read(&folder).0.note(&folder, Path::new("a")).unwrap();
        let mut bytes = std::fs::read(root.path().join(NAME)).unwrap();
        bytes.extend(b"dir/file1");
        std::fs::write(root.path().join(NAME), &bytes).unwrap();
        let (mut marker, paths) = read(&folder);
        assert_eq!(paths, ["a"]);
        marker.note(&folder, Path::new("b")).unwrap();
        assert_eq!(read(&folder).1, ["a", "b"]);
    }

    #[test]
    fn a_heading_that_is_torn_is_written_again() {
        let (root, folder) = folder();
        for torn in ["", "ccbt 1: files of ab"] {
            std::fs::write(root.path().join(NAME), torn).unwrap();
            let (mut marker, paths) = read(&folder);
            assert!(paths.is_empty());
            marker.note(&folder, Path::new("a")).unwrap();
            assert_eq!(read(&folder).1, ["a"]);
        }
    }

    #[test]
    fn a_file_that_is_no_note_is_set_aside_when_there_is_a_new_one() {
        let (root, folder) = folder();
        for text in ["diary", "diary\n", "ccbt 1: files of cd\na\n"] {
            std::fs::write(root.path().join(NAME), text).unwrap();
            let (mut marker, paths) = read(&folder);
            assert!(paths.is_empty());
            assert_eq!(std::fs::read_to_string(root.path().join(NAME)).unwrap(), text);
            marker.note(&folder, Path::new("a")).unwrap();
            let aside = root.path().join(NAME.replace(".part", ".broken.part"));
            assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
            assert_eq!(read(&folder).1, ["a"]);
            std::fs::remove_file(root.path().join(NAME)).unwrap();
        }
    }

    #[test]
    fn names_of_notes_are_reserved() {
        assert!(is_reserved(Path::new(".CCBT-0123456789abcdef.part")));
        assert!(!is_reserved(Path::new("a.part")));
    }
}
