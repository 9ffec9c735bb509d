//! What is measured.

use super::client::Client;
use super::content::Shape;
use super::figures::Metric;

pub(super) const WALL: Metric = Metric::new("wall", "s", 2).compared();
pub(super) const CPU: Metric = Metric::new("CPU", "s", 2).compared();
/// The client and whoever is at the other end: a slow reader has the kernel do its work on the sender's account.
pub(super) const SUM: Metric = Metric::new("CPU with peer", "s", 2).compared();
pub(super) const PEAK: Metric = Metric::new("memory", "MiB", 1);
pub(super) const EXIT: Metric = Metric::new("exec to exit", "ms", 1).compared();
pub(super) const FIRST: Metric = Metric::new("first byte", "ms", 1);
pub(super) const TAIL: Metric = Metric::new("last byte to exit", "ms", 1);
pub(super) const EACH: Metric = Metric::new("each", "KiB", 2);
pub(super) const LOAD: Metric = Metric::new("CPU", "%", 2);
pub(super) const TIMES: Metric = Metric::new("with / without", "", 2);
pub(super) const WITH: Metric = Metric::new("with", "s", 2);
pub(super) const WITHOUT: Metric = Metric::new("without", "s", 2);
/// The other end takes much of a small machine: what the client itself spends is told apart.
pub(super) const CPU_TIMES: Metric = Metric::new("CPU with / without", "", 2);
pub(super) const CPU_WITH: Metric = Metric::new("CPU with", "s", 2);
pub(super) const SIZE: Metric = Metric::new("size", "MiB", 2);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// One thing to measure.
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) work: Work,
    /// Who can do it at all.
    pub(super) clients: &'static [Client],
    /// It takes long: run only when it is asked for by its whole name.
    pub(super) by_name: bool,
}

/// What is done with the payload.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Download it from so many seeders.
    Download { seeders: u8 },
    /// Download something small, and look at the beginning and the end.
    StartUp,
    /// Send it to so many leechers at once.
    Seed { leechers: u8 },
    /// Hold so many connections that do nothing.
    Idle { connections: u32 },
    /// Download while so many peers tell of pieces, so many a second.
    Haves { peers: u32, rate: u32 },
    /// Check it.
    Verify,
    /// How large the program is.
    Size,
}

impl Work {
    /// Whose figures the others' are divided by.
    pub(super) fn base(self) -> Client {
        if matches!(self, Work::Verify) { Client::Floor } else { Client::Libtorrent }
    }

    /// How often the payload is on disk at a time.
    pub(super) fn copies(self) -> u64 {
        if matches!(self, Work::Download { .. } | Work::Haves { .. }) { 2 } else { 1 }
    }
}

impl Workload {
    /// Does it mean the same with another size of the payload?
    pub(super) fn is_sizable(&self) -> bool {
        self.shape.files == 0
            && !matches!(self.work, Work::StartUp | Work::Idle { .. } | Work::Size)
    }

    /// What it is, in words.
    pub(super) fn about(&self) -> String {
        let Shape { length, piece, files } = self.shape;
        let payload = match files {
            0 => format!("{} in pieces of {}", bytes(length), bytes(piece)),
            files => {
                format!("{files} files of {} in pieces of {}", bytes(length / files), bytes(piece))
            }
        };
        match self.work {
            Work::Download { seeders: 1 } => format!("{payload} from one seeder"),
            Work::Download { seeders } => format!("{payload} from {seeders} seeders"),
            Work::StartUp => format!("{payload} from one seeder that a tracker knows"),
            Work::Seed { leechers: 1 } => format!("{payload} to one leecher"),
            Work::Seed { leechers } => format!("{payload} to each of {leechers} leechers at once"),
            Work::Idle { connections } => format!("{connections} connections that do nothing"),
            Work::Haves { peers, rate } => {
                format!("{payload}, with and without {peers} peers that send {rate} HAVEs a second")
            }
            Work::Verify => format!("{payload} in the page cache; the floor hashes on all cores"),
            Work::Size => "the release binary, stripped".to_owned(),
        }
    }
}

/// All of them, in the order in which they run.
pub(super) fn all() -> Vec<Workload> {
    use Client::{Aria2, Ccbt, Floor, Libtorrent, Rqbit};
    let one = |length, piece| Shape { length, piece, files: 0 };
    let large = one(GIB, MIB);
    let workload =
        |name, shape, work| Workload { name, shape, work, clients: &Client::ALL, by_name: false };
    let only = |clients, workload: Workload| Workload { clients, ..workload };
    let no_floor: &[Client] = &[Ccbt, Libtorrent, Aria2, Rqbit];
    let holders: &[Client] = &[Ccbt, Libtorrent, Rqbit];
    let single = Work::Download { seeders: 1 };
    vec![
        workload("download-1m", large, single),
        Workload {
            by_name: true,
            ..only(holders, workload("download-4g", one(4 * GIB, MIB), single))
        },
        only(no_floor, workload("four-seeders", large, Work::Download { seeders: 4 })),
        workload("small-pieces", one(256 * MIB, 16 * KIB), single),
        only(
            no_floor,
            workload(
                "many-files",
                Shape { length: 5000 * 64 * KIB, piece: 256 * KIB, files: 5000 },
                single,
            ),
        ),
        only(no_floor, workload("start-up", one(MIB, 256 * KIB), Work::StartUp)),
        only(no_floor, workload("seed-one", large, Work::Seed { leechers: 1 })),
        only(no_floor, workload("seed-four", large, Work::Seed { leechers: 4 })),
        only(holders, workload("idle-1k", one(64 * MIB, MIB), Work::Idle { connections: 1000 })),
        only(holders, workload("idle-10k", one(64 * MIB, MIB), Work::Idle { connections: 10_000 })),
        only(holders, workload("haves", large, Work::Haves { peers: 2000, rate: 10_000 })),
        only(
            &[Ccbt, Libtorrent, Aria2, Rqbit, Floor],
            workload("verify", one(4 * GIB, MIB), Work::Verify),
        ),
        only(&[Ccbt, Rqbit], workload("size", one(MIB, MIB), Work::Size)),
    ]
}

/// A size in the largest unit that it is a multiple of.
fn bytes(size: u64) -> String {
    let units = [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    let unit = units.iter().find(|(unit, _)| size.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{size} B"), |(unit, name)| format!("{} {name}", size / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_says_what_it_does() {
        let about: Vec<_> = all().iter().map(Workload::about).collect();
        assert_eq!(about[0], "1 GiB in pieces of 1 MiB from one seeder");
        assert_eq!(about[4], "5000 files of 64 KiB in pieces of 256 KiB from one seeder");
        assert_eq!(about[7], "1 GiB in pieces of 1 MiB to each of 4 leechers at once");
    }

    #[test]
    fn no_two_workloads_share_a_name() {
        let mut names: Vec<_> = all().iter().map(|workload| workload.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn every_workload_measures_us_and_whom_we_are_compared_with() {
        for workload in all().iter().filter(|workload| !matches!(workload.work, Work::Size)) {
            assert!(workload.clients.contains(&Client::Ccbt), "{}", workload.name);
            assert!(workload.clients.contains(&workload.work.base()), "{}", workload.name);
        }
    }
}
