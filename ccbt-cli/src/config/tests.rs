//! Which layer has the say, and what is refused where.

use std::collections::BTreeMap;

use clap::CommandFactory;
use tempfile::TempDir;

use super::*;
use crate::args::Cli;

/// A home with a configuration file, and variables.
struct World {
    home: TempDir,
    variables: BTreeMap<String, OsString>,
}

impl World {
    fn with(file: &str) -> Self {
        let world = Self::bare();
        let folder = world.home.path().join(".config/ccbt");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), file).unwrap();
        world
    }

    /// Without a configuration file.
    fn bare() -> Self {
        let home = tempfile::tempdir().unwrap();
        let variables = BTreeMap::from([("HOME".to_owned(), home.path().into())]);
        Self { home, variables }
    }

    fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The command line that comes of this one, as text.
    fn complete(&self, line: &str) -> Result<String, String> {
        let line = line.split(' ').map(OsString::from).collect();
        let line = complete(&Cli::command(), line, &self.variables);
        let complete = line.map_err(|failure| {
            assert_eq!(failure.exit, Exit::Refused);
            failure.message
        })?;
        Ok(complete.line.join(std::ffi::OsStr::new(" ")).into_string().unwrap())
    }

    /// The message without the folder of the file.
    fn refusal(&self, line: &str) -> String {
        let message = self.complete(line).unwrap_err();
        let folder = self.path(".config/ccbt/");
        message.replace(&*folder.to_string_lossy(), "")
    }
}

fn completed(file: &str, line: &str) -> String {
    World::with(file).complete(line).unwrap()
}

fn refusal(file: &str) -> String {
    World::with(file).refusal("ccbt get a.torrent")
}

#[test]
fn options_of_every_kind_are_taken_from_the_file() {
    let file = "[get]\nmax-peers = 7\noutput = 'down'\nno-tracker = true\npeer = ['a:1', 'b:2']\n";
    let line = completed(file, "ccbt get a.torrent");
    assert_eq!(
        line,
        "ccbt get --max-peers=7 --output=down --no-tracker --peer=a:1 --peer=b:2 a.torrent"
    );
}

#[test]
fn a_single_value_will_do_for_an_option_that_may_be_repeated() {
    assert_eq!(completed("[get]\npeer = 'a:1'", "ccbt get x"), "ccbt get --peer=a:1 x");
}

#[test]
fn the_tables_of_other_commands_are_left_alone() {
    let file = "[create]\nprivate = true\n[get]\nquiet = true";
    assert_eq!(completed(file, "ccbt create x"), "ccbt create --private x");
    assert_eq!(completed(file, "ccbt show x"), "ccbt show x");
}

#[test]
fn the_command_line_comes_before_the_environment_and_the_file_is_last() {
    let world = World::with("[get]\nmax-peers = 1");
    assert_eq!(world.complete("ccbt get x").unwrap(), "ccbt get --max-peers=1 x");
    let world = world.set("CCBT_GET_MAX_PEERS", "2");
    assert_eq!(world.complete("ccbt get x").unwrap(), "ccbt get --max-peers=2 x");
    let line = "ccbt get x --max-peers 3";
    assert_eq!(world.complete(line).unwrap(), line);
}

#[test]
fn a_short_option_counts_as_its_long_one() {
    let line = "ccbt get -o here x";
    assert_eq!(completed("[get]\noutput = 'there'", line), line);
}

#[test]
fn values_of_a_lower_layer_are_replaced_not_added_to() {
    let line = "ccbt get x --peer c:3";
    assert_eq!(completed("[get]\npeer = ['a:1', 'b:2']", line), line);
}

#[test]
fn an_option_that_excludes_another_takes_its_place() {
    let world = World::with("[get]\nquiet = true");
    assert_eq!(world.complete("ccbt get x -v").unwrap(), "ccbt get x -v");
    let world = world.set("CCBT_GET_VERBOSE", "true");
    assert_eq!(world.complete("ccbt get x").unwrap(), "ccbt get --verbose x");
}

