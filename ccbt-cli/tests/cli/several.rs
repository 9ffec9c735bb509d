//! Several torrents of one command: one port, and an end for each.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use ccbt_peer::wire::Metainfo;
use ccbt_peer::wire::metainfo::build;
use serde_json::Value;

use crate::support::{Running, Stage, assert_exit, run, text};

/// Both torrents of the stage from one `ccbt seed`, and where that is.
fn seed(stage: &Stage) -> (Running, String, String) {
    let (torrent, content) = stage.other();
    stage.put("payload.bin", &stage.payload);
    stage.put("other.bin", &content);
    let torrent = torrent.to_string_lossy().into_owned();
    let mut seed = Running::start(stage.share(&[&torrent]));
    let addr = seed.addr();
    (seed, addr, torrent)
}

fn output(stage: &Stage, name: &str) -> Vec<u8> {
    fs::read(stage.output().join(name)).expect(name)
}

/// A torrent that nobody has, with this content.
fn alien(stage: &Stage, torrent: &str, name: &str) -> PathBuf {
    let path = stage.folder().join(torrent);
    fs::write(&path, build::single_file(name, 16 << 10, &[7; 50_000], None)).expect("a torrent");
    path
}

#[test]
fn a_torrent_and_a_link_come_over_one_port_and_each_tells_its_end() {
    let stage = Stage::new(None);
    let (_seed, addr, other) = seed(&stage);
    let metainfo = Metainfo::parse(&fs::read(&other).expect("a file")).expect("a torrent");
    let link = format!("magnet:?xt=urn:btih:{}&x.pe={addr}", metainfo.info_hash());
    let events = stage.folder().join("events");
    let told = run(stage.get(&[&link, "--peer", &addr, "--events", &events.to_string_lossy()]));
    assert_exit(&told, 0);
    assert!(stage.downloaded() == stage.payload);
    assert!(output(&stage, "other.bin") == stage.other().1);
    let words = text(&told.stdout);
    for line in ["\npayload.bin: done: 293 KiB in ", "\nother.bin: done: 293 KiB in "] {
        assert!(words.contains(line), "{line} is not in\n{words}");
    }
    let events = fs::read_to_string(events).expect("events");
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let started: Vec<_> = events.iter().filter(|event| event["event"] == "started").collect();
    assert_eq!(started.len(), 2);
    assert_eq!(started[0]["listen"], started[1]["listen"]);
    for hash in [stage.info_hash(), metainfo.info_hash().to_string()] {
        let of = |event: &&Value| event["info_hash"] == *hash && event["event"] == "finished";
        assert_eq!(events.iter().filter(of).count(), 1, "{hash}");
    }
}

#[test]
fn one_that_cannot_be_had_stops_no_other_and_its_exit_code_counts() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let missing = stage.folder().join("missing.torrent");
    let told = run(stage.get(&[&missing.to_string_lossy(), "--peer", &seed]));
    assert_exit(&told, 2);
    assert!(stage.downloaded() == stage.payload);
    let words = text(&told.stderr);
    assert!(words.contains("missing.torrent: "), "{words}");
    assert!(words.contains("ccbt: 1 of 2 torrents failed\n"), "{words}");

    let alien = alien(&stage, "alien.torrent", "alien.bin");
    let more = [&*alien.to_string_lossy(), "--peer", &seed, "--stop-timeout", "1s"];
    let told = run(stage.get(&more));
    assert_exit(&told, 3);
    assert!(text(&told.stdout).contains("payload.bin: complete already\n"));
    let words = text(&told.stderr);
    assert!(words.contains("no payload for ") && words.contains("of alien.bin"), "{words}");
}

#[test]
fn a_link_and_a_torrent_that_are_the_same_are_fetched_once() {
    let stage = Stage::new(None);
    let peer = stage.seed();
    let link = format!("magnet:?xt=urn:btih:{}&x.pe={peer}", stage.info_hash());
    for (torrent, more) in [
        (link.clone(), stage.torrent().to_string_lossy().into_owned()),
        (stage.torrent().to_string_lossy().into_owned(), link),
    ] {
        let told = run(stage.get_from(&torrent, &[&more]));
        assert_exit(&told, 0);
        assert!(stage.downloaded() == stage.payload);
        let words = text(&told.stdout);
        assert!(words.contains("payload.bin: given more than once, fetched once\n"), "{words}");
        fs::remove_dir_all(stage.output()).expect("a folder");
    }
}

#[test]
fn a_torrent_with_the_same_path_as_another_is_refused() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let alien = alien(&stage, "alien.torrent", "payload.bin");
    let told = run(stage.get(&[&alien.to_string_lossy(), "--peer", &seed]));
    assert_exit(&told, 2);
    let words = text(&told.stderr);
    let expected = format!("payload.bin belongs to {}, which is here, too", stage.info_hash());
    assert!(words.contains(&expected), "{words}");
    assert!(stage.downloaded() == stage.payload);
}

#[test]
fn what_is_listed_of_several_stands_below_their_names() {
    let stage = Stage::new(None);
    let (torrent, _) = stage.other();
    let told = run(stage.get(&[&torrent.to_string_lossy(), "--list"]));
    assert_exit(&told, 0);
    let expected = "payload.bin\n0   293 KiB  payload.bin\n\nother.bin\n0   293 KiB  other.bin\n";
    assert_eq!(text(&told.stdout), expected);
}

#[test]
fn files_are_chosen_of_each_torrent() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let (torrent, _) = stage.other();
    let more = [&*torrent.to_string_lossy(), "--files", "payload*", "--peer", &seed];
    let told = run(stage.get(&more));
    assert_exit(&told, 2);
    let words = text(&told.stderr);
    assert!(words.contains("other.bin: --files payload*: no file is meant by it"), "{words}");
    assert!(stage.downloaded() == stage.payload, "the other has one");
}

#[test]
fn a_signal_ends_all_and_tells_how_many_are_complete() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let alien = alien(&stage, "alien.torrent", "alien.bin");
    let mut get = Running::start(stage.get(&[&alien.to_string_lossy(), "--peer", &seed]));
    get.wait_for("finished");
    get.wait_for("stopped");
    let told = get.end_by("-TERM");
    assert_exit(&told, 143);
    let words = text(&told.stderr);
    assert!(words.contains("ccbt: terminated; 1 of 2 torrents are complete"), "{words}");
}

#[test]
fn those_that_are_complete_already_ask_nobody() {
    let stage = Stage::new(None);
    let (torrent, content) = stage.other();
    fs::create_dir(stage.output()).expect("a folder");
    fs::write(stage.output().join("payload.bin"), &stage.payload).expect("a file");
    fs::write(stage.output().join("other.bin"), content).expect("a file");
    let told = run(stage.get(&[&torrent.to_string_lossy()]));
    assert_exit(&told, 0);
    let words = text(&told.stdout);
    for line in ["payload.bin: complete already\n", "other.bin: complete already\n"] {
        assert!(words.contains(line), "{line} is not in\n{words}");
    }
}
