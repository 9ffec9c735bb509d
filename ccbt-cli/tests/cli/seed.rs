//! `ccbt seed` gives what is right, on one port, until it is enough; `get` seeds on if asked to.
#![cfg(unix)]

use std::fs;

use crate::support::{Running, Stage, assert_exit, ccbt, run, text};

#[test]
fn what_one_gives_another_gets_until_sigterm() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let mut seed = Running::start(stage.share(&[]));
    let addr = seed.addr();
    assert_exit(&run(stage.get(&["--peer", &addr])), 0);
    assert!(stage.downloaded() == stage.payload);
    let output = seed.end_by("-TERM");
    assert_exit(&output, 143);
    let told = text(&output.stderr);
    assert!(told.contains("ccbt: terminated; 293 KiB sent, ratio 1.00"), "{told}");
}

#[test]
fn sigint_ends_with_130() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let mut seed = Running::start(stage.share(&[]));
    seed.addr();
    assert_exit(&seed.end_by("-INT"), 130);
}

#[test]
fn two_torrents_share_one_port_and_their_events_tell_them_apart() {
    let stage = Stage::new(None);
    let (torrent, content) = stage.other();
    stage.put("payload.bin", &stage.payload);
    stage.put("other.bin", &content);
    let torrent = torrent.to_string_lossy();
    let mut seed = Running::start(stage.share(&[&torrent]));
    let (first, second) = (seed.wait_for("started"), seed.wait_for("started"));
    assert_eq!(first["listen"], second["listen"]);
    assert_ne!(first["info_hash"], second["info_hash"]);
    assert_eq!(first["info_hash"].as_str().map(str::len), Some(40));
    let addr = first["listen"].as_str().expect("an address");
    assert_exit(&run(stage.get(&["--peer", addr])), 0);
    assert_exit(&run(stage.get_from(&torrent, &["--peer", addr])), 0);
    assert!(stage.downloaded() == stage.payload);
    assert!(fs::read(stage.output().join("other.bin")).expect("a file") == content);
    let output = seed.end_by("-TERM");
    assert_exit(&output, 143);
    let told = text(&output.stderr);
    assert!(told.contains("586 KiB sent, ratio 1.00"), "both are in the sum: {told}");
}

#[test]
fn wrong_content_is_refused_in_the_words_of_verify() {
    let stage = Stage::new(None);
    let mut wrong = stage.payload.clone();
    wrong[40_000] ^= 1;
    stage.put("payload.bin", &wrong);
    let output = run(stage.share(&["--seed-time", "1ms"]));
    assert_exit(&output, 1);
    let told = text(&output.stdout);
    assert!(told.contains("wrong      payload.bin: bad pieces: 2"), "{told}");
    let told = text(&output.stderr);
    assert!(told.contains("1 wrong and 0 missing of 19 pieces"), "{told}");
    assert!(fs::read(stage.data().join("payload.bin")).expect("a file") == wrong);
}

#[test]
fn one_wrong_torrent_of_two_is_refused_as_well() {
    let stage = Stage::new(None);
    let (torrent, _) = stage.other();
    stage.put("payload.bin", &stage.payload);
    let output = run(stage.share(&[&torrent.to_string_lossy(), "--seed-time", "1ms"]));
    assert_exit(&output, 1);
    assert!(text(&output.stdout).contains("missing    other.bin"));
}

#[test]
fn trust_reads_nothing_and_still_wants_every_byte_to_be_there() {
    let stage = Stage::new(None);
    let mut wrong = stage.payload.clone();
    wrong[40_000] ^= 1;
    stage.put("payload.bin", &wrong);
    assert_exit(&run(stage.share(&["--trust", "--seed-time", "1ms"])), 0);

    stage.put("payload.bin", &stage.payload[..20_000]);
    let output = run(stage.share(&["--trust", "--seed-time", "1ms"]));
    assert_exit(&output, 1);
    let told = text(&output.stdout);
    let expected = "too short  payload.bin: length 20000, not 300001; bad pieces: 1-18";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn the_ratio_ends_it() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let mut seed = Running::start(stage.share(&["--seed-ratio", "1"]));
    let addr = seed.addr();
    assert_exit(&run(stage.get(&["--peer", &addr])), 0);
    let output = seed.end();
    assert_exit(&output, 0);
    let told = text(&output.stderr);
    assert!(told.contains("seeded: 293 KiB sent, ratio 1.00"), "{told}");
    assert!(!told.contains("dropped"), "who was served is no dead weight: {told}");
}

