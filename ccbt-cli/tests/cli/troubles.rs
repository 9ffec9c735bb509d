//! What a tracker complains of is shown without being asked for, once.

use crate::support::{Stage, run, text};

/// What `ccbt get` says when its tracker answers so.
fn said(answer: &[u8], more: &[&str]) -> String {
    let stage = Stage::new(None);
    let tracker = stage.serve(answer.to_vec());
    std::fs::write(stage.torrent(), stage.metainfo_bytes(Some(tracker))).expect("a torrent");
    let mut arguments = vec!["--stop-timeout", "1s"];
    arguments.extend(more);
    text(&run(stage.get(&arguments)).stdout)
}

#[test]
fn a_failure_that_the_tracker_names_is_shown() {
    let out = said(b"d14:failure reason9:no such te", &[]);
    assert_eq!(out.matches("no such t").count(), 1, "{out}");
}

#[test]
fn a_warning_of_the_tracker_is_shown() {
    let answer = b"d8:intervali60e5:peers0:15:warning message7:carefule";
    let out = said(answer, &[]);
    assert_eq!(out.matches("careful").count(), 1, "{out}");
    assert_eq!(said(answer, &["-q"]).matches("careful").count(), 0);
}
