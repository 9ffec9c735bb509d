//! `cargo xtask simulate`: whole swarms in virtual time, each drawn from a number.
//!
//! The swarms are a test of ccbt-peer, which is told by its environment how many to run; this is the same test
//! with a build that is fast enough for thousands of them.

use std::path::Path;

use anyhow::Result;
use xshell::{Shell, cmd};

/// The test that runs the swarms.
const TEST: &str = "whole::whole_swarms_of_the_seeds_that_are_asked_for";

/// Which swarms.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many swarms, each of the next number
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    seeds: u64,
    /// The number of the first
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// Print all that goes into every node and comes out; for a few swarms
    #[arg(long)]
    trace: bool,
}

/// Runs them; false when one breaks a promise. It names the command that repeats it.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    sh.set_var("CCBT_SIMULATE_SEEDS", options.seeds.to_string());
    sh.set_var("CCBT_SIMULATE_FROM", options.from.to_string());
    if options.trace {
        sh.set_var("CCBT_SIMULATE_TRACE", "1");
    }
    let test = cmd!(
        sh,
        "cargo test --profile simulate --package ccbt-peer --test simulation -- {TEST} --exact --ignored --nocapture"
    );
    Ok(test.run().is_ok())
}