#[test]
fn a_torrent_at_its_ratio_leaves_and_the_others_stay() {
    let stage = Stage::new(None);
    let (torrent, content) = stage.other();
    stage.put("payload.bin", &stage.payload);
    stage.put("other.bin", &content);
    let torrent = torrent.to_string_lossy();
    let mut seed = Running::start(stage.share(&[&torrent, "--seed-ratio", "1"]));
    let first = seed.wait_for("started");
    let addr = first["listen"].as_str().expect("an address");
    assert_exit(&run(stage.get(&["--peer", addr])), 0);
    assert!(seed.wait_for("stopped")["info_hash"].is_string());
    assert_exit(&run(stage.get_from(&torrent, &["--peer", addr])), 0);
    let output = seed.end();
    assert_exit(&output, 0);
    assert!(text(&output.stderr).contains("payload.bin: seeded, 293 KiB sent, ratio 1.00"));
}

#[test]
fn the_time_ends_it_and_the_folder_is_as_before() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    assert_exit(&run(stage.share(&["--seed-time", "1ms"])), 0);
    let found: Vec<_> = fs::read_dir(stage.data())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(found, ["payload.bin"]);
}

#[test]
fn a_torrent_that_is_given_twice_is_refused() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let output = run(stage.share(&[&stage.torrent().to_string_lossy()]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("is given twice"));
}

#[test]
fn a_folder_that_is_missing_is_not_made() {
    let stage = Stage::new(None);
    assert_exit(&run(stage.share(&["--trust"])), 4);
    assert!(!stage.data().exists());
}

#[test]
fn get_seeds_on_until_its_ratio() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let mut first = Running::start(stage.get(&["--peer", &seed, "--seed-ratio", "1"]));
    let addr = first.addr();
    first.wait_for("finished");
    let mut second = ccbt();
    second.arg("get").arg(stage.torrent()).arg("-o").arg(stage.folder().join("second"));
    second.args(["--listen", "127.0.0.1:0", "--stop-timeout", "20s", "--peer", &addr]);
    assert_exit(&run(second), 0);
    let output = first.end();
    assert_exit(&output, 0);
    let told = text(&output.stderr);
    let done = told.find("done: 293 KiB").expect("the download's end");
    let seeded = told.find("seeded: 293 KiB sent, ratio 1.00").expect("the seeding's end");
    assert!(done < seeded, "{told}");
}

#[test]
fn get_seeds_on_what_is_complete_already() {
    let stage = Stage::new(None);
    fs::create_dir(stage.output()).expect("a folder");
    fs::write(stage.output().join("payload.bin"), &stage.payload).expect("a file");
    let mut get = Running::start(stage.get(&["--seed-time", "1ms"]));
    get.addr();
    get.wait_for("finished");
    let output = get.end();
    assert_exit(&output, 0);
    let told = text(&output.stderr);
    assert!(told.contains("complete already") && told.contains("seeded: 0 B sent"), "{told}");
}

#[test]
fn get_that_is_interrupted_while_it_seeds_says_that_it_is_complete() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let mut get = Running::start(stage.get(&["--peer", &seed, "--seed-time", "1h"]));
    get.wait_for("finished");
    let output = get.end_by("-INT");
    assert_exit(&output, 130);
    let told = text(&output.stderr);
    assert!(told.contains("interrupted; payload.bin is complete, 0 B sent, ratio 0.00"), "{told}");
}
