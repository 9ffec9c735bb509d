//! Metadata from peers (BEP 9): the `info` dictionary in blocks of 16 KiB.

#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::BLOCK_LEN;
use crate::bencode::{BencodeError, Dict, Owned, Value};
use crate::metainfo::MAX_METAINFO_LEN;

/// The name of the extension in the extension handshake.
pub const UT_METADATA: &str = "ut_metadata";
/// Greatest `info` dictionary that is taken from peers, in bytes: that of the greatest metainfo file.
// It fits 32 bits, as the test below shows.
#[expect(clippy::cast_possible_truncation, reason = "10 MiB")]
pub const MAX_METADATA_LEN: u32 = MAX_METAINFO_LEN as u32;
/// Longest dictionary in front of a block. Ours have fewer than 60 bytes.
const MAX_HEAD: usize = 1024;

/// The payload of an extended message for which both sides agreed on `ut_metadata`.
///
/// A block has [`BLOCK_LEN`] bytes; the last may be short.
///
/// ```
/// use ccbt_wire::MetadataMessage;
///
/// let request = MetadataMessage::Request { piece: 3 };
/// assert_eq!(request.encode(), b"d8:msg_typei0e5:piecei3ee");
/// assert_eq!(MetadataMessage::parse(&request.encode().into())?, Some(request));
/// # Ok::<(), ccbt_wire::MetadataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataMessage {
    /// The sender wants this block.
    Request {
        /// The block, counted from 0.
        piece: u32,
    },
    /// A block.
    Data {
        /// The block, counted from 0.
        piece: u32,
        /// Bytes of the whole dictionary, as the sender says.
        total_size: u32,
        /// The bytes of the block, at most 16 KiB.
        data: Bytes,
    },
    /// The sender does not give this block.
    Reject {
        /// The block, counted from 0.
        piece: u32,
    },
}

/// Why a payload is no message of `ut_metadata`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not bencode, or more of it than any such message has.
    #[error("not bencode: {0}")]
    Bencode(#[from] BencodeError),
    /// Bencode, but no dictionary.
    #[error("not a dictionary")]
    NotADictionary,
    /// A number that the message needs is absent, negative or too large.
    #[error("no usable {0:?}")]
    Missing(&'static str),
    /// More bytes than a block has.
    #[error("a block of {length} bytes, the most are {BLOCK_LEN}")]
    TooLong {
        /// Bytes behind the dictionary.
        length: usize,
    },
}

impl MetadataMessage {
    /// Reads the payload of an extended message. `None` for a type of message that BEP 9 does not know, which
    /// is to be ignored.
    ///
    /// # Errors
    /// If it is not one dictionary with the numbers that its type needs, and at most a block behind it.
    pub fn parse(payload: &Bytes) -> Result<Option<Self>, MetadataError> {
        let head = &payload[..payload.len().min(MAX_HEAD)];
        let (root, _) = Value::parse_prefix(head)?;
        let data = payload.slice(root.raw().len()..);
        let root = root.as_dict().ok_or(MetadataError::NotADictionary)?;
        let kind = number(root, "msg_type")?;
        if kind > 2 {
            return Ok(None);
        }
        let piece = number(root, "piece")?;
        Ok(Some(match kind {
            0 => Self::Request { piece },
            1 if data.len() > BLOCK_LEN as usize => {
                return Err(MetadataError::TooLong { length: data.len() });
            }
            1 => Self::Data { piece, total_size: number(root, "total_size")?, data },
            _ => Self::Reject { piece },
        }))
    }

    /// The payload of the extended message.
    pub fn encode(&self) -> Vec<u8> {
        let head = |kind: u32, piece: u32| vec![("msg_type", kind.into()), ("piece", piece.into())];
        match self {
            Self::Request { piece } => Owned::dict(head(0, *piece)).encode(),
            Self::Reject { piece } => Owned::dict(head(2, *piece)).encode(),
            Self::Data { piece, total_size, data } => {
                let mut entries = head(1, *piece);
                entries.push(("total_size", (*total_size).into()));
                let mut out = Owned::dict(entries).encode();
                out.extend_from_slice(data);
                out
            }
        }
    }
}

/// How many blocks a dictionary of so many bytes has.
#[must_use]
pub const fn metadata_blocks(size: u32) -> u32 {
    size.div_ceil(BLOCK_LEN)
}

/// Bytes of a block of a dictionary of `size` bytes; 0 if it has no such block.
#[must_use]
pub const fn metadata_block_len(size: u32, piece: u32) -> u32 {
    let left = size.saturating_sub(piece.saturating_mul(BLOCK_LEN));
    if left < BLOCK_LEN { left } else { BLOCK_LEN }
}

fn number(root: Dict<'_>, key: &'static str) -> Result<u32, MetadataError> {
    let number = root.get(key).and_then(|value| u32::try_from(value.as_int()?).ok());
    number.ok_or(MetadataError::Missing(key))
}
