use super::*;
use crate::script::Rules;

fn refused(text: &str) -> String {
    Rules::parse("mine.toml", text).unwrap_err().to_string()
}

fn names(rules: &Rules) -> Vec<&str> {
    rules.iter().map(|rule| rule.name_str()).collect()
}

#[test]
fn rules_come_in_the_order_of_the_file() {
    let text = "[[rule]]\nname = 'b'\nwhen = 'fast'\n\n[[rule]]\nname = 'a'\nwhen = 'dht'\n";
    let rules = Rules::parse("mine.toml", text).unwrap();
    assert_eq!(names(&rules), ["b", "a"]);
    assert_eq!((rules.len(), rules.is_empty()), (2, false));
    assert!(Rules::parse("mine.toml", "# nothing yet\n").unwrap().is_empty());
}

#[test]
fn rules_may_stand_in_a_file_with_other_things() {
    let text = "[get]\noutput = 'x'\n\n[[evict.rule]]\nname = 'a'\nwhen = 'fast'\n";
    let rules = Rules::parse_within("config.toml", text, &["evict", "rule"]).unwrap();
    assert_eq!(names(&rules), ["a"]);
    for text in ["", "[get]\n", "evict = 3\n", "[evict]\nrest = 1\n"] {
        assert!(Rules::parse_within("config.toml", text, &["evict", "rule"]).unwrap().is_empty());
    }
    let wrong = Rules::parse_within("config.toml", "[evict.rule]\n", &["evict", "rule"]);
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "config.toml:1:1: rules stand in tables: [[evict.rule]]"
    );
}

#[test]
fn each_error_names_file_line_and_column() {
    let rule = |line: &str| format!("[[rule]]\nname = 'a'\nwhen = 'fast'\n{line}\n");
    for (text, error) in [
        ("[[rule]\n".to_owned(), "mine.toml:1:8: "),
        (
            "rules = 3\n".to_owned(),
            "mine.toml:1:1: unknown key \"rules\"; there are [[rule]] tables",
        ),
        ("rule = 3\n".to_owned(), "mine.toml:1:8: rules stand in tables: [[rule]]"),
        ("rule = [3]\n".to_owned(), "mine.toml:1:9: rules stand in tables: [[rule]]"),
        (
            rule("if = 'dht'"),
            "mine.toml:4:1: unknown key \"if\"; there are name, when, action, cooldown, reason",
        ),
        (rule("reason = 3"), "mine.toml:4:10: \"reason\" must be text, in quotes"),
        (
            rule("action = 'ban'"),
            "mine.toml:4:10: \"ban\" is no action; there are evict, spare, lose-interest, report",
        ),
        (rule("cooldown = '5'"), "mine.toml:4:12: \"5\" is not a duration such as"),
        (rule("[[rule]]\nwhen = 'dht'"), "mine.toml:4:1: the rule has no \"name\""),
        (rule("[[rule]]\nname = 'b'"), "mine.toml:4:1: the rule has no \"when\""),
        (
            rule("[[rule]]\nname = 'a'\nwhen = 'dht'"),
            "mine.toml:5:8: there is a rule \"a\" already",
        ),
        (
            "[[rule]]\nname = 'no-interest'\nwhen = 'fast'".to_owned(),
            "mine.toml:2:8: there is a rule \"no-interest\" already",
        ),
        (
            "[[rule]]\nname = 'Not a name'\nwhen = 'fast'".to_owned(),
            "mine.toml:2:8: \"Not a name\" is not a name of 1 to 64 lower-case letters",
        ),
    ] {
        let found = refused(&text);
        assert!(found.starts_with(error), "{found}\n{error}");
    }
}

#[test]
fn an_error_in_an_expression_is_found_through_the_quotes() {
    for (when, place) in [
        ("'fast && agee > 2m'", "2:17"),
        ("\"client == \\\"\\u00e9\\\" && agee > 2m\"", "2:33"),
        ("'''\n  fast\n  && agee > 2m'''", "4:6"),
        ("\"\"\"\n  fast \\\n  && agee > 2m\"\"\"", "4:6"),
        ("'client == \"\u{e9}\" && agee > 2m'", "2:26"),
        ("'2h < age && agee > 2m'", "2:21"),
    ] {
        let found = refused(&format!("[[rule]]\nwhen = {when}\nname = 'a'\n"));
        let expected = "there is no fact \"agee\"; did you mean \"age\"?";
        assert_eq!(found, format!("mine.toml:{place}: {expected}"));
    }
}

#[test]
fn a_file_is_bounded_in_length_and_in_rules() {
    let long = "#".repeat(MAX_LENGTH + 1);
    assert_eq!(refused(&long), "mine.toml:1:1: the file has 524289 bytes, of at most 524288");
    let many: String =
        (0..=MAX_RULES).map(|n| format!("[[rule]]\nname = 'r{n}'\nwhen = 'fast'\n")).collect();
    let found = refused(&many);
    assert_eq!(found, "mine.toml:3001:1: there are 1001 rules, of at most 1000");
}
