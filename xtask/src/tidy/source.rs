//! Rules about one source file.

use super::strip::code_only;
use super::{Finding, LINES_ALLOWED, LINES_NOTED, TEST_NAME_WORDS, WORDS};

/// What is wrong with the file at `path` (from the workspace's top, with `/`).
pub(super) fn judge(path: &str, text: &str) -> Vec<Finding> {
    let code = code_only(text);
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_ALLOWED {
        findings.push(Finding::new(path, format!("{lines} lines, {LINES_ALLOWED} are allowed")));
    }
    if path.ends_with("/mod.rs") {
        findings.push(Finding::new(path, "a module is foo.rs beside foo/, never mod.rs"));
    }
    judge_words(path, &code, &mut findings);
    judge_test_names(path, &code, &mut findings);
    findings
}

/// A file that grows towards its limit.
pub(super) fn note(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (LINES_NOTED < lines && lines <= LINES_ALLOWED)
        .then(|| Finding::new(path, format!("{lines} lines; think of splitting it")))
}

fn judge_words(path: &str, code: &str, findings: &mut Vec<Finding>) {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    for rule in WORDS.iter().filter(|rule| begins(rule.under) && !begins(rule.except)) {
        for (number, line) in code.lines().enumerate() {
            for word in rule.words.iter().filter(|word| has_word(line, word)) {
                findings.push(Finding::new(
                    format!("{path}:{}", number + 1),
                    format!("{word}: {}", rule.why),
                ));
            }
        }
    }
}

/// Does `line` hold `word` as a word of its own?
fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let end = at + word.len();
        !line[..at].ends_with(inside) && (word.ends_with('!') || !line[end..].starts_with(inside))
    })
}

fn judge_test_names(path: &str, code: &str, findings: &mut Vec<Finding>) {
    let lines: Vec<&str> = code.lines().collect();
    for (number, _) in lines.iter().enumerate().filter(|(_, line)| is_test_attribute(line)) {
        let named = lines[number..]
            .iter()
            .zip(number..)
            .find_map(|(line, at)| Some((function_name(line)?, at)));
        let Some((name, at)) = named else { continue };
        if name.split('_').filter(|word| !word.is_empty()).count() < TEST_NAME_WORDS {
            findings.push(Finding::new(
                format!("{path}:{}", at + 1),
                format!("test {name}: its name is no sentence"),
            ));
        }
    }
}

fn is_test_attribute(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[test]") || line.starts_with("#[tokio::test")
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (before.is_empty() || before.ends_with(' ')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        judge(path, text)
            .into_iter()
            .map(|finding| format!("{} {}", finding.place, finding.problem))
            .collect()
    }

    #[test]
    fn six_hundred_lines_are_allowed_and_one_more_is_not() {
        assert_eq!(problems("a/src/lib.rs", &"x\n".repeat(600)), [""; 0]);
        assert_eq!(
            problems("a/src/lib.rs", &"x\n".repeat(601)),
            ["a/src/lib.rs 601 lines, 600 are allowed"]
        );
    }

    #[test]
    fn a_file_past_four_hundred_lines_is_noted_only() {
        assert!(note("a.rs", &"x\n".repeat(400)).is_none());
        assert!(note("a.rs", &"x\n".repeat(401)).is_some());
        assert!(note("a.rs", &"x\n".repeat(601)).is_none());
    }

    #[test]
    fn a_mod_file_is_found_by_its_name() {
        assert_eq!(problems("a/src/b/mod.rs", "").len(), 1);
    }

    #[test]
    fn the_core_must_not_name_runtime_or_clock() {
        let found = problems(
            "ccbt-peer/src/swarm/picker.rs",
            "use std::time::Duration;\nuse std::time::Instant;\n",
        );
        assert!(found[0].starts_with("ccbt-peer/src/swarm/picker.rs:2 Instant:"), "{found:?}");
        assert!(!problems("ccbt-peer/src/session.rs", "tokio::spawn(x);").is_empty());
    }

    #[test]
    fn the_driver_may_name_runtime_and_clock() {
        assert_eq!(
            problems("ccbt-peer/src/driver/dialer.rs", "tokio::spawn(Instant::now())"),
            [""; 0]
        );
        assert_eq!(problems("ccbt-peer/src/driver.rs", "use tokio::net::TcpStream;"), [""; 0]);
    }

    #[test]
    fn comments_and_longer_words_do_not_count() {
        assert_eq!(
            problems("ccbt-peer/src/session.rs", "// no tokio here\nlet instants = InstantLike;"),
            [""; 0]
        );
    }

    #[test]
    fn unfinished_code_is_found_in_every_crate() {
        for macro_call in ["todo", "unimplemented", "dbg"] {
            let text = format!("fn f() {{\n    {macro_call}!(1)\n}}");
            assert_eq!(problems("ccbt-cli/src/main.rs", &text).len(), 1, "{macro_call}");
        }
    }

    #[test]
    fn a_test_name_of_two_words_is_no_sentence() {
        let text = "#[test]\n#[should_panic]\nfn it_works() {}\n#[tokio::test]\nasync fn a_name_as_a_sentence() {}";
        assert_eq!(
            problems("a/src/lib.rs", text),
            ["a/src/lib.rs:3 test it_works: its name is no sentence"]
        );
    }

    #[test]
    fn a_function_that_is_no_test_may_have_any_name() {
        assert_eq!(problems("a/src/lib.rs", "fn run() {}"), [""; 0]);
    }
}
