//! What the fuzzer found worth keeping is read again, on every compiler: see `cargo xtask fuzz`.

use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the fuzzer's own crate has it public")]
mod targets;

fn replay(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = corpus.read_dir().expect("a corpus");
    let mut replayed = 0;
    for file in files {
        let file = file.expect("an entry").path();
        println!("{}", file.display());
        body(&std::fs::read(&file).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
    // What no corpus has to say.
    body(b"");
}

#[test]
fn the_corpus_of_bencode_does_no_harm() {
    replay("bencode", targets::bencode);
}

#[test]
fn the_corpus_of_metainfo_does_no_harm() {
    replay("metainfo", targets::metainfo);
}

#[test]
fn the_corpus_of_magnet_links_does_no_harm() {
    replay("magnet", targets::magnet);
}

#[test]
fn the_corpus_of_handshakes_does_no_harm() {
    replay("handshake", targets::handshake);
}

#[test]
fn the_corpus_of_message_streams_does_no_harm() {
    replay("message_stream", targets::message_stream);
}

#[test]
fn the_corpus_of_extension_handshakes_does_no_harm() {
    replay("extension_handshake", targets::extension_handshake);
}

#[test]
fn the_corpus_of_metadata_does_no_harm() {
    replay("ut_metadata", targets::ut_metadata);
}

#[test]
fn the_corpus_of_peer_exchange_does_no_harm() {
    replay("ut_pex", targets::ut_pex);
}

#[test]
fn the_corpus_of_http_trackers_does_no_harm() {
    replay("tracker_http", targets::tracker_http);
}

#[test]
fn the_corpus_of_udp_trackers_does_no_harm() {
    replay("tracker_udp", targets::tracker_udp);
}

#[test]
fn the_corpus_of_local_announces_does_no_harm() {
    replay("local_announce", targets::local_announce);
}

#[test]
fn every_target_has_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for target in fuzz.join("fuzz_targets").read_dir().expect("the targets") {
        let target = target.expect("an entry").path();
        let name = target.file_stem().expect("a name");
        assert!(fuzz.join("corpus").join(name).is_dir(), "{} has no corpus", name.display());
    }
}
