//! The page of scenarios: each number has a test, and each test that it names exists.

use std::fs;
use std::path::Path;

use super::Finding;

const PAGE: &str = "docs/scenarios.md";
const SCENARIOS: usize = 58;

/// Judges the page against the sources.
pub(super) fn judge(root: &Path, files: &[(String, String)]) -> Vec<Finding> {
    match fs::read_to_string(root.join(PAGE)) {
        Ok(page) => compare(&page, files.iter().map(|(_, text)| text.as_str())),
        Err(error) => vec![Finding::new(PAGE, error.to_string())],
    }
}

fn compare<'a>(page: &str, sources: impl Iterator<Item = &'a str> + Clone) -> Vec<Finding> {
    let mut findings = Vec::new();
    for number in 1..=SCENARIOS {
        let row = page.lines().find(|line| line.starts_with(&format!("| {number} |")));
        let tests: Vec<&str> = row.unwrap_or_default().split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            findings.push(Finding::new(PAGE, format!("scenario {number} has no test")));
        }
        for test in tests {
            let function = format!("fn {test}(");
            if !sources.clone().any(|source| source.contains(&function)) {
                findings.push(Finding::new(PAGE, format!("there is no test {test}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(test: &str) -> String {
        (1..=SCENARIOS).map(|number| format!("| {number} | a story | `{test}` |\n")).collect()
    }

    #[test]
    fn a_test_that_exists_for_each_number_is_enough() {
        let sources = ["#[test]\nfn it_holds_for_all() {}"];
        assert_eq!(compare(&page("it_holds_for_all"), sources.into_iter()), []);
    }

    #[test]
    fn a_test_that_is_gone_and_a_number_without_one_are_found() {
        let found = compare(&page("it_is_gone"), [""].into_iter());
        assert_eq!(found.len(), SCENARIOS);
        let found = compare(&page("x").replace("| 7 | a story | `x` |", ""), ["fn x("].into_iter());
        assert_eq!(found, [Finding::new(PAGE, "scenario 7 has no test")]);
    }
}
