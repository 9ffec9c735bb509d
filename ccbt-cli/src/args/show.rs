//! What `ccbt show` is asked to do.

use std::time::Duration;

use clap::Args;

use super::{Contact, Torrent, value};

/// What `ccbt show` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// A .torrent file, the http(s) URL of one, a magnet link, or an info hash
    #[arg(value_name = "FILE|URL|MAGNET|HASH", value_parser = value::torrent)]
    pub(crate) torrent: Torrent,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Ask the http(s) trackers how many seeds and leechers they know
    #[arg(long)]
    pub(crate) scrape: bool,

    /// Look so long for peers that know what is behind a magnet link; 0 shows what the link itself says
    #[arg(long, value_name = "DUR", default_value = "30s", value_parser = value::patience)]
    pub(crate) wait: Duration,

    #[command(flatten)]
    pub(crate) contact: Contact,
}

pub(super) const HELP: &str = "\
What is behind a magnet link is asked of its swarm, as far as it is not known from before.

Examples:
  ccbt show debian.torrent
  ccbt show debian.torrent --json | jq -r .magnet
  ccbt show 'magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&dn=debian'
  ccbt show 'magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6' --wait 0 --scrape

Exit codes:
  0    done
  1    failed: no answer of the URL or, with --scrape, of any tracker
  2    the command line or the torrent cannot be used
  3    nobody told in time what is behind the magnet link; what the link says is shown
  129  the terminal is gone (SIGHUP)
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";
