//! Options from the configuration file: TOML with a table for each command.

use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use ccbt_peer::policy::script::Rules;
use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layers::Setting;
use super::options::{Choice, Kind, Options};

/// The table of rules about peers, which are no options of one command.
const EVICT: &str = "evict";

/// Names less like each other than this are no slip of the finger.
const LIKE: f64 = 0.75;

/// The tables of a configuration file.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    path: &'a Path,
    text: &'a str,
    home: Option<&'a Path>,
    commands: Vec<Options>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(
        root: &Command,
        path: &'a Path,
        text: &'a str,
        home: Option<&'a Path>,
    ) -> Self {
        Self { path, text, home, commands: Options::every(root).collect() }
    }

    /// Looks at every table, also those of other commands.
    ///
    /// # Errors
    /// Something that cannot be used, with file and line.
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, value) in self.parsed()?.get_ref() {
            let name: &str = key.get_ref();
            let options = self.commands.iter().find(|options| options.command() == name);
            match (options, value.get_ref()) {
                (Some(options), DeValue::Table(table)) => {
                    self.table(options, table)?;
                }
                (Some(_), _) => {
                    return Err(self.at(key, format_args!("{name}: expected a table: [{name}]")));
                }
                (None, DeValue::Table(table)) if name == EVICT => {
                    if let Some(key) = table.keys().find(|key| key.get_ref() != "rule") {
                        let hint = "unknown: rules stand in tables [[evict.rule]]";
                        return Err(self.at(key, format_args!("{EVICT}.{}: {hint}", key.get_ref())));
                    }
                }
                (None, DeValue::Table(_)) => {
                    let commands = self.commands.iter().map(Options::command);
                    let like = did_you_mean(name, commands);
                    return Err(self.at(key, format_args!("{name}: unknown command{like}")));
                }
                (None, _) => {
                    let hint = "options stand in the table of their command, such as [get]";
                    return Err(self.at(key, format_args!("{name}: unknown: {hint}")));
                }
            }
        }
        Ok(())
    }

    /// What the table of this command sets.
    ///
    /// # Errors
    /// As [`check`](Self::check), for this table.
    pub(super) fn settings<'o>(&self, options: &'o Options) -> Result<Vec<Setting<'o>>, String> {
        match self.parsed()?.get_ref().get(options.command()).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => self.table(options, table),
            _ => Ok(Vec::new()),
        }
    }

    /// The rules about peers.
    ///
    /// # Errors
    /// The first thing that is wrong with one, with file, line and column.
    pub(super) fn rules(&self) -> Result<Rules, String> {
        Rules::parse_within(&self.path.display().to_string(), self.text, &[EVICT, "rule"])
            .map_err(|error| error.to_string())
    }

    fn parsed(&self) -> Result<Spanned<DeTable<'a>>, String> {
        DeTable::parse(self.text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            self.line(error.span().unwrap_or_default(), message)
        })
    }

    fn table<'o>(
        &self,
        options: &'o Options,
        table: &DeTable<'_>,
    ) -> Result<Vec<Setting<'o>>, String> {
        let mut settings = Vec::new();
        for (key, value) in table {
            let name = key.get_ref();
            let place = self.at(key, format_args!("{}.{name}", options.command()));
            let Some(option) = options.find(name) else {
                let like = did_you_mean(name, options.all().map(Choice::name));
                return Err(format!("{place}: unknown option{like}"));
            };
            let arguments = match (option.kind(), value.get_ref()) {
                (Kind::Switch, DeValue::Boolean(true)) => {
                    vec![format!("--{}", option.name()).into()]
                }
                (Kind::Switch, DeValue::Boolean(false)) => Vec::new(),
                (Kind::Switch, other) => return Err(wrong(&place, "true or false", other)),
                (Kind::Many, DeValue::Array(values)) => {
                    let values = values.iter().map(|value| {
                        let place = self.at_value(value, options, option);
                        self.argument(&place, options, option, value.get_ref())
                    });
                    values.collect::<Result<_, _>>()?
                }
                (Kind::One | Kind::Many, value) => {
                    vec![self.argument(&place, options, option, value)?]
                }
            };
            settings.push(Setting { option, place, arguments });
        }
        // Which of two options that exclude each other is to blame: the one further down.
        settings.sort_by_key(|setting| position(table, setting.option.name()));
        Ok(settings)
    }

    fn argument(
        &self,
        place: &str,
        options: &Options,
        option: Choice<'_>,
        value: &DeValue<'_>,
    ) -> Result<std::ffi::OsString, String> {
        let text = match value {
            DeValue::String(text) => option.at_home(text.to_string(), self.home),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| format!("{place}: {number}: number too large"))?
                .to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            other => return Err(wrong(place, "a text or a number", other)),
        };
        let argument = option.argument(&text);
        options.check(&argument).map_err(|error| format!("{place}: {text}: {error}"))?;
        Ok(argument)
    }

    fn at_value<T>(&self, value: &Spanned<T>, options: &Options, option: Choice<'_>) -> String {
        self.at(value, format_args!("{}.{}", options.command(), option.name()))
    }

    fn at<T>(&self, culprit: &Spanned<T>, message: impl Display) -> String {
        self.line(culprit.span(), message)
    }

    fn line(&self, span: Range<usize>, message: impl Display) -> String {
        let before = self.text.get(..span.start).unwrap_or_default();
        format!("{}:{}: {message}", self.path.display(), before.matches('\n').count() + 1)
    }
}

fn position(table: &DeTable<'_>, name: &str) -> Option<usize> {
    table.get_key_value(name).map(|(key, _)| key.span().start)
}

fn wrong(place: &str, expected: &str, value: &DeValue<'_>) -> String {
    format!("{place}: expected {expected}, found {}", value.type_str())
}

/// A hint behind an unknown name: the known one that is most like it, if any is.
pub(crate) fn did_you_mean<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let scored = names.map(|known| (strsim::jaro(name, known), known));
    let best = scored.filter(|(score, _)| *score > LIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default()
}
