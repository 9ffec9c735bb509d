//! `ccbt`: a BitTorrent client for the terminal. It turns what a person asks for into a running
//! swarm, and what happens there back into words.

mod args;
mod completions;
mod config;
mod content;
mod create;
mod demo;
mod events;
mod exit;
mod get;
mod hashing;
mod network;
mod print;
mod report;
mod seed;
mod show;
mod signals;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use exit::{Exit, Failure};
use signals::Signals;

/// Threads that drive connections; more of them cost more than they bring.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let given = std::env::args_os().collect();
    let line = match config::complete(&Cli::command(), given, &|name| std::env::var_os(name)) {
        Ok(line) => line,
        Err(failure) => return failed(&failure),
    };
    let cli = match Cli::try_parse_from(line) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help that nobody reads to its end is no failure.
            let _ = answer.print();
            return u8::try_from(answer.exit_code()).unwrap_or(Exit::Refused.code()).into();
        }
    };
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "ccbt: {}", report::printable(&failure.message));
    failure.exit.into()
}

fn start(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(Failure::of(Exit::Failed, "runtime"))?;
    let done = runtime.block_on(async {
        let mut signals = Signals::install()?;
        match cli.command {
            Command::Get(get) => get::run(&get, &mut signals).await,
            Command::Seed(seed) => seed::run(&seed, &mut signals).await,
            Command::Create(create) => create::run(&create, &mut signals).await,
            Command::Show(show) => show::run(&show, &mut signals).await,
            Command::Verify(verify) => verify::run(&verify, &mut signals).await,
            Command::Demo(demo) => demo::run(&demo, &mut signals).await,
            Command::Completions(asked) => completions::run(&asked),
            Command::Man(asked) => completions::manual(&asked),
        }
    });
    // A lookup of a name or a check of files that is under way must not hold up the end.
    runtime.shutdown_background();
    done
}
