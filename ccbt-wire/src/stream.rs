//! The stream of messages behind the handshake, fed in any split.

mod limits;
#[cfg(test)]
mod tests;
mod whole;

use crate::message::decode::{self, Shape};
use crate::message::{PIECE_HEAD, id};
use crate::{Block, Message, PieceIndex};
use bytes::Bytes;

pub use limits::{DecodeError, Limits};
#[cfg(feature = "codec")]
pub(crate) use whole::Assembler;
pub use whole::MessageDecoder;

const PREFIX: usize = 4;
/// Prefix and id: enough to know how long the message may be.
const TAGGED: usize = 5;
/// The longest head: REQUEST, CANCEL and REJECT whole. That of PIECE is four bytes shorter.
const HEAD: usize = 17;

/// What a [`Decoder`] yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A whole message. Never [`Message::Piece`].
    Message(Message),
    /// The head of a PIECE message. `length` bytes of payload follow in the stream, and the caller brings
    /// them where they belong: see [`Decoder`].
    PieceHeader(Block),
}

/// Cuts a peer's byte stream into messages, without a copy of any block's payload.
///
/// Every length is checked from its prefix and id, before a byte of the body is kept. Between messages, and
/// while only a message's head is there, it holds no heap memory.
///
/// After [`Item::PieceHeader`] the stream stands in the block's payload. The caller takes
/// [`payload_remaining`](Self::payload_remaining) bytes from the input, or reads them straight from the
/// socket into a piece buffer, and reports them with [`payload_taken`](Self::payload_taken). Until then
/// [`next`](Self::next) takes nothing and yields `None`.
///
/// Errors are for good: a stream with a wrong length cannot be cut any more, and every later call
/// returns the same error.
///
/// ```
/// use ccbt_wire::{Decoder, Item, Limits};
///
/// // UNCHOKE, then a PIECE of four bytes, in one read.
/// let mut input = &b"\0\0\0\x01\x01\0\0\0\x0d\x07\0\0\0\x02\0\0\0\0data"[..];
/// let mut decoder = Decoder::new(Limits::for_pieces(3));
/// let mut block = Vec::new();
/// while let Some(item) = decoder.next(&mut input)? {
///     match item {
///         Item::Message(message) => println!("{message:?}"),
///         Item::PieceHeader(header) => {
///             println!("{header}");
///             let (payload, rest) = input.split_at(decoder.payload_remaining() as usize);
///             block.extend_from_slice(payload);
///             decoder.payload_taken(header.length);
///             input = rest;
///         }
///     }
/// }
/// assert_eq!(block, b"data");
/// # Ok::<(), ccbt_wire::DecodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    limits: Limits,
    head: [u8; HEAD],
    head_len: u8,
    /// Payload of the current PIECE that the caller has not reported yet.
    payload: u32,
    /// The part of a long body that is in. Empty, and without an allocation, at all other times.
    body: Vec<u8>,
}

impl Decoder {
    /// A decoder that stands behind the handshake.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, head: [0; HEAD], head_len: 0, payload: 0, body: Vec::new() }
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Puts other limits in force, for instance when the metainfo becomes known.
    ///
    /// They hold from the next length on that is checked; a message whose body has begun is finished
    /// under the limits it began under.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes bytes from `input` up to the end of the next message, or of a block's head, and yields it.
    ///
    /// `None` means that all of `input` is taken and more is needed, or that payload remains to be
    /// [reported](Self::payload_taken); then nothing was taken.
    ///
    /// # Errors
    /// At the first length that the [`Limits`] or the message's id do not allow.
    #[inline]
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, DecodeError> {
        if self.payload > 0 {
            return Ok(None);
        }
        if self.head_len == 0
            && let Some(item) = self.at_once(input)
        {
            return Ok(Some(item));
        }
        // Of a copy, so that the caller's slice may stay in registers.
        let mut rest = *input;
        let item = self.gather(&mut rest);
        *input = rest;
        item
    }

    /// The next message, from bytes of this read and of those before.
    #[cold]
    #[inline(never)]
    fn gather(&mut self, input: &mut &[u8]) -> Result<Option<Item>, DecodeError> {
        if !self.fill(PREFIX, input) {
            return Ok(None);
        }
        let length = u32::from_be_bytes([self.head[0], self.head[1], self.head[2], self.head[3]]);
        if length == 0 {
            self.head_len = 0;
            return Ok(Some(Item::Message(Message::KeepAlive)));
        }
        // A body that has begun was let in by the limits of then.
        if self.body.is_empty() {
            self.limits.check_prefix(length)?;
        }
        if !self.fill(TAGGED, input) {
            return Ok(None);
        }
        let id = self.head[PREFIX];
        let shape = decode::shape(id);
        if self.body.is_empty() {
            self.limits.check(shape, id, length)?;
        }
        Ok(match shape {
            Shape::Fixed(size) => self.fixed(id, size, input),
            Shape::Block => self.block(length, input),
            Shape::Bitfield | Shape::Body { .. } => self.body(id, length - 1, input),
        })
    }

