//! Who may stay: rules by name, and rules of one's own.

use std::path::PathBuf;

use ccbt_peer::policy::script::Rules;
use clap::Args;

/// Who may stay.
#[derive(Args, Debug, Default)]
pub(crate) struct Eviction {
    /// Change the rules: NAME=VALUE or NAME=off for one, preset=NAME for all, all=off for none; may be
    /// repeated
    #[arg(long, value_name = "SPEC")]
    pub(crate) evict: Vec<String>,

    /// Judge by the rules in this file, too; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) evict_script: Vec<PathBuf>,

    /// The rules of the configuration file, which come by another way.
    #[arg(skip)]
    pub(crate) configured: Rules,
}
