//! What a command lets one set: its long options, as the command line defines them.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, Id};

/// How many values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Switch,
    One,
    Many,
}

/// An option of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    arg: &'a Arg,
    name: &'a str,
    kind: Kind,
}

impl<'a> Choice<'a> {
    fn of(arg: &'a Arg) -> Option<Self> {
        let kind = match arg.get_action() {
            ArgAction::SetTrue => Kind::Switch,
            ArgAction::Set => Kind::One,
            ArgAction::Append => Kind::Many,
            _ => return None,
        };
        Some(Self { arg, name: arg.get_long()?, kind })
    }

    pub(super) fn id(self) -> &'a Id {
        self.arg.get_id()
    }

    /// The long name, without dashes.
    pub(super) fn name(self) -> &'a str {
        self.name
    }

    pub(super) fn kind(self) -> Kind {
        self.kind
    }

    /// The argument that gives it this value.
    pub(super) fn argument(self, value: &str) -> OsString {
        format!("--{}={value}", self.name).into()
    }

    /// The value with the home folder for `~`, if it is a path.
    pub(super) fn at_home(self, value: String, home: Option<&Path>) -> String {
        let is_path = self.arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        let below = value.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        match (below, home.and_then(Path::to_str)) {
            (Some(rest), Some(home)) if is_path => format!("{home}{rest}"),
            _ => value,
        }
    }
}

/// The options of one command.
#[derive(Debug)]
pub(super) struct Options {
    command: Command,
}

impl Options {
    /// None for a command that does not exist, is hidden or has no options.
    pub(super) fn of(root: &Command, name: &str) -> Option<Self> {
        Self::every(root).find(|options| options.command() == name)
    }

    /// Those of every command that has some.
    pub(super) fn every(root: &Command) -> impl Iterator<Item = Self> {
        let shown = root.get_subcommands().filter(|command| !command.is_hide_set());
        let options = shown.map(|command| Self { command: relaxed(command.clone()) });
        options.filter(|options| options.all().next().is_some())
    }

    /// The command's name.
    pub(super) fn command(&self) -> &str {
        self.command.get_name()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Choice<'_>> {
        self.command.get_arguments().filter_map(Choice::of)
    }

    pub(super) fn find(&self, name: &str) -> Option<Choice<'_>> {
        self.all().find(|option| option.name == name)
    }

    /// May the two not be given together?
    pub(super) fn exclude(&self, one: &Id, other: &Id) -> bool {
        let names = |one: &Id, other: &Id| {
            let arg = self.command.get_arguments().find(|arg| arg.get_id() == one);
            arg.is_some_and(|arg| {
                self.command.get_arg_conflicts_with(arg).iter().any(|arg| arg.get_id() == other)
            })
        };
        names(one, other) || names(other, one)
    }

    /// Is this a value that the command line would take, too?
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn check(&self, argument: &OsString) -> Result<(), String> {
        let line = [&OsString::from(self.command()), argument];
        match self.command.clone().try_get_matches_from(line) {
            Err(error) if is_about_values(error.kind()) => Err(in_a_line(&error)),
            _ => Ok(()),
        }
    }
}

/// The whole command line, but nothing must be given: it may be set elsewhere.
pub(super) fn relaxed_root(root: &Command) -> Command {
    root.clone().mut_subcommands(relaxed)
}

fn relaxed(command: Command) -> Command {
    let groups: Vec<Id> = command.get_groups().map(|group| group.get_id().clone()).collect();
    let command = command.mut_args(|arg| arg.required(false));
    groups
        .into_iter()
        .fold(command, |command, group| command.mut_group(group, |group| group.required(false)))
}

fn is_about_values(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::TooFewValues
            | ErrorKind::TooManyValues
            | ErrorKind::WrongNumberOfValues
    )
}

fn in_a_line(error: &clap::Error) -> String {
    if let Some(cause) = std::error::Error::source(error) {
        return cause.to_string();
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}
