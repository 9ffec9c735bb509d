//! Rules as TOML tables.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::cel;
use super::error::{Problem, ScriptError};
use super::place;
use super::rule::{Action, Plan, ScriptRule};
use crate::Cooldown;
use crate::registry::{RULES, parse_duration};

const KEYS: &str = "name, when, action, cooldown, reason";
/// Bytes of a file: less than a second of work.
const MAX_LENGTH: usize = 512 * 1024;
/// Rules of a file: each is asked about each peer.
const MAX_RULES: usize = 1_000;

/// A file of rules, and its name.
pub(super) struct Document<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
}

impl Document<'_> {
    /// The rules in the arrays of tables at `path`; none if there is no such table. With `alone`
    /// the file may have nothing else.
    pub(super) fn rules(&self, path: &[&str], alone: bool) -> Result<Vec<ScriptRule>, ScriptError> {
        let length = self.text.len();
        if length > MAX_LENGTH {
            let (what, limit) = ("the file", MAX_LENGTH);
            return Err(self.error(0, Problem::TooLong { what, length, limit }));
        }
        let document = DeTable::parse(self.text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            self.error(error.span().unwrap_or_default().start, Problem::Toml { message })
        })?;
        let Some((array, parents)) = path.split_last() else { return Ok(Vec::new()) };
        let mut table = document.get_ref();
        for parent in parents {
            match table.get(*parent).map(Spanned::get_ref) {
                Some(DeValue::Table(inner)) => table = inner,
                _ => return Ok(Vec::new()),
            }
        }
        let foreign = table.keys().find(|key| alone && key.get_ref() != array);
        if let Some(key) = foreign {
            let (key, at) = (key.get_ref().to_string(), key.span().start);
            return Err(self.error(at, Problem::UnknownKey { key, keys: "[[rule]] tables" }));
        }
        let Some(tables) = table.get(*array) else { return Ok(Vec::new()) };
        let not_rules = |span: Range<usize>| {
            self.error(span.start, Problem::NotRules { table: path.join(".") })
        };
        let DeValue::Array(tables) = tables.get_ref() else { return Err(not_rules(tables.span())) };
        if let Some(one_more) = tables.get(MAX_RULES) {
            let problem = Problem::TooMany { count: tables.len(), limit: MAX_RULES };
            return Err(self.error(one_more.span().start, problem));
        }
        let mut rules: Vec<ScriptRule> = Vec::with_capacity(tables.len());
        for table in tables {
            let DeValue::Table(keys) = table.get_ref() else { return Err(not_rules(table.span())) };
            let (name, rule) = self.rule(table.span().start, keys)?;
            let taken = |known: &str| known == rule.name_str();
            if rules.iter().any(|known| taken(known.name_str()))
                || RULES.iter().any(|known| taken(known.name))
            {
                let problem = Problem::NameTaken { name: rule.name_str().to_owned() };
                return Err(self.error(name, problem));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    /// A rule, and where its name stands.
    fn rule(&self, at: usize, table: &DeTable<'_>) -> Result<(usize, ScriptRule), ScriptError> {
        let mut keys = Keys::default();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let slot = match name {
                "name" => &mut keys.name,
                "when" => &mut keys.when,
                "action" => &mut keys.action,
                "cooldown" => &mut keys.cooldown,
                "reason" => &mut keys.reason,
                _ => {
                    let problem = Problem::UnknownKey { key: name.to_owned(), keys: KEYS };
                    return Err(self.error(key.span().start, problem));
                }
            };
            let DeValue::String(text) = value.get_ref() else {
                let problem = Problem::NotText { key: name.to_owned() };
                return Err(self.error(value.span().start, problem));
            };
            *slot = Some(Text { text: text.as_ref(), span: value.span() });
        }
        let name = keys.name.ok_or_else(|| self.error(at, Problem::MissingKey { key: "name" }))?;
        let when = keys.when.ok_or_else(|| self.error(at, Problem::MissingKey { key: "when" }))?;
        if !is_name(name.text) {
            let problem = Problem::BadName { name: name.text.to_owned() };
            return Err(self.error(name.span.start, problem));
        }
        let action = keys.action.map_or(Ok(Action::Evict), |action| {
            action.text.parse().map_err(|problem| self.error(action.span.start, problem))
        })?;
        let cooldown = keys.cooldown.map_or(Ok(Cooldown::USELESS), |cooldown| {
            parse_duration(cooldown.text)
                .map(cooldown_from)
                .map_err(|error| self.error(cooldown.span.start, Problem::Duration(error)))
        })?;
        let compiled = cel::compile(when.text).map_err(|fault| {
            let raw = self.text.get(when.span.clone()).unwrap_or_default();
            self.error(when.span.start + place::in_quotes(raw, fault.at), fault.problem)
        })?;
        let because = keys.reason.map_or(when.text, |reason| reason.text).into();
        let plan = Plan { name: name.text.into(), because, action, cooldown };
        Ok((name.span.start, ScriptRule::new(plan, compiled)))
    }

    fn error(&self, at: usize, problem: Problem) -> ScriptError {
        let (line, column) = place::line_and_column(self.text, at);
        ScriptError { file: self.file.to_owned(), line, column, problem }
    }
}

/// The keys of one table.
#[derive(Default)]
struct Keys<'t> {
    name: Option<Text<'t>>,
    when: Option<Text<'t>>,
    action: Option<Text<'t>>,
    cooldown: Option<Text<'t>>,
    reason: Option<Text<'t>>,
}

struct Text<'t> {
    text: &'t str,
    span: Range<usize>,
}

/// A wait of `first` that doubles up to an hour, or stays what it is if it is longer.
fn cooldown_from(first: Duration) -> Cooldown {
    Cooldown { first, cap: Cooldown::USELESS.cap.max(first), ..Cooldown::USELESS }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests;
