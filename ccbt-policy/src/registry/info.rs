use std::fmt;
use std::sync::Arc;

use super::number::Number;
use super::{PRESETS, PresetInfo, Selection};
use crate::EvictionPolicy;

/// What a person should know about a rule.
#[derive(Debug)]
#[non_exhaustive]
pub struct RuleInfo {
    /// Its name, as in `NAME=VALUE`.
    pub name: &'static str,
    /// What it does, on one line.
    pub summary: &'static str,
    /// Its numbers, which a specification gives all and in this order, joined by `/`.
    pub parameters: &'static [Parameter],
    /// Words that may follow the numbers, each behind a comma, beside the
    /// [`PRESSURES`](super::PRESSURES) that every rule takes.
    pub options: &'static [OptionInfo],
    /// Where it comes from.
    pub source: &'static str,
    pub(super) make: Make,
}

impl RuleInfo {
    /// Its default numbers, as a specification gives them: `30s/30s`, or `on` for a rule without
    /// numbers.
    pub fn default_value(&self) -> String {
        if self.parameters.is_empty() {
            return "on".to_owned();
        }
        let defaults: Vec<&str> = self.parameters.iter().map(|number| number.default).collect();
        defaults.join("/")
    }

    /// The specification of the rule with its default numbers: `health=30s/30s`.
    pub fn default_spec(&self) -> String {
        format!("{}={}", self.name, self.default_value())
    }

    /// How its specification is written: `health=PERIOD/GRACE[,one-sided][,literal]`, without the
    /// pressures that every rule takes.
    pub fn syntax(&self) -> String {
        let numbers: Vec<String> =
            self.parameters.iter().map(|number| number.name.to_uppercase()).collect();
        let numbers = if numbers.is_empty() { "on".to_owned() } else { numbers.join("/") };
        let options: String =
            self.options.iter().map(|option| format!("[,{}]", option.name)).collect();
        format!("{}={numbers}{options}", self.name)
    }

    /// The presets that have it on, each with the value it has there: `30s/30s,literal`.
    pub fn presets(&self) -> impl Iterator<Item = (&'static PresetInfo, String)> {
        PRESETS.iter().filter_map(|preset| {
            Selection::of(preset).value(self.name).map(|value| (preset, value))
        })
    }
}

/// Makes the rule of its numbers and options.
pub(super) type Make = fn(&[Number], &[&str]) -> Result<Arc<dyn Rule>, Misfit>;

/// A number of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: ParameterKind,
    /// Its default, as a specification gives it.
    pub default: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// A duration, as [`parse_duration`](super::parse_duration) reads it: `60s`.
    Duration,
    /// A whole number above zero: `50`.
    Count,
    /// A whole number of percent: `4%`.
    Percent,
}

/// A word that changes a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The word.
    pub name: &'static str,
    /// What it changes.
    pub meaning: &'static str,
}

/// A policy that can write itself down as a specification.
pub(super) trait Rule: EvictionPolicy + fmt::Display {}

impl<T: EvictionPolicy + fmt::Display> Rule for T {}

/// Why numbers do not make a rule.
pub(super) enum Misfit {
    Count,
    ZeroPeriod,
}
