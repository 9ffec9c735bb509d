//! How many descriptors there are, and for what.

use super::reserve;

/// Descriptors for what is neither a connection nor content: listeners, trackers, the DHT, files of our own. No
/// fewer than connections leave in any case.
const OTHERS: u64 = 64;
/// A torrent keeps so many files open, or more.
const LEAST_FILES: u64 = 4;
/// More open files of a torrent bring nothing.
const MOST_FILES: u64 = 64;
/// A torrent's note and part file.
const NOTES: u64 = 2;

/// How the descriptors of a process are divided among torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// Connections of all torrents together.
    pub connections: u32,
    /// Files of each torrent that are open at once.
    pub files: usize,
}

impl Descriptors {
    /// The share of `torrents` torrents where the process may have `limit` descriptors: up to a quarter of them for
    /// files, some for everything else, and the rest for connections.
    #[must_use]
    pub fn divide(limit: u64, torrents: usize) -> Self {
        let torrents = u64::try_from(torrents).unwrap_or(u64::MAX).max(1);
        let files = (limit / 4 / torrents).clamp(LEAST_FILES, MOST_FILES);
        let others = OTHERS.max(reserve::kept(limit));
        let taken = torrents.saturating_mul(files + NOTES).saturating_add(others);
        // A quarter at least, if it comes to the worst: a file that cannot be opened at once is opened later.
        let connections = limit.saturating_sub(taken).max(limit / 4).max(1);
        Self {
            connections: u32::try_from(connections).unwrap_or(u32::MAX),
            files: usize::try_from(files).unwrap_or(usize::MAX),
        }
    }

    /// The same for the limit that the system has set for this process (`RLIMIT_NOFILE`); `None` if it has
    /// set none.
    #[must_use]
    pub fn of_process(torrents: usize) -> Option<Self> {
        #[cfg(unix)]
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        #[cfg(not(unix))]
        let limit = None;
        limit.map(|limit| Self::divide(limit, torrents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_for_connections_and_for_the_files_of_each_torrent() {
        for (limit, torrents, connections, files) in [
            (1_024, 1, 878, 64),
            (1_024, 4, 680, 64),
            (1_024, 100, 344, 4),
            (256, 1, 126, 64),
            (256, 3, 123, 21),
            (64, 1, 16, 16),
            (0, 0, 1, 4),
            (1 << 40, 3, u32::MAX, 64),
        ] {
            let found = Descriptors::divide(limit, torrents);
            assert_eq!(found, Descriptors { connections, files }, "{limit} {torrents}");
        }
    }
}
