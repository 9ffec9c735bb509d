//! The torrent on the disk: whole or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::exit::{Exit, Failure};

/// Refuses an output that is there, before anything is read for it.
pub(super) fn is_free(path: &Path, force: bool) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Failure::new(Exit::Disk, format_args!("{}: is a folder", path.display())))
        }
        Ok(_) if !force => Err(exists(path)),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = folder(path);
            if folder.is_dir() { Ok(()) } else { Err(failed(folder)(ErrorKind::NotFound.into())) }
        }
        Err(error) => Err(failed(path)(error)),
    }
}

/// Writes the torrent beside its place, and puts it there when it is whole.
pub(super) fn write(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ccbt-").suffix(".tmp");
    readable(&mut builder);
    let mut file = builder.tempfile_in(folder(path)).map_err(failed(path))?;
    file.write_all(bytes).map_err(failed(path))?;
    let placed = if force { file.persist(path) } else { file.persist_noclobber(path) };
    match placed {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(failed(path)(error.error)),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(path: &Path) -> Failure {
    Failure::new(Exit::Disk, format_args!("{}: is there already (see --force)", path.display()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    Failure::of(Exit::Disk, path.display().to_string())
}

/// A torrent is no secret: it gets the permissions of any new file.
#[cfg(unix)]
fn readable(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_replaced_by_force_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.torrent");
        is_free(&path, false).unwrap();
        write(&path, b"1", false).unwrap();
        for failure in [is_free(&path, false), write(&path, b"2", false)] {
            assert_eq!(failure.unwrap_err().exit, Exit::Disk);
        }
        assert_eq!(fs::read(&path).unwrap(), b"1");
        is_free(&path, true).unwrap();
        write(&path, b"3", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"3");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_never_replaced_and_a_missing_one_never_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_free(folder.path(), true).is_err());
        assert!(is_free(&folder.path().join("x/a.torrent"), true).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_torrent_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("a"), folder.path().join("b"));
        write(&one, b"", false).unwrap();
        fs::write(&other, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&one), mode(&other));
    }
}
