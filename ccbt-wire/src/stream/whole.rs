//! Whole messages, for everyone who does not place payload himself.

use super::{DecodeError, Decoder, Item, Limits};
use crate::{Block, Message};
use bytes::{Buf, Bytes, BytesMut};

/// Cuts a peer's byte stream into whole messages, blocks included.
///
/// Push what arrived, then take messages until there is none: then it holds at most one message's bytes.
/// The payload of a block is a slice of the pushed bytes, not another copy.
///
/// ```
/// use ccbt_wire::{Limits, Message, MessageDecoder};
///
/// let mut decoder = MessageDecoder::new(Limits::for_pieces(100));
/// decoder.push(b"\0\0\0\x01");
/// assert_eq!(decoder.next()?, None);
/// decoder.push(b"\x01\0\0\0\0");
/// assert_eq!(decoder.next()?, Some(Message::Unchoke));
/// assert_eq!(decoder.next()?, Some(Message::KeepAlive));
/// assert_eq!(decoder.next()?, None);
/// # Ok::<(), ccbt_wire::DecodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MessageDecoder {
    assembler: Assembler,
    buffer: BytesMut,
}

impl MessageDecoder {
    /// A decoder that stands behind the handshake.
    pub fn new(limits: Limits) -> Self {
        Self { assembler: Assembler::new(limits), buffer: BytesMut::new() }
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        self.assembler.limits()
    }

    /// Puts other limits in force: see [`Decoder::set_limits`].
    pub fn set_limits(&mut self, limits: Limits) {
        self.assembler.set_limits(limits);
    }

    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The bytes that arrived and are not taken yet, to append to: a socket can read into it directly.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole message; `None` if more bytes are needed.
    ///
    /// # Errors
    /// As [`Decoder::next`], and like there for good.
    #[expect(clippy::should_implement_trait, reason = "`None` is not the end: more bytes may come")]
    pub fn next(&mut self) -> Result<Option<Message>, DecodeError> {
        self.assembler.next(&mut self.buffer)
    }
}

/// A decoder whose bytes lie in a buffer of somebody else's.
#[derive(Debug, Clone)]
pub(crate) struct Assembler {
    decoder: Decoder,
    /// The block whose payload is awaited.
    block: Option<Block>,
}

impl Assembler {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { decoder: Decoder::new(limits), block: None }
    }

    pub(crate) const fn limits(&self) -> &Limits {
        self.decoder.limits()
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.decoder.set_limits(limits);
    }

    /// Whether the next byte is the first of a message.
    #[cfg(feature = "codec")]
    pub(crate) const fn at_boundary(&self) -> bool {
        self.decoder.at_boundary()
    }

    /// Takes the next whole message from the buffer's front.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, DecodeError> {
        if self.block.is_none() {
            let mut input = &buffer[..];
            let item = self.decoder.next(&mut input);
            let taken = buffer.len() - input.len();
            buffer.advance(taken);
            match item? {
                Some(Item::PieceHeader(block)) => self.block = Some(block),
                Some(Item::Message(message)) => return Ok(Some(message)),
                None => return Ok(None),
            }
        }
        Ok(self.payload(buffer).map(|(block, data)| Message::Piece {
            piece: block.piece,
            begin: block.begin,
            data,
        }))
    }

    /// The awaited block with its payload, if all of it is in.
    fn payload(&mut self, buffer: &mut BytesMut) -> Option<(Block, Bytes)> {
        let block = self.block.take_if(|block| buffer.len() >= block.length as usize)?;
        self.decoder.payload_taken(block.length);
        Some((block, buffer.split_to(block.length as usize).freeze()))
    }
}
