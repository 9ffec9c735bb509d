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
    let is_fixed = |size: &u32| fixed(id, &[0; 12][..*size as usize]).is_some();
    match id {
        id::PIECE => Shape::Block,
        id::BITFIELD => Shape::Bitfield,
        id::EXTENDED => Shape::Body { at_least: 1 },
        _ => match [0, 2, 4, 12].into_iter().find(is_fixed) {
            Some(size) => Shape::Fixed(size),
            None => Shape::Body { at_least: 0 },
        },
    }
}

/// A message of fixed shape from all the bytes behind its id; `None` if no message of this id has so many.
pub(crate) fn fixed(id: u8, fields: &[u8]) -> Option<Message> {
    let piece = |word: &[u8; 4]| PieceIndex(u32::from_be_bytes(*word));
    match fields.as_chunks() {
        ([], []) => bare(id),
        ([], [high, low]) if id == id::PORT => {
            Some(Message::Port(u16::from_be_bytes([*high, *low])))
        }
        ([word], []) => of_piece(id, piece(word)),
        ([word, begin, length], []) => {
            let [begin, length] = [*begin, *length].map(u32::from_be_bytes);
            of_block(id, Block { piece: piece(word), begin, length })
        }
        _ => None,
    }
}

// One function a length, which a decoder that knows the length calls without a detour.

/// A message that is nothing but its id.
#[inline]
pub(crate) fn bare(id: u8) -> Option<Message> {
    Some(match id {
        id::CHOKE => Message::Choke,
        id::UNCHOKE => Message::Unchoke,
        id::INTERESTED => Message::Interested,
        id::NOT_INTERESTED => Message::NotInterested,
        id::HAVE_ALL => Message::HaveAll,
        id::HAVE_NONE => Message::HaveNone,
        _ => return None,
    })
}

/// A message that names a piece.
#[inline]
pub(crate) fn of_piece(id: u8, piece: PieceIndex) -> Option<Message> {
    Some(match id {
        id::HAVE => Message::Have(piece),
        id::SUGGEST => Message::Suggest(piece),
        id::ALLOWED_FAST => Message::AllowedFast(piece),
        _ => return None,
    })
}

/// A message that names a block.
#[inline]
pub(crate) fn of_block(id: u8, block: Block) -> Option<Message> {
    Some(match id {
        id::REQUEST => Message::Request(block),
        id::CANCEL => Message::Cancel(block),
        id::REJECT => Message::Reject(block),
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
