//! What `ccbt show` is asked to do.

use clap::Args;

use super::{Subject, value};

/// What `ccbt show` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// A .torrent file, the http(s) URL of one, or a magnet link
    #[arg(value_name = "FILE|URL|MAGNET", value_parser = value::subject)]
    pub(crate) subject: Subject,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Ask the http(s) trackers how many seeds and leechers they know
    #[arg(long)]
    pub(crate) scrape: bool,
}

pub(super) const HELP: &str = "\
Examples:
  ccbt show debian.torrent
  ccbt show debian.torrent --json | jq -r .magnet
  ccbt show 'magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&dn=debian' --scrape

Exit codes:
  0    done
  1    failed: no answer of the URL or, with --scrape, of any tracker
  2    the command line or the torrent cannot be used
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";
