//! What the fuzzer found worth keeping is read again, on every compiler: see `cargo xtask fuzz`.

use std::path::Path;

#[path = "../src/corpus.rs"]
mod corpus;
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the fuzzer's own crate has it public")]
mod targets;

use corpus::replay;

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
