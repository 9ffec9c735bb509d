//! Magnet links and info hashes: got, shown, and remembered.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Stage, assert_exit, ccbt, run, text};

/// A command about what these words name, with what is kept from run to run.
fn command(stage: &Stage, line: &[&str]) -> Command {
    let mut command = ccbt();
    command.args(line).env("XDG_STATE_HOME", stage.state());
    command
}

/// `ccbt get` of what is named, on loopback.
fn get(stage: &Stage, what: &str, more: &[&str]) -> Output {
    let mut line = vec!["get", what, "--listen", "127.0.0.1:0", "-o"];
    let output = stage.output().to_string_lossy().into_owned();
    line.push(&output);
    line.extend(more);
    if !more.contains(&"--stop-timeout") {
        line.extend(["--stop-timeout", "20s"]);
    }
    run(command(stage, &line))
}

fn show(stage: &Stage, what: &str, more: &[&str]) -> Output {
    let line = [&["show", what, "--listen", "127.0.0.1:0"], more].concat();
    run(command(stage, &line))
}

fn link(stage: &Stage) -> String {
    format!("magnet:?xt=urn:btih:{}", stage.info_hash())
}

fn kept(stage: &Stage) -> PathBuf {
    stage.state().join("ccbt/metadata").join(stage.info_hash())
}

#[test]
fn a_link_with_a_peer_in_it_is_all_that_is_needed() {
    let stage = Stage::new(None);
    let link = format!("{}&x.pe={}", link(&stage), stage.seed());
    let events = stage.output().with_extension("jsonl");
    let output = get(&stage, &link, &["--events", &events.to_string_lossy()]);
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
    let told = text(&output.stdout);
    let hash = stage.info_hash();
    for line in [format!("{hash}: looking for the metadata\n"), "payload.bin: 293 KiB".to_owned()] {
        assert!(told.contains(&line), "{line} is not in\n{told}");
    }
    let events = fs::read_to_string(events).expect("events");
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let at = |name: &str| events.iter().position(|event| event["event"] == name).expect(name);
    assert!(at("started") < at("metadata_progress"));
    assert!(at("metadata_progress") < at("metadata"));
    assert!(at("metadata") < at("checked") && at("checked") < at("piece"));
    assert_eq!(events[at("metadata")]["name"], "payload.bin");
    assert_eq!(events[at("metadata")]["pieces"], 19);
    assert_eq!(events[at("started")]["pieces"], 0);
}

#[test]
fn what_was_fetched_once_is_known_to_the_next_run() {
    let stage = Stage::new(None);
    let peer = stage.seed().to_string();
    assert_exit(&get(&stage, &stage.info_hash(), &["--peer", &peer]), 0);
    let metainfo = stage.metainfo_bytes(None);
    let kept = fs::read(kept(&stage)).expect("what is kept");
    assert!(metainfo.windows(kept.len()).any(|part| part == kept), "the info as it stands there");
    // Nobody is asked for it any more.
    let output = get(&stage, &link(&stage), &["--no-tracker"]);
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains("complete already"));
    let output = show(&stage, &link(&stage), &[]);
    assert_exit(&output, 0);
    let folder = stage.output().to_string_lossy().into_owned();
    let line = ["verify", &*link(&stage), "--data", &*folder].map(str::to_owned);
    let verify = run(command(&stage, &line.each_ref().map(String::as_str)));
    assert_exit(&verify, 0);
}

#[test]
fn nothing_is_kept_if_that_is_not_wanted() {
    let stage = Stage::new(None);
    let peer = stage.seed().to_string();
    assert_exit(&get(&stage, &link(&stage), &["--no-state", "--peer", &peer]), 0);
    assert!(!stage.state().exists());
}

#[test]
fn a_download_from_a_link_goes_on_where_it_was() {
    let stage = Stage::new(None);
    fs::create_dir_all(stage.output()).expect("a folder");
    let mut half = stage.payload.clone();
    half.truncate(half.len() / 2);
    fs::write(stage.output().join("payload.bin"), &half).expect("a file");
    let peer = stage.seed().to_string();
    let output = get(&stage, &link(&stage), &["--peer", &peer]);
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
    let told = text(&output.stdout);
    assert!(told.contains("done: 14"), "half of 293 KiB is fetched:\n{told}");
}

