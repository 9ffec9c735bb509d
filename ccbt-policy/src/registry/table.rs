use super::{PRESETS, RULES, Selection};

/// Every rule and the turnover against every preset, with its value there, as a table in Markdown.
///
/// An empty cell says that the rule is off in that preset.
pub fn preset_table() -> String {
    let selections: Vec<Selection> = PRESETS.iter().map(Selection::of).collect();
    let names = RULES.iter().map(|rule| rule.name).chain(["turnover"]);
    let header = PRESETS.iter().map(|preset| format!(" `{}` |", preset.name)).collect::<String>();
    let mut table = format!("| |{header}\n|---|{}\n", "---|".repeat(PRESETS.len()));
    for name in names {
        let cells = selections.iter().map(|selection| match selection.value(name) {
            Some(value) => format!(" `{value}` |"),
            None => " |".to_owned(),
        });
        table.push_str(&format!("| `{name}` |{}\n", cells.collect::<String>()));
    }
    table
}
