//! Which extensions we speak, and under which ids the peer wants them (BEP 10).

use ccbt_wire::{ExtensionHandshake, UT_METADATA};

/// What we speak; our ids count from 1.
const OURS: [&str; 1] = [UT_METADATA];
/// Our id of `ut_metadata`.
pub(super) const METADATA: u8 = 1;

/// The peer's ids, in the order of ours; 0 is off. One byte each, as every connection has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Theirs([u8; OURS.len()]);

impl Theirs {
    /// Takes over what the handshake says. It may be repeated: what it does not name stays.
    pub(super) fn apply(&mut self, hello: &ExtensionHandshake) {
        for (name, id) in &hello.m {
            if let Some(at) = OURS.iter().position(|ours| ours == name) {
                self.0[at] = *id;
            }
        }
    }

    /// The id under which the peer wants `ut_metadata`; `None` if it does not speak it.
    pub(super) fn metadata(self) -> Option<u8> {
        Some(self.0[0]).filter(|id| *id != 0)
    }
}

/// Our names and ids, as they stand in our handshake.
pub(super) fn ours() -> Vec<(String, u8)> {
    OURS.iter().zip(1..).map(|(name, id)| ((*name).to_owned(), id)).collect()
}
