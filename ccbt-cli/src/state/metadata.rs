//! Metadata that was fetched from a swarm, so that the next run need not fetch it again: a file for each
//! torrent, which is its `info` dictionary and is told by its hash.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, mem};

use ccbt_peer::wire::metainfo::MAX_METAINFO_LEN;
use ccbt_peer::wire::{Magnet, Metainfo};
use tempfile::NamedTempFile;

use crate::bounded;

/// Files that are kept; the oldest go first.
const FILES: usize = 256;
/// Bytes that all of them may have.
const BYTES: u64 = 64 << 20;

/// Where metadata lies; nowhere if nothing is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    folder: Option<PathBuf>,
}

impl Shelf {
    pub(super) fn of(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// What is behind the link, if an earlier run has fetched it. A file that is not what its name says is as
    /// good as none, and will be written anew.
    pub(crate) fn recall(&self, magnet: &Magnet) -> Option<Metainfo> {
        let info_hash = magnet.info_hash?;
        let file = self.folder.as_ref()?.join(info_hash.to_string());
        let info = bounded::read(&file, MAX_METAINFO_LEN, "metadata").ok()?;
        let metainfo = Metainfo::from_info(&info, magnet).ok()?;
        (metainfo.info_hash() == info_hash).then_some(metainfo)
    }

    /// Keeps it; a word comes back if that fails.
    pub(crate) fn keep(&self, metainfo: &Metainfo) -> Option<String> {
        let folder = self.folder.as_ref()?;
        let written = write(folder, metainfo).and_then(|()| thin_out(folder, FILES, BYTES));
        written.err().map(|error| format!("{}: {error}", folder.display()))
    }
}

/// All of it, or nothing.
fn write(folder: &Path, metainfo: &Metainfo) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(metainfo.info_bytes())?;
    new.persist(folder.join(metainfo.info_hash().to_string()))?;
    Ok(())
}

/// Removes the oldest until there are no more than so many files and bytes.
fn thin_out(folder: &Path, files: usize, bytes: u64) -> io::Result<()> {
    let mut all: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = match entry.metadata() {
            // Another program was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            about => about?,
        };
        if about.is_file() {
            let written_at = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            all.push((written_at, about.len(), entry.path()));
        }
    }
    all.sort_unstable();
    let (mut count, mut sum) = (all.len(), all.iter().map(|(_, bytes, _)| bytes).sum::<u64>());
    for (_, length, path) in mem::take(&mut all) {
        if count <= files && sum <= bytes {
            break;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => (count, sum) = (count - 1, sum - length),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ccbt_peer::wire::metainfo::build;

    use super::*;

    fn torrent(name: &str) -> Metainfo {
        Metainfo::parse(&build::single_file(name, 16384, b"content", None)).unwrap()
    }

    fn link(metainfo: &Metainfo) -> Magnet {
        let link = format!("magnet:?xt=urn:btih:{}&tr=http://t.example/a", metainfo.info_hash());
        link.parse().unwrap()
    }

    #[test]
    fn what_is_kept_is_recalled_with_the_trackers_of_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(Some(folder.path().join("deep")));
        let metainfo = torrent("a");
        assert!(shelf.recall(&link(&metainfo)).is_none());
        assert_eq!(shelf.keep(&metainfo), None);
        let recalled = shelf.recall(&link(&metainfo)).unwrap();
        assert_eq!(recalled.info_bytes(), metainfo.info_bytes());
        assert_eq!(recalled.trackers(), [["http://t.example/a"]]);
    }

    #[test]
    fn a_file_that_is_something_else_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(Some(folder.path().to_owned()));
        let (wanted, other) = (torrent("a"), torrent("b"));
        let file = folder.path().join(wanted.info_hash().to_string());
        for bytes in [b"".as_slice(), b"what is this", other.info_bytes()] {
            fs::write(&file, bytes).unwrap();
            assert!(shelf.recall(&link(&wanted)).is_none());
        }
        assert_eq!(shelf.keep(&wanted), None);
        assert!(shelf.recall(&link(&wanted)).is_some());
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let folder = tempfile::tempdir().unwrap();
        for (age, name) in ["d", "c", "b", "a"].into_iter().enumerate() {
            let path = folder.path().join(name);
            fs::write(&path, [0; 10]).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age as u64);
            fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
        }
        let left = |files, bytes| {
            thin_out(folder.path(), files, bytes).unwrap();
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(left(4, 40), ["a", "b", "c", "d"]);
        assert_eq!(left(3, 40), ["b", "c", "d"]);
        assert_eq!(left(3, 10), ["d"]);
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let shelf = Shelf::of(None);
        assert_eq!(shelf.keep(&torrent("a")), None);
        assert!(shelf.recall(&link(&torrent("a"))).is_none());
    }
}
