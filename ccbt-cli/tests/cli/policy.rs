//! `ccbt policy` names the rules and presets, and explains them.

use std::process::Output;

use serde_json::Value;

use crate::support::{assert_exit, ccbt, run, text};

fn ask(line: &[&str]) -> Output {
    let mut command = ccbt();
    command.arg("policy").args(line);
    run(command)
}

fn told(line: &[&str]) -> String {
    let output = ask(line);
    assert_exit(&output, 0);
    text(&output.stdout)
}

#[test]
fn the_list_has_every_rule_and_preset_in_a_line() {
    let list = told(&["list"]);
    for name in ["bitfield-timeout  ", "snubbed  ", "turnover  ", "standard  ", "transmission  "] {
        assert_eq!(list.matches(&format!("\n  {name}")).count(), 1, "{name} in\n{list}");
    }
    let json: Value = serde_json::from_str(&told(&["list", "--json"])).expect("JSON");
    let count = |what: &str| json[what].as_array().map_or(0, Vec::len);
    assert_eq!(count("rules") + count("presets") + 2, list.lines().count());
}

#[test]
fn a_rule_is_explained_with_numbers_source_and_presets() {
    let rule = told(&["explain", "bitfield-timeout"]);
    for part in [
        "bitfield-timeout: closes a peer that does not say what it has\n",
        "written    --evict bitfield-timeout=TIMEOUT[,mute][,literal], or bitfield-timeout=off\n",
        "number     timeout, 60s: ",
        "source     ",
        "in preset  strict: 30s\n",
    ] {
        assert!(rule.contains(part), "{part} is not in\n{rule}");
    }
    let json: Value =
        serde_json::from_str(&told(&["--json", "explain", "turnover"])).expect("JSON");
    assert_eq!(json["default"], "turnover=4%/90%/300s/400%");
}

#[test]
fn a_preset_is_explained_with_all_that_is_on() {
    let preset = told(&["explain", "transmission"]);
    assert!(preset.contains("written    --evict preset=transmission\n"), "{preset}");
    assert!(preset.contains("on         idle=300s/60s\n"), "{preset}");
    assert!(told(&["explain", "off"]).contains("on         nothing\n"));
    assert!(told(&["explain", "libtorrent"]).contains("ranking    like-libtorrent\n"));
}

#[test]
fn what_there_is_not_is_refused_with_what_is_like_it() {
    let output = ask(&["explain", "bitfeld-timeout"]);
    assert_exit(&output, 2);
    let expected =
        "ccbt: there is no rule or preset \"bitfeld-timeout\"; did you mean bitfield-timeout?\n";
    assert_eq!(text(&output.stderr), expected);
    let output = ask(&["explain", "?"]);
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("ccbt policy list names them all"));
}

#[test]
fn the_table_is_the_one_of_the_documentation() {
    let page = include_str!("../../../docs/policies.md");
    assert!(page.contains(&told(&["table"])));
    let json: Value = serde_json::from_str(&told(&["table", "--json"])).expect("JSON");
    assert_eq!(json["strict"]["waster"], "6");
    assert_eq!(json["off"], serde_json::json!({}));
}
