//! What `ccbt verify` is asked to do.

use std::path::PathBuf;

use clap::Args;

use super::{Torrent, value};

/// What `ccbt verify` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// A .torrent file, the http(s) URL of one, or a magnet link whose metadata is known here
    #[arg(value_name = "FILE|URL|MAGNET", value_parser = value::torrent)]
    pub(crate) torrent: Torrent,

    /// Folder that holds the content, as --output of get does; nothing in it is changed
    #[arg(short, long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Write one JSON object; words for people go to standard error
    #[arg(long)]
    pub(crate) json: bool,

    /// Print errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

pub(super) const HELP: &str = "\
Example:
  ccbt verify debian.torrent --data ~/Downloads

Exit codes:
  0    every piece is right, and every file is as long as it should be
  1    something is wrong or missing, or no answer of the URL
  2    the command line or the torrent cannot be used
  4    disk: cannot read
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";
