//! What `ccbt seed` is asked to do, and until when anybody seeds.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Network, Talk, Torrent, value};

/// What `ccbt seed` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Seed {
    /// .torrent files, their http(s) URLs, or magnet links whose metadata is known here
    #[arg(value_name = "FILE|URL|MAGNET", required = true, value_parser = value::torrent)]
    pub(crate) torrents: Vec<Torrent>,

    /// Folder that holds the content, as --output of get does; nothing in it is changed
    #[arg(short, long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Look at the files' lengths alone, and do not check their content before serving it
    #[arg(long)]
    pub(crate) trust: bool,

    /// Check everything, also what has not changed since an earlier run
    #[arg(long, conflicts_with = "trust")]
    pub(crate) check: bool,

    /// Show each peer one piece at a time, until others have everything twice: for a seed that is alone
    #[arg(long = "super")]
    pub(crate) super_seed: bool,

    #[command(flatten)]
    pub(crate) network: Network,

    #[command(flatten)]
    pub(crate) until: Until,

    /// Write what happens as JSON, one object a line; - is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) events: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// When a torrent was seeded enough: at the first of these. Without both, never.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Until {
    /// Seed until the payload sent is so many times the torrent's size, such as 1.5
    #[arg(long, value_name = "RATIO", value_parser = value::ratio)]
    pub(crate) seed_ratio: Option<Ratio>,

    /// Seed for so long, such as 90m or 24h
    #[arg(long, value_name = "DUR", value_parser = value::wait)]
    pub(crate) seed_time: Option<Duration>,
}

impl Until {
    /// Whether somebody asked for seeding, with an end.
    pub(crate) fn is_set(&self) -> bool {
        self.seed_ratio.is_some() || self.seed_time.is_some()
    }

    /// Whether `sent` bytes of a torrent of `size` bytes, in so much time, are enough.
    pub(crate) fn reached(&self, sent: u64, size: u64, time: Duration) -> bool {
        self.seed_ratio.is_some_and(|ratio| ratio.is_met(sent, size))
            || self.seed_time.is_some_and(|limit| time >= limit)
    }
}

/// Payload sent for each byte of a torrent, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio(pub(super) u64);

impl Ratio {
    fn is_met(self, sent: u64, size: u64) -> bool {
        u128::from(sent) * 1_000 >= u128::from(size) * u128::from(self.0)
    }
}

pub(super) const HELP: &str = "\
Every torrent is checked first, unless --trust: files that have not changed since an earlier run
found them right are not read again, unless --check. A torrent with --seed-ratio is left when it
reaches it; the command ends with the last one. Without --seed-ratio and --seed-time it seeds until
SIGINT.

Examples:
  ccbt seed debian.torrent --data ~/Downloads --listen '[::]:6881'
  ccbt seed new.torrent --data . --super
  ccbt seed *.torrent --data /srv/content --seed-ratio 2 --seed-time 24h

Exit codes:
  0    --seed-ratio or --seed-time is reached
  1    something is wrong or missing in the content, or failed
  2    the command line or a torrent cannot be used
  4    disk: cannot read
  129  the terminal is gone (SIGHUP)
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_met_by_the_byte() {
        let until = Until { seed_ratio: Some(Ratio(1_500)), seed_time: None };
        assert!(!until.reached(1_499, 1_000, Duration::MAX));
        assert!(until.reached(1_500, 1_000, Duration::ZERO));
        assert!(until.reached(0, 0, Duration::ZERO), "of nothing, nothing is enough");
        assert!(!until.reached(u64::MAX, u64::MAX, Duration::ZERO));
    }

    #[test]
    fn what_comes_first_is_the_end() {
        let seed_time = Some(Duration::from_secs(2));
        let until = Until { seed_ratio: Some(Ratio(1_000)), seed_time };
        assert!(!until.reached(9, 10, Duration::from_millis(1_999)));
        assert!(until.reached(10, 10, Duration::ZERO));
        assert!(until.reached(0, 10, Duration::from_secs(2)));
    }

    #[test]
    fn without_an_end_nothing_is_enough() {
        assert!(!Until::default().is_set());
        assert!(!Until::default().reached(u64::MAX, 1, Duration::MAX));
    }
}
