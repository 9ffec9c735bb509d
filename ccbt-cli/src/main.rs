//! `ccbt`: a BitTorrent client for the terminal. It turns what a person asks for into a running
//! swarm, and what happens there back into words.

mod args;
mod bounded;
mod completions;
mod config;
mod content;
mod create;
mod demo;
mod descriptors;
mod doctor;
mod events;
mod exit;
mod get;
mod hashing;
mod network;
mod pattern;
mod policy;
mod print;
mod report;
mod rules;
mod seed;
mod selection;
mod show;
mod signals;
mod state;
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
    let complete = config::complete(&Cli::command(), given, &config::environment());
    let config::Completed { line, rules } = match complete {
        Ok(complete) => complete,
        Err(failure) => return failed(&failure),
    };
    let mut cli = match Cli::try_parse_from(line) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help that nobody reads to its end is no failure.
            let _ = answer.print();
            return u8::try_from(answer.exit_code()).unwrap_or(Exit::Refused.code()).into();
        }
    };
    cli.command.judge_by(rules);
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
    descriptors::raise();
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
            Command::Doctor(doctor) => doctor::run(&doctor, &mut signals).await,
            Command::Policy(asked) => policy::run(&asked),
            Command::Demo(demo) => demo::run(&demo, &mut signals).await,
            Command::Completions(asked) => completions::run(&asked),
            Command::Man(asked) => completions::manual(&asked),
        }
    });
    // A lookup of a name or a check of files that is under way must not hold up the end.
    runtime.shutdown_background();
    done
}
