//! `ccbt policy`: which rules and presets there are, and what they do.

mod explain;

use ccbt_peer::policy::registry::{PRESETS, RULES, TURNOVER_PARAMETERS, preset_table};
use serde::Serialize;

use crate::args::{Policy, Question};
use crate::config::did_you_mean;
use crate::exit::{Exit, Failure};
use crate::print;
use explain::{PresetFacts, RuleFacts, Subject};

/// What a ranking may do is no rule, but it is chosen like one.
const TURNOVER: &str = "turnover";
const TURNOVER_SUMMARY: &str =
    "lets better candidates take the slots of the least of many fair peers";

/// Answers.
///
/// # Errors
/// There is no such rule or preset; standard output cannot be written.
pub(crate) fn run(asked: &Policy) -> Result<(), Failure> {
    match &asked.question {
        Question::List if asked.json => print::json(&List::new()),
        Question::List => print::text(&List::new().text()),
        Question::Explain { name } => {
            let subject = Subject::find(name).ok_or_else(|| unknown(name))?;
            if asked.json { print::json(&subject) } else { print::text(&subject.text()) }
        }
        Question::Table if asked.json => print::json(&table()),
        Question::Table => print::text(&preset_table()),
    }
}

fn unknown(name: &str) -> Failure {
    let like = did_you_mean(name, names());
    let hint = if like.is_empty() { "; ccbt policy list names them all" } else { &like };
    Failure::new(Exit::Refused, format_args!("there is no rule or preset \"{name}\"{hint}"))
}

fn names() -> impl Iterator<Item = &'static str> {
    let presets = PRESETS.iter().map(|preset| preset.name);
    RULES.iter().map(|rule| rule.name).chain([TURNOVER]).chain(presets)
}

/// Every rule and preset.
#[derive(Debug, Serialize)]
struct List {
    rules: Vec<RuleFacts>,
    presets: Vec<PresetFacts>,
}

impl List {
    fn new() -> Self {
        let rules = RULES.iter().map(RuleFacts::of).chain([RuleFacts::turnover()]);
        Self { rules: rules.collect(), presets: PRESETS.iter().map(PresetFacts::of).collect() }
    }

    fn text(&self) -> String {
        let longest = names().map(str::len).max().unwrap_or(0);
        let line = |name, summary| format!("  {name:longest$}  {summary}\n");
        let rules = self.rules.iter().map(|rule| line(rule.name, rule.summary));
        let presets = self.presets.iter().map(|preset| line(preset.name, preset.summary));
        format!("rules:\n{}presets:\n{}", rules.collect::<String>(), presets.collect::<String>())
    }
}

/// For each preset the rules that it has on, with their values there.
fn table() -> serde_json::Value {
    let presets = PRESETS.iter().map(|preset| {
        let specs = preset.specs.iter().filter_map(|spec| spec.split_once('='));
        let values = specs.map(|(rule, value)| (rule.to_owned(), value.into()));
        (preset.name.to_owned(), serde_json::Value::Object(values.collect()))
    });
    serde_json::Value::Object(presets.collect())
}

/// The default numbers of the turnover, as a specification gives them.
fn turnover_default() -> String {
    TURNOVER_PARAMETERS.iter().map(|number| number.default).collect::<Vec<_>>().join("/")
}
