//! What `ccbt create` is asked to do.

use std::path::PathBuf;

use clap::Args;

use super::value;

/// What `ccbt create` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The file or folder to share; its name becomes the torrent's
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,

    /// The torrent to write [default: the name and .torrent, in the current folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace the torrent if it is there
    #[arg(short, long)]
    pub(crate) force: bool,

    /// A tracker, or several that are equal, with commas; each --tracker is asked when those before
    /// fail; may be repeated
    #[arg(short, long = "tracker", value_name = "URL[,URL]...", value_parser = value::tier)]
    pub(crate) tiers: Vec<Tier>,

    /// A web server that has the content, too; may be repeated
    #[arg(short, long = "web-seed", value_name = "URL", value_parser = value::web_seed)]
    pub(crate) web_seeds: Vec<String>,

    /// Bytes of a piece, such as 256KiB or 4MiB: a power of two from 16KiB to 256MiB
    /// [default: what gives at most 2048 pieces, but no more than 8MiB before there are 100000]
    #[arg(short = 'l', long, value_name = "N", value_parser = value::piece_length)]
    pub(crate) piece_length: Option<u32>,

    /// Let peers be learned from the trackers only
    #[arg(short, long)]
    pub(crate) private: bool,

    /// A text for whoever looks at the torrent
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,

    /// A word that gives the torrent another info hash, as some trackers want
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) source: Option<String>,

    /// Take in files and folders whose name begins with a dot; without it they are left out
    #[arg(long)]
    pub(crate) include_hidden: bool,

    /// Leave out files and folders with such a name, or with such a path if there is a / in it; may
    /// be repeated
    #[arg(short = 'x', long = "exclude", value_name = "GLOB")]
    pub(crate) excluded: Vec<String>,

    /// Print errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Trackers that are equal among themselves (BEP 12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tier(pub(crate) Vec<String>);

pub(super) const HELP: &str = "\
Equal content and options give equal bytes: no date is written.
A GLOB knows *, ?, [a-z], {a,b} and, for any number of folders, **. A link that leads out of PATH is
refused, not followed.

Examples:
  ccbt create holiday/ --tracker https://tracker.example/announce
  ccbt create album/ --exclude '*.log' --exclude /drafts --comment 'live in Rome'
  ccbt create album/ -t http://a.example/announce,http://b.example/announce

Exit codes:
  0    done: the torrent is written
  1    failed
  2    the command line cannot be used, or no client could use the torrent
  4    disk: cannot read or write, or the torrent is there already (see --force)
  129  the terminal is gone (SIGHUP)
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)";
