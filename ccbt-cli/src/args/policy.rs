//! What `ccbt policy` is asked to do.

use clap::{Args, Subcommand};

/// What `ccbt policy` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) question: Question,

    /// Write one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What one wants to know.
#[derive(Debug, Subcommand)]
pub(crate) enum Question {
    /// Name every rule and every preset, a line each
    List,
    /// Tell what a rule or a preset does, its numbers, and where it comes from
    Explain {
        /// A rule, a preset, or turnover
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Show the rules beside the presets, as docs/policies.md does
    Table,
}

pub(super) const HELP: &str = "\
Examples:
  ccbt policy list
  ccbt policy explain bitfield-timeout
  ccbt policy explain balanced
  ccbt policy list --json | jq -r '.rules[].name'

Exit codes:
  0    done
  2    there is no such rule or preset";
