//! Which files of a torrent are wanted, how their pieces come, and what room they take.

use clap::{ArgAction, Args, ValueEnum};

use super::value;
use crate::selection::FileSpec;

/// What of a torrent is to be fetched.
#[derive(Args, Debug)]
pub(crate) struct Choice {
    /// Print number, size and path of the files, fetch nothing and stop
    #[arg(long)]
    pub(crate) list: bool,

    /// Fetch these files alone: numbers such as 0,3-5,9- or a pattern such as '*.mkv' or 'sub/**'; with a !
    /// in front, all but these; may be repeated
    #[arg(long, value_name = "SPEC", action = ArgAction::Append, value_parser = value::files)]
    pub(crate) files: Vec<FileSpec>,

    /// Fetch these files before the others; may be repeated
    #[arg(long, value_name = "SPEC", action = ArgAction::Append, value_parser = value::files)]
    pub(crate) first: Vec<FileSpec>,

    /// Fetch pieces in order, not the rarest first: to look at the content while it comes
    #[arg(long)]
    pub(crate) sequential: bool,

    /// Fetch the first and the last piece of each file before all others
    #[arg(long)]
    pub(crate) first_last: bool,

    /// How files take their room on the disk: sparse, as they are written, or full, all of it before the
    /// first byte is fetched
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Allocate::Sparse)]
    pub(crate) allocate: Allocate,

    /// Begin even if the disk seems to have too little room
    #[arg(long)]
    pub(crate) no_space_check: bool,
}

/// How files take their room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allocate {
    Sparse,
    Full,
}
