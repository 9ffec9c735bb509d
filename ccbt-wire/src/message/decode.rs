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

#[inline]
pub(crate) fn shape(id: u8) -> Shape {
    match id {
        id::PIECE => Shape::Block,
        id::BITFIELD => Shape::Bitfield,
        id::EXTENDED => Shape::Body { at_least: 1 },
        _ => match fixed(id, &[0; 12]) {
            Some((size, _)) => Shape::Fixed(size),
            None => Shape::Body { at_least: 0 },
        },
    }
}

/// A message of fixed shape, and how many bytes it has behind its id: these are the first of `fields`, and the
/// others are not looked at. `None` if messages of this id have another shape.
#[inline]
pub(crate) fn fixed(id: u8, fields: &[u8; 12]) -> Option<(u32, Message)> {
    let word = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| fields[at + i]));
    let piece = PieceIndex(word(0));
    let block = Block { piece, begin: word(4), length: word(8) };
    Some(match id {
        id::CHOKE => (0, Message::Choke),
        id::UNCHOKE => (0, Message::Unchoke),
        id::INTERESTED => (0, Message::Interested),
        id::NOT_INTERESTED => (0, Message::NotInterested),
        id::HAVE_ALL => (0, Message::HaveAll),
        id::HAVE_NONE => (0, Message::HaveNone),
        id::HAVE => (4, Message::Have(piece)),
        id::SUGGEST => (4, Message::Suggest(piece)),
        id::ALLOWED_FAST => (4, Message::AllowedFast(piece)),
        id::REQUEST => (12, Message::Request(block)),
        id::CANCEL => (12, Message::Cancel(block)),
        id::REJECT => (12, Message::Reject(block)),
        id::PORT => (2, Message::Port(u16::from_be_bytes([fields[0], fields[1]]))),
        _ => return None,
    })
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
