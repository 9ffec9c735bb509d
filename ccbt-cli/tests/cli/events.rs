//! `--events` writes one JSON object a line, and a reader that leaves does no harm.

use std::fs;
use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::support::{Stage, assert_exit, run, text};

fn parse(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn name(event: &Value) -> &str {
    event["event"].as_str().expect("a name")
}

#[test]
fn every_line_is_an_object_with_time_and_name() {
    let stage = Stage::new(None);
    let seed = stage.seed();
    let output = run(stage.get(&["--events", "-", "--peer", &seed.to_string()]));
    assert_exit(&output, 0);
    let events = parse(&text(&output.stdout));
    let times: Vec<u64> =
        events.iter().map(|event| event["time_ms"].as_u64().expect("a time")).collect();
    assert!(times.is_sorted());
    let names: Vec<&str> = events.iter().map(name).collect();
    assert_eq!(names.first(), Some(&"started"));
    assert_eq!(names.last(), Some(&"stopped"));
    for expected in
        ["peer_connected", "peer_ready", "interest", "piece", "progress", "finished", "peer_closed"]
    {
        assert!(names.contains(&expected), "{expected} is not in {names:?}");
    }
    assert!(text(&output.stderr).contains("done: "), "the words for people go to stderr");
}

#[test]
fn every_piece_is_told_once_and_every_peer_is_an_address() {
    let stage = Stage::new(None);
    let seed = stage.seed();
    let file = stage.folder().join("events.jsonl");
    let output =
        run(stage.get(&["--events", &file.to_string_lossy(), "--peer", &seed.to_string()]));
    assert_exit(&output, 0);
    let events = parse(&fs::read_to_string(file).expect("events"));
    let mut pieces: Vec<u64> = events
        .iter()
        .filter(|event| name(event) == "piece")
        .map(|event| event["piece"].as_u64().expect("a piece"))
        .collect();
    pieces.sort_unstable();
    assert_eq!(pieces, (0..19).collect::<Vec<_>>());
    let peers: Vec<&str> = events.iter().filter_map(|event| event["peer"].as_str()).collect();
    assert!(!peers.is_empty() && peers.iter().all(|peer| *peer == seed.to_string()), "{peers:?}");
}

#[test]
fn what_is_complete_already_starts_and_finishes() {
    let stage = Stage::new(None);
    fs::create_dir(stage.output()).expect("a folder");
    fs::write(stage.output().join("payload.bin"), &stage.payload).expect("a file");
    let output = run(stage.get(&["--events", "-"]));
    assert_exit(&output, 0);
    let events = parse(&text(&output.stdout));
    assert_eq!(events.iter().map(name).collect::<Vec<_>>(), ["started", "finished"]);
}

#[test]
fn a_reader_that_leaves_does_not_stop_the_download() {
    let stage = Stage::new(None);
    let seed = stage.seed();
    let mut child = stage
        .get(&["--events", "-", "--peer", &seed.to_string()])
        .spawn()
        .expect("the program starts");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
    let output = child.wait_with_output().expect("an end");
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
}
