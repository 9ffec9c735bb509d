//! Options that are not on the command line: from the environment, then from the configuration file.
//!
//! What may be set follows from the definition of the command line, so an option that is added there
//! can be set here at once. What is found becomes arguments in front of the given ones.

mod environment;
mod file;
mod layers;
mod options;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ccbt_peer::policy::script::Rules;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::exit::{Exit, Failure};
pub(crate) use file::did_you_mean;
use layers::Given;
use options::{Kind, Options};

/// Where the configuration file is.
#[derive(Args, Debug)]
pub(crate) struct Sources {
    /// Read options from this file [default: ccbt/config.toml in $XDG_CONFIG_HOME or ~/.config]
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        display_order = 900,
        conflicts_with = "no_config"
    )]
    config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, global = true, display_order = 901)]
    no_config: bool,
}

/// The text about all this below `--help`.
pub(crate) const HELP: &str = "\
Configuration:
  Every option of a command can stand in a table of the configuration file, and in the environment:

    [get]
    output = \"~/Downloads\"       # or CCBT_GET_OUTPUT
    max-peers = 100              # or CCBT_GET_MAX_PEERS
    no-tracker = true            # or CCBT_GET_NO_TRACKER=true; a switch
    peer = [\"192.0.2.1:6881\"]    # or CCBT_GET_PEER, one value a line; may be repeated

  The command line comes first, then the environment, then the file; an option that excludes another
  there takes its place. --no-tracker=false switches off for once what is switched on.
  CCBT_CONFIG names another file, as --config does.

  Rules about peers in tables [[evict.rule]] are for every command that judges them: docs/scripts.md";

/// What the environment and the configuration file add to a command line.
#[derive(Debug)]
pub(crate) struct Completed {
    /// The command line with every option that is set elsewhere.
    pub(crate) line: Vec<OsString>,
    /// The rules about peers in the configuration file.
    pub(crate) rules: Rules,
}

impl From<Vec<OsString>> for Completed {
    fn from(line: Vec<OsString>) -> Self {
        Self { line, rules: Rules::default() }
    }
}

/// The variables of the environment.
pub(crate) type Environment<'a> = &'a BTreeMap<String, OsString>;

/// Those of this process; one whose name is no text is none of ours.
pub(crate) fn environment() -> BTreeMap<String, OsString> {
    let name = |name: OsString| {
        let name = name.into_string().ok()?;
        // Windows tells names apart by their letters alone.
        Some(if cfg!(windows) { name.to_uppercase() } else { name })
    };
    std::env::vars_os().filter_map(|(key, value)| Some((name(key)?, value))).collect()
}

/// The command line with all that is set elsewhere. A line that cannot be used comes back as it
/// is: whoever parses it has the words for it.
///
/// # Errors
/// A configuration file or a variable that cannot be used, with its place.
pub(crate) fn complete(
    root: &Command,
    line: Vec<OsString>,
    environment: Environment<'_>,
) -> Result<Completed, Failure> {
    let Some((name, start)) = split(&line) else { return Ok(line.into()) };
    let Some(options) = Options::of(root, &name) else { return Ok(line.into()) };
    let (head, tail) = line.split_at(start);
    let (tail, mut given) = switched_off(&options, tail);
    let line = [head, &tail].concat();
    let Ok(matches) = options::relaxed_root(root).try_get_matches_from(&line) else {
        return Ok(line.into());
    };
    let Some((_, matches)) = matches.subcommand() else { return Ok(line.into()) };
    let on = options.all().filter(|option| is_given(matches, option.id()));
    given.extend(on.map(|option| Given { id: option.id(), on: true }));

    let refused = |message| Failure::new(Exit::Refused, message);
    let from_environment = environment::settings(&options, environment).map_err(refused)?;
    let found = read(matches, environment)?;
    let (from_file, rules) = match &found {
        Some((path, text)) => {
            let home = environment.get("HOME").map(PathBuf::from);
            let tables = file::Tables::new(root, path, text, home.as_deref());
            tables.check().map_err(refused)?;
            let rules = tables.rules().map_err(refused)?;
            (tables.settings(&options).map_err(refused)?, rules)
        }
        None => Default::default(),
    };
    let more = layers::join(&options, given, [from_environment, from_file]).map_err(refused)?;
    Ok(Completed { line: [head, &more, &tail].concat(), rules })
}

/// The command's name, and where its arguments begin.
fn split(line: &[OsString]) -> Option<(String, usize)> {
    let outer = Sources::augment_args(Command::new("ccbt"))
        .allow_external_subcommands(true)
        .disable_help_subcommand(true);
    let matches = outer.try_get_matches_from(line).ok()?;
    let (name, rest) = matches.subcommand()?;
    let count = rest.get_many::<OsString>("").map_or(0, |arguments| arguments.len());
    Some((name.to_owned(), line.len().checked_sub(count)?))
}

/// Takes `--switch=false` out of the arguments, and spells `--switch=true` as `--switch`.
fn switched_off<'a>(options: &'a Options, tail: &[OsString]) -> (Vec<OsString>, Vec<Given<'a>>) {
    let (mut kept, mut off) = (Vec::new(), Vec::new());
    let values_only = tail.iter().position(|argument| argument == "--").unwrap_or(tail.len());
    for (index, argument) in tail.iter().enumerate() {
        let switch = argument.to_str().filter(|_| index < values_only).and_then(|argument| {
            let (name, value) = argument.strip_prefix("--")?.split_once('=')?;
            let option = options.find(name).filter(|option| option.kind() == Kind::Switch)?;
            Some((option, value.parse::<bool>().ok()?))
        });
        match switch {
            Some((option, true)) => kept.push(format!("--{}", option.name()).into()),
            Some((option, false)) => off.push(Given { id: option.id(), on: false }),
            None => kept.push(argument.clone()),
        }
    }
    (kept, off)
}

fn is_given(matches: &ArgMatches, id: &clap::Id) -> bool {
    matches.value_source(id.as_str()) == Some(ValueSource::CommandLine)
}

/// The configuration file with its text; only the one in the default place may be missing.
fn read(
    matches: &ArgMatches,
    environment: Environment<'_>,
) -> Result<Option<(PathBuf, String)>, Failure> {
    let sources =
        Sources::from_arg_matches(matches).map_err(Failure::of(Exit::Refused, "config"))?;
    if sources.no_config {
        return Ok(None);
    }
    let set = |name| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = sources.config.or_else(|| set("CCBT_CONFIG"));
    let must_be_there = named.is_some();
    let Some(path) = named.or_else(|| default_place(set)) else { return Ok(None) };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == ErrorKind::NotFound && !must_be_there => Ok(None),
        Err(error) => Err(Failure::of(Exit::Refused, path.display())(error)),
    }
}

/// XDG Base Directory Specification: a folder that is not absolute does not count.
fn default_place(set: impl Fn(&'static str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = set("XDG_CONFIG_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join(Path::new("ccbt/config.toml")))
}

#[cfg(test)]
mod tests;
