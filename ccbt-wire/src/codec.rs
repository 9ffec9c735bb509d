//! Messages for streams that tokio-util frames (feature `codec`).

use crate::stream::Assembler;
use crate::{DecodeError, Limits, Message};
use bytes::BytesMut;
use std::io;
use tokio_util::codec::{Decoder, Encoder};

/// Reads and writes whole [`Message`]s on any stream that `tokio_util::codec::Framed` takes.
///
/// It stands behind the handshake: exchange that first, and give bytes that came behind the peer's to the
/// framed stream (`FramedParts::read_buf`). The limits may be changed between messages, for instance when the
/// metainfo becomes known. A stream that ends within a message ends with an error.
///
/// ```
/// use ccbt_wire::{Limits, Message, MessageCodec, PieceIndex};
/// use futures_util::{SinkExt, StreamExt};
/// use tokio_util::codec::Framed;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ccbt_wire::CodecError> {
/// let (ours, theirs) = tokio::io::duplex(1024);
/// let mut ours = Framed::new(ours, MessageCodec::new(Limits::for_pieces(100)));
/// let mut theirs = Framed::new(theirs, MessageCodec::new(Limits::for_pieces(100)));
/// ours.send(Message::Have(PieceIndex(7))).await?;
/// drop(ours);
/// assert_eq!(theirs.next().await.transpose()?, Some(Message::Have(PieceIndex(7))));
/// assert!(theirs.next().await.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MessageCodec {
    assembler: Assembler,
}

impl MessageCodec {
    /// A codec with these limits for what the peer sends.
    pub const fn new(limits: Limits) -> Self {
        Self { assembler: Assembler::new(limits) }
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        self.assembler.limits()
    }

    /// Puts other limits in force: see [`Decoder::set_limits`](crate::Decoder::set_limits).
    pub fn set_limits(&mut self, limits: Limits) {
        self.assembler.set_limits(limits);
    }
}

/// Why a framed stream of messages failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The peer broke a rule of the stream.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The stream ended within a message.
    #[error("the stream ends within a message")]
    Truncated,
    /// A message to be sent is longer than its length prefix can tell.
    #[error("a message of {length} bytes cannot be sent, a length prefix ends at {}", u32::MAX)]
    TooLong {
        /// Bytes behind the prefix.
        length: usize,
    },
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Decoder for MessageCodec {
    type Item = Message;
    type Error = CodecError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        Ok(self.assembler.next(buffer)?)
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Message>, CodecError> {
        match self.decode(buffer)? {
            // Part of a message may lie in the decoder, with nothing in the buffer.
            None if !self.assembler.at_boundary() => Err(CodecError::Truncated),
            message => Ok(message),
        }
    }
}

impl Encoder<&Message> for MessageCodec {
    type Error = CodecError;

    fn encode(&mut self, message: &Message, out: &mut BytesMut) -> Result<(), CodecError> {
        let whole = message.encoded_len();
        let length = whole - 4;
        if u32::try_from(length).is_err() {
            return Err(CodecError::TooLong { length });
        }
        out.reserve(whole);
        message.encode(out);
        Ok(())
    }
}

impl Encoder<Message> for MessageCodec {
    type Error = CodecError;

    fn encode(&mut self, message: Message, out: &mut BytesMut) -> Result<(), CodecError> {
        Encoder::<&Message>::encode(self, &message, out)
    }
}