#[test]
fn a_switch_can_be_switched_off_again() {
    let world = World::with("[get]\nquiet = true");
    assert_eq!(world.complete("ccbt get --quiet=false x").unwrap(), "ccbt get x");
    assert_eq!(world.complete("ccbt get --quiet=true x").unwrap(), "ccbt get --quiet x");
    let world = world.set("CCBT_GET_QUIET", "false");
    assert_eq!(world.complete("ccbt get x").unwrap(), "ccbt get x");
}

#[test]
fn behind_two_dashes_there_are_no_switches() {
    let line = "ccbt get -- --quiet=false";
    assert_eq!(completed("[get]\nquiet = true", line), "ccbt get --quiet -- --quiet=false");
}

#[test]
fn a_variable_holds_one_value_a_line() {
    let world = World::bare().set("CCBT_GET_PEER", "a:1\nb:2\n").set("CCBT_GET_OUTPUT", "");
    assert_eq!(world.complete("ccbt get x").unwrap(), "ccbt get --peer=a:1 --peer=b:2 x");
}

#[test]
fn what_must_be_given_may_stand_in_the_file() {
    let line = completed("[verify]\ndata = '/srv'", "ccbt verify a.torrent");
    assert_eq!(line, "ccbt verify --data=/srv a.torrent");
}

#[test]
fn a_path_in_the_file_may_begin_at_home_but_a_text_may_not() {
    let world = World::with("[create]\noutput = '~/x.torrent'\ncomment = '~/x'");
    let home = world.home.path().display();
    let line = world.complete("ccbt create x").unwrap();
    assert_eq!(line, format!("ccbt create --output={home}/x.torrent --comment=~/x x"));
}

#[test]
fn an_unknown_option_is_named_with_its_line_and_what_is_like_it() {
    assert_eq!(
        refusal("# mine\n[get]\nmax-peer = 7"),
        "config.toml:3: get.max-peer: unknown option; did you mean max-peers?"
    );
    assert_eq!(refusal("[get]\nxyz = 7"), "config.toml:2: get.xyz: unknown option");
    assert_eq!(refusal("[get]\nconfig = 'x'"), "config.toml:2: get.config: unknown option");
}

#[test]
fn an_unknown_command_is_named_with_its_line() {
    assert_eq!(refusal("\n[gett]\n"), "config.toml:2: gett: unknown command; did you mean get?");
    assert_eq!(refusal("[man]\n"), "config.toml:1: man: unknown command");
}

#[test]
fn an_option_outside_a_table_is_refused() {
    let expected = "unknown: options stand in the table of their command, such as [get]";
    assert_eq!(refusal("quiet = true"), format!("config.toml:1: quiet: {expected}"));
    assert_eq!(refusal("get = 1"), "config.toml:1: get: expected a table: [get]");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    assert_eq!(
        refusal("[get]\nquiet = 1"),
        "config.toml:2: get.quiet: expected true or false, found integer"
    );
    assert_eq!(
        refusal("[get]\noutput = ['a', 'b']"),
        "config.toml:2: get.output: expected a text or a number, found array"
    );
    assert_eq!(
        refusal("[get]\npeer = [\n'a:1',\ntrue]"),
        "config.toml:4: get.peer: expected a text or a number, found boolean"
    );
}

#[test]
fn a_value_that_the_command_line_would_refuse_is_refused_with_its_line() {
    let message = refusal("[get]\n\nmax-peers = 0");
    assert!(message.starts_with("config.toml:3: get.max-peers: 0: "), "{message}");
    let message = refusal("[create]\npiece-length = 'much'");
    assert!(message.starts_with("config.toml:2: create.piece-length: much: "), "{message}");
    let world = World::bare().set("CCBT_GET_MAX_PEERS", "many");
    let message = world.refusal("ccbt get x");
    assert!(message.starts_with("CCBT_GET_MAX_PEERS: "), "{message}");
    let message = World::bare().set("CCBT_GET_QUIET", "yes").refusal("ccbt get x");
    assert_eq!(message, "CCBT_GET_QUIET: yes: expected true or false");
}

