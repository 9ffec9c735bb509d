//! One peer, without a swarm.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use ccbt_wire::{
    DecodeError, Handshake, HandshakeDecoder, HandshakeError, InfoHash, Limits, Message,
    MessageDecoder, PeerId, Reserved,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::session::HANDSHAKE_LIMIT;

/// How a [`Connection`] introduces itself, and what it accepts.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionOptions {
    handshake: Handshake,
    limits: Limits,
    patience: Duration,
}

impl ConnectionOptions {
    /// Speaks of this torrent under this peer id, without any extension.
    #[must_use]
    pub fn new(info_hash: InfoHash, peer_id: PeerId) -> Self {
        Self {
            handshake: Handshake { reserved: Reserved::NONE, info_hash, peer_id },
            limits: Limits::before_metainfo(),
            patience: HANDSHAKE_LIMIT,
        }
    }

    /// The extensions that we offer; which of them hold is what both sides offer.
    #[must_use]
    pub fn reserved(mut self, reserved: Reserved) -> Self {
        self.handshake.reserved = reserved;
        self
    }

    /// The torrent has so many pieces: a bitfield has to fit it.
    #[must_use]
    pub fn pieces(mut self, pieces: u32) -> Self {
        self.limits = Limits::for_pieces(pieces);
        self
    }

    /// How long the whole handshake may take; 10 seconds by default.
    #[must_use]
    pub fn handshake_limit(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }
}

/// A peer at the other end of any stream of bytes: handshake, then messages both ways.
///
/// It decides nothing and answers nothing by itself. [`Connection::split`] makes two halves of it for
/// reading and writing at the same time.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use ccbt_peer::wire::{InfoHash, Message, PeerId};
/// use ccbt_peer::{Connection, ConnectionOptions};
///
/// let (here, there) = tokio::io::duplex(1024);
/// let options = |id| ConnectionOptions::new(InfoHash([7; 20]), PeerId([id; 20]));
/// let (alice, bob) =
///     tokio::join!(Connection::connect(here, options(1)), Connection::accept(there, options(2)));
/// let (mut alice, mut bob) = (alice.unwrap(), bob.unwrap());
/// alice.send(Message::Interested).await.unwrap();
/// assert_eq!(bob.next().await.unwrap().unwrap(), Message::Interested);
/// # });
/// ```
#[derive(Debug)]
pub struct Connection<T> {
    reader: Reader<ReadHalf<T>>,
    writer: Writer<WriteHalf<T>>,
    theirs: Handshake,
}

/// The reading half of a [`Connection`].
#[derive(Debug)]
pub struct Reader<R> {
    io: R,
    decoder: MessageDecoder,
    over: bool,
}

/// The writing half of a [`Connection`].
#[derive(Debug)]
pub struct Writer<W> {
    io: W,
    buffer: BytesMut,
}

impl<T: AsyncRead + AsyncWrite> Connection<T> {
    /// Speaks first on a stream that we opened.
    ///
    /// # Errors
    /// If the other side is no peer of this torrent, or takes too long.
    pub async fn connect(io: T, options: ConnectionOptions) -> Result<Self, ConnectionError> {
        Self::open(io, options, true).await
    }

    /// Answers on a stream that came in.
    ///
    /// # Errors
    /// If the other side is no peer of this torrent, or takes too long.
    pub async fn accept(io: T, options: ConnectionOptions) -> Result<Self, ConnectionError> {
        Self::open(io, options, false).await
    }

    async fn open(io: T, options: ConnectionOptions, first: bool) -> Result<Self, ConnectionError> {
        let (mut reader, mut writer) = tokio::io::split(io);
        let ours = options.handshake;
        let shake = async {
            if first {
                writer.write_all(&ours.to_bytes()).await?;
            }
            let theirs = read_handshake(&mut reader).await?;
            if theirs.info_hash != ours.info_hash {
                return Err(ConnectionError::WrongInfoHash(theirs.info_hash));
            }
            if !first {
                writer.write_all(&ours.to_bytes()).await?;
            }
            writer.flush().await?;
            Ok(theirs)
        };
        let shaken = tokio::time::timeout(options.patience, shake).await;
        let theirs = shaken.map_err(|_| ConnectionError::TimedOut(options.patience))??;
        let decoder = MessageDecoder::new(options.limits);
        let reader = Reader { io: reader, decoder, over: false };
        Ok(Self { reader, writer: Writer { io: writer, buffer: BytesMut::new() }, theirs })
    }

    /// The peer's handshake: its id, and what it offers.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.theirs
    }

    /// The next message; `None` when the peer has closed the stream between two messages.
    /// Can be dropped while it waits without losing anything.
    pub async fn next(&mut self) -> Option<Result<Message, ConnectionError>> {
        self.reader.next().await
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If the stream is broken.
    pub async fn send(&mut self, message: Message) -> io::Result<()> {
        self.writer.send(message).await
    }

    /// Two halves that can be used at the same time.
    #[must_use]
    pub fn split(self) -> (Reader<ReadHalf<T>>, Writer<WriteHalf<T>>) {
        (self.reader, self.writer)
    }
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// As [`Connection::next`].
    pub async fn next(&mut self) -> Option<Result<Message, ConnectionError>> {
        while !self.over {
            match self.decoder.next() {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) => {}
                Err(error) => {
                    self.over = true;
                    return Some(Err(error.into()));
                }
            }
            let buffer = self.decoder.buffer();
            match self.io.read_buf(buffer).await {
                Ok(0) => {
                    self.over = true;
                    let cut = !self.decoder.buffer().is_empty();
                    return cut.then(|| Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()));
                }
                Ok(_) => {}
                Err(error) => {
                    self.over = true;
                    return Some(Err(error.into()));
                }
            }
        }
        None
    }
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// As [`Connection::send`].
    ///
    /// # Errors
    /// If the stream is broken.
    pub async fn send(&mut self, message: Message) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.reserve(message.encoded_len());
        message.encode(&mut self.buffer);
        self.io.write_all(&self.buffer).await?;
        self.io.flush().await
    }
}

/// Never reads beyond the handshake: what follows belongs to the messages.
async fn read_handshake(io: &mut (impl AsyncRead + Unpin)) -> Result<Handshake, ConnectionError> {
    let mut decoder = HandshakeDecoder::new();
    let mut bytes = [0; Handshake::LEN];
    let mut got = 0;
    loop {
        let count = io.read(&mut bytes[got..]).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(theirs) = decoder.feed(&mut &bytes[got..got + count])? {
            return Ok(theirs);
        }
        got += count;
    }
}

/// Why a [`Connection`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The stream failed.
    #[error("connection failed: {0}")]
    Io(#[from] io::Error),
    /// The handshake is not one.
    #[error("handshake: {0}")]
    Handshake(#[from] HandshakeError),
    /// The peer speaks of another torrent.
    #[error("the peer speaks of torrent {0}")]
    WrongInfoHash(InfoHash),
    /// The bytes are no message.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// The handshake took too long.
    #[error("no handshake within {0:?}")]
    TimedOut(Duration),
}
