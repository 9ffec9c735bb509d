//! `cargo xtask interop`: ccbt against other clients and against scripted peers, over real sockets.
//!
//! A scenario has a folder and loopback addresses of its own (127.77.N.*), so that scenarios can
//! run side by side; whatever it started is ended with it. One that is late beside the others is
//! judged again alone.

mod again;
pub(crate) mod announcer;
mod assertions;
mod choice;
mod clients;
mod connections;
pub(crate) mod crash;
mod crowd;
mod deadlines;
mod dht;
mod disk;
mod displacement;
mod doctor;
mod download;
mod events;
mod from_seed;
mod hostile;
mod http;
mod idle;
mod interface;
mod ipv6;
mod late;
mod liars;
mod local;
mod magnet;
mod memory;
mod namespace;
mod nat;
mod node;
mod not_interested;
mod patience;
mod payload;
mod peers;
mod pex;
pub(crate) mod place;
mod private;
mod real_clients;
mod schedule;
mod scrape;
mod seed;
mod seed_rules;
mod shares;
mod slow_seed;
mod spared;
mod swarm;
mod tools;
pub(crate) mod torrent;
mod tracker;
mod udp_tracker;
mod web_seed;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use place::Place;
use tools::Tool;

/// What to run, and with which program.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only scenarios whose name contains one of these
    filter: Vec<String>,
    /// Show the names of the scenarios and stop
    #[arg(long)]
    list: bool,
    /// Test this ccbt instead of building one
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// How many short scenarios run at once; those that wait for long timers all run beside them
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
}

/// What happens in a scenario.
type Run = dyn Fn(&Place) -> Result<()> + Send + Sync;

/// One thing that must hold between ccbt and others.
struct Scenario {
    name: String,
    /// Programs without which it cannot run.
    needs: Vec<Tool>,
    /// It mostly waits: run it beside all others, from the start.
    waits: bool,
    /// It has failed when it takes longer.
    limit: Duration,
    run: Box<Run>,
}

impl Scenario {
    /// A scenario that needs no other program and ends within a minute.
    fn new(
        name: impl Into<String>,
        run: impl Fn(&Place) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        Scenario {
            name,
            needs: Vec::new(),
            waits: false,
            limit: Duration::from_secs(60),
            run: Box::new(run),
        }
    }

    fn needing(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        self.needs.extend(tools);
        self
    }

    /// It waits for timers, for this long in all at most.
    fn waiting(mut self, seconds: u64) -> Self {
        self.waits = true;
        self.limit = Duration::from_secs(seconds);
        self
    }
}

/// Runs the chosen scenarios; false when one failed, or could not run in CI.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let mut scenarios = patience::scenarios();
    scenarios.extend(seed_rules::scenarios());
    scenarios.extend(deadlines::scenarios());
    scenarios.extend(spared::scenarios());
    scenarios.extend(again::scenarios());
    scenarios.extend(liars::scenarios());
    scenarios.extend(magnet::scenarios());
    scenarios.extend(pex::scenarios());
    scenarios.extend(private::scenarios());
    scenarios.extend(not_interested::scenarios());
    scenarios.extend(displacement::scenarios());
    scenarios.extend(crowd::scenarios());
    scenarios.extend(idle::scenarios());
    scenarios.extend(connections::scenarios());
    scenarios.extend(hostile::scenarios());
    scenarios.extend(shares::scenarios());
    scenarios.extend(swarm::scenarios());
    scenarios.extend(dht::scenarios());
    scenarios.extend(doctor::scenarios());
    scenarios.extend(interface::scenarios());
    scenarios.extend(ipv6::scenarios());
    scenarios.extend(nat::scenarios());
    scenarios.extend(node::scenarios());
    scenarios.extend(scrape::scenarios());
    scenarios.extend(local::scenarios());
    scenarios.extend(udp_tracker::scenarios());
    scenarios.extend(web_seed::scenarios());
    scenarios.extend(from_seed::scenarios());
    scenarios.extend(real_clients::scenarios());
    scenarios.extend(choice::scenarios());
    scenarios.extend(crash::scenarios());
    scenarios.extend(disk::scenarios());
    let chosen = |name: &str| {
        options.filter.is_empty() || options.filter.iter().any(|part| name.contains(part))
    };
    scenarios.retain(|scenario| chosen(&scenario.name));
    ensure!(!scenarios.is_empty(), "no scenario matches {:?}", options.filter);
    if options.list {
        scenarios.iter().for_each(|scenario| println!("{}", scenario.name));
        return Ok(true);
    }
    let missing = tools::missing();
    tools::report(&missing);
    let binary = match &options.binary {
        Some(path) => path.canonicalize()?,
        None => build(root)?,
    };
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    let tally = schedule::run(scenarios, &missing, &binary, options.jobs.max(1), in_ci);
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    if !tally.alone.is_empty() {
        println!("in time only when they ran alone: {}", tally.alone.join(", "));
    }
    Ok(tally.failed == 0)
}

/// Builds the program as it is shipped and returns its path.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    cmd!(sh, "cargo build --release --package ccbt-cli --bin ccbt").run()?;
    let metadata = cmd!(sh, "cargo metadata --format-version 1 --no-deps").quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"].as_str().unwrap_or("target");
    Ok(root.join(target).join("release").join(format!("ccbt{}", std::env::consts::EXE_SUFFIX)))
}
