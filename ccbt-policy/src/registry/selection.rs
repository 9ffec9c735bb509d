use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::info::{Misfit, Rule};
use super::number::{Number, parse_numbers};
use super::rule_table::{NEAR_LIMIT, WHEN_CROWDED};
use super::{PRESETS, PRESSURES, PresetInfo, RULES, RuleInfo, SpecError, TURNOVER_PARAMETERS};
use crate::{ByExchange, NearLimit, PolicySet, Ranking, Turnover, WhenCrowded};

/// What `turnover=...` is called.
const TURNOVER: &str = "turnover";

/// Which rules are on, with which numbers.
///
/// It is changed by specifications such as a command line gives; see [`apply`](Self::apply). Shown,
/// it is a list of specifications that make the same selection.
#[derive(Clone, Debug)]
pub struct Selection {
    rules: Vec<(&'static RuleInfo, Option<Chosen>)>,
    turnover: Option<Turnover>,
    ranking: &'static dyn Ranking,
}

/// A rule with its numbers, and when it acts.
#[derive(Clone, Debug)]
struct Chosen {
    rule: Arc<dyn Rule>,
    when_crowded: bool,
    near_limit: bool,
}

impl Selection {
    /// The default: the preset `standard`.
    pub fn standard() -> Self {
        PRESETS.first().map_or_else(Self::empty, Self::of)
    }

    /// What a preset has on.
    pub fn of(preset: &PresetInfo) -> Self {
        let mut selection = Self { ranking: preset.ranking, ..Self::empty() };
        for spec in preset.specs {
            let applied = selection.apply(spec);
            debug_assert!(applied.is_ok(), "{spec} of {}: {applied:?}", preset.name);
        }
        selection
    }

    fn empty() -> Self {
        let rules = RULES.iter().map(|info| (info, None)).collect();
        Self { rules, turnover: None, ranking: &ByExchange }
    }

    /// Changes one rule, or all.
    ///
    /// - `NAME=VALUE`: that rule is on, with that number: `bitfield-timeout=60s`. One that has
    ///   several takes all of them: `health=30s/30s`. `on` stands for the default numbers.
    /// - `NAME=VALUE,option`: with an option: `no-interest=10s,one-sided`. Every rule takes
    ///   `when-crowded` and `near-limit`, see [`PRESSURES`].
    /// - `NAME=off`: that rule is off.
    /// - `preset=NAME`: what that preset has on, and nothing else; see [`PRESETS`].
    /// - `turnover=SHARE/THRESHOLD/PERIOD/GAIN`: see [`Turnover`]; `on` and `off` are fine, too.
    /// - `all=off`: every rule is off, and the turnover.
    ///
    /// # Errors
    /// [`SpecError`], which shows the part that is wrong and what is allowed there. The selection
    /// is then unchanged.
    pub fn apply(&mut self, spec: &str) -> Result<(), SpecError> {
        let (name, value) = spec
            .split_once('=')
            .ok_or_else(|| SpecError::NotAnAssignment { spec: spec.to_owned() })?;
        match name {
            "all" if value == "off" => {
                *self = Self { ranking: self.ranking, ..Self::empty() };
            }
            "all" => return Err(SpecError::AllOnlyOff { value: value.to_owned() }),
            "preset" => {
                *self = PRESETS
                    .iter()
                    .find(|preset| preset.name == value)
                    .map(Self::of)
                    .ok_or_else(|| SpecError::UnknownPreset { name: value.to_owned() })?;
            }
            TURNOVER => self.turnover = parse_turnover(value)?,
            _ => {
                let (info, rule) = self
                    .rules
                    .iter_mut()
                    .find(|(info, _)| info.name == name)
                    .ok_or_else(|| SpecError::UnknownRule { name: name.to_owned() })?;
                *rule = if value == "off" { None } else { Some(parse(info, value)?) };
            }
        }
        Ok(())
    }