#[test]
fn two_options_of_the_file_that_exclude_each_other_are_refused() {
    let message = refusal("[get]\nverbose = true\nquiet = true");
    assert_eq!(message, "config.toml:3: get.quiet: cannot be used with verbose");
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    let message = refusal("[get]\nquiet = true\nquiet");
    assert!(message.starts_with("config.toml:3: "), "{message}");
    assert!(refusal("[get]\nquiet = true\nquiet = true").starts_with("config.toml:3: "));
    assert!(refusal("[get]\nmax-peers = 99999999999999999999").starts_with("config.toml:2: "));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let world = World::bare();
    let named = "ccbt get x --config /nowhere/ccbt.toml";
    assert!(world.refusal(named).starts_with("/nowhere/ccbt.toml: "));
    let world = world.set("CCBT_CONFIG", "/nowhere/ccbt.toml");
    assert!(world.refusal("ccbt get x").starts_with("/nowhere/ccbt.toml: "));
}

#[test]
fn the_file_is_found_by_option_then_variable_then_folder() {
    let world = World::with("[get]\nmax-peers = 1");
    let folder = world.path("xdg/ccbt");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[get]\nmax-peers = 2").unwrap();
    fs::write(world.path("3.toml"), "[get]\nmax-peers = 3").unwrap();
    fs::write(world.path("4.toml"), "[get]\nmax-peers = 4").unwrap();
    let peers = |world: &World, config: &str| {
        let line = world.complete(&format!("ccbt {config}get x")).unwrap();
        line.rsplit_once("--max-peers=").map(|(_, rest)| rest.trim_end_matches(" x").to_owned())
    };

    let relative = world.set("XDG_CONFIG_HOME", "xdg");
    assert_eq!(peers(&relative, "").as_deref(), Some("1"));
    let xdg = relative.path("xdg");
    let world = relative.set("XDG_CONFIG_HOME", xdg);
    assert_eq!(peers(&world, "").as_deref(), Some("2"));
    let third = world.path("3.toml");
    let world = world.set("CCBT_CONFIG", third);
    assert_eq!(peers(&world, "").as_deref(), Some("3"));
    let fourth = format!("--config {} ", world.path("4.toml").display());
    assert_eq!(peers(&world, &fourth).as_deref(), Some("4"));
    assert_eq!(peers(&world, "--no-config ").as_deref(), None);
}

#[test]
fn help_and_lines_that_cannot_be_used_need_no_configuration() {
    let world = World::with("not = 'right'");
    for line in ["ccbt", "ccbt --help", "ccbt get --help", "ccbt help get", "ccbt get x --what"] {
        assert_eq!(world.complete(line).unwrap(), line);
    }
    assert_eq!(world.complete("ccbt completions bash").unwrap(), "ccbt completions bash");
}

#[test]
fn every_option_of_every_command_can_stand_in_the_file() {
    let root = Cli::command();
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        let long = command.get_arguments().filter_map(clap::Arg::get_long);
        let options = Options::of(&root, command.get_name());
        let missing: Vec<_> = long
            .filter(|name| options.as_ref().and_then(|options| options.find(name)).is_none())
            .collect();
        assert_eq!(missing, [""; 0], "{}", command.get_name());
    }
    assert!(Options::of(&root, "man").is_none());
}

#[test]
fn a_variable_that_is_no_option_of_the_command_is_refused_with_the_one_that_is_like_it() {
    let world = World::bare().set("CCBT_GET_MAX_PEER", "3");
    let refusal = world.complete("ccbt get x").unwrap_err();
    assert_eq!(refusal, "CCBT_GET_MAX_PEER: unknown option; did you mean max-peers?");
    assert!(world.complete("ccbt verify x").is_ok(), "it is no variable of this command");
    assert!(World::bare().set("CCBT_GET_MAX_PEER", "").complete("ccbt get x").is_ok());
}

