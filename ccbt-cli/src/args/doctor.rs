//! What `ccbt doctor` is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Contact, Eviction, Torrent, value};

/// What `ccbt doctor` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// A .torrent file, the http(s) URL of one, or a magnet link whose metadata is known here
    #[arg(value_name = "FILE|URL|MAGNET", value_parser = value::torrent)]
    pub(crate) torrent: Torrent,

    /// Folder of the content, as --output of get: what is right there is not needed; nothing in it is
    /// changed
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,

    /// Look for so long
    #[arg(long = "for", value_name = "DUR", default_value = "30s", value_parser = value::wait)]
    pub(crate) time: Duration,

    /// Write one JSON object; words for people go to standard error
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) contact: Contact,

    #[command(flatten)]
    pub(crate) eviction: Eviction,
}

pub(super) const HELP: &str = "\
It joins the swarm, downloads nothing and drops nobody: whom the rules would drop, and when, is
shown beside each peer. On a terminal the picture lives until the time is up or SIGINT comes.

Examples:
  ccbt doctor debian.torrent -o ~/Downloads
  ccbt doctor debian.torrent --for 2m --evict preset=balanced
  ccbt doctor debian.torrent --for 10s --json | jq .findings

Exit codes:
  0    there is a diagnosis
  1    failed
  2    the command line or the torrent cannot be used
  3    something is missing, and nobody could be reached
  4    disk: cannot read
  129  the terminal is gone (SIGHUP)
  130  interrupted (SIGINT); the diagnosis is printed all the same
  143  terminated (SIGTERM); as well";
