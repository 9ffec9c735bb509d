//! How much is told is for `-q`, `-v` and `--events` to say.
#![cfg(unix)]

use std::fs;

use crate::support::{Running, Stage, assert_exit, ccbt, run, text};

#[test]
fn a_verbose_download_tells_of_its_peers() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let output = run(stage.get(&["--peer", &seed, "-v"]));
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    for line in ["listening on 127.0.0.1:", "--peer gave 1 address", &format!("{seed} connected")] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
}

#[test]
fn a_verbose_seed_tells_of_its_peers_and_its_port_once() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let seed = stage.seed().to_string();
    let mut running = Running::start(stage.share(&["-v", "--peer", &seed]));
    running.wait_for("peer_connected");
    let output = running.end_by("-TERM");
    let told = text(&output.stderr);
    assert!(told.contains(&format!("{seed} connected")), "{told}");
    assert_eq!(told.matches("listening on 127.0.0.1:").count(), 1, "{told}");
}

#[test]
fn a_quiet_seed_says_nothing() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let output = run(stage.share(&["-q", "--seed-time", "1ms"]));
    assert_exit(&output, 0);
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
}

#[test]
fn the_events_of_a_seed_go_to_a_file() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let file = stage.folder().join("events.jsonl");
    let output = run(stage.share(&["--events", &file.to_string_lossy(), "--seed-time", "1ms"]));
    assert_exit(&output, 0);
    let events = fs::read_to_string(file).expect("events");
    assert!(events.contains("\"event\":\"started\""), "{events}");
    assert!(text(&output.stdout).contains("seeded: "), "words for people stay where they are");
}

#[test]
fn a_quiet_demo_says_nothing() {
    let mut command = ccbt();
    command.args(["demo", "-q"]);
    let output = run(command);
    assert_exit(&output, 0);
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
}

#[test]
fn what_lacks_a_source_of_peers_is_told_once_for_all_torrents() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let (other, content) = stage.other();
    stage.put("other.bin", &content);
    let output = run(stage.share(&[&other.to_string_lossy(), "--seed-time", "1ms"]));
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    assert_eq!(told.matches("no tracker to ask and no --peer").count(), 1, "{told}");
}