#[test]
fn rules_about_peers_stand_in_a_table_of_their_own() {
    let rule = "[[evict.rule]]\nname = 'mine'\nwhen = 'age > 2m'\n";
    let world = World::with(&format!("[get]\nquiet = true\n{rule}"));
    let complete = |line: &str| {
        let line = line.split(' ').map(OsString::from).collect();
        complete(&Cli::command(), line, &world.variables).unwrap().rules.len()
    };
    assert_eq!([complete("ccbt get x"), complete("ccbt --no-config get x")], [1, 0]);
}

#[test]
fn a_rule_that_is_none_is_refused_with_its_line() {
    assert_eq!(
        refusal("[get]\n[[evict.rule]]\nname = 'x'\nwhen = 'agee > 2m'"),
        "config.toml:4:9: there is no fact \"agee\"; did you mean \"age\"?"
    );
    assert_eq!(
        refusal("[[evict.rules]]\nname = 'x'"),
        "config.toml:1: evict.rules: unknown: rules stand in tables [[evict.rule]]"
    );
    assert_eq!(
        refusal("[evict]\nrule = 3"),
        "config.toml:2:8: rules stand in tables: [[evict.rule]]"
    );
    assert_eq!(
        refusal("evict = 3"),
        "config.toml:1: evict: unknown: options stand in the table of their command, such as [get]"
    );
}

/// A value that no option has by default, and that fits all options with this name of a value.
fn sample(value_name: &str) -> &'static str {
    match value_name {
        "DIR" | "FILE" | "FILE|-" | "TEXT" | "GLOB" | "COMMAND" => "sample",
        "HOST:PORT" => "peer.example:1",
        "ADDR:PORT" => "127.0.0.1:1",
        "N" => "16384",
        "NAME" => "sample0",
        "IP" => "192.0.2.1",
        "RATE" => "5K",
        "RATIO" => "1.5",
        "DUR" => "90s",
        "HOW" => "full",
        "SPEC" => "all=off",
        "URL" | "URL[,URL]..." => "http://host.example/",
        other => panic!("no sample for {other}"),
    }
}

/// What comes of a command line in the end; `None` if it is refused.
fn parsed(world: &World, line: &str) -> Option<String> {
    use clap::Parser;
    let line = world.complete(line).unwrap();
    Cli::try_parse_from(line.split(' ')).ok().map(|cli| format!("{:?}", cli.command))
}

#[test]
fn an_option_means_the_same_on_the_command_line_in_the_environment_and_in_the_file() {
    let root = Cli::command();
    let mut options = 0;
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = command.get_name();
        for arg in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
            options += 1;
            let long = arg.get_long().unwrap();
            let value = arg.get_value_names().filter(|_| arg.get_action().takes_values());
            let value = value.map_or("true", |names| sample(&names[0]));
            let data =
                if matches!(name, "seed" | "verify") && long != "data" { " --data x" } else { "" };
            let subject = match name {
                "demo" => "",
                "policy" => " list",
                _ => " x",
            };
            let line = format!("ccbt {name}{subject}{data}");

            let without = parsed(&World::bare(), &line);
            let given = parsed(&World::bare(), &format!("{line} --{long}={value}"));
            assert!(given.is_some() && given != without, "{name} --{long}: {given:?}");
            let variable = format!("CCBT_{name}_{long}").to_uppercase().replace('-', "_");
            let set = parsed(&World::bare().set(&variable, value), &line);
            assert_eq!(set, given, "{variable}");
            let quote = if value == "true" { "" } else { "'" };
            let file = format!("[{name}]\n{long} = {quote}{value}{quote}\n");
            assert_eq!(parsed(&World::with(&file), &line), given, "{file}");
        }
    }
    assert!(options > 40, "{options}");
}
