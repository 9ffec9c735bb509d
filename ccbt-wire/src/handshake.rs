//! The 68 bytes that open a connection (BEP 3), and what its reserved bits announce.

#[cfg(test)]
mod tests;

use crate::{InfoHash, PeerId};
use std::fmt;

const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";
const INFO_HASH_AT: usize = 28;
const PEER_ID_AT: usize = 48;

/// The eight reserved bytes of a handshake: which extensions the sender knows.
///
/// Only what *both* sides announce may be used.
///
/// ```
/// use ccbt_wire::Reserved;
///
/// let ours = Reserved::NONE.with_fast().with_extended();
/// assert_eq!(ours.to_bytes(), [0, 0, 0, 0, 0, 0x10, 0, 0x04]);
/// assert!(ours.fast() && !ours.dht());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reserved([u8; 8]);

impl Reserved {
    /// No extension.
    pub const NONE: Self = Self([0; 8]);

    /// With the fast extension (BEP 6).
    #[must_use]
    pub const fn with_fast(mut self) -> Self {
        self.0[7] |= 0x04;
        self
    }

    /// With the extension protocol (BEP 10).
    #[must_use]
    pub const fn with_extended(mut self) -> Self {
        self.0[5] |= 0x10;
        self
    }

    /// With a DHT node, so that PORT may be sent (BEP 5).
    #[must_use]
    pub const fn with_dht(mut self) -> Self {
        self.0[7] |= 0x01;
        self
    }

    /// Whether the sender knows the fast extension (BEP 6).
    pub const fn fast(self) -> bool {
        self.0[7] & 0x04 != 0
    }

    /// Whether the sender knows the extension protocol (BEP 10).
    pub const fn extended(self) -> bool {
        self.0[5] & 0x10 != 0
    }

    /// Whether the sender has a DHT node (BEP 5).
    pub const fn dht(self) -> bool {
        self.0[7] & 0x01 != 0
    }

    /// Whether the sender could upgrade a hybrid torrent to v2 (BEP 52).
    pub const fn v2(self) -> bool {
        self.0[7] & 0x10 != 0
    }

    /// As on the wire.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl From<[u8; 8]> for Reserved {
    fn from(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl From<Reserved> for [u8; 8] {
    fn from(reserved: Reserved) -> Self {
        reserved.0
    }
}

impl fmt::Debug for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reserved({:016x})", u64::from_be_bytes(self.0))
    }
}

/// A peer's handshake (BEP 3, peer protocol).
///
/// ```
/// use ccbt_wire::{Handshake, HandshakeDecoder, InfoHash, PeerId, Reserved};
///
/// let sent = Handshake {
///     reserved: Reserved::NONE.with_fast(),
///     info_hash: InfoHash([7; 20]),
///     peer_id: PeerId(*b"-CC0100-abcdefghijkl"),
/// };
/// let mut decoder = HandshakeDecoder::new();
/// let bytes = sent.to_bytes();
/// assert_eq!(decoder.feed(&mut &bytes[..50])?, None);
/// assert_eq!(decoder.info_hash(), Some(InfoHash([7; 20]))); // enough to answer
/// assert_eq!(decoder.feed(&mut &bytes[50..])?, Some(sent));
/// # Ok::<(), ccbt_wire::HandshakeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handshake {
    /// The extensions that the sender knows.
    pub reserved: Reserved,
    /// The torrent it speaks of.
    pub info_hash: InfoHash,
    /// What it calls itself.
    pub peer_id: PeerId,
}

impl Handshake {
    /// Bytes of a handshake.
    pub const LEN: usize = 68;

    /// As on the wire: protocol, reserved bytes, info hash, peer id.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..20].copy_from_slice(PROTOCOL);
        bytes[20..INFO_HASH_AT].copy_from_slice(&self.reserved.0);
        bytes[INFO_HASH_AT..PEER_ID_AT].copy_from_slice(&self.info_hash.0);
        bytes[PEER_ID_AT..].copy_from_slice(&self.peer_id.0);
        bytes
    }
}

/// Why bytes are no handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The stream does not begin with the protocol's name. It may be another protocol, or encrypted.
    #[error(
        "not the BitTorrent protocol: byte {at} of the handshake is {found:#04x}, not {expected:#04x}"
    )]
    NotBitTorrent {
        /// Position of the first byte that differs, 0 to 19.
        at: usize,
        /// The byte that came.
        found: u8,
        /// The byte that belongs there.
        expected: u8,
    },
}

/// Collects a handshake that arrives split at any byte.
///
/// It takes no byte beyond the handshake: what is glued to it stays in the caller's hand.
#[derive(Debug, Clone)]
pub struct HandshakeDecoder {
    bytes: [u8; Handshake::LEN],
    filled: usize,
}

impl Default for HandshakeDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl HandshakeDecoder {
    /// A decoder that has seen nothing.
    pub const fn new() -> Self {
        Self { bytes: [0; Handshake::LEN], filled: 0 }
    }

    /// Takes what it needs from `input` (68 bytes over all calls) and yields the handshake once, when it
    /// is whole. Later calls take nothing and return `None`.
    ///
    /// # Errors
    /// At the first byte that is not the protocol's; `input` then stands at that byte.
    pub fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Handshake>, HandshakeError> {
        if self.filled == Handshake::LEN {
            return Ok(None);
        }
        while let (Some(&expected), Some((&found, rest))) =
            (PROTOCOL.get(self.filled), input.split_first())
        {
            if found != expected {
                return Err(HandshakeError::NotBitTorrent { at: self.filled, found, expected });
            }
            self.bytes[self.filled] = found;
            self.filled += 1;
            *input = rest;
        }
        let (taken, rest) = input.split_at(input.len().min(Handshake::LEN - self.filled));
        self.bytes[self.filled..self.filled + taken.len()].copy_from_slice(taken);
        self.filled += taken.len();
        *input = rest;
        Ok((self.filled == Handshake::LEN).then(|| Handshake {
            reserved: Reserved(self.array(20)),
            info_hash: InfoHash(self.array(INFO_HASH_AT)),
            peer_id: PeerId(self.array(PEER_ID_AT)),
        }))
    }

    /// The info hash, as soon as its 48 bytes are in: some peers send their id only when they have seen
    /// our half.
    pub fn info_hash(&self) -> Option<InfoHash> {
        (self.filled >= PEER_ID_AT).then(|| InfoHash(self.array(INFO_HASH_AT)))
    }

    /// Bytes taken so far, 0 to 68.
    pub fn received(&self) -> usize {
        self.filled
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|i| self.bytes[at + i])
    }
}
