//! Who is dropped is for the options to say: presets, rules of one's own, dry runs, lists of addresses.
#![cfg(unix)]

use ccbt_peer::wire::Bitfield;

use crate::support::{Running, Stage, assert_exit, run, text};

/// Pieces of the stage's torrent.
const PIECES: u32 = 19;

/// A rule that is soon true for everybody.
const MINE: &str = "name = 'mine'\nwhen = 'age > 100ms'\nreason = 'long enough'\n";

/// The policy that closes a peer without pieces.
fn closed_by(stage: &Stage, more: &[&str]) -> String {
    let mut get = Running::start(stage.get(more));
    let _empty = stage.caller(1, &get.addr(), Bitfield::new(PIECES));
    let closed = get.wait_for("peer_closed");
    get.end_by("-TERM");
    closed["policy"].as_str().expect("a policy").to_owned()
}

#[test]
fn a_single_rule_behind_a_preset_overrides_it() {
    let stage = Stage::new(None);
    let preset = ["--evict", "preset=off"];
    assert_eq!(
        closed_by(&stage, &[&preset[..], &["--evict", "no-interest=100ms"]].concat()),
        "no-interest"
    );
    let first = ["--evict", "no-interest=100ms"];
    let rules = stage.file("rules.toml", &format!("[[rule]]\n{MINE}"));
    let line = [&first[..], &preset, &["--evict-script", &rules]].concat();
    assert_eq!(closed_by(&stage, &line), "mine", "a preset behind a rule replaces it");
}

#[test]
fn a_dry_run_drops_nobody_and_says_whom_it_would() {
    let stage = Stage::new(None);
    let line = ["--evict", "no-interest=100ms", "--evict-dry-run"];
    let mut get = Running::start(stage.get(&line));
    let _empty = stage.caller(1, &get.addr(), Bitfield::new(PIECES));
    assert_eq!(get.wait_for("evict_shadow")["policy"], "no-interest");
    assert_eq!(get.wait_for("progress")["dropped"], 0);
    let output = get.end_by("-TERM");
    let told = text(&output.stderr);
    assert!(told.contains("1 peer would have been dropped: "), "{told}");
}

#[test]
fn the_peers_of_a_pinned_host_stay_whatever_the_rules_say() {
    let stage = Stage::new(None);
    let mut get =
        Running::start(stage.get(&["--pin", "127.0.0.1", "--evict", "no-interest=100ms"]));
    let _empty = stage.caller(1, &get.addr(), Bitfield::new(PIECES));
    get.wait_for("peer_ready");
    for _ in 0..3 {
        assert_eq!(get.wait_for("progress")["dropped"], 0);
    }
    get.end_by("-TERM");
}

