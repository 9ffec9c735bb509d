//! What `ccbt verify` is asked to do.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::{Torrent, value};
use crate::selection::FileSpec;

/// What `ccbt verify` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// A .torrent file, the http(s) URL of one, or a magnet link whose metadata is known here
    #[arg(value_name = "FILE|URL|MAGNET", value_parser = value::torrent)]
    pub(crate) torrent: Torrent,

    /// Folder that holds the content, as --output of get does; nothing in it is changed
    #[arg(short, long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Check these files alone, named as for get: numbers such as 0,3-5,9- or a pattern such as '*.mkv'; with
    /// a ! in front, all but these; may be repeated
    #[arg(long, value_name = "SPEC", action = ArgAction::Append, value_parser = value::files)]
    pub(crate) files: Vec<FileSpec>,

    /// Do not note for later runs which pieces are right
    #[arg(long)]
    pub(crate) no_state: bool,

    /// Write one JSON object; words for people go to standard error
    #[arg(long)]
    pub(crate) json: bool,

    /// Print errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

pub(super) const HELP: &str = "\
Examples:
  ccbt verify debian.torrent --data ~/Downloads
  ccbt verify series.torrent --data ~/Downloads --files '*e03*'

Exit codes:
  0    every piece that is asked for is right, and every such file as long as it should be
  1    something is wrong or missing, or no answer of the URL
  2    the command line or the torrent cannot be used
  4    disk: cannot read
  129  the terminal is gone (SIGHUP)
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";
