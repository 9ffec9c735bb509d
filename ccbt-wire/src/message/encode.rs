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
    // A call would cost as much as a short message.
    #[inline(always)]
    pub fn encode(&self, out: &mut impl BufMut) {
        match self {
            Self::KeepAlive => out.put_slice(&[0; PREFIX]),
            Self::Choke
            | Self::Unchoke
            | Self::Interested
            | Self::NotInterested
            | Self::HaveAll
            | Self::HaveNone => out.put_slice(&[0, 0, 0, 1, self.known_id()]),
            Self::Have(piece) | Self::Suggest(piece) | Self::AllowedFast(piece) => {
                of_piece(self.known_id(), *piece, out);
            }
            Self::Request(block) | Self::Cancel(block) | Self::Reject(block) => {
                of_block(self.known_id(), *block, out);
            }
            Self::Port(port) => {
                let [a, b] = port.to_be_bytes();
                out.put_slice(&[0, 0, 0, 3, id::PORT, a, b]);
            }
            Self::Bitfield(_)
            | Self::Unknown { .. }
            | Self::Extended { .. }
            | Self::Piece { .. } => self.encode_long(out),
        }
    }

    /// What has a payload; apart, because the short messages need not save registers for it.
    #[inline(never)]
    fn encode_long(&self, out: &mut impl BufMut) {
        match self {
            Self::Bitfield(payload) => put(id::BITFIELD, &[], payload, out),
            Self::Unknown { id, payload } => put(*id, &[], payload, out),
            Self::Extended { id, payload } => put(id::EXTENDED, &[*id], payload, out),
            Self::Piece { piece, begin, data } => {
                let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
                encode_piece_header(Block { piece: *piece, begin: *begin, length }, out);
                out.put_slice(data);
            }
            _ => {}
        }
    }
}

// Short messages are put together in registers and written at once: each write asks for room again.

#[inline]
fn of_piece(id: u8, piece: PieceIndex, out: &mut impl BufMut) {
    let mut message = [0; 9];
    message[..8].copy_from_slice(&head(5, id, piece));
    message[8] = piece.0.to_be_bytes()[3];
    out.put_slice(&message);
}

#[inline]
fn of_block(id: u8, block: Block, out: &mut impl BufMut) {
    let place = u64::from(block.begin) << 32 | u64::from(block.length);
    let mut message = [0; 17];
    message[..8].copy_from_slice(&head(13, id, block.piece));
    message[8] = block.piece.0.to_be_bytes()[3];
    message[9..].copy_from_slice(&place.to_be_bytes());
    out.put_slice(&message);
}

/// Length prefix, id, and all of the piece but its last byte.
#[inline]
fn head(length: u64, id: u8, piece: PieceIndex) -> [u8; 8] {
    (length << 32 | u64::from(id) << 24 | u64::from(piece.0 >> 8)).to_be_bytes()
}

/// Id, a tag that belongs to it, and the payload.
fn put(id: u8, tag: &[u8], payload: &[u8], out: &mut impl BufMut) {
    let length = u32::try_from(1 + tag.len() + payload.len());
    out.put_u32(length.expect("a message is shorter than 4 GiB"));
    out.put_u8(id);
    out.put_slice(tag);
    out.put_slice(payload);
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
