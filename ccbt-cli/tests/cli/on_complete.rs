//! `--on-complete` runs a command of the person's, once, with the torrent in its environment.
#![cfg(unix)]

use std::fs;
use std::process::Command;

use crate::support::{Running, Stage, assert_exit, run, text};

#[test]
fn the_command_finds_the_torrent_in_its_environment() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let found = stage.folder().join("found");
    let same = stage.file("same", "");
    fs::write(&same, &stage.payload).expect("a file");
    let command = "printf '%s\\n' \"$CCBT_NAME\" \"$CCBT_PATH\" $CCBT_INFO_HASH $CCBT_FILES \
                   $CCBT_BYTES > \"$FOUND\"; cmp \"$CCBT_PATH\" \"$SAME\"; echo told";
    let mut get = stage.get(&["--peer", &seed, "--on-complete", command]);
    get.env("FOUND", &found).env("SAME", &same);
    let told = run(get);
    assert_exit(&told, 0);
    let path = stage.output().join("payload.bin");
    let expected = format!("payload.bin\n{}\n{}\n1\n300001\n", path.display(), stage.info_hash());
    assert_eq!(fs::read_to_string(found).expect("a file"), expected);
    assert_eq!(text(&told.stderr), "told\n", "what the command says is no part of our output");
}

#[test]
fn a_command_that_fails_costs_the_exit_code_and_not_the_download() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let told = run(stage.get(&["--peer", &seed, "--on-complete", "exit 3"]));
    assert_exit(&told, 1);
    assert!(text(&told.stdout).contains("\ndone: 293 KiB in "));
    assert_eq!(text(&told.stderr), "ccbt: --on-complete: exit status: 3\n");
    assert!(stage.downloaded() == stage.payload);
    // What is complete already is no news.
    assert_exit(&run(stage.get(&["--on-complete", "exit 3"])), 0);
}

#[test]
fn the_command_runs_while_the_torrent_is_seeded() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let pipe = stage.folder().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let command = format!("echo ran > {}; exit 5", pipe.display());
    let more = ["--peer", &seed, "--seed-time", "1h", "--on-complete", &command];
    let mut get = Running::start(stage.get(&more));
    get.wait_for("finished");
    assert_eq!(fs::read_to_string(&pipe).expect("a pipe"), "ran\n");
    let told = get.end_by("-INT");
    assert_exit(&told, 130);
}

#[test]
fn a_command_that_fails_while_the_torrent_is_seeded_is_told_once() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    let more = ["--peer", &seed, "--seed-time", "2s", "--on-complete", "exit 5"];
    let told = run(stage.get(&more));
    assert_exit(&told, 1);
    let words = text(&told.stderr);
    assert_eq!(words.matches("exit status: 5").count(), 1, "{words}");
    let last = words.lines().last().expect("a line");
    assert!(last.starts_with("ccbt: seeded: ") && last.contains("; --on-complete"), "{last}");
}

#[test]
fn each_of_several_torrents_has_its_own_run() {
    let stage = Stage::new(None);
    let (torrent, content) = stage.other();
    stage.put("payload.bin", &stage.payload);
    stage.put("other.bin", &content);
    let torrent = torrent.to_string_lossy();
    let mut seed = Running::start(stage.share(&[&torrent]));
    let addr = seed.addr();
    let command = "test $CCBT_NAME = other.bin && exit 6; echo $CCBT_NAME";
    let told = run(stage.get(&[&torrent, "--peer", &addr, "--on-complete", command]));
    assert_exit(&told, 1);
    let words = text(&told.stderr);
    for line in [
        "payload.bin\n",
        "ccbt: other.bin: --on-complete: exit status: 6\n",
        "ccbt: 1 of 2 torrents failed\n",
    ] {
        assert!(words.contains(line), "{line} is not in\n{words}");
    }
    assert!(stage.downloaded() == stage.payload);
}
