//! SIGINT ends with 130, SIGTERM with 143 and SIGHUP with 129, whatever hangs.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::support::{Stage, assert_exit, ccbt, text};

/// Starts a download that nobody serves, and sends the signal as soon as it runs.
fn interrupted_by(signal: &str, stage: &Stage, more: &[&str]) -> Output {
    let mut child =
        stage.get(&[&["--events", "-"], more].concat()).spawn().expect("the program starts");
    let mut events = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("\"started\"") {
        line.clear();
        assert_ne!(events.read_line(&mut line).expect("a line"), 0, "it never started");
    }
    send(signal, &child);
    child.wait_with_output().expect("an end")
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(sent.expect("kill").success());
}

#[test]
fn sigint_ends_with_130() {
    let output = interrupted_by("-INT", &Stage::new(None), &[]);
    assert_exit(&output, 130);
    assert!(text(&output.stderr).contains("interrupted; 0.0% of payload.bin is verified"));
}

#[test]
fn sigterm_ends_with_143() {
    assert_exit(&interrupted_by("-TERM", &Stage::new(None), &[]), 143);
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_is_gone_ends_it_in_order() {
    let output = interrupted_by("-HUP", &Stage::new(None), &[]);
    assert_exit(&output, 129);
    assert!(text(&output.stderr).contains("0.0% of payload.bin is verified"));
}

#[test]
fn who_is_to_outlive_the_terminal_does() {
    let stage = Stage::new(None);
    let get = stage.get(&["--events", "-"]);
    let mut deaf = Command::new("sh");
    deaf.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(get.get_program())
        .args(get.get_args());
    deaf.envs(get.get_envs().filter_map(|(name, value)| Some((name, value?))));
    deaf.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = deaf.spawn().expect("the program starts");
    let mut events = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("\"started\"") {
        line.clear();
        assert_ne!(events.read_line(&mut line).expect("a line"), 0, "it never started");
    }
    send("-HUP", &child);
    send("-TERM", &child);
    assert_exit(&child.wait_with_output().expect("an end"), 143);
}

#[test]
fn a_tracker_that_hangs_does_not_hold_up_the_end() {
    let stage = Stage::new(None);
    let hanging = stage.listen();
    let tracker = hanging.local_addr().expect("an address");
    std::fs::write(stage.torrent(), stage.metainfo_bytes(Some(tracker))).expect("a torrent");
    assert_exit(&interrupted_by("-INT", &stage, &[]), 130);
}

#[test]
fn a_torrent_that_never_arrives_does_not_hold_up_the_end() {
    let stage = Stage::new(None);
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/a.torrent", hanging.local_addr().expect("an address"));
    let child = stage.get_from(&url, &[]).spawn().expect("the program starts");
    // The request is there: so the program waits for an answer, and listens to signals.
    let _request = hanging.accept().expect("a request");
    send("-INT", &child);
    assert_exit(&child.wait_with_output().expect("an end"), 130);
}

#[test]
fn hashing_ends_at_once_and_leaves_no_torrent() {
    let stage = Stage::new(None);
    let content = stage.folder().join("huge");
    // Sparse, and far too much to be hashed in the time of a test.
    let file = std::fs::File::create(&content).expect("a file");
    file.set_len(1 << 42).expect("a sparse file");
    let mut create = ccbt();
    create.args(["create", "huge", "-o", "huge.torrent"]).current_dir(stage.folder());
    create.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = create.spawn().expect("the program starts");
    let mut told = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    told.read_line(&mut line).expect("a line");
    assert!(line.starts_with("huge: 4.00 TiB"), "{line}");
    send("-INT", &child);
    assert_exit(&child.wait_with_output().expect("an end"), 130);
    assert!(!stage.folder().join("huge.torrent").exists());
}
