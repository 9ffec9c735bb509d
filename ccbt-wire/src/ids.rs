//! Identifiers and small numbers that must not be mixed up.

mod client;

use crate::hex::{self, HexError};
use std::fmt;
use std::str::FromStr;

/// Bytes in a block, the unit that is requested: 16 KiB. Only the last block of a torrent is shorter.
pub const BLOCK_LEN: u32 = 16 * 1024;

/// SHA-1 over the raw bytes of a torrent's `info` dictionary: the swarm's name (BEP 3).
///
/// Shown as, and parsed from, 40 hexadecimal digits.
///
/// ```
/// use ccbt_wire::InfoHash;
///
/// let hash: InfoHash = "d0d14c926e6e99761a2fdcff27b403d96376eff6".parse()?;
/// assert_eq!(hash.0[0], 0xd0);
/// assert_eq!(hash.to_string(), "d0d14c926e6e99761a2fdcff27b403d96376eff6");
/// # Ok::<(), ccbt_wire::ParseInfoHashError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoHash(pub [u8; 20]);

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHash({self})")
    }
}

impl From<[u8; 20]> for InfoHash {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

/// Why a text is not an [`InfoHash`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseInfoHashError {
    /// The text does not have 40 characters.
    #[error("an info hash has 40 hexadecimal digits, not {length}")]
    Length {
        /// Bytes of the text.
        length: usize,
    },
    /// A character is no hexadecimal digit.
    #[error("an info hash is hexadecimal: the character at {at} is not")]
    Digit {
        /// Position of the first wrong byte.
        at: usize,
    },
}

impl FromStr for InfoHash {
    type Err = ParseInfoHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match hex::decode(text) {
            Ok(hash) => Ok(Self(hash)),
            Err(HexError::Length(length)) => Err(ParseInfoHashError::Length { length }),
            Err(HexError::Digit(at)) => Err(ParseInfoHashError::Digit { at }),
        }
    }
}

/// What a peer calls itself: 20 bytes, by custom with the client's code and version (BEP 3, BEP 20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

impl PeerId {
    /// The client's name and version, read from the id by the customs of BEP 20.
    ///
    /// `None` if the id follows none of them. The text is short and printable, whatever the peer sent.
    ///
    /// ```
    /// use ccbt_wire::PeerId;
    ///
    /// assert_eq!(PeerId(*b"-qB4520-abcdefghijkl").client().as_deref(), Some("qBittorrent 4.5.2"));
    /// ```
    pub fn client(&self) -> Option<String> {
        client::client(&self.0)
    }
}

impl fmt::Display for PeerId {
    /// The id with every byte that is not printable ASCII escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

impl From<[u8; 20]> for PeerId {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

/// The number of a piece, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceIndex(pub u32);

impl PieceIndex {
    /// The number as an index into a slice.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for PieceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u32> for PieceIndex {
    fn from(index: u32) -> Self {
        Self(index)
    }
}

/// A run of bytes within one piece: what REQUEST, PIECE, CANCEL and REJECT speak of (BEP 3, BEP 6).
///
/// As it comes from the wire it may lie outside the torrent: see [`Metainfo::contains`](crate::Metainfo::contains).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// The piece.
    pub piece: PieceIndex,
    /// Bytes from the piece's start.
    pub begin: u32,
    /// Bytes of payload.
    pub length: u32,
}

impl fmt::Display for Block {
    /// `piece 7, 16384 bytes at 32768`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "piece {}, {} bytes at {}", self.piece, self.length, self.begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_hash_survives_its_text() {
        let hash = InfoHash(std::array::from_fn(|i| u8::try_from(i * 13).unwrap()));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        assert_eq!(format!("{hash:?}"), format!("InfoHash({hash})"));
    }

    #[test]
    fn a_text_that_is_no_info_hash_names_its_fault() {
        assert_eq!("abc".parse::<InfoHash>(), Err(ParseInfoHashError::Length { length: 3 }));
        let text = format!("{}g{}", "0".repeat(7), "0".repeat(32));
        assert_eq!(text.parse::<InfoHash>(), Err(ParseInfoHashError::Digit { at: 7 }));
        // 40 bytes, but not 40 characters.
        assert!("é".repeat(20).parse::<InfoHash>().is_err());
    }

    #[test]
    fn a_peer_id_is_shown_without_control_characters() {
        let id = PeerId(*b"-XX\x1b[2J\n\0\xff0123456789");
        assert!(id.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}
