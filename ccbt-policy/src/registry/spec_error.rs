use std::error::Error;
use std::fmt;

use super::{DurationError, PRESETS, ParameterKind, RULES, TURNOVER_PARAMETERS};
use crate::rules::ZeroPeriod;

/// Why a specification of a rule is refused. Shown, it names the part that is wrong and what is
/// allowed in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// There is no `=` in it.
    NotAnAssignment {
        /// The specification.
        spec: String,
    },
    /// No rule has that name.
    UnknownRule {
        /// The name.
        name: String,
    },
    /// No preset has that name.
    UnknownPreset {
        /// The name.
        name: String,
    },
    /// `all` was given a value other than `off`.
    AllOnlyOff {
        /// The value.
        value: String,
    },
    /// The rule has no such option.
    UnknownOption {
        /// The rule.
        rule: &'static str,
        /// The option.
        option: String,
    },
    /// A number of the rule is not a duration.
    Duration {
        /// The rule.
        rule: &'static str,
        /// What is wrong with it.
        error: DurationError,
    },
    /// A number of the rule is not of its kind.
    NotANumber {
        /// The rule.
        rule: &'static str,
        /// What was given.
        text: String,
        /// What the number is called.
        parameter: &'static str,
        /// What it should be.
        kind: ParameterKind,
    },
    /// The rule takes fewer numbers, or more.
    NumberCount {
        /// The rule.
        rule: &'static str,
        /// The numbers, as they were given.
        value: String,
    },
    /// The period of the rule is zero.
    ZeroPeriod {
        /// The rule.
        rule: &'static str,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAssignment { spec } => {
                write!(f, "\"{spec}\" is not NAME=VALUE, such as bitfield-timeout=60s or all=off")
            }
            Self::UnknownRule { name } => {
                let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
                let names = names.join(", ");
                write!(
                    f,
                    "there is no rule \"{name}\"; the rules are {names}, turnover, preset, all"
                )
            }
            Self::UnknownPreset { name } => {
                let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
                write!(f, "there is no preset \"{name}\"; the presets are {}", names.join(", "))
            }
            Self::AllOnlyOff { value } => {
                write!(f, "all={value} makes no sense, only all=off does")
            }
            Self::UnknownOption { rule, option } => {
                write!(f, "{rule} has no option \"{option}\"; {}", syntax(rule))
            }
            Self::Duration { rule, error } => write!(f, "{rule}: {error}; {}", syntax(rule)),
            Self::NotANumber { rule, text, parameter, kind } => {
                let kind = match kind {
                    ParameterKind::Duration => "a duration such as 60s",
                    ParameterKind::Count => "a whole number above zero, such as 50",
                    ParameterKind::Percent => "a whole number of percent, such as 90%",
                };
                write!(f, "{rule}: {parameter} \"{text}\" is not {kind}; {}", syntax(rule))
            }
            Self::NumberCount { rule, value } => {
                write!(f, "{rule} does not take \"{value}\"; {}", syntax(rule))
            }
            Self::ZeroPeriod { rule } => write!(f, "{rule}: {ZeroPeriod}"),
        }
    }
}

impl Error for SpecError {}

/// "the rule is written health=PERIOD/GRACE[,one-sided][,literal] or health=off".
fn syntax(rule: &str) -> String {
    let written = match RULES.iter().find(|info| info.name == rule) {
        Some(info) => info.syntax(),
        None => {
            let numbers: Vec<String> =
                TURNOVER_PARAMETERS.iter().map(|number| number.name.to_uppercase()).collect();
            format!("{rule}={}", numbers.join("/"))
        }
    };
    format!("the rule is written {written} or {rule}=off")
}
