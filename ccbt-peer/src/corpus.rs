//! What the fuzzer found worth keeping, for tests that read it again on every compiler: see `cargo xtask fuzz`.

use std::path::Path;

/// Gives `body` each input that is kept for the target, and nothing at all at the end.
pub(crate) fn replay(target: &str, mut body: impl FnMut(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut replayed = 0;
    for file in corpus.read_dir().expect("a corpus") {
        let file = file.expect("an entry").path();
        println!("{}", file.display());
        body(&std::fs::read(&file).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
    // What no corpus has to say.
    body(b"");
}
