//! What is done with hostile bytes, one function a target: each takes any bytes and panics if a promise is
//! broken. The fuzzer calls them, and so does `tests/corpora.rs` with the corpora, on a stable compiler.

mod bencode;
mod extensions;
mod links;
mod streams;
mod torrents;
mod trackers;

pub use bencode::bencode;
pub use extensions::{extension_handshake, ut_metadata, ut_pex};
pub use links::magnet;
pub use streams::{handshake, message_stream};
pub use torrents::metainfo;
pub use trackers::{local_announce, tracker_http, tracker_udp};

/// What people are shown of a stranger's bytes is one line that moves no cursor.
fn assert_shows_well(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}
