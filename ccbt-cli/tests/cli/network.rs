//! How `ccbt get` and `ccbt seed` use the network is for the options to say.
#![cfg(unix)]

use std::fs;

use ccbt_peer::wire::Bitfield;
use ccbt_peer::wire::tracker::AnnounceReply;

use crate::support::{Running, Stage, assert_exit, run, text};

/// Pieces of the stage's torrent.
const PIECES: u32 = 19;

/// A stage with the content in its place.
fn full_stage() -> Stage {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    stage
}

#[test]
fn connections_are_accepted_where_listen_says() {
    let stage = full_stage();
    let other = stage.listen();
    let taken = other.local_addr().expect("an address").to_string();
    for command in [
        stage.get(&["--listen", &taken, "--stop-timeout", "1ms"]),
        stage.share(&["--listen", &taken, "--seed-time", "1ms"]),
    ] {
        let output = run(command);
        assert_exit(&output, 1);
        let told = text(&output.stderr);
        assert!(told.contains(&format!("cannot listen at {taken}: ")), "{told}");
    }
}

#[test]
fn a_peer_beyond_max_peers_finds_no_slot() {
    let stage = full_stage();
    let (empty, full) = (Bitfield::new(PIECES), Bitfield::full(PIECES));
    let get = stage.get(&["--max-peers", "1"]);
    // By its rules a seed would part from another at once.
    let share =
        stage.share(&["--max-peers", "1", "--evict", "redundant=off", "--seed-time", "20s"]);
    for (command, have) in [(get, empty), (share, full)] {
        let mut running = Running::start(command);
        let addr = running.addr();
        let _first = stage.caller(1, &addr, have.clone());
        running.wait_for("peer_ready");
        let _second = stage.caller(2, &addr, have);
        assert_eq!(running.wait_for("peer_closed")["reason"], "no-slot");
        running.end_by("-TERM");
    }
}

/// Whether the first look at a download, a second after it began, finds something left to do.
fn takes_its_time(mut get: Running) -> bool {
    let progress = get.wait_for("progress");
    get.end_by("-TERM");
    progress["verified"].as_u64() < progress["total"].as_u64()
}

#[test]
fn a_download_keeps_to_its_limit() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let get = Running::start(stage.get(&["--peer", &seed, "--limit-down", "20K"]));
    assert!(takes_its_time(get));
}

#[test]
fn a_seed_keeps_to_its_limit() {
    let stage = full_stage();
    let mut seed = Running::start(stage.share(&["--limit-up", "20K"]));
    let get = Running::start(stage.get(&["--peer", &seed.addr()]));
    assert!(takes_its_time(get));
    seed.end_by("-TERM");
}

/// A stage whose tracker knows a seed.
fn tracked_stage() -> Stage {
    let stage = full_stage();
    let mut reply = AnnounceReply::default();
    reply.peers = vec![stage.seed()];
    let tracker = stage.serve(reply.encode());
    fs::write(stage.torrent(), stage.metainfo_bytes(Some(tracker))).expect("a torrent");
    stage
}

#[test]
fn no_tracker_is_asked_if_that_is_not_wanted() {
    let stage = tracked_stage();
    let get = stage.get(&["--no-tracker", "--stop-timeout", "100ms", "--events", "-"]);
    let share = stage.share(&["--no-tracker", "--seed-time", "100ms", "--events", "-"]);
    for (command, code) in [(get, 3), (share, 0)] {
        let output = run(command);
        assert_exit(&output, code);
        let events = text(&output.stdout);
        assert!(events.contains("\"started\"") && !events.contains("source_replied"), "{events}");
        let told = text(&output.stderr);
        assert!(told.contains("no tracker to ask and no --peer"), "{told}");
    }
    let mut asks = Running::start(stage.share(&[]));
    asks.wait_for("source_replied");
    asks.end_by("-TERM");
}

#[test]
fn a_seed_calls_the_peers_that_are_given() {
    let stage = full_stage();
    let mut seed = Running::start(stage.share(&["--peer", &stage.seed().to_string()]));
    assert_eq!(seed.wait_for("peer_connected")["source"], "given");
    seed.end_by("-TERM");
}

#[test]
fn a_rule_is_changed_by_evict() {
    let stage = Stage::new(None);
    let mut get = Running::start(stage.get(&["--evict", "no-interest=100ms"]));
    let _empty = stage.caller(1, &get.addr(), Bitfield::new(PIECES));
    assert_eq!(get.wait_for("peer_closed")["policy"], "no-interest");
    get.end_by("-TERM");
}
