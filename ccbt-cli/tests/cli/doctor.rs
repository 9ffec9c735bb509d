//! `ccbt doctor` shows who is there and what holds the download back, and takes nothing from anybody.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Output};

use ccbt_peer::wire::metainfo::build::Builder;
use ccbt_peer::wire::{Bitfield, Metainfo, PieceIndex};
use serde_json::{Value, json};

use crate::support::{Listening, Stage, assert_exit, run, text};

/// Pieces of the stage's torrent.
const PIECES: u32 = 19;

/// Enough for loopback.
const LOOK: &str = "3s";

fn examined(stage: &Stage, more: &[&str], code: i32) -> Value {
    let output = run(stage.doctor(&[&["--json"], more].concat()));
    assert_exit(&output, code);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn codes(diagnosis: &Value) -> Vec<&str> {
    let findings = diagnosis["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["code"].as_str()).collect()
}

fn row<'a>(diagnosis: &'a Value, peer: &str) -> &'a Value {
    let peers = diagnosis["peers"].as_array().expect("peers");
    peers.iter().find(|row| row["peer"] == peer).unwrap_or_else(|| panic!("{peer}: {diagnosis}"))
}

#[test]
fn a_seed_a_mute_peer_and_a_choker_are_told_apart() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let mute = stage.listening(1, None).addr.to_string();
    let choker = stage.listening(2, Some(Bitfield::full(PIECES))).addr.to_string();
    let peers = ["--for", LOOK, "--peer", &seed, "--peer", &mute, "--peer", &choker];
    let seen = examined(&stage, &peers, 0);

    for (peer, availability, wanted, choking) in
        [(&seed, "all", PIECES, false), (&mute, "unknown", 0, true), (&choker, "all", PIECES, true)]
    {
        let row = row(&seen, peer);
        assert_eq!(row["availability"], availability, "{row}");
        assert_eq!((&row["wanted"], &row["peer_choking"]), (&json!(wanted), &json!(choking)));
        assert_eq!((&row["direction"], &row["in_flight"]), (&json!("outgoing"), &json!(0)));
        assert_eq!(row["am_interested"], wanted > 0, "{row}");
    }
    let notice = &row(&seen, &mute)["notice"];
    assert_eq!(notice["policy"], "bitfield-timeout");
    assert!(notice["in_ms"].as_u64().is_some_and(|left| (1..60_000).contains(&left)), "{notice}");
    assert!(row(&seen, &choker)["notice"].is_null(), "to choke is no reason");

    let totals = &seen["totals"];
    for (name, value) in [
        ("peers", 3),
        ("pieces_known", PIECES),
        ("peers_with_bitfield", 2),
        ("useful", 2),
        ("can_request", 1),
        ("would_drop", 1),
        ("met", 3),
        ("met_incoming", 0),
    ] {
        assert_eq!(totals[name], value, "{name} in {totals}");
    }
    assert_eq!((&seen["nobody_has"], &seen["gone"]), (&json!([]), &json!({})));
    assert_eq!(seen["sources"][0]["addresses"], 3);
    assert_eq!(codes(&seen), ["mute", "ready", "would-drop"]);
    assert!(!stage.output().exists(), "nothing is downloaded");

    let told = text(&run(stage.doctor(&peers)).stdout);
    for part in [
        "payload.bin: 0 of 19 pieces are here, 19 needed; after ",
        &seed,
        &mute,
        &choker,
        "bitfield-timeout in ",
        "can_request 1",
        "1 of 3 peers said nothing of what it has so far",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn nobody_at_all_is_exit_code_3() {
    let stage = Stage::new(None);
    let nobody = stage.nobody().to_string();
    let seen = examined(&stage, &["--for", "1s", "--peer", &nobody], 3);
    assert_eq!(codes(&seen), ["nobody-reached"]);
    assert_eq!(seen["totals"]["met"], 0);

    let output = run(stage.doctor(&["--for", "1ms"]));
    assert_exit(&output, 3);
    assert!(text(&output.stdout).contains("no tracker has answered, and no peer is named"));
    assert_eq!(text(&output.stderr), "ccbt: nobody could be reached\n");
}

#[test]
fn a_tracker_that_fails_is_named() {
    let stage = Stage::new(None);
    let tracker = stage.serve(b"d14:failure reason9:no such te".to_vec());
    fs::write(stage.torrent(), stage.metainfo_bytes(Some(tracker))).expect("a torrent");
    let seen = examined(&stage, &["--for", "1s"], 3);
    assert_eq!(codes(&seen), ["source-failed"]);
    let error = seen["sources"][0]["error"].as_str().expect("an error");
    assert!(error.contains("no such t"), "{error}");
    let seen = examined(&stage, &["--for", "1s", "--no-tracker"], 3);
    assert_eq!(codes(&seen), ["no-source"]);
}

#[test]
fn a_web_seed_is_nobody_who_was_reached() {
    let stage = Stage::new(None);
    let plain = Metainfo::parse(&stage.metainfo_bytes(None)).expect("a torrent");
    let hashes = (0..PIECES).filter_map(|piece| plain.piece_hash(PieceIndex(piece)));
    let builder = Builder::single("payload.bin", plain.piece_length(), plain.total_len());
    let builder = builder.pieces(hashes).web_seed(&format!("http://{}/", stage.nobody()));
    fs::write(stage.torrent(), builder.encode()).expect("a torrent");
    let seen = examined(&stage, &["--for", "1s"], 3);
    assert_eq!((&seen["totals"]["met"], &seen["peers"]), (&json!(0), &json!([])));
    assert_eq!(codes(&seen), ["no-source"]);
}

#[test]
fn pieces_that_nobody_has_are_named() {
    let stage = Stage::new(None);
    let mut have = Bitfield::full(PIECES);
    for piece in [3, 7, 8, 9] {
        have.set(PieceIndex(piece), false);
    }
    let peer = stage.listening(1, Some(have)).addr.to_string();
    let seen = examined(&stage, &["--for", LOOK, "--peer", &peer], 0);
    assert_eq!(seen["nobody_has"], json!([[3, 3], [7, 9]]));
    assert_eq!(seen["totals"]["pieces_known"], PIECES - 4);
    assert_eq!(codes(&seen), ["nobody-has", "all-choke"]);
    let text = seen["findings"][0]["text"].as_str().expect("a text");
    assert_eq!(text, "nobody who is connected has pieces 3, 7-9 (4 of 19 needed)");
}

#[test]
fn what_is_here_already_is_not_needed() {
    let stage = Stage::new(None);
    fs::create_dir(stage.output()).expect("a folder");
    let file = stage.output().join("payload.bin");
    fs::write(&file, &stage.payload[..200_000]).expect("a file");
    let peer = stage.listening(1, Some(Bitfield::full(PIECES))).addr.to_string();
    let seen = examined(&stage, &["--for", LOOK, "--peer", &peer], 0);
    assert_eq!((&seen["have"], &seen["need"]), (&json!(12), &json!(7)));
    assert_eq!(row(&seen, &peer)["wanted"], 7);
    assert_eq!(fs::read(&file).expect("a file").len(), 200_000, "it is not changed");

    fs::write(&file, &stage.payload).expect("a file");
    assert_eq!(codes(&examined(&stage, &["--for", "1ms"], 0)), ["complete"]);
    fs::remove_file(&file).expect("a file");
    fs::create_dir(&file).expect("a folder");
    let seen = examined(&stage, &["--for", "1ms"], 3);
    assert_eq!(seen["in_the_way"], json!(["no file    payload.bin: it is a folder"]));
    assert_eq!(codes(&seen)[0], "disk");
}

#[test]
fn rules_are_those_of_the_options_and_drop_nobody() {
    let stage = Stage::new(None);
    let empty = stage.listening(1, Some(Bitfield::new(PIECES))).addr.to_string();
    let line = ["--for", LOOK, "--peer", &empty, "--evict", "no-interest=100ms"];
    let seen = examined(&stage, &line, 0);
    let notice = &row(&seen, &empty)["notice"];
    assert_eq!((&notice["policy"], &notice["in_ms"]), (&json!("no-interest"), &json!(0)));
    let seen = examined(&stage, &["--for", LOOK, "--peer", &empty, "--evict", "preset=off"], 0);
    assert!(row(&seen, &empty)["notice"].is_null());

    let rules = "[[rule]]\nname = 'mine'\nwhen = 'age > 1h'\n";
    let rules = stage.file("rules.toml", rules);
    let line = ["--for", LOOK, "--peer", &empty, "--evict", "all=off", "--evict-script", &rules];
    assert_eq!(row(&examined(&stage, &line, 0), &empty)["notice"]["policy"], "mine");
}

#[test]
fn it_listens_and_has_slots_as_the_options_say() {
    let stage = Stage::new(None);
    let other = stage.listen();
    let taken = other.local_addr().expect("an address").to_string();
    let output = run(stage.doctor(&["--listen", &taken]));
    assert_exit(&output, 1);
    assert!(text(&output.stderr).contains(&format!("cannot listen at {taken}: ")));
    let seen = examined(&stage, &["--for", "100ms", "--max-peers", "7"], 3);
    assert_eq!(seen["totals"]["slots"], 7);
}

#[test]
fn addresses_on_the_blocklist_are_told() {
    let stage = Stage::new(None);
    let peer = stage.listening(1, None).addr.to_string();
    let list = stage.file("list", "127.0.0.0/8\n");
    let seen = examined(&stage, &["--for", "1s", "--peer", &peer, "--blocklist", &list], 3);
    assert_eq!(seen["totals"]["met"], 0);
    assert!(codes(&seen).contains(&"blocked"), "{seen}");
}

/// The end of a look that is interrupted when this peer was met.
fn interrupted(stage: &Stage, peer: &Listening, signal: &str) -> Output {
    let mut doctor = stage.doctor(&["--for", "10m", "--peer", &peer.addr.to_string()]);
    let doctor = doctor.spawn().expect("the program starts");
    peer.meet();
    let sent = Command::new("kill").args([signal, &doctor.id().to_string()]).status();
    assert!(sent.expect("kill").success());
    doctor.wait_with_output().expect("an end")
}

#[test]
fn whoever_interrupts_gets_the_diagnosis_too() {
    let stage = Stage::new(None);
    let peer = stage.listening(1, None);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let output = interrupted(&stage, &peer, signal);
        assert_exit(&output, code);
        assert!(text(&output.stdout).contains("\ndiagnosis\n"), "{}", text(&output.stdout));
    }
}
