//! What is kept from run to run: what is known of addresses, a small file for each torrent; nodes of the DHT;
//! metadata; and which pieces lie where.

mod folder;
mod metadata;
mod nodes;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use ccbt_peer::policy::Time;
use ccbt_peer::wire::InfoHash;
use ccbt_peer::{Addresses, Swarm};
use tempfile::NamedTempFile;

use crate::bounded;
pub(crate) use metadata::Shelf;
pub(crate) use nodes::Nodes;

/// So often it is written while the swarm runs.
const PERIOD: Duration = Duration::from_secs(5 * 60);
/// More than a swarm ever remembers.
const FILE: usize = 32 << 20;

/// Where memories are.
#[derive(Clone, Debug)]
pub(crate) struct State {
    folder: Option<PathBuf>,
}

impl State {
    /// In the user's folder for such things; with `off`, or if there is none, nowhere.
    pub(crate) fn of_user(off: bool) -> Self {
        Self { folder: folder::of_user(env::var_os).filter(|_| !off) }
    }

    /// What was fetched from swarms of magnet links.
    pub(crate) fn metadata(&self) -> Shelf {
        Shelf::of(self.folder.as_ref().map(|folder| folder.join("metadata")))
    }

    /// The folder of what is known of content on the disk.
    pub(crate) fn resume(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join("resume"))
    }

    /// The memory of the DHT.
    pub(crate) fn nodes(&self) -> Nodes {
        Nodes::new(self.folder.as_ref().map(|folder| folder.join("dht-nodes")))
    }

    /// The memory of one torrent.
    pub(crate) fn memory(&self, info_hash: InfoHash) -> Memory {
        let folder = self.folder.as_ref().map(|folder| folder.join("addresses"));
        let file = folder.map(|folder| folder.join(info_hash.to_string()));
        Memory { file, kept_at: Time::ZERO }
    }
}

/// What is known of the addresses of one torrent.
#[derive(Debug)]
pub(crate) struct Memory {
    file: Option<PathBuf>,
    kept_at: Time,
}

impl Memory {
    /// What earlier runs have learnt. A file that cannot be read is set aside, and a word about it comes
    /// back.
    pub(crate) fn recall(&self) -> (Addresses, Option<String>) {
        let Some(file) = &self.file else { return Default::default() };
        recall(file, FILE, "file of addresses", |bytes| Addresses::parse(bytes, unix()))
    }

    /// Writes what the swarm knows, if it is time for that; a word comes back if that fails.
    pub(crate) async fn keep(&mut self, at: Time, swarm: &Swarm) -> Option<String> {
        if self.is_due(at) { self.keep_now(swarm).await } else { None }
    }

    fn is_due(&mut self, at: Time) -> bool {
        let due = at.saturating_since(self.kept_at) >= PERIOD;
        if due {
            self.kept_at = at;
        }
        due
    }

    /// Writes what the swarm knows. To be called before it is stopped.
    pub(crate) async fn keep_now(&self, swarm: &Swarm) -> Option<String> {
        let file = self.file.clone()?;
        let addresses = swarm.addresses().await?;
        let written = tokio::task::spawn_blocking(move || {
            write(&file, &addresses).map_err(|error| format!("{}: {error}", file.display()))
        });
        written.await.ok()?.err()
    }
}

/// All of it, or what was there before stays. Nothing to remember is no file.
fn write(file: &PathBuf, addresses: &Addresses) -> io::Result<()> {
    if addresses.peers.is_empty() && addresses.hosts.is_empty() {
        return match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    replace(file, &addresses.to_bytes(unix()))
}

/// What lies in a file of ours; nothing if there is none. One that cannot be read is set aside, and a word
/// about it comes back.
fn recall<T: Default, E: Display>(
    file: &Path,
    limit: usize,
    what: &'static str,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> (T, Option<String>) {
    let problem = match bounded::read(file, limit, what) {
        Ok(bytes) => match parse(&bytes) {
            Ok(known) => return (known, None),
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => return Default::default(),
        Err(error) => error.to_string(),
    };
    let aside = file.with_extension("broken");
    let fate = match fs::rename(file, &aside) {
        Ok(()) => format!("it is set aside as {}", aside.display()),
        Err(error) => format!("it cannot be set aside: {error}"),
    };
    (T::default(), Some(format!("{}: {problem}; {fate}", file.display())))
}

/// All of it, or what was there before stays.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file)?;
    Ok(())
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "waits go on while the program does not run")]
fn unix() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([0xab; 20]);

    fn state(folder: &tempfile::TempDir) -> State {
        State { folder: Some(folder.path().join("deep")) }
    }

    fn some() -> Addresses {
        let text = b"ccbt-addresses 1 0\nswarm have=3\npeer 192.0.2.1:6881 dialable good\n";
        Addresses::parse(text, 0).unwrap()
    }

    #[test]
    fn what_is_written_is_recalled_and_nothing_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let memory = state(&folder).memory(HASH);
        assert_eq!(memory.recall(), (Addresses::default(), None));
        let file = memory.file.clone().unwrap();
        write(&file, &some()).unwrap();
        assert_eq!(memory.recall(), (some(), None));
        write(&file, &Addresses::default()).unwrap();
        write(&file, &Addresses::default()).unwrap();
        assert!(!file.exists());
    }

    #[test]
    fn a_broken_file_is_set_aside_with_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let memory = state(&folder).memory(HASH);
        let file = memory.file.clone().unwrap();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "what is this").unwrap();
        let (addresses, note) = memory.recall();
        assert_eq!(addresses, Addresses::default());
        let aside = file.with_extension("broken");
        let expected = format!(
            "{}: line 1: not a file of addresses; it is set aside as {}",
            file.display(),
            aside.display()
        );
        assert_eq!(note, Some(expected));
        assert_eq!(fs::read_to_string(aside).unwrap(), "what is this");
        assert_eq!(memory.recall(), (Addresses::default(), None));
    }

    #[test]
    fn it_is_written_every_five_minutes() {
        let mut memory = State { folder: None }.memory(HASH);
        let due: Vec<u64> = (0..1_000).filter(|&at| memory.is_due(Time::from_secs(at))).collect();
        assert_eq!(due, [300, 600, 900]);
    }

    #[test]
    fn without_a_folder_nothing_is_known() {
        let memory = State { folder: None }.memory(HASH);
        assert_eq!(memory.recall(), (Addresses::default(), None));
    }
}
