//! Messages into bytes: exact sizes, no allocation.

use super::{Message, id};
use crate::{Block, PieceIndex};
use bytes::BufMut;

/// Bytes of the length prefix.
const PREFIX: usize = 4;

impl Message {
    /// Bytes that [`encode`](Self::encode) will write, the length prefix included.
    pub fn encoded_len(&self) -> usize {
        PREFIX
            + match self {
                Self::KeepAlive => 0,
                Self::Choke
                | Self::Unchoke
                | Self::Interested
                | Self::NotInterested
                | Self::HaveAll
                | Self::HaveNone => 1,
                Self::Have(_) | Self::Suggest(_) | Self::AllowedFast(_) => 5,
                Self::Request(_) | Self::Cancel(_) | Self::Reject(_) => 13,
                Self::Port(_) => 3,
                Self::Bitfield(payload) | Self::Unknown { payload, .. } => 1 + payload.len(),
                Self::Extended { payload, .. } => 2 + payload.len(),
                Self::Piece { data, .. } => 9 + data.len(),
            }
    }

    /// Writes the message, length prefix first: exactly [`encoded_len`](Self::encoded_len) bytes.
    ///
    /// # Panics
    /// If `out` has less room than that (a `Vec` or `BytesMut` grows), or if the payload is so long (4 GiB)
    /// that the prefix cannot tell.
    pub fn encode(&self, out: &mut impl BufMut) {
        let length = u32::try_from(self.encoded_len() - PREFIX);
        out.put_u32(length.expect("a message is shorter than 4 GiB"));
        let Some(id) = self.id() else { return };
        out.put_u8(id);
        match self {
            Self::KeepAlive
            | Self::Choke
            | Self::Unchoke
            | Self::Interested
            | Self::NotInterested
            | Self::HaveAll
            | Self::HaveNone => {}
            Self::Have(piece) | Self::Suggest(piece) | Self::AllowedFast(piece) => {
                out.put_u32(piece.0)
            }
            Self::Request(block) | Self::Cancel(block) | Self::Reject(block) => {
                put_place(block.piece, block.begin, out);
                out.put_u32(block.length);
            }
            Self::Port(port) => out.put_u16(*port),
            Self::Bitfield(payload) | Self::Unknown { payload, .. } => out.put_slice(payload),
            Self::Extended { id, payload } => {
                out.put_u8(*id);
                out.put_slice(payload);
            }
            Self::Piece { piece, begin, data } => {
                put_place(*piece, *begin, out);
                out.put_slice(data);
            }
        }
    }
}

/// Bytes of a PIECE message before its payload: length prefix, id, piece and begin (BEP 3, peer messages).
pub const PIECE_HEAD: usize = 13;

/// Writes the 13 bytes that stand before the payload of a PIECE message; `block.length` bytes of payload
/// must follow.
///
/// For senders that bring the payload from elsewhere (a file, a vectored write) without a copy.
///
/// # Panics
/// If `out` has no room for 13 bytes, or if `block.length` is within 9 bytes of 4 GiB.
///
/// ```
/// use ccbt_wire::{Block, PieceIndex, encode_piece_header};
///
/// let mut head = Vec::new();
/// encode_piece_header(Block { piece: PieceIndex(3), begin: 0x4000, length: 0x4000 }, &mut head);
/// assert_eq!(head, [0, 0, 0x40, 9, 7, 0, 0, 0, 3, 0, 0, 0x40, 0]);
/// ```
pub fn encode_piece_header(block: Block, out: &mut impl BufMut) {
    let length = block.length.checked_add(9);
    out.put_u32(length.expect("a message is shorter than 4 GiB"));
    out.put_u8(id::PIECE);
    put_place(block.piece, block.begin, out);
}

fn put_place(piece: PieceIndex, begin: u32, out: &mut impl BufMut) {
    out.put_u32(piece.0);
    out.put_u32(begin);
}
