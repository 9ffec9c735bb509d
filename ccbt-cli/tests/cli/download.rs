//! A download ends with exit code 0 and the payload, byte for byte.

use std::fs;

use ccbt_peer::wire::tracker::AnnounceReply;

use crate::support::{Stage, assert_exit, run, text};

#[test]
fn a_given_peer_is_enough() {
    let stage = Stage::new(None);
    let seed = stage.seed();
    let output = run(stage.get(&["--peer", &seed.to_string()]));
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
    assert!(text(&output.stdout).contains("done: "));
    assert!(output.stderr.is_empty());
}

#[test]
fn torrent_and_peers_come_over_http() {
    let stage = Stage::new(None);
    let seed = stage.seed();
    let mut reply = AnnounceReply::default();
    reply.peers = vec![seed];
    let tracker = stage.serve(reply.encode());
    let web = stage.serve(stage.metainfo_bytes(Some(tracker)));
    let output = run(stage.get_from(&format!("http://{web}/a.torrent"), &[]));
    assert_exit(&output, 0);
    assert!(stage.downloaded() == stage.payload);
}

#[test]
fn a_url_with_no_server_behind_it_is_a_failure() {
    let stage = Stage::new(None);
    let port = stage.listen().local_addr().expect("an address").port();
    let output = run(stage.get_from(&format!("http://127.0.0.1:{port}/a.torrent"), &[]));
    assert_exit(&output, 1);
    assert!(text(&output.stderr).contains(&format!("http://127.0.0.1:{port}/a.torrent: ")));
}

#[test]
fn what_is_complete_already_asks_nobody() {
    let stage = Stage::new(None);
    fs::create_dir(stage.output()).expect("a folder");
    fs::write(stage.output().join("payload.bin"), &stage.payload).expect("a file");
    let output = run(stage.get(&[]));
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains("complete already"));
}

#[test]
fn half_a_payload_is_gone_on_with() {
    let stage = Stage::new(None);
    fs::create_dir(stage.output()).expect("a folder");
    let half = &stage.payload[..stage.payload.len() / 2];
    fs::write(stage.output().join("payload.bin"), half).expect("a file");
    let seed = stage.seed();
    assert_exit(&run(stage.get(&["--peer", &seed.to_string()])), 0);
    assert!(stage.downloaded() == stage.payload);
}

#[test]
fn a_quiet_download_says_nothing() {
    let stage = Stage::new(None);
    let seed = stage.seed();
    let output = run(stage.get(&["-q", "--peer", &seed.to_string()]));
    assert_exit(&output, 0);
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
}
