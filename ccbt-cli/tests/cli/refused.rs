//! What cannot be used is refused with exit code 2 and a line that names the culprit, before anything
//! is created.

use std::fs;

use crate::support::{Stage, assert_exit, ccbt, run, text};

fn refused(torrent: &[u8]) -> String {
    let stage = Stage::new(None);
    fs::write(stage.torrent(), torrent).expect("a file");
    let output = run(stage.get(&[]));
    assert_exit(&output, 2);
    assert!(!stage.output().exists());
    let error = text(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&*stage.torrent().to_string_lossy()), "{error}");
    error
}

#[test]
fn a_torrent_that_leaves_its_folder_is_refused() {
    let info = "d5:filesld6:lengthi1e4:pathl2:..4:evileee4:name1:n12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
    let error = refused(format!("d4:info{info}e").as_bytes());
    assert!(error.contains("path"), "{error}");
}

#[test]
fn what_is_no_torrent_is_refused() {
    refused(b"");
    refused(b"<html>not found</html>");
    refused("l".repeat(200_000).as_bytes());
    refused(b"d4:infod4:name1:nee");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let stage = Stage::new(None);
    let output = run(stage.get_from("/nowhere/a.torrent", &[]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("/nowhere/a.torrent: "));
}

#[test]
fn a_rule_that_does_not_exist_is_named() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--evict", "no-such-rule=1s"]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("no-such-rule"));
    assert!(!stage.output().exists());
}

#[test]
fn an_event_file_that_cannot_be_opened_is_named() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--events", "/nowhere/events.jsonl"]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("/nowhere/events.jsonl: "));
    assert!(!stage.output().exists());
}

#[test]
fn a_command_line_without_sense_is_refused() {
    for line in [
        &["get"][..],
        &["get", "magnet:?xt=urn:btih:0"],
        &["get", "a.torrent", "--peer", "nobody"],
        &["get", "a.torrent", "--listen", "nowhere"],
        &["get", "a.torrent", "--stop-timeout", "10"],
        &["get", "a.torrent", "--max-peers", "many"],
        &["get", "a.torrent", "--dht-bootstrap", "somewhere"],
        &["fetch"],
    ] {
        let mut command = ccbt();
        command.args(line);
        assert_exit(&run(command), 2);
    }
}

#[test]
fn an_interface_that_is_not_there_is_refused_by_name() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--interface", "nosuch0"]));
    assert_exit(&output, 2);
    let expected = "--interface: there is no network interface nosuch0, or it has no address";
    assert!(text(&output.stderr).contains(expected));
    assert!(!stage.output().exists());
}

#[test]
fn help_and_version_are_no_errors() {
    let commands = ["get", "seed", "create", "show", "verify", "demo", "completions"];
    let commands = commands.map(|name| [name, "--help"]);
    let lines = commands.iter().map(|line| &line[..]);
    for line in lines.chain([&["--help"][..], &["--version"]]) {
        let mut command = ccbt();
        command.args(line);
        assert_exit(&run(command), 0);
    }
}
