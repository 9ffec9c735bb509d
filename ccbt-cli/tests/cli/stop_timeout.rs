//! A download that stands still ends with exit code 3, if that was asked for.

use std::net::SocketAddr;

use crate::support::{Stage, assert_exit, run, text};

#[test]
fn nobody_to_download_from_is_a_stall() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--stop-timeout", "100ms"]));
    assert_exit(&output, 3);
    assert!(text(&output.stderr).contains("--stop-timeout"));
}

#[test]
fn a_tracker_that_hangs_does_not_hold_up_the_stall() {
    let stage = Stage::new(None);
    let hanging = stage.listen();
    let tracker: SocketAddr = hanging.local_addr().expect("an address");
    std::fs::write(stage.torrent(), stage.metainfo_bytes(Some(tracker))).expect("a torrent");
    assert_exit(&run(stage.get(&["--stop-timeout", "100ms"])), 3);
}
