//! Where states lie, and how they are written.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use ccbt_wire::InfoHash;
use sha1::{Digest, Sha1};

use super::format::Boot;
use super::{About, Record, ResumeError, ResumeState};

/// More than the state of any torrent takes; a longer file is none.
const MOST_BYTES: u64 = 128 << 20;

/// States that are kept; the oldest go first, and what they were of is hashed once if it comes back.
const MOST_STATES: usize = 4096;

/// Counts the places of this process.
static PLACES: AtomicU32 = AtomicU32::new(0);

/// The file that holds the state of one torrent in one folder.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Where a base is written before it is the state: others may write one of the same torrent at that time.
    new: PathBuf,
    /// The folder of the payload, in the form in which states name it.
    pub(crate) folder: Vec<u8>,
    boot: Boot,
}

/// What was found there.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    /// A state; true if it has records of the running system, which are on no medium yet.
    State(Box<ResumeState>, bool),
    /// Why it cannot be used.
    Unusable(String),
}

impl Place {
    /// Of the torrent in `folder`, which exists, among the states in `states`.
    pub(crate) fn of(states: &Path, folder: &Path, info_hash: InfoHash) -> io::Result<Self> {
        let folder = fs::canonicalize(folder)?.into_os_string().into_encoded_bytes();
        let key: String =
            Sha1::digest(&folder).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{info_hash}-{key}");
        let (process, number) = (std::process::id(), PLACES.fetch_add(1, Ordering::Relaxed));
        let new = states.join(format!("{name}.{process}-{number}.new"));
        let place = Self { path: states.join(&name), new, folder, boot: boot() };
        place.sweep(&format!("{name}."));
        Ok(place)
    }

    /// Removes what processes that were killed left of bases: what is older than the state.
    fn sweep(&self, prefix: &str) {
        let Some(states) = self.path.parent() else { return };
        let modified = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
        let (Ok(files), Ok(state)) = (fs::read_dir(states), modified(&self.path)) else { return };
        for file in files.flatten() {
            let (name, path) = (file.file_name(), file.path());
            let is_new = name.to_str().is_some_and(|name| {
                name.strip_prefix(prefix).is_some_and(|rest| rest.ends_with("new"))
            });
            if is_new && modified(&path).is_ok_and(|at| at < state) {
                let _ = fs::remove_file(path);
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn read(&self, about: About<'_>) -> Found {
        let unusable = |why: &dyn std::fmt::Display| {
            Found::Unusable(format!("{}: {why}", self.path.display()))
        };
        let mut bytes = Vec::new();
        let read = File::open(&self.path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => return Found::Nothing,
            Err(error) => return unusable(&error),
            Ok(_) if bytes.len() as u64 > MOST_BYTES => return unusable(&ResumeError::NoState),
            Ok(_) => {}
        }
        match ResumeState::parse(&bytes, about, self.boot) {
            Ok((state, has_records)) => Found::State(Box::new(state), has_records),
            Err(error) => unusable(&error),
        }
    }

    /// Writes a base beside the state that is there. What it names must be on the medium already.
    pub(crate) fn prepare(&self, state: &ResumeState) -> io::Result<Log> {
        let folder = self.path.parent().ok_or(ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        if !self.path.exists() {
            thin_out(folder, MOST_STATES - 1)?;
        }
        let (bytes, sum) = state.to_bytes(self.boot);
        let written = File::create(&self.new).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()?;
            Ok(Log { file, sum, length: 0 })
        });
        written.inspect_err(|_| self.discard())
    }

    /// Puts what was prepared in the place of the state that was there.
    pub(crate) fn replace(&self) -> io::Result<()> {
        fs::rename(&self.new, &self.path).inspect_err(|_| self.discard())
    }

    fn discard(&self) {
        let _ = fs::remove_file(&self.new);
    }
}

/// Leaves so many of the files in `folder`, those that were written last.
fn thin_out(folder: &Path, most: usize) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // One that is gone by now is none.
        let modified = entry.metadata().and_then(|about| about.modified());
        files.extend(modified.ok().map(|modified| (modified, entry.path())));
    }
    files.sort_unstable();
    let over = files.len().saturating_sub(most);
    files.iter().take(over).for_each(|(_, path)| _ = fs::remove_file(path));
    Ok(())
}

/// The end of a state, to which records are added.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    sum: [u8; 20],
    /// Bytes of all records.
    pub(crate) length: u64,
}

impl Log {
    pub(crate) fn add(&mut self, record: &Record) -> io::Result<()> {
        let bytes = record.to_bytes(&self.sum);
        self.length += bytes.len() as u64;
        self.file.write_all(&bytes)
    }
}

/// Which run of the system this is: what it was given before, it still has.
#[cfg(target_os = "linux")]
fn boot() -> Boot {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    if digits.len() != 32 {
        return Boot::default();
    }
    let digit = |at: usize| char::from(digits[at]).to_digit(16).unwrap_or(0);
    std::array::from_fn(|i| u8::try_from(digit(2 * i) << 4 | digit(2 * i + 1)).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Boot {
    Boot::default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ccbt_wire::Bitfield;

    use super::super::Mark;
    use super::*;

    #[test]
    fn two_that_write_the_same_state_do_not_meet_and_what_was_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let states = folder.path().join("states");
        let hash = InfoHash([1; 20]);
        let place = || Place::of(&states, folder.path(), hash).unwrap();
        let (one, other) = (place(), place());
        let (folder_name, have) = (one.folder.clone(), Bitfield::new(8));
        let marks = vec![Mark::default()];
        let state = ResumeState { info_hash: hash, folder: folder_name, marks, have };
        one.prepare(&state).unwrap();
        other.prepare(&state).unwrap();
        one.replace().unwrap();
        let about = About { info_hash: hash, folder: &one.folder, files: 0, pieces: 8 };
        assert!(matches!(one.read(about), Found::State(..)));
        other.replace().unwrap();
        assert!(matches!(one.read(about), Found::State(..)));
        let left = |n: u64| {
            let path = one.path.with_extension(format!("7-{n}.new"));
            let file = File::create(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(n)).unwrap();
            path
        };
        let (old, young) = (left(1), left(1 << 33));
        place();
        assert_eq!((old.exists(), young.exists(), one.path.exists()), (false, true, true));
    }

    #[test]
    fn the_oldest_states_go_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, seconds) in [("b", 2), ("a", 3), ("c", 1)] {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        thin_out(folder.path(), 2).unwrap();
        let left = ["a", "b", "c"].map(|name| folder.path().join(name).exists());
        assert_eq!(left, [true, true, false]);
    }
}