    /// Bytes of the current block's payload that are still to be reported; 0 outside of a payload.
    pub const fn payload_remaining(&self) -> u32 {
        self.payload
    }

    /// Reports that the caller took `n` bytes of the current block's payload from the stream.
    ///
    /// More than [`payload_remaining`](Self::payload_remaining) counts as all of it.
    pub fn payload_taken(&mut self, n: u32) {
        self.payload = self.payload.saturating_sub(n);
    }

    /// Bytes held of a message's head (prefix, id, fixed fields) that is not whole, 0 to 16.
    ///
    /// The first five also count while a long body arrives.
    pub const fn header_pending(&self) -> usize {
        self.head_len as usize
    }

    /// Whether the next byte of the stream is the first of a message.
    pub const fn at_boundary(&self) -> bool {
        self.head_len == 0 && self.payload == 0
    }

    /// Takes a short message, or a block's head, that lies whole in the input: almost all do, and need not
    /// be gathered first. Whatever is odd is left to the way of the others.
    #[inline]
    fn at_once(&mut self, input: &mut &[u8]) -> Option<Item> {
        let head = input.first_chunk::<HEAD>()?;
        let word = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| head[at + i]));
        let (length, id) = (word(0), head[PREFIX]);
        let piece = PieceIndex(word(TAGGED));
        // Each length is compared with a number: so the processor knows where the next message begins before it has
        // read this one's length.
        let (taken, item) = match length {
            1 => (TAGGED, Item::Message(decode::bare(id)?)),
            5 => (TAGGED + 4, Item::Message(decode::of_piece(id, piece)?)),
            13 if id != id::PIECE => {
                let block = Block { piece, begin: word(TAGGED + 4), length: word(TAGGED + 8) };
                (HEAD, Item::Message(decode::of_block(id, block)?))
            }
            10.. if id == id::PIECE => {
                self.limits.check(Shape::Block, id, length).ok()?;
                self.payload = length - 9;
                let block = Block { piece, begin: word(TAGGED + 4), length: self.payload };
                (PIECE_HEAD, Item::PieceHeader(block))
            }
            _ => return None,
        };
        *input = &input[taken..];
        Some(item)
    }

    fn fixed(&mut self, id: u8, size: u32, input: &mut &[u8]) -> Option<Item> {
        let size = size as usize;
        if !self.fill(TAGGED + size, input) {
            return None;
        }
        self.head_len = 0;
        decode::fixed(id, &self.head[TAGGED..TAGGED + size]).map(Item::Message)
    }

    fn block(&mut self, length: u32, input: &mut &[u8]) -> Option<Item> {
        if !self.fill(PIECE_HEAD, input) {
            return None;
        }
        self.head_len = 0;
        let word = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| self.head[at + i]));
        let block =
            Block { piece: PieceIndex(word(TAGGED)), begin: word(TAGGED + 4), length: length - 9 };
        self.payload = block.length;
        Some(Item::PieceHeader(block))
    }

    fn body(&mut self, id: u8, length: u32, input: &mut &[u8]) -> Option<Item> {
        let missing = length as usize - self.body.len();
        let (taken, rest) = input.split_at(input.len().min(missing));
        *input = rest;
        let payload = if self.body.is_empty() && taken.len() == missing {
            Bytes::copy_from_slice(taken)
        } else {
            // Grows with what came, not with what was announced.
            self.body.extend_from_slice(taken);
            if taken.len() < missing {
                return None;
            }
            Bytes::from(std::mem::take(&mut self.body))
        };
        self.head_len = 0;
        Some(Item::Message(decode::body(id, payload)))
    }

    /// Fills the head up to `end` bytes, and says whether they are there.
    fn fill(&mut self, end: usize, input: &mut &[u8]) -> bool {
        let held = usize::from(self.head_len);
        if held >= end {
            return true;
        }
        let (taken, rest) = input.split_at(input.len().min(end - held));
        self.head[held..held + taken.len()].copy_from_slice(taken);
        *input = rest;
        let held = held + taken.len();
        // At most HEAD, which is 17.
        self.head_len = u8::try_from(held).unwrap_or(u8::MAX);
        held == end
    }
}
