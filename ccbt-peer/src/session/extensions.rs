//! Which extensions we speak, and under which ids the peer wants them (BEP 10).

use ccbt_wire::{ExtensionHandshake, UT_METADATA, UT_PEX};

/// Takes a HAVE back (BEP 54).
const LT_DONTHAVE: &str = "lt_donthave";
/// What we send; our ids of what we also take count from 1.
const SENT: [&str; 3] = [UT_METADATA, UT_PEX, LT_DONTHAVE];
/// Our id of `ut_metadata`.
pub(super) const METADATA: u8 = 1;
/// Our id of `ut_pex`.
pub(super) const PEX: u8 = 2;

/// The peer's ids, in the order of ours; 0 is off. One byte each, as every connection has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Theirs([u8; SENT.len()]);

impl Theirs {
    /// Takes over what the handshake says. It may be repeated: what it does not name stays.
    pub(super) fn apply(&mut self, hello: &ExtensionHandshake) {
        for (name, id) in &hello.m {
            if let Some(at) = SENT.iter().position(|sent| sent == name) {
                self.0[at] = *id;
            }
        }
    }

    /// The id under which the peer wants `ut_metadata`; `None` if it does not speak it.
    pub(super) fn metadata(self) -> Option<u8> {
        Some(self.0[0]).filter(|id| *id != 0)
    }

    /// The same of `ut_pex`.
    pub(super) fn pex(self) -> Option<u8> {
        Some(self.0[1]).filter(|id| *id != 0)
    }

    /// The same of `lt_donthave`.
    pub(super) fn dont_have(self) -> Option<u8> {
        Some(self.0[2]).filter(|id| *id != 0)
    }
}

/// Whether peers are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    On,
    /// It may have been on, until it was known that the torrent is private.
    SwitchedOff,
    Never,
}

/// Our names and ids, as they stand in our handshake.
pub(super) fn ours(exchange: Exchange) -> Vec<(String, u8)> {
    let mut ours = vec![(UT_METADATA.to_owned(), METADATA)];
    match exchange {
        Exchange::On => ours.push((UT_PEX.to_owned(), PEX)),
        Exchange::SwitchedOff => ours.push((UT_PEX.to_owned(), 0)),
        Exchange::Never => {}
    }
    ours
}
