//! All about one rule, or one preset.

use ccbt_peer::policy::registry::{
    OptionInfo, PRESETS, PRESSURES, Parameter, PresetInfo, RULES, RuleInfo, Selection,
    TURNOVER_PARAMETERS,
};
use serde::Serialize;

use super::{TURNOVER, TURNOVER_SUMMARY, turnover_default};

/// What a name stands for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Subject {
    Rule(RuleFacts),
    Preset(PresetFacts),
}

/// A rule, as it is told.
#[derive(Debug, Serialize)]
pub(super) struct RuleFacts {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// How `--evict` takes it.
    written: String,
    /// The same with its default numbers.
    default: String,
    numbers: Vec<NumberFacts>,
    options: Vec<OptionFacts>,
    source: &'static str,
    /// The presets that have it on, each with the value there.
    presets: Vec<(&'static str, String)>,
}

#[derive(Debug, Serialize)]
struct NumberFacts {
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
}

#[derive(Debug, Serialize)]
struct OptionFacts {
    name: &'static str,
    meaning: &'static str,
}

/// A preset, as it is told.
#[derive(Debug, Serialize)]
pub(super) struct PresetFacts {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// What is on, as `--evict` takes it.
    specs: &'static [&'static str],
    /// What tells which of two fair peers is worth more.
    ranking: &'static str,
}

impl Subject {
    pub(super) fn find(name: &str) -> Option<Self> {
        let rule = RULES.iter().find(|rule| rule.name == name).map(RuleFacts::of);
        let rule = rule.or_else(|| (name == TURNOVER).then(RuleFacts::turnover));
        rule.map(Self::Rule).or_else(|| {
            let preset = PRESETS.iter().find(|preset| preset.name == name)?;
            Some(Self::Preset(PresetFacts::of(preset)))
        })
    }

    /// In lines for people.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Rule(rule) => rule.text(),
            Self::Preset(preset) => preset.text(),
        }
    }
}

impl RuleFacts {
    pub(super) fn of(rule: &'static RuleInfo) -> Self {
        let options = rule.options.iter().chain(PRESSURES);
        Self {
            name: rule.name,
            summary: rule.summary,
            written: rule.syntax(),
            default: rule.default_spec(),
            numbers: rule.parameters.iter().map(NumberFacts::of).collect(),
            options: options.map(OptionFacts::of).collect(),
            source: rule.source,
            presets: rule.presets().map(|(preset, value)| (preset.name, value)).collect(),
        }
    }

    pub(super) fn turnover() -> Self {
        let names: Vec<String> =
            TURNOVER_PARAMETERS.iter().map(|number| number.name.to_uppercase()).collect();
        let presets = PRESETS
            .iter()
            .filter_map(|preset| Some((preset.name, Selection::of(preset).value(TURNOVER)?)));
        Self {
            name: TURNOVER,
            summary: TURNOVER_SUMMARY,
            written: format!("{TURNOVER}={}", names.join("/")),
            default: format!("{TURNOVER}={}", turnover_default()),
            numbers: TURNOVER_PARAMETERS.iter().map(NumberFacts::of).collect(),
            options: Vec::new(),
            source: "as libtorrent's peer_turnover, with a gain that must be clear",
            presets: presets.collect(),
        }
    }

    fn text(&self) -> String {
        let mut rows = Rows::new(self.name, self.summary);
        rows.add("written", &format!("--evict {}, or {}=off", self.written, self.name));
        rows.add("default", &self.default);
        for NumberFacts { name, default, meaning } in &self.numbers {
            rows.add("number", &format!("{name}, {default}: {meaning}"));
        }
        for OptionFacts { name, meaning } in &self.options {
            rows.add("option", &format!("{name}: {meaning}"));
        }
        rows.add("source", self.source);
        for (preset, value) in &self.presets {
            rows.add("in preset", &format!("{preset}: {value}"));
        }
        rows.0
    }
}

impl PresetFacts {
    pub(super) fn of(preset: &'static PresetInfo) -> Self {
        let (name, summary) = (preset.name, preset.summary);
        Self { name, summary, specs: preset.specs, ranking: preset.ranking.name() }
    }

    fn text(&self) -> String {
        let mut rows = Rows::new(self.name, self.summary);
        rows.add("written", &format!("--evict preset={}", self.name));
        for spec in self.specs {
            rows.add("on", spec);
        }
        if self.specs.is_empty() {
            rows.add("on", "nothing");
        }
        if self.specs.iter().any(|spec| spec.starts_with(TURNOVER)) {
            rows.add("ranking", self.ranking);
        }
        rows.0
    }
}

impl NumberFacts {
    fn of(number: &Parameter) -> Self {
        Self { name: number.name, default: number.default, meaning: number.meaning }
    }
}

impl OptionFacts {
    fn of(option: &OptionInfo) -> Self {
        Self { name: option.name, meaning: option.meaning }
    }
}

/// Lines with a word in front.
struct Rows(String);

impl Rows {
    fn new(name: &str, summary: &str) -> Self {
        Self(format!("{name}: {summary}\n"))
    }

    fn add(&mut self, label: &str, value: &str) {
        self.0.push_str(&format!("  {label:<11}{value}\n"));
    }
}
