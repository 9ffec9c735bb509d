//! Which files go into the torrent, in which order.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::exclude::Excluded;
use crate::exit::{Exit, Failure};

/// What is to be taken in.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) hidden: bool,
    pub(super) excluded: &'a mut Excluded,
    /// The torrent itself, if it is there already: it cannot hold its own hash.
    pub(super) torrent: Option<PathBuf>,
}

/// What goes into the torrent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) name: String,
    /// In the order of the names of folders and files, bytewise.
    pub(super) files: Vec<File>,
    /// Whether `files` lie in a folder of the name, or the one file is it.
    pub(super) is_folder: bool,
    /// Hidden files and folders that were left out.
    pub(super) hidden: usize,
    /// Files and folders that `--exclude` left out.
    pub(super) excluded: usize,
}

/// A file of the torrent to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// Below the torrent's folder, with `/` between names; the name itself if there is no folder.
    pub(super) name: String,
    pub(super) length: u64,
    modified: Option<SystemTime>,
}

impl Tree {
    /// Walks what lies at `root`.
    ///
    /// # Errors
    /// What cannot be read (exit code 4), and what cannot be in a torrent (exit code 2): names that
    /// are no Unicode, links that lead out of `root` or in a circle, pipes and devices.
    pub(super) fn of(root: &Path, wish: Wish<'_>) -> Result<Self, Failure> {
        let name = name_of(root)?;
        let real = fs::canonicalize(root).map_err(disk(root))?;
        let metadata = fs::metadata(root).map_err(disk(root))?;
        let mut tree = Self { name: name.clone(), is_folder: metadata.is_dir(), ..Self::default() };
        if metadata.is_dir() {
            let mut walk = Walk { root: &real, wish, tree: &mut tree, above: Vec::new() };
            walk.folder(root, &real, "")?;
        } else {
            let file = File::of(root, name, &metadata)?;
            tree.files.push(file);
        }
        Ok(tree)
    }

    /// Bytes of payload; as many as can be told.
    pub(super) fn total(&self) -> u64 {
        self.files.iter().fold(0, |total, file| total.saturating_add(file.length))
    }

    /// # Errors
    /// The first file that is no longer what it was.
    pub(super) fn is_unchanged(&self) -> Result<(), Failure> {
        for file in &self.files {
            let now = fs::metadata(&file.path).map_err(disk(&file.path))?;
            if now.len() != file.length || now.modified().ok() != file.modified {
                let message = format!("{}: changed while it was read", file.path.display());
                return Err(Failure::new(Exit::Disk, message));
            }
        }
        Ok(())
    }
}

impl File {
    fn of(path: &Path, name: String, metadata: &Metadata) -> Result<Self, Failure> {
        if !metadata.is_file() {
            return Err(refused(path, "neither a file nor a folder; --exclude leaves it out"));
        }
        let modified = metadata.modified().ok();
        Ok(Self { path: path.to_owned(), name, length: metadata.len(), modified })
    }
}

struct Walk<'a, 'w> {
    root: &'a Path,
    wish: Wish<'w>,
    tree: &'a mut Tree,
    /// The real folders from the root to where we are: links must not lead back to them.
    above: Vec<PathBuf>,
}

impl Walk<'_, '_> {
    fn folder(&mut self, path: &Path, real: &Path, below: &str) -> Result<(), Failure> {
        let entries = fs::read_dir(path).map_err(disk(path))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<io::Result<Vec<_>>>().map_err(disk(path))?;
        names.sort_unstable();
        self.above.push(real.to_owned());
        for name in names {
            let path = path.join(&name);
            let Some(name) = name.to_str() else {
                return Err(refused(&path, "the name is not Unicode"));
            };
            let below = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            self.entry(&path, &real.join(name), name, below)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(
        &mut self,
        path: &Path,
        real: &Path,
        name: &str,
        below: String,
    ) -> Result<(), Failure> {
        if self.wish.excluded.has(&below) {
            self.tree.excluded += 1;
            return Ok(());
        }
        if is_note(name) || self.wish.torrent.as_deref() == Some(real) {
            return Ok(());
        }
        if name.starts_with('.') && !self.wish.hidden {
            self.tree.hidden += 1;
            return Ok(());
        }
        let metadata = fs::symlink_metadata(path).map_err(disk(path))?;
        let (real, metadata) = if metadata.is_symlink() {
            let target = fs::canonicalize(path).map_err(disk(path))?;
            if !target.starts_with(self.root) {
                let why = format!("a link out of the folder, to {}", target.display());
                return Err(refused(path, &format!("{why}; --exclude leaves it out")));
            }
            if self.above.contains(&target) {
                return Err(refused(path, "a link in a circle; --exclude leaves it out"));
            }
            let metadata = fs::metadata(&target).map_err(disk(path))?;
            (target, metadata)
        } else {
            (real.to_owned(), metadata)
        };
        if metadata.is_dir() {
            self.folder(path, &real, &below)
        } else {
            self.tree.files.push(File::of(path, below, &metadata)?);
            Ok(())
        }
    }
}

/// What a torrent of `root` is called.
///
/// # Errors
/// Nothing is there, or its name is one that no torrent can have.
pub(super) fn name_of(root: &Path) -> Result<String, Failure> {
    let real = fs::canonicalize(root).map_err(disk(root))?;
    // `.` and `..` have no name of their own.
    let name = root.file_name().or_else(|| real.file_name());
    let name = name.ok_or_else(|| refused(root, "has no name"))?;
    let name = name.to_str().ok_or_else(|| refused(root, "the name is not Unicode"))?;
    if is_note(name) {
        return Err(refused(root, "the name is kept for ccbt's own notes"));
    }
    Ok(name.to_owned())
}

/// Whether a name is one that a download keeps for its notes, and would refuse.
fn is_note(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(".ccbt-") && name.ends_with(".part")
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Refused, format_args!("{}: {why}", path.display()))
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    Failure::of(Exit::Disk, path.display().to_string())
}

#[cfg(test)]
mod tests;
