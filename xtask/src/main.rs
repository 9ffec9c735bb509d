//! Developer commands of the ccbt workspace: `cargo xtask <command>`.
//!
//! One file per command. Nothing here knows the product's crates: the scripted peers of
//! [`interop`] are a second implementation of the protocol on purpose.

#![allow(
    clippy::disallowed_methods,
    reason = "steps are timed, and interop measures real sockets by the real clock"
)]

mod bench;
mod check;
mod dist;
mod fuzz;
mod interop;
mod metadata;
mod simulate;
mod test;
mod tidy;
#[cfg(target_os = "linux")]
mod versus;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Checks, tests and interop runs of the ccbt workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test: unit, property, integration, doc tests and examples
    Test,
    /// Run every gate but the tests: fmt, clippy, docs, tidy, features, rust-version, deny
    Check,
    /// Check what the compiler cannot: dependency arrows, file sizes, words, names
    Tidy,
    /// Download from real clients and from scripted peers over real sockets
    Interop(interop::Options),
    /// Kill downloads at random moments (SIGKILL), start them again, and see that nothing was lost
    Crash(interop::crash::Options),
    /// Run every fuzz target for a minute (nightly compiler)
    Fuzz(fuzz::Options),
    /// Run whole swarms in virtual time, each drawn from a number, with liars, floods, crashes and cut wires
    Simulate(simulate::Options),
    /// Run all criterion benches, and compare them with the figures that were kept before
    Bench(bench::Options),
    /// Measure whole programs side by side on loopback (Linux)
    #[cfg(target_os = "linux")]
    Versus(versus::Options),
    /// The peers and the floor programs of `versus`
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Lean {
        #[command(subcommand)]
        part: versus::lean::Part,
    },
    /// Pack a stripped release with manual pages and completions into target/dist
    Dist,
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; false means that it ran and found something wrong.
fn run(command: Command) -> Result<bool> {
    let root = workspace_root();
    match command {
        Command::Test => test::run(&root),
        Command::Check => check::run(&root),
        Command::Tidy => tidy::run(&root),
        Command::Interop(options) => interop::run(&root, &options),
        Command::Crash(options) => interop::crash::run(&root, &options),
        Command::Fuzz(options) => fuzz::run(&root, &options),
        Command::Simulate(options) => simulate::run(&root, &options),
        Command::Bench(options) => bench::run(&root, &options),
        #[cfg(target_os = "linux")]
        Command::Versus(options) => versus::run(&root, &options),
        #[cfg(target_os = "linux")]
        Command::Lean { part } => versus::lean::run(part).map(|()| true),
        Command::Dist => dist::run(&root),
    }
}

/// The workspace of the running `cargo xtask`, wherever its binary was built.
fn workspace_root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map(PathBuf::from).unwrap_or(manifest)
}