#[test]
fn without_anybody_who_has_it_the_wait_ends_with_3() {
    let stage = Stage::new(None);
    let output = get(&stage, &link(&stage), &["--stop-timeout", "1s"]);
    assert_exit(&output, 3);
    let told = text(&output.stderr);
    assert!(told.contains("no metadata for "), "{told}");
    assert!(told.contains("is not known"), "{told}");
    let output = show(&stage, &link(&stage), &["--wait", "300ms"]);
    assert_exit(&output, 3);
    assert!(text(&output.stderr).contains("what it leads to (--wait)"));
    let hash = format!("info hash   {}\n", stage.info_hash());
    assert!(text(&output.stdout).contains(&hash), "what the link says is shown all the same");
}

#[test]
fn show_prints_the_files_behind_a_link() {
    let stage = Stage::new(None);
    let link = format!("{}&x.pe={}&dn=something", link(&stage), stage.seed());
    let output = show(&stage, &link, &[]);
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    assert!(told.contains("293 KiB  payload.bin\n"), "{told}");
    let output = show(&stage, &link, &["--json", "--no-state"]);
    assert_exit(&output, 0);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["torrent"]["files"][0]["path"], "payload.bin");
    assert!(shown["link"]["peers"].is_array());
    assert!(!stage.output().exists(), "nothing is downloaded");
}

#[test]
fn files_are_chosen_once_it_is_known_which_there_are() {
    let stage = Stage::new(None);
    let peer = stage.seed().to_string();
    let listed = get(&stage, &link(&stage), &["--list", "--no-state", "--peer", &peer]);
    assert_exit(&listed, 0);
    assert_eq!(text(&listed.stdout), "0   293 KiB  payload.bin\n");
    assert!(!stage.output().exists(), "nothing is downloaded");
    // Neither the link nor the person can mean a file that is not there.
    let refused = get(&stage, &link(&stage), &["--files", "7", "--no-state", "--peer", &peer]);
    assert_exit(&refused, 2);
    assert!(text(&refused.stderr).contains("--files 7: there is no file 7"));
    let chosen = get(
        &stage,
        &format!("{}&so=0,4", link(&stage)),
        &["--allocate", "full", "--no-state", "--peer", &peer],
    );
    assert_exit(&chosen, 0);
    assert!(stage.downloaded() == stage.payload);
}

#[test]
fn what_a_link_asks_for_and_is_not_there_is_refused() {
    let stage = Stage::new(None);
    let verify = run(command(&stage, &["verify", &link(&stage), "--data", "."]));
    assert_exit(&verify, 2);
    assert!(text(&verify.stderr).contains("its metadata is not known here"));
    let v2 = format!("magnet:?xt=urn:btmh:1220{}", "ab".repeat(32));
    let some = format!("{}&so=1-3&x.pe={}", link(&stage), stage.seed());
    for (link, why) in [(v2, "no info hash of version 1"), (some, "selects no file")] {
        let output = get(&stage, &link, &[]);
        assert_exit(&output, 2);
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    assert!(!stage.output().join("payload.bin").exists());
}

#[test]
fn seed_and_doctor_hear_which_files_a_link_asks_for() {
    let stage = Stage::new(None);
    let peer = stage.seed().to_string();
    assert_exit(&get(&stage, &link(&stage), &["--peer", &peer]), 0);
    let folder = stage.output().to_string_lossy().into_owned();
    let ask = |name: &str, so: &str, more: &[&str]| {
        let link = format!("{}{so}", link(&stage));
        let line = [&[name, &link, "--listen", "127.0.0.1:0"], more].concat();
        run(command(&stage, &line))
    };
    let seed = ["--data", &folder, "--seed-time", "1ms"];
    let refused = ask("seed", "&so=7", &seed);
    assert_exit(&refused, 2);
    let words = text(&refused.stderr);
    assert!(words.contains("payload.bin: the magnet link asks for some files (so=)"), "{words}");
    assert_exit(&ask("seed", "&so=0", &seed), 0);
    let doctor = ["-o", &folder, "--for", "1ms"];
    let refused = ask("doctor", "&so=7", &doctor);
    assert_exit(&refused, 2);
    assert!(text(&refused.stderr).contains("selects no file"), "{}", text(&refused.stderr));
    assert_exit(&ask("doctor", "&so=0", &doctor), 0);
}
