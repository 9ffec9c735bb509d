//! What lies there already is known by the next run, and nobody else works on it meanwhile.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use crate::support::{Running, Stage, assert_exit, ccbt, run, text};

/// The one resume state.
fn state(stage: &Stage) -> PathBuf {
    let folder = stage.state().join("ccbt/resume");
    let mut files =
        fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let state = files.next().expect("a state");
    assert_eq!(files.next(), None);
    state
}

/// Says nothing has to be read: 19 pieces of `payload.bin`.
const KNOWN: &str = "19 pieces known from an earlier run, 0 checked";

#[test]
fn what_an_earlier_run_fetched_is_not_read_again() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    assert_exit(&run(stage.get(&["--peer", &seed])), 0);
    let again = run(stage.get(&["-v"]));
    assert_exit(&again, 0);
    assert!(text(&again.stdout).contains(KNOWN), "{again:?}");
    let checked = run(stage.get(&["-v", "--check"]));
    assert_exit(&checked, 0);
    assert!(!text(&checked.stdout).contains("known"), "{checked:?}");
}

#[test]
fn a_state_that_cannot_be_used_is_one_line_and_no_failure() {
    let stage = Stage::new(None);
    let seed = stage.seed().to_string();
    assert_exit(&run(stage.get(&["--peer", &seed])), 0);
    fs::write(state(&stage), "what is this").expect("a file");
    let again = run(stage.get(&[]));
    assert_exit(&again, 0);
    let expected =
        format!("{}: it is no resume state; everything is checked", state(&stage).display());
    assert_eq!(
        text(&again.stdout).lines().filter(|line| *line == expected).count(),
        1,
        "{again:?}"
    );
    assert!(text(&run(stage.get(&["-v"])).stdout).contains(KNOWN));
}

#[test]
fn a_check_corrects_what_is_remembered() {
    let stage = Stage::new(None);
    stage.put("payload.bin", &stage.payload);
    let verify = || {
        let mut verify = ccbt();
        verify.env("XDG_STATE_HOME", stage.state()).arg("verify").arg(stage.torrent());
        run({
            verify.arg("--data").arg(stage.data());
            verify
        })
    };
    assert_exit(&verify(), 0);
    let mut wrong = stage.payload.clone();
    wrong[100_000] ^= 1;
    let file = stage.data().join("payload.bin");
    let time = fs::metadata(&file).and_then(|about| about.modified()).expect("a time");
    fs::write(&file, &wrong).expect("a file");
    let same = fs::FileTimes::new().set_modified(time);
    fs::File::options()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_times(same))
        .expect("a time");
    // Nothing shows it, so nothing is read; then somebody asks.
    let mut seed = Running::start(stage.share(&[]));
    seed.wait_for("started");
    assert_exit(&seed.end_by("-TERM"), 143);
    assert_exit(&run(stage.share(&["--check"])), 1);
    assert_exit(&run(stage.share(&[])), 1);
}

#[test]
fn a_second_process_on_the_same_content_is_refused() {
    let stage = Stage::new(None);
    let nobody = stage.nobody().to_string();
    let mut first = Running::start(stage.get(&["--peer", &nobody]));
    first.wait_for("started");
    let second = run(stage.get(&[]));
    assert_exit(&second, 4);
    let folder = stage.output().display().to_string();
    let expected = format!("{folder}: another process has this torrent open here");
    assert!(text(&second.stderr).contains(&expected), "{second:?}");
    first.end_by("-KILL");
    let seed = stage.seed().to_string();
    assert_exit(&run(stage.get(&["--peer", &seed])), 0);
    let left: Vec<_> = fs::read_dir(stage.output()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