    /// A policy of the rules that are on.
    pub fn build(&self) -> PolicySet {
        let chosen = self.rules.iter().filter_map(|(_, chosen)| chosen.clone());
        chosen.fold(PolicySet::new(), |set, Chosen { rule, when_crowded, near_limit }| {
            match (when_crowded, near_limit) {
                (false, false) => set.with_shared(rule),
                (true, false) => set.with(WhenCrowded::new(rule)),
                (false, true) => set.with(NearLimit::new(rule)),
                (true, true) => set.with(NearLimit::new(WhenCrowded::new(rule))),
            }
        })
    }

    /// How many peers may be displaced by better ones; `None` for nobody.
    pub fn turnover(&self) -> Option<Turnover> {
        self.turnover
    }

    /// What tells which peers are better; that of the last preset.
    pub fn ranking(&self) -> &'static dyn Ranking {
        self.ranking
    }

    /// The value that a rule has, or `turnover`: `30s/30s,literal`; `None` if it is off or unknown.
    pub fn value(&self, name: &str) -> Option<String> {
        self.chosen().find_map(|spec| {
            let (known, value) = spec.split_once('=')?;
            (known == name).then(|| value.to_owned())
        })
    }

    /// What is on, as specifications.
    pub fn chosen(&self) -> impl Iterator<Item = String> {
        let rules = self.rules.iter().filter_map(|(_, chosen)| Some(chosen.as_ref()?.to_string()));
        rules.chain(self.turnover.map(|turnover| turnover.to_string()))
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (info, rule) in &self.rules {
            match rule {
                Some(rule) => write!(f, "{rule} ")?,
                None => write!(f, "{}=off ", info.name)?,
            }
        }
        match self.turnover {
            Some(turnover) => write!(f, "{turnover}"),
            None => write!(f, "{TURNOVER}=off"),
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        for (on, option) in [(self.when_crowded, WHEN_CROWDED), (self.near_limit, NEAR_LIMIT)] {
            if on {
                write!(f, ",{}", option.name)?;
            }
        }
        Ok(())
    }
}

fn parse(info: &'static RuleInfo, value: &str) -> Result<Chosen, SpecError> {
    let mut parts = value.split(',');
    let numbers = parts.next().unwrap_or_default();
    let options: Vec<&str> = parts.collect();
    let is_unknown =
        |option: &&&str| !info.options.iter().chain(PRESSURES).any(|known| known.name == **option);
    if let Some(option) = options.iter().find(is_unknown) {
        return Err(SpecError::UnknownOption { rule: info.name, option: (*option).to_owned() });
    }
    let times = match numbers {
        "on" if info.parameters.is_empty() => Vec::new(),
        "on" => parse_numbers(info.name, info.parameters, &info.default_value())?,
        numbers => parse_numbers(info.name, info.parameters, numbers)?,
    };
    let rule = (info.make)(&times, &options).map_err(|misfit| match misfit {
        Misfit::Count => SpecError::NumberCount { rule: info.name, value: numbers.to_owned() },
        Misfit::ZeroPeriod => SpecError::ZeroPeriod { rule: info.name },
    })?;
    let has = |option: &str| options.contains(&option);
    Ok(Chosen { rule, when_crowded: has(WHEN_CROWDED.name), near_limit: has(NEAR_LIMIT.name) })
}

fn parse_turnover(value: &str) -> Result<Option<Turnover>, SpecError> {
    use Number::{Percent, Time};
    if value == "off" {
        return Ok(None);
    }
    if value == "on" {
        return Ok(Some(Turnover::default()));
    }
    match *parse_numbers(TURNOVER, TURNOVER_PARAMETERS, value)? {
        [_, _, Time(Duration::ZERO), _] => Err(SpecError::ZeroPeriod { rule: TURNOVER }),
        [Percent(share), Percent(threshold), Time(period), Percent(gain)] => {
            Ok(Some(Turnover { share, threshold, period, gain }))
        }
        _ => Err(SpecError::NumberCount { rule: TURNOVER, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
