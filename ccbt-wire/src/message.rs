//! The messages behind the handshake (BEP 3, 5, 6 and 10).

pub(crate) mod decode;
mod encode;
#[cfg(test)]
mod tests;

use crate::{Block, PieceIndex};
use bytes::Bytes;

pub use encode::{PIECE_HEAD, encode_piece_header};

/// A message between peers. One variant per id; ids that we do not know come out as `Unknown`.
///
/// Payloads are [`Bytes`]: cloning a message never copies them.
///
/// ```
/// use ccbt_wire::{Message, PieceIndex};
///
/// let mut wire = Vec::new();
/// Message::Have(PieceIndex(7)).encode(&mut wire);
/// assert_eq!(wire, [0, 0, 0, 5, 4, 0, 0, 0, 7]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Message {
    /// No id, no payload: the connection is alive (BEP 3).
    KeepAlive,
    /// The sender will not answer requests (BEP 3, id 0).
    Choke,
    /// The sender will answer requests (BEP 3, id 1).
    Unchoke,
    /// The sender wants pieces of the receiver (BEP 3, id 2).
    Interested,
    /// The sender wants no piece of the receiver (BEP 3, id 3).
    NotInterested,
    /// The sender now has this piece (BEP 3, id 4).
    Have(PieceIndex),
    /// Asks for a block (BEP 3, id 6).
    Request(Block),
    /// Takes a request back (BEP 3, id 8).
    Cancel(Block),
    /// The UDP port of the sender's DHT node (BEP 5, id 9).
    Port(u16),
    /// This piece would be a good one to ask for (BEP 6, id 13).
    Suggest(PieceIndex),
    /// The sender has every piece (BEP 6, id 14).
    HaveAll,
    /// The sender has no piece (BEP 6, id 15).
    HaveNone,
    /// The request will not be answered (BEP 6, id 16).
    Reject(Block),
    /// This piece may be asked for while choked (BEP 6, id 17).
    AllowedFast(PieceIndex),
    // Those with a payload stand last: one comparison tells whether there is something to free.
    /// The pieces the sender has: see [`Bitfield::from_wire`](crate::Bitfield::from_wire) (BEP 3, id 5).
    Bitfield(Bytes),
    /// A block (BEP 3, id 7). [`Decoder`](crate::Decoder) yields only its head.
    Piece {
        /// The piece.
        piece: PieceIndex,
        /// Bytes from the piece's start.
        begin: u32,
        /// The payload.
        data: Bytes,
    },
    /// A message of an extension (BEP 10, id 20).
    Extended {
        /// 0 is the extension handshake; others mean what the *receiver* said in its handshake.
        id: u8,
        /// What follows the extended id.
        payload: Bytes,
    },
    /// A message with an id that we do not know: to be skipped.
    Unknown {
        /// The id.
        id: u8,
        /// What follows the id.
        payload: Bytes,
    },
}

/// Message ids as on the wire.
pub(crate) mod id {
    pub(crate) const CHOKE: u8 = 0;
    pub(crate) const UNCHOKE: u8 = 1;
    pub(crate) const INTERESTED: u8 = 2;
    pub(crate) const NOT_INTERESTED: u8 = 3;
    pub(crate) const HAVE: u8 = 4;
    pub(crate) const BITFIELD: u8 = 5;
    pub(crate) const REQUEST: u8 = 6;
    pub(crate) const PIECE: u8 = 7;
    pub(crate) const CANCEL: u8 = 8;
    pub(crate) const PORT: u8 = 9;
    pub(crate) const SUGGEST: u8 = 13;
    pub(crate) const HAVE_ALL: u8 = 14;
    pub(crate) const HAVE_NONE: u8 = 15;
    pub(crate) const REJECT: u8 = 16;
    pub(crate) const ALLOWED_FAST: u8 = 17;
    pub(crate) const EXTENDED: u8 = 20;
}

impl Message {
    /// The byte behind the length prefix. `None` for a keep-alive, which has no id.
    pub fn id(&self) -> Option<u8> {
        match self {
            Self::KeepAlive => None,
            Self::Unknown { id, .. } => Some(*id),
            known => Some(known.known_id()),
        }
    }

    /// The id of a message that has one of its own. Nothing but constants, so that it is looked up in a table.
    #[inline]
    fn known_id(&self) -> u8 {
        match self {
            Self::Choke => id::CHOKE,
            Self::Unchoke => id::UNCHOKE,
            Self::Interested => id::INTERESTED,
            Self::NotInterested => id::NOT_INTERESTED,
            Self::Have(_) => id::HAVE,
            Self::Bitfield(_) => id::BITFIELD,
            Self::Request(_) => id::REQUEST,
            Self::Piece { .. } => id::PIECE,
            Self::Cancel(_) => id::CANCEL,
            Self::Port(_) => id::PORT,
            Self::Suggest(_) => id::SUGGEST,
            Self::HaveAll => id::HAVE_ALL,
            Self::HaveNone => id::HAVE_NONE,
            Self::Reject(_) => id::REJECT,
            Self::AllowedFast(_) => id::ALLOWED_FAST,
            Self::Extended { .. } => id::EXTENDED,
            Self::KeepAlive | Self::Unknown { .. } => u8::MAX,
        }
    }
}
