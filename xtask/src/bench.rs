//! `cargo xtask bench`: all criterion benches of the workspace, and what became faster or slower since the last
//! time that figures were kept.
//!
//! Criterion keeps the figures in the target folder, below the name of a baseline. They are not committed: those of
//! another machine, or of the same one a month ago, say nothing.

use std::path::Path;

use anyhow::Result;
use xshell::{Shell, cmd};

/// What criterion calls the figures that are kept.
const BASELINE: &str = "kept";

/// Which benches, and what is done with their figures.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only benches whose name contains this
    filter: Option<String>,
    /// Keep the figures, for later comparisons
    #[arg(long, conflicts_with = "compare")]
    save: bool,
    /// Compare with the figures that were kept; a bench that has none is measured alone
    #[arg(long)]
    compare: bool,
    /// Measure shortly: enough to see that all benches run
    #[arg(long)]
    quick: bool,
}

/// Runs them; false when one does not run.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    let arguments = arguments(options);
    let benches = cmd!(sh, "cargo bench --workspace --all-features --benches -- {arguments...}");
    Ok(benches.run().is_ok())
}

/// What criterion is told.
fn arguments(options: &Options) -> Vec<String> {
    let mut arguments = Vec::from_iter(options.filter.clone());
    if options.save {
        arguments.push(format!("--save-baseline={BASELINE}"));
    }
    if options.compare {
        arguments.push(format!("--baseline-lenient={BASELINE}"));
    }
    if options.quick {
        arguments.push("--quick".to_owned());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_kept_and_compared_under_one_name() {
        let options = |save, compare| Options { filter: None, save, compare, quick: false };
        assert_eq!(arguments(&options(true, false)), ["--save-baseline=kept"]);
        assert_eq!(arguments(&options(false, true)), ["--baseline-lenient=kept"]);
        assert!(arguments(&options(false, false)).is_empty());
    }

    #[test]
    fn a_filter_stands_before_the_options() {
        let filter = Some("decode".to_owned());
        let options = Options { filter, save: false, compare: true, quick: true };
        assert_eq!(arguments(&options), ["decode", "--baseline-lenient=kept", "--quick"]);
    }
}
