//! What is done with hostile bytes, one function a target: each takes any bytes and panics if a promise is
//! broken. The fuzzer calls them, and so does `tests/corpora.rs` with the corpora, on a stable compiler.

mod feed;
mod files;
mod session;
mod swarm;

pub use files::{addresses, blocklist, dht_nodes};
pub use session::session;
pub use swarm::swarm;

/// What people are shown of a stranger's bytes is one line that moves no cursor.
fn assert_shows_well(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}
