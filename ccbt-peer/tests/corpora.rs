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
fn the_corpus_of_remembered_addresses_does_no_harm() {
    replay("addresses", targets::addresses);
}

#[test]
fn the_corpus_of_blocklists_does_no_harm() {
    replay("blocklist", targets::blocklist);
}

#[test]
fn the_corpus_of_remembered_dht_nodes_does_no_harm() {
    replay("dht_nodes", targets::dht_nodes);
}

#[test]
fn the_corpus_of_whole_sessions_does_no_harm() {
    replay("session", targets::session);
}

#[test]
fn the_corpus_of_whole_swarms_does_no_harm() {
    replay("swarm", targets::swarm);
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
