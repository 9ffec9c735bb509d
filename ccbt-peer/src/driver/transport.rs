//! Streams of bytes to a peer, and how to come by one.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;

/// A connection that does not stand after so long is given up.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// Makes connections: TCP, or whatever else carries a stream of bytes.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Dialer: fmt::Debug + Send + Sync {
    /// Connects to `addr`. The swarm drops the future if it no longer wants the connection.
    ///
    /// # Errors
    /// If there is no connection; the address is tried again later.
    async fn dial(&self, addr: SocketAddr) -> io::Result<Transport>;
}

/// Plain TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

#[async_trait]
impl Dialer for TcpDialer {
    async fn dial(&self, addr: SocketAddr) -> io::Result<Transport> {
        let connect = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(addr));
        let stream = connect.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Transport::tcp(stream)
    }
}

/// A stream of bytes in both directions.
pub struct Transport(Kind);

/// The bounds of a stream that is not TCP.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

enum Kind {
    Tcp(TcpStream),
    Other(Box<Other>),
}

struct Other {
    reader: ReadHalf<Box<dyn Duplex>>,
    writer: WriteHalf<Box<dyn Duplex>>,
    /// Bytes that were read while waiting for readiness.
    ahead: Vec<u8>,
    eof: bool,
}

impl Transport {
    /// A TCP connection. Small writes go out at once.
    ///
    /// # Errors
    /// If the socket is broken already.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(Kind::Tcp(stream)))
    }

    /// Any other stream.
    pub fn other(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let stream: Box<dyn Duplex> = Box::new(stream);
        let (reader, writer) = tokio::io::split(stream);
        Self(Kind::Other(Box::new(Other { reader, writer, ahead: Vec::new(), eof: false })))
    }

    /// Waits until there is something to read, if we `listen`; and if `out` is not empty, until some of
    /// it could be written.
    pub(super) async fn ready(&mut self, out: &[u8], listen: bool) -> io::Result<Ready> {
        match &mut self.0 {
            Kind::Tcp(stream) if out.is_empty() => {
                stream.readable().await?;
                Ok(Ready::Readable)
            }
            Kind::Tcp(stream) => {
                let write = tokio::io::Interest::WRITABLE;
                let both = if listen { write | tokio::io::Interest::READABLE } else { write };
                loop {
                    let ready = stream.ready(both).await?;
                    if ready.is_writable() {
                        match stream.try_write(out) {
                            Ok(written) => return Ok(Ready::Written(written)),
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                            Err(error) => return Err(error),
                        }
                    }
                    if listen {
                        return Ok(Ready::Readable);
                    }
                }
            }
            Kind::Other(other) => other.ready(out, listen).await,
        }
    }

    /// Reads what is there; `WouldBlock` if nothing is.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Tcp(stream) => stream.try_read(buffer),
            Kind::Other(other) => other.try_read(buffer),
        }
    }

    /// Reads what is there into several buffers; `None` if this transport cannot.
    pub(super) fn try_read_vectored(
        &mut self,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Option<io::Result<usize>> {
        match &mut self.0 {
            Kind::Tcp(stream) => Some(stream.try_read_vectored(buffers)),
            Kind::Other(_) => None,
        }
    }

    /// Writes what fits now; `WouldBlock` if nothing does.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Tcp(stream) => stream.try_write(bytes),
            // Written when `ready` is awaited.
            Kind::Other(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn is_tcp(&self) -> bool {
        matches!(self.0, Kind::Tcp(_))
    }
}

/// What a stream has become ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    Readable,
    Written(usize),
}

impl Other {
    async fn ready(&mut self, out: &[u8], listen: bool) -> io::Result<Ready> {
        if !listen {
            let written = self.writer.write(out).await?;
            self.writer.flush().await?;
            return Ok(Ready::Written(written));
        }
        if self.eof || !self.ahead.is_empty() {
            return Ok(Ready::Readable);
        }
        let read = self.reader.read_buf(&mut self.ahead);
        if out.is_empty() {
            self.eof = read.await? == 0;
            return Ok(Ready::Readable);
        }
        tokio::select! {
            read = read => {
                self.eof = read? == 0;
                Ok(Ready::Readable)
            }
            written = self.writer.write(out) => {
                let written = written?;
                self.writer.flush().await?;
                Ok(Ready::Written(written))
            }
        }
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            return if self.eof { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let length = self.ahead.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.ahead[..length]);
        self.ahead.drain(..length);
        if self.ahead.is_empty() {
            self.ahead = Vec::new();
        }
        Ok(length)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Tcp(stream) => f.debug_tuple("Transport").field(stream).finish(),
            Kind::Other(_) => f.write_str("Transport(..)"),
        }
    }
}
