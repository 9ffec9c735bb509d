//! What is known of addresses is kept from run to run.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use crate::support::{Running, Stage, assert_exit, run, text};

fn file(stage: &Stage) -> PathBuf {
    stage.state().join("ccbt/addresses").join(stage.info_hash())
}

fn forget_content(stage: &Stage) {
    fs::remove_dir_all(stage.output()).expect("a folder");
}

#[test]
fn a_good_address_is_dialed_by_the_next_run() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    assert_exit(&run(stage.get(&["--peer", &seed])), 0);
    let kept = fs::read_to_string(file(&stage)).expect("a file");
    assert!(kept.contains(&format!("peer {seed} dialable good")), "{kept}");
    forget_content(&stage);
    assert_exit(&run(stage.get(&[])), 0);
    assert!(stage.downloaded() == stage.payload);
}

#[test]
fn nothing_is_read_or_written_if_that_is_not_wanted() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    assert_exit(&run(stage.get(&["--no-state", "--peer", &seed])), 0);
    assert!(!stage.state().exists());
    forget_content(&stage);
    assert_exit(&run(stage.get(&["--peer", &seed])), 0);
    forget_content(&stage);
    assert_exit(&run(stage.get(&["--no-state", "--stop-timeout", "1s"])), 3);
}

#[test]
fn a_seed_keeps_what_it_learns_when_it_is_ended() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let nobody = stage.nobody().to_string();
    let mut seed = Running::start(stage.share(&["--peer", &nobody]));
    seed.wait_for("dial_failed");
    assert_exit(&seed.end_by("-TERM"), 143);
    let kept = fs::read_to_string(file(&stage)).expect("a file");
    assert!(kept.contains(&format!("peer {nobody} ")), "{kept}");
}

#[test]
fn a_broken_file_is_set_aside_and_said() {
    let stage = Stage::new(None);
    let file = file(&stage);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, "\0\0\0").expect("a file");
    let seed = stage.seed().to_string();
    let output = run(stage.get(&["--peer", &seed]));
    assert_exit(&output, 0);
    let told = text(&output.stdout);
    assert!(told.contains("not a file of addresses; it is set aside as "), "{told}");
    assert_eq!(fs::read(file.with_extension("broken")).expect("a file"), b"\0\0\0");
    assert!(fs::read_to_string(file).expect("a new file").contains(&seed));
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_no_failure() {
    let stage = Stage::new(None);
    fs::write(stage.state(), "no folder").expect("a file");
    let output = run(stage.get(&["--peer", &stage.seed().to_string()]));
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
    let told = text(&output.stdout);
    assert!(told.contains(&format!("{}: ", file(&stage).display())), "{told}");
}

#[test]
fn a_look_reads_what_is_known_and_writes_nothing() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    assert_exit(&run(stage.get(&["--peer", &seed])), 0);
    forget_content(&stage);
    let before = fs::read(file(&stage)).expect("a file");
    let output = run(stage.doctor(&["--for", "3s"]));
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains(&seed));
    assert!(fs::read(file(&stage)).expect("a file") == before);
    assert_exit(&run(stage.doctor(&["--for", "100ms", "--no-state"])), 3);
}

#[test]
fn a_resume_state_that_cannot_be_written_is_told_once_on_standard_error_and_in_the_events() {
    let stage = Stage::new(None);
    fs::create_dir_all(stage.state().join("ccbt")).expect("a folder");
    fs::write(stage.state().join("ccbt/resume"), "no folder").expect("a file");
    let events = stage.folder().join("events");
    let more = ["--peer", &stage.seed().to_string(), "-q", "--events", &events.to_string_lossy()];
    let output = run(stage.get(&more));
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
    let (told, told_twice) = (text(&output.stderr), "the next run will check more than it had to");
    assert_eq!(told.matches(told_twice).count(), 1, "{told}");
    assert!(told.contains("ccbt/resume"), "{told}");
    let events = fs::read_to_string(events).expect("events");
    assert_eq!(events.matches("\"state_failed\"").count(), 1, "{events}");
}
