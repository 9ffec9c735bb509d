//! The command line: what can be asked for, and what is refused before anything is done.

mod choice;
mod completions;
mod create;
mod doctor;
mod eviction;
mod network;
mod policy;
mod seed;
mod show;
mod value;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use ccbt_peer::policy::registry::{PRESETS, RULES};
use ccbt_peer::policy::script::Rules;
use ccbt_peer::wire::Magnet;
use clap::{Args, Parser, Subcommand};

use crate::{config, exit};
pub(crate) use choice::{Allocate, Choice};
pub(crate) use completions::{Completions, Man};
pub(crate) use create::{Create, Tier};
pub(crate) use doctor::Doctor;
pub(crate) use eviction::Eviction;
pub(crate) use network::{Contact, DhtOptions, Network};
pub(crate) use policy::{Policy, Question};
pub(crate) use seed::{Ratio, Seed, Until};
pub(crate) use show::Show;
pub(crate) use verify::Verify;

/// Downloads torrents, and keeps only the peers that are worth their slot.
#[derive(Debug, Parser)]
#[command(name = "ccbt", version, max_term_width = 100, arg_required_else_help = true, after_help = help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    // Read before all else by `config`, which puts what it finds on the command line.
    #[command(flatten)]
    _sources: config::Sources,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Download torrents, and exit when every piece is verified
    #[command(after_help = get_help())]
    Get(Get),
    /// Share content that is complete, of one torrent or several
    #[command(after_help = seed::HELP)]
    Seed(Seed),
    /// Make a torrent of a file or folder
    #[command(after_help = create::HELP)]
    Create(Create),
    /// Look at a torrent or a magnet link
    #[command(after_help = show::HELP)]
    Show(Show),
    /// Check content against its torrent
    #[command(after_help = verify::HELP)]
    Verify(Verify),
    /// Join a swarm, download nothing, and tell what holds the download back
    #[command(after_help = doctor::HELP)]
    Doctor(Doctor),
    /// Tell which rules there are about peers, and what they do
    #[command(after_help = policy::HELP)]
    Policy(Policy),
    /// Watch a download on this machine drop dead-weight peers, each with its reason
    #[command(after_help = DEMO_HELP)]
    Demo(Demo),
    /// Print what a shell needs to complete ccbt's commands and options
    #[command(after_help = completions::HELP)]
    Completions(Completions),
    /// Write the manual pages
    #[command(hide = true)]
    Man(Man),
}

impl Command {
    /// Gives the rules of the configuration file to a command that judges peers.
    pub(crate) fn judge_by(&mut self, rules: Rules) {
        match self {
            Self::Get(get) => get.network.eviction.configured = rules,
            Self::Seed(seed) => seed.network.eviction.configured = rules,
            Self::Doctor(doctor) => doctor.eviction.configured = rules,
            _ => {}
        }
    }
}

/// What `ccbt get` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Get {
    /// .torrent files, their http(s) URLs, magnet links, or info hashes
    #[arg(value_name = "FILE|URL|MAGNET|HASH", required = true, value_parser = value::torrent)]
    pub(crate) torrents: Vec<Torrent>,

    /// Folder for the content; it is created if it is missing
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) choice: Choice,

    /// Check everything that is there, also what has not changed since an earlier run
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) network: Network,

    /// Write what happens as JSON, one object a line; - is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) events: Option<PathBuf>,

    /// Give up (exit code 3) when no payload, and no metadata, came for so long, such as 90s or 10m
    #[arg(long, value_name = "DUR", value_parser = value::wait)]
    pub(crate) stop_timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) until: Until,

    /// Run this by the shell when a torrent's download is complete; it finds CCBT_NAME, CCBT_PATH, CCBT_INFO_HASH,
    /// CCBT_FILES and CCBT_BYTES in its environment
    #[arg(long, value_name = "COMMAND")]
    pub(crate) on_complete: Option<OsString>,

    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// What `ccbt demo` is asked to do.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// How much is told to the person.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Talk {
    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print peers as they come and go, and what trackers say
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Where the torrent comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Torrent {
    File(PathBuf),
    Url(String),
    Magnet(Box<Magnet>),
}

/// Examples, and the configuration.
fn help() -> String {
    let examples = "\
Examples:
  ccbt get debian.torrent -o ~/Downloads
  ccbt create holiday/ --tracker https://tracker.example/announce
  ccbt seed holiday.torrent --data .
  ccbt get --help    # examples, rules and exit codes; each command has such a page";
    format!("{examples}\n\n{}", config::HELP)
}

