//! What each id looks like on the wire, and bytes into messages.

use super::{Message, id};
use crate::{Block, PieceIndex};
use bytes::{Buf, Bytes};

/// What may follow an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Exactly so many bytes, at most 12.
    Fixed(u32),
    /// Piece, begin, then the payload of the block.
    Block,
    /// One bit per piece.
    Bitfield,
    /// Any number of bytes from this on.
    Body { at_least: u32 },
}

pub(crate) fn shape(id: u8) -> Shape {
    match id {
        id::CHOKE
        | id::UNCHOKE
        | id::INTERESTED
        | id::NOT_INTERESTED
        | id::HAVE_ALL
        | id::HAVE_NONE => Shape::Fixed(0),
        id::HAVE | id::SUGGEST | id::ALLOWED_FAST => Shape::Fixed(4),
        id::REQUEST | id::CANCEL | id::REJECT => Shape::Fixed(12),
        id::PORT => Shape::Fixed(2),
        id::PIECE => Shape::Block,
        id::BITFIELD => Shape::Bitfield,
        id::EXTENDED => Shape::Body { at_least: 1 },
        _ => Shape::Body { at_least: 0 },
    }
}

/// A message of fixed shape from the (zero-padded) bytes behind its id.
pub(crate) fn fixed(id: u8, payload: &[u8; 12]) -> Message {
    let word = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| payload[at + i]));
    let piece = PieceIndex(word(0));
    let block = Block { piece, begin: word(4), length: word(8) };
    match id {
        id::CHOKE => Message::Choke,
        id::UNCHOKE => Message::Unchoke,
        id::INTERESTED => Message::Interested,
        id::NOT_INTERESTED => Message::NotInterested,
        id::HAVE_ALL => Message::HaveAll,
        id::HAVE_NONE => Message::HaveNone,
        id::HAVE => Message::Have(piece),
        id::SUGGEST => Message::Suggest(piece),
        id::ALLOWED_FAST => Message::AllowedFast(piece),
        id::REQUEST => Message::Request(block),
        id::CANCEL => Message::Cancel(block),
        id::REJECT => Message::Reject(block),
        id::PORT => Message::Port(u16::from_be_bytes([payload[0], payload[1]])),
        _ => Message::Unknown { id, payload: Bytes::new() },
    }
}

/// A message of variable shape from the bytes behind its id.
pub(crate) fn body(id: u8, mut payload: Bytes) -> Message {
    match id {
        id::BITFIELD => Message::Bitfield(payload),
        id::EXTENDED if !payload.is_empty() => {
            let id = payload.get_u8();
            Message::Extended { id, payload }
        }
        _ => Message::Unknown { id, payload },
    }
}
