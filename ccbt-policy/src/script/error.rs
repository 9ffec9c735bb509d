use std::fmt;

use crate::registry::DurationError;

/// Why rules are refused, and where. Shown as `FILE:LINE:COLUMN: problem`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptError {
    /// The name of the file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.problem)
    }
}

impl std::error::Error for ScriptError {}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The file is not TOML.
    Toml {
        /// What the parser says.
        message: String,
    },
    /// Rules are not written as `[[rule]]` tables.
    NotRules {
        /// What the tables are called.
        table: String,
    },
    /// A table has a key that means nothing there.
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that there are.
        keys: &'static str,
    },
    /// A rule lacks a key that it needs.
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// The value of a key is not text.
    NotText {
        /// The key.
        key: String,
    },
    /// The name is not of lower-case letters, digits and hyphens, at most 64 of them.
    BadName {
        /// The name.
        name: String,
    },
    /// Another rule has that name.
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no such action.
    UnknownAction {
        /// The action.
        action: String,
    },
    /// The wait is not a duration.
    Duration(DurationError),
    /// There are more rules than the limit.
    TooMany {
        /// How many there are.
        count: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Something is longer than the limit.
    TooLong {
        /// What it is.
        what: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Brackets are nested deeper than the limit.
    TooDeep {
        /// The most that is allowed.
        limit: usize,
    },
    /// The expression breaks the grammar.
    Syntax {
        /// What is wrong.
        message: String,
    },
    /// No fact has that name.
    UnknownFact {
        /// The name.
        name: String,
        /// A fact that is written much like it.
        like: Option<&'static str>,
    },
    /// A number has a unit that there is not.
    UnknownUnit {
        /// The unit.
        unit: String,
    },
    /// Something stands where it makes no sense.
    Misfit {
        /// What, and what would make sense.
        message: String,
    },
    /// A text is neither an address nor a range of addresses.
    NoAddress {
        /// The text.
        text: String,
    },
    /// A fact never has that value.
    NeverSo {
        /// The fact.
        fact: &'static str,
        /// The value.
        value: String,
        /// The values that it can have.
        values: &'static [&'static str],
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml { message } | Self::Syntax { message } | Self::Misfit { message } => {
                f.write_str(message)
            }
            Self::NotRules { table } => write!(f, "rules stand in tables: [[{table}]]"),
            Self::UnknownKey { key, keys } => write!(f, "unknown key \"{key}\"; there are {keys}"),
            Self::MissingKey { key } => write!(f, "the rule has no \"{key}\""),
            Self::NotText { key } => write!(f, "\"{key}\" must be text, in quotes"),
            Self::BadName { name } => {
                write!(f, "\"{name}\" is not a name of 1 to 64 lower-case letters, digits, hyphens")
            }
            Self::NameTaken { name } => write!(f, "there is a rule \"{name}\" already"),
            Self::UnknownAction { action } => {
                write!(
                    f,
                    "\"{action}\" is no action; there are evict, spare, lose-interest, report"
                )
            }
            Self::Duration(error) => error.fmt(f),
            Self::TooMany { count, limit } => {
                write!(f, "there are {count} rules, of at most {limit}")
            }
            Self::TooLong { what, length, limit } => {
                write!(f, "{what} has {length} bytes, of at most {limit}")
            }
            Self::TooDeep { limit } => {
                write!(f, "brackets deeper than {limit}, or too much in a row without && and ||")
            }
            Self::UnknownFact { name, like: Some(like) } => {
                write!(f, "there is no fact \"{name}\"; did you mean \"{like}\"?")
            }
            Self::UnknownFact { name, like: None } => write!(f, "there is no fact \"{name}\""),
            Self::UnknownUnit { unit } => {
                write!(f, "there is no unit \"{unit}\", only ms, s, m, h and KiB, MiB, GiB, TiB")
            }
            Self::NoAddress { text } => {
                write!(f, "\"{text}\" is not an address, or a range such as 10.0.0.0/8")
            }
            Self::NeverSo { fact, value, values } => {
                write!(f, "{fact} is never \"{value}\", only one of {}", values.join(", "))
            }
        }
    }
}

/// A problem and its byte in the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) fn misfit(at: usize, message: impl Into<String>) -> Self {
        Self { at, problem: Problem::Misfit { message: message.into() } }
    }

    pub(super) fn syntax(at: usize, message: impl Into<String>) -> Self {
        Self { at, problem: Problem::Syntax { message: message.into() } }
    }
}
