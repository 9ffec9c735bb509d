//! How long the messages of a peer may be.

use crate::message::decode::Shape;
use crate::message::id;

/// The longest message before the metainfo is known, and the least cap after: 1 MiB, so that extension
/// messages (metadata, peer exchange) fit with room to spare.
const MAX_MESSAGE: u32 = 1 << 20;

/// Clients ask for 16 KiB; some old ones for as much as this.
const MAX_BLOCK: u32 = 128 * 1024;

/// Caps for the lengths that a peer announces. Messages of a fixed size need none: they have it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// Greatest length prefix of a message that is not PIECE, in bytes (the id counts).
    pub max_message: u32,
    /// Greatest payload of a PIECE message, in bytes.
    pub max_block: u32,
    /// Exact payload of a BITFIELD message, in bytes, if the torrent is known. It stands above
    /// `max_message`.
    pub bitfield_len: Option<u32>,
}

impl Limits {
    /// While the number of pieces is unknown: messages up to 1 MiB, blocks up to 128 KiB.
    pub const fn before_metainfo() -> Self {
        Self { max_message: MAX_MESSAGE, max_block: MAX_BLOCK, bitfield_len: None }
    }

    /// For a torrent of so many pieces: its bitfield has exactly `ceil(pieces / 8)` bytes; other messages
    /// up to that or 1 MiB, whichever is more, blocks up to 128 KiB.
    pub const fn for_pieces(pieces: u32) -> Self {
        let bitfield = pieces.div_ceil(8);
        let max_message = if bitfield < MAX_MESSAGE { MAX_MESSAGE } else { bitfield + 1 };
        Self { max_message, max_block: MAX_BLOCK, bitfield_len: Some(bitfield) }
    }
}

impl Limits {
    /// What the prefix alone can tell.
    pub(super) fn check_prefix(&self, length: u32) -> Result<(), DecodeError> {
        let limit = self.max_message.max(self.max_block.saturating_add(9));
        if length > limit {
            return Err(DecodeError::MessageTooLong { id: None, length, limit });
        }
        Ok(())
    }

    /// Whether a message of this id may have this length. `length` counts the id.
    pub(super) fn check(&self, shape: Shape, id: u8, length: u32) -> Result<(), DecodeError> {
        let payload = length - 1;
        let at_least = match shape {
            Shape::Fixed(size) if payload != size => {
                return Err(DecodeError::WrongLength { id, length, expected: size + 1 });
            }
            Shape::Fixed(_) => return Ok(()),
            Shape::Block if payload >= 8 => return self.check_block(payload - 8),
            Shape::Block => 8,
            Shape::Bitfield => {
                if let Some(expected) = self.bitfield_len
                    && payload != expected
                {
                    return Err(DecodeError::BitfieldLength { length: payload, expected });
                }
                0
            }
            Shape::Body { at_least } => at_least,
        };
        if payload < at_least {
            return Err(DecodeError::MessageTooShort { id, length, at_least: at_least + 1 });
        }
        let limit = self.max_message;
        // The exact length of a bitfield stands above the cap.
        if length > limit && (id != id::BITFIELD || self.bitfield_len.is_none()) {
            return Err(DecodeError::MessageTooLong { id: Some(id), length, limit });
        }
        Ok(())
    }

    fn check_block(&self, length: u32) -> Result<(), DecodeError> {
        match length {
            0 => Err(DecodeError::EmptyBlock),
            _ if length > self.max_block => {
                Err(DecodeError::BlockTooLong { length, limit: self.max_block })
            }
            _ => Ok(()),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::before_metainfo()
    }
}

/// The rule of the stream that a peer broke. Lengths of messages count the id, not the prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A message is longer than [`Limits::max_message`], or its prefix is beyond every limit.
    #[error("a message{} of {length} bytes is over the limit of {limit}", with_id(*id))]
    MessageTooLong {
        /// The id, if the prefix alone was not enough to refuse it.
        id: Option<u8>,
        /// Announced bytes.
        length: u32,
        /// Allowed bytes.
        limit: u32,
    },
    /// A message lacks fields that its id demands.
    #[error("a message with id {id} has at least {at_least} bytes, not {length}")]
    MessageTooShort {
        /// The id.
        id: u8,
        /// Announced bytes.
        length: u32,
        /// Least bytes for the id.
        at_least: u32,
    },
    /// A message whose size is fixed has another.
    #[error("a message with id {id} has {expected} bytes, not {length}")]
    WrongLength {
        /// The id.
        id: u8,
        /// Announced bytes.
        length: u32,
        /// Bytes for the id.
        expected: u32,
    },
    /// A bitfield does not fit the torrent.
    #[error("a bitfield of {length} bytes, the torrent's has {expected}")]
    BitfieldLength {
        /// Announced bytes of payload.
        length: u32,
        /// `ceil(pieces / 8)`.
        expected: u32,
    },
    /// A block is longer than [`Limits::max_block`].
    #[error("a block of {length} bytes is over the limit of {limit}")]
    BlockTooLong {
        /// Announced bytes of payload.
        length: u32,
        /// Allowed bytes.
        limit: u32,
    },
    /// A PIECE message without payload.
    #[error("a block without payload")]
    EmptyBlock,
}

fn with_id(id: Option<u8>) -> String {
    id.map_or_else(String::new, |id| format!(" with id {id}"))
}