/// The rules as the registry knows them, an example, and the exit codes.
fn get_help() -> String {
    let standard = PRESETS.iter().find(|preset| preset.name == "standard");
    let is_on = |name| {
        let mut specs = standard.iter().flat_map(|preset| preset.specs);
        specs.any(|spec| spec.split_once('=').is_some_and(|(rule, _)| rule == name))
    };
    let rules: String = RULES
        .iter()
        .map(|rule| {
            let state = if is_on(rule.name) { "" } else { "   (off by default)" };
            format!("  {}{state}\n    {}\n", rule.default_spec(), rule.summary)
        })
        .collect();
    let presets: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    let presets = presets.join(", ");
    format!(
        "Rules for --evict, with their numbers; ccbt policy explains them:\n{rules}\n\
         Presets: {presets}.\nRules of one's own: docs/scripts.md\n\n\
         Files have the numbers that --list shows, from 0. A pattern without / means names at any\n\
         depth, a folder all that is in it. What is not chosen does not appear in DIR; a later run\n\
         may choose it.\n\n\
         With --seed-ratio or --seed-time it seeds on after the download, until the first of them is reached.\n\n\
         The command of --on-complete is run once for each torrent that this run has completed, before it\n\
         seeds on and beside the others; that it fails is told, and the exit code is 1.\n\n\
         Several torrents share one port and the limits. --files, --first and --stop-timeout are for each of\n\
         them. One that fails does not stop the others; the exit code is that of the first on the\n\
         command line that failed.\n\n\
         Examples:\n  ccbt get 'magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6' -o ~/Downloads\n  \
         ccbt get debian.torrent -o ~/Downloads --evict no-interest=30s --stop-timeout 10m\n  \
         ccbt get series.torrent --list\n  \
         ccbt get series.torrent --files '*e03*' --files 0 --sequential\n  \
         ccbt get *.torrent -o ~/Downloads --limit-down 5MiB/s\n  \
         ccbt get debian.torrent --on-complete 'mv \"$CCBT_PATH\" /srv/done/'\n  \
         ccbt get debian.torrent -o ~/Downloads --seed-ratio 1.5 --seed-time 24h\n\n{}",
        exit::HELP
    )
}

const DEMO_HELP: &str = "\
Everything happens on the loopback interface and in a temporary folder, in less than 20 seconds.
Exit code 0 says that the payload arrived byte for byte, that each dead weight was dropped by the
rule that is made for it, and that nobody else was.

Example:
  ccbt demo -v";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn switches_of_discovery_to_come_are_accepted_today() {
        let line = ["ccbt", "get", "a.torrent", "--no-dht", "--no-lsd", "--no-pex", "--no-tracker"];
        assert!(Cli::try_parse_from(line).is_ok());
    }

    #[test]
    fn quiet_and_verbose_exclude_each_other() {
        assert!(Cli::try_parse_from(["ccbt", "get", "a.torrent", "-q", "-v"]).is_err());
    }

    #[test]
    fn a_limit_of_no_peers_is_refused() {
        assert!(Cli::try_parse_from(["ccbt", "get", "a.torrent", "--max-peers", "0"]).is_err());
    }

    #[test]
    fn short_options_are_the_long_ones_that_the_manual_names() {
        use clap::CommandFactory;
        let mut found = Vec::new();
        for command in Cli::command().get_subcommands() {
            for arg in command.get_arguments() {
                let short = arg.get_short().map(|short| format!("-{short}"));
                found.extend(short.map(|short| {
                    format!("{} {short} {}", command.get_name(), arg.get_long().unwrap_or("?"))
                }));
            }
        }
        let expected = "\
            get -o output, get -q quiet, get -v verbose, \
            seed -d data, seed -q quiet, seed -v verbose, \
            create -o output, create -f force, create -t tracker, create -w web-seed, \
            create -l piece-length, create -p private, create -c comment, create -s source, \
            create -x exclude, create -q quiet, \
            verify -d data, verify -q quiet, \
            doctor -o output, \
            demo -q quiet, demo -v verbose";
        assert_eq!(found.join(", "), expected);
    }

    #[test]
    fn every_command_has_examples_in_its_help() {
        use clap::CommandFactory;
        let root = Cli::command();
        for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("\n  ccbt {} ", command.get_name());
            assert!(help.contains(&example), "{}", command.get_name());
            // Longer ones would be broken somewhere, and could not be copied.
            let longest = help.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(100), "{}", command.get_name());
        }
    }
}
