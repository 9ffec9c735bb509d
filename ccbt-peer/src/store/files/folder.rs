//! The output folder, and nothing outside of it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};

use crate::store::StoreError;

/// More files than that are brought to the medium together with everything else on it.
const MOST_FILES: usize = 64;

/// A folder whose relative paths cannot lead out of it, not even over symbolic links in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    dir: Dir,
}

impl Folder {
    /// Opens the folder; creates it, and the folders above, if they are missing.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |action| move |source| StoreError::Io { path: path.into(), action, source };
        let authority = ambient_authority();
        let dir = match Dir::open_ambient_dir(path, authority) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Dir::create_ambient_dir_all(path, authority).map_err(failed("create"))?;
                Dir::open_ambient_dir(path, authority)
            }
            result => result,
        };
        Ok(Self { path: path.into(), dir: dir.map_err(failed("open"))? })
    }

    /// Opens the folder, which has to exist.
    pub(super) fn open_existing(path: &Path) -> Result<Self, StoreError> {
        let dir = Dir::open_ambient_dir(path, ambient_authority());
        let failed = |source| StoreError::Io { path: path.into(), action: "open", source };
        Ok(Self { path: path.into(), dir: dir.map_err(failed)? })
    }

    /// What lies at `path` itself; `None` if nothing does.
    pub(super) fn look(&self, path: &Path) -> Result<Option<Metadata>, StoreError> {
        self.found(path, self.dir.symlink_metadata(path))
    }

    /// What lies where `path` leads to; `None` if nothing does.
    pub(super) fn look_through(&self, path: &Path) -> Result<Option<Metadata>, StoreError> {
        self.found(path, self.dir.metadata(path))
    }

    fn found(
        &self,
        path: &Path,
        result: io::Result<Metadata>,
    ) -> Result<Option<Metadata>, StoreError> {
        match result {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(path, "look at", error)),
        }
    }

    /// Opens a file that exists. A link is not followed, and a pipe does not make us wait.
    pub(super) fn open_file(&self, path: &Path, writable: bool) -> Result<File, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(writable);
        careful(&mut options);
        let file =
            self.dir.open_with(path, &options).map_err(|error| self.error(path, "open", error))?;
        Ok(file.into_std())
    }

    /// Opens a file for writing; creates it if it does not exist.
    pub(super) fn open_or_create(&self, path: &Path) -> Result<File, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        careful(&mut options);
        let file = self.dir.open_with(path, &options);
        Ok(file.map_err(|error| self.error(path, "open", error))?.into_std())
    }

    /// Has the medium take all of a file, its length and times included. One that is missing has nothing.
    fn sync_file(&self, path: &Path) -> Result<(), StoreError> {
        let file = match self.open_file(path, false) {
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(());
            }
            file => file?,
        };
        file.sync_all().map_err(|error| self.error(path, "write", error))
    }

    /// Has the medium take all of these files. Many of them go with everything else that is to go there.
    pub(super) fn sync_files<'a>(
        &self,
        paths: impl ExactSizeIterator<Item = &'a PathBuf>,
    ) -> Result<(), StoreError> {
        if paths.len() > MOST_FILES && self.sync_file_system()? {
            return Ok(());
        }
        paths.into_iter().try_for_each(|path| self.sync_file(path))
    }

    /// Has the medium take all that its file system has; false if the system cannot.
    #[cfg(target_os = "linux")]
    fn sync_file_system(&self) -> Result<bool, StoreError> {
        let synced = rustix::fs::syncfs(&self.dir);
        synced.map_err(|error| self.error(Path::new(""), "write to", error.into()))?;
        Ok(true)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_file_system(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Opens a file that exists, for writing at its end.
    pub(super) fn append_to_file(&self, path: &Path) -> Result<File, StoreError> {
        let mut options = OpenOptions::new();
        options.append(true);
        careful(&mut options);
        let file = self.dir.open_with(path, &options);
        Ok(file.map_err(|error| self.error(path, "open", error))?.into_std())
    }

    /// Creates a file that does not exist, and the folders above it.
    pub(super) fn create_file(&self, path: &Path) -> Result<File, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let created = match self.dir.open_with(path, &options) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    self.dir
                        .create_dir_all(parent)
                        .map_err(|error| self.error(parent, "create", error))?;
                }
                self.dir.open_with(path, &options)
            }
            result => result,
        };
        Ok(created.map_err(|error| self.error(path, "create", error))?.into_std())
    }

    pub(super) fn remove_file(&self, path: &Path) -> Result<(), StoreError> {
        match self.dir.remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.error(path, "remove", error))
            }
            _ => Ok(()),
        }
    }

    /// Gives a file another name.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let renamed = self.dir.rename(from, &self.dir, to);
        renamed.map_err(|error| self.error(from, "rename", error))
    }

    /// Bytes that its file system has for us; `None` if it does not say.
    pub(super) fn free(&self) -> Result<Option<u64>, StoreError> {
        free(&self.dir).map_err(|source| StoreError::Io {
            path: self.path.clone(),
            action: "see how much room is left on",
            source,
        })
    }

    /// An error at `path`; what can only come from strange things in the folder is named as such.
    pub(super) fn error(&self, path: &Path, action: &'static str, source: io::Error) -> StoreError {
        let why = match source.kind() {
            // The sandbox says this itself, with no system error behind it.
            ErrorKind::PermissionDenied if source.raw_os_error().is_none() => {
                "a link leads out of the output folder"
            }
            ErrorKind::NotADirectory => "a file stands where the torrent has a folder",
            ErrorKind::IsADirectory => "a folder stands where the torrent has a file",
            ErrorKind::AlreadyExists if action == "create" => {
                "it is there, and ccbt did not create it"
            }
            _ => {
                return StoreError::Io { path: self.path.join(path), action, source };
            }
        };
        self.foreign(path, why)
    }

    pub(super) fn in_use(&self, path: &Path) -> StoreError {
        StoreError::InUse { folder: self.path.clone(), lock: self.path.join(path) }
    }

    /// Its path, as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn changed(&self, path: &Path) -> StoreError {
        StoreError::Changed { path: self.path.join(path) }
    }

    pub(super) fn foreign(&self, path: &Path, why: impl Into<String>) -> StoreError {
        StoreError::Foreign { path: self.path.join(path), why: why.into() }
    }
}

#[cfg(unix)]
fn free(dir: &Dir) -> io::Result<Option<u64>> {
    let found = match rustix::fs::fstatvfs(dir) {
        // Some file systems have no numbers.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => return Ok(None),
        found => found?,
    };
    Ok((found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize)))
}

#[cfg(not(unix))]
fn free(_: &Dir) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(unix)]
fn careful(options: &mut OpenOptions) {
    use cap_std::fs::OpenOptionsExt;
    use rustix::fs::OFlags;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn careful(_: &mut OpenOptions) {}
