//! One process at a time works on a torrent in a folder.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use ccbt_wire::InfoHash;

use super::folder::Folder;
use super::marker::reserved;
use crate::store::StoreError;

/// The file may be removed by its last holder just when we open it; nobody is so unlucky so often.
const ATTEMPTS: usize = 16;

/// A lock that goes, and its file with it, when it is dropped. The system takes it back when the process ends, in
/// whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    folder: Arc<Folder>,
    path: PathBuf,
    file: Option<File>,
}

impl Lock {
    /// Takes the lock of this torrent in the folder, and creates its file.
    ///
    /// # Errors
    /// `InUse` if somebody has it.
    pub(super) fn take(folder: &Arc<Folder>, info_hash: InfoHash) -> Result<Self, StoreError> {
        let path = reserved(info_hash, ".lock");
        let held = |path, file| Self { folder: Arc::clone(folder), path, file };
        for _ in 0..ATTEMPTS {
            let file = match folder.open_or_create(&path) {
                Ok(file) => file,
                // Where nobody can write, nobody is in our way.
                Err(StoreError::Io { source, .. }) if forbids_writing(source.kind()) => {
                    match folder.open_file(&path, false) {
                        // It is somebody else's, and locks are for those who may read, too.
                        Ok(file) => file,
                        // Where nobody can write, nobody is in our way.
                        Err(_) => return Ok(held(path, None)),
                    }
                }
                Err(error) => return Err(error),
            };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(folder.in_use(&path)),
                // Not every file system knows locks.
                Err(TryLockError::Error(_)) => return Ok(held(path, None)),
                Ok(()) if is_linked(&file) => return Ok(held(path, Some(file))),
                Ok(()) => {}
            }
        }
        Err(folder.in_use(&path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // While we hold it, so that nobody else's is removed.
            let _ = self.folder.remove_file(&self.path);
            drop(file);
        }
    }
}

/// Whether somebody works on the torrent, as far as that can be seen.
pub(super) fn is_taken(folder: &Folder, info_hash: InfoHash) -> Result<(), StoreError> {
    let path = reserved(info_hash, ".lock");
    match folder.open_file(&path, false) {
        Ok(file) if matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) => {
            Err(folder.in_use(&path))
        }
        _ => Ok(()),
    }
}

fn forbids_writing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

#[cfg(unix)]
fn is_linked(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(_: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::store::{FileStore, StoreError, check, fixtures};

    #[test]
    fn a_second_store_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let torrent = fixtures::single("a", 1_000, 16_384);
        let open = || FileStore::builder(folder.path(), &torrent.metainfo);
        let first = open().exclusive().open().unwrap();
        let error = open().exclusive().open().unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        assert!(error.to_string().starts_with(folder.path().to_str().unwrap()), "{error}");
        assert!(FileStore::ensure_unused(folder.path(), &torrent.metainfo).is_err());
        assert!(open().open().is_ok(), "who does not ask is not told");
        drop(first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(FileStore::ensure_unused(folder.path(), &torrent.metainfo).is_ok());
        assert!(FileStore::ensure_unused("/nowhere", &torrent.metainfo).is_ok());
        assert!(open().exclusive().open().is_ok());
    }

    #[test]
    fn who_does_not_come_to_work_leaves_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let torrent = fixtures::single("a", 50_000, 16_384);
        let names = || -> Vec<_> {
            let files = std::fs::read_dir(folder.path()).unwrap();
            files.map(|file| file.unwrap().file_name()).collect()
        };
        std::fs::write(folder.path().join("a"), vec![7; 60_000]).unwrap();
        let open = || FileStore::builder(folder.path(), &torrent.metainfo).exclusive();
        assert!(matches!(open().resume(), Err(StoreError::Foreign { .. })));
        assert_eq!(names(), ["a"]);
        std::fs::write(folder.path().join("a"), &torrent.payload).unwrap();
        let given_up = Arc::new(AtomicBool::new(true));
        let error = open().give_up_when(&given_up).resume().unwrap_err();
        assert!(matches!(error, StoreError::GivenUp), "{error}");
        assert_eq!(names(), ["a"]);
        // Once it is open nobody gives it up any more.
        given_up.store(false, Ordering::Relaxed);
        let (store, have) = open().give_up_when(&given_up).resume().unwrap();
        given_up.store(true, Ordering::Relaxed);
        assert!(have.all() && check(&store, &torrent.metainfo).unwrap().all());
    }

    #[test]
    fn what_a_killed_process_left_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let torrent = fixtures::single("a", 1_000, 16_384);
        let hash: String = torrent.metainfo.info_hash().to_string().chars().take(16).collect();
        std::fs::write(folder.path().join(format!(".ccbt-{hash}.lock.part")), "").unwrap();
        let open = || FileStore::builder(folder.path(), &torrent.metainfo).exclusive();
        assert!(open().open().is_ok());
        let other = fixtures::single("b", 1_000, 16_384);
        let first = open().open().unwrap();
        assert!(FileStore::builder(folder.path(), &other.metainfo).exclusive().open().is_ok());
        drop(first);
    }
}
