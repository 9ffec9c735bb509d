//! What `ccbt completions` and `ccbt man` are asked to do.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// What `ccbt completions` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell that is to complete ccbt's commands and options
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// What `ccbt man` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Folder for the pages; it is created if it is missing
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

pub(super) const HELP: &str = "\
Examples:
  ccbt completions bash > ~/.local/share/bash-completion/completions/ccbt
  ccbt completions zsh > ~/.zfunc/_ccbt
  ccbt completions fish > ~/.config/fish/completions/ccbt.fish";