#[test]
fn the_summary_says_how_many_have_gone_and_why() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let get = stage.get(&["--evict", "no-interest=100ms"]);
    let share = stage.share(&["--evict", "redundant=100ms", "--seed-time", "20s"]);
    for (command, have) in [(get, Bitfield::new(PIECES)), (share, Bitfield::full(PIECES))] {
        let mut running = Running::start(command);
        let _peer = stage.caller(1, &running.addr(), have);
        let cause = running.wait_for("peer_closed")["cause"].clone();
        let told = text(&running.end_by("-TERM").stderr);
        let expected = format!("1 peer gone: {} 1\n", cause.as_str().expect("a cause"));
        assert!(told.contains(&expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn rules_stand_in_the_configuration_file() {
    let stage = Stage::new(None);
    let path = stage.file("mine.toml", &format!("[get]\nquiet = true\n\n[[evict.rule]]\n{MINE}"));
    assert_eq!(closed_by(&stage, &["--config", &path]), "mine");
    let mut share = stage.share(&["--config", &path]);
    share.env("CCBT_SEED_EVICT", "all=off");
    stage.put("payload.bin", &stage.payload);
    let mut share = Running::start(share);
    let _peer = stage.caller(1, &share.addr(), Bitfield::new(PIECES));
    let evidence = share.wait_for("peer_closed")["evidence"].to_string();
    assert!(evidence.contains("long enough: age "), "{evidence}");
    share.end_by("-TERM");
}

/// The only line that is said when a download is refused.
fn refused(stage: &Stage, more: &[&str]) -> String {
    let output = run(stage.get(more));
    assert_exit(&output, 2);
    assert!(!stage.output().exists());
    text(&output.stderr)
}

#[test]
fn an_error_in_a_rule_names_file_line_and_column() {
    let stage = Stage::new(None);
    let wrong = "name = 'x'\nwhen = 'agee > 2m'\n";
    let problem = "there is no fact \"agee\"; did you mean \"age\"?\n";
    let rules = stage.file("rules.toml", &format!("[[rule]]\n{wrong}"));
    let expected = format!("ccbt: {rules}:3:9: {problem}");
    assert_eq!(refused(&stage, &["--evict-script", &rules]), expected);
    let config = stage.file("config.toml", &format!("[get]\n\n[[evict.rule]]\n{wrong}"));
    let expected = format!("ccbt: {config}:5:9: {problem}");
    assert_eq!(refused(&stage, &["--config", &config]), expected);
    let told = refused(&stage, &["--evict-script", "/nowhere/rules.toml"]);
    assert!(told.starts_with("ccbt: /nowhere/rules.toml: "), "{told}");
}

#[test]
fn two_rules_of_one_name_are_refused() {
    let stage = Stage::new(None);
    let rules = stage.file("rules.toml", &format!("[[rule]]\n{MINE}"));
    let config = stage.file("config.toml", &format!("[[evict.rule]]\n{MINE}"));
    let told = refused(&stage, &["--config", &config, "--evict-script", &rules]);
    let expected =
        format!("ccbt: {rules}: there is a rule \"mine\" already in the configuration file\n");
    assert_eq!(told, expected);
}

#[test]
fn a_rule_that_fails_keeps_the_peer_and_is_told_once() {
    let stage = Stage::new(None);
    let rule = "[[rule]]\nname = 'mine'\nwhen = '1 / downloaded > 2'\n";
    let rules = stage.file("rules.toml", rule);
    let mut get = Running::start(stage.get(&["--evict-script", &rules]));
    let _peer = stage.caller(1, &get.addr(), Bitfield::full(PIECES));
    get.wait_for("peer_ready");
    get.wait_for("progress");
    get.wait_for("progress");
    let told = text(&get.end_by("-TERM").stderr);
    assert_eq!(told.matches("rule mine fails for 127.0.0.1:").count(), 1, "{told}");
}

#[test]
fn a_blocklist_keeps_peers_away_in_both_directions() {
    let stage = Stage::new(None);
    let list = stage.file("list", "# mine\nme:127.0.0.1-127.0.0.9\n127.0.0.10/32\n");
    let seed = stage.seed().to_string();
    let line = ["--blocklist", &list, "--peer", &seed, "--stop-timeout", "1s"];
    let output = run(stage.get(&[&line[..], &["-v"]].concat()));
    assert_exit(&output, 3);
    let told = text(&output.stdout);
    assert!(told.contains(&format!("{list}: 1 range of addresses blocked")), "{told}");
    assert!(told.contains("gone: blocked "), "{told}");

    stage.put("payload.bin", &stage.payload);
    let mut share = Running::start(stage.share(&["--blocklist", &list]));
    let addr = share.addr();
    let output = run(stage.get(&["--peer", &addr, "--stop-timeout", "1s"]));
    assert_exit(&output, 3);
    let told = text(&share.end_by("-TERM").stderr);
    assert!(told.contains("gone: blocked "), "{told}");
}

#[test]
fn a_list_that_is_none_is_refused_with_its_line() {
    let stage = Stage::new(None);
    let list = stage.file("list", "127.0.0.1\nnobody\n");
    let expected = format!("ccbt: {list}: line 2: no address, network or range\n");
    assert_eq!(refused(&stage, &["--blocklist", &list]), expected);
    let told = refused(&stage, &["--blocklist", "/nowhere/list"]);
    assert!(told.starts_with("ccbt: /nowhere/list: "), "{told}");
}
