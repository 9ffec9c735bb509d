//! Streams of bytes to a peer, and how to come by one.

mod tcp;

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use super::binding::Binding;
use super::reserve;
use tcp::Tcp;

/// A connection that does not stand after so long is given up.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// A stream that is not TCP is read so far to find out whether there is something to read.
const AHEAD: usize = 4 << 10;

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

/// Plain TCP, from any address of ours or through a [`Binding`].
#[derive(Clone, Debug, Default)]
pub struct TcpDialer {
    binding: Binding,
}

impl TcpDialer {
    /// Connections that take this way.
    #[must_use]
    pub fn through(binding: Binding) -> Self {
        Self { binding }
    }

    fn socket(&self, is_ipv4: bool) -> io::Result<TcpSocket> {
        let socket = if is_ipv4 { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        let ip = self.binding.tie(SockRef::from(&socket), is_ipv4)?;
        // The system chooses better when it knows where to.
        if !ip.is_unspecified() {
            socket.bind((ip, 0).into())?;
        }
        Ok(socket)
    }
}

#[async_trait]
impl Dialer for TcpDialer {
    async fn dial(&self, addr: SocketAddr) -> io::Result<Transport> {
        let addr = match addr.ip().to_canonical() {
            IpAddr::V4(ip) => (ip, addr.port()).into(),
            IpAddr::V6(_) => addr,
        };
        let socket = self.socket(addr.is_ipv4())?;
        if !reserve::is_left(&socket) {
            return Err(reserve::none_left());
        }
        let connect = tokio::time::timeout(CONNECT_LIMIT, socket.connect(addr));
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
    Tcp(Tcp),
    Other(Box<Other>),
}

struct Other {
    stream: Box<dyn Duplex>,
    /// Bytes that were read while waiting for readiness.
    ahead: Vec<u8>,
    eof: bool,
    /// Something was written since it was flushed.
    unflushed: bool,
}

impl Transport {
    /// A TCP connection. Small writes go out at once.
    ///
    /// # Errors
    /// If the socket is broken already.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(Kind::Tcp(Tcp::new(stream))))
    }

    /// Any other stream.
    pub fn other(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let stream = Box::new(stream);
        let other = Other { stream, ahead: Vec::new(), eof: false, unflushed: false };
        Self(Kind::Other(Box::new(other)))
    }

    /// Ready when there is something to read, if we `listen`; and if `out` is not empty, when some of it was
    /// written.
    // Polled, and not awaited: the readiness that an idle connection waits for lies with its socket, and
    // costs its task no memory.
    pub(super) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        out: &[u8],
        listen: bool,
    ) -> Poll<io::Result<Ready>> {
        match &mut self.0 {
            Kind::Tcp(tcp) => tcp.poll_ready(cx, out, listen),
            Kind::Other(other) => other.poll_ready(cx, out, listen),
        }
    }

    /// Waits until there is something to read.
    pub(super) async fn readable(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_ready(cx, &[], true)).await.map(|_| ())
    }

    /// Reads what is there; `WouldBlock` if nothing is.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Tcp(tcp) => tcp.try_read(buffer),
            Kind::Other(other) => other.try_read(buffer),
        }
    }

    /// Reads what is there into several buffers; `None` if this transport cannot.
    pub(super) fn try_read_vectored(
        &mut self,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Option<io::Result<usize>> {
        match &mut self.0 {
            Kind::Tcp(tcp) => Some(tcp.try_read_vectored(buffers)),
            Kind::Other(_) => None,
        }
    }

    /// Writes what fits now; `WouldBlock` if nothing does.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Tcp(tcp) => tcp.try_write(bytes),
            // Written when it is polled.
            Kind::Other(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// The host at the other end, if the stream knows.
    pub(super) fn peer_ip(&self) -> Option<IpAddr> {
        match &self.0 {
            Kind::Tcp(tcp) => tcp.peer_ip(),
            Kind::Other(_) => None,
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
    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        out: &[u8],
        listen: bool,
    ) -> Poll<io::Result<Ready>> {
        let mut stream = Pin::new(&mut self.stream);
        if !out.is_empty()
            && let Poll::Ready(written) = stream.as_mut().poll_write(cx, out)?
        {
            self.unflushed = true;
            return Poll::Ready(Ok(Ready::Written(written)));
        }
        if self.unflushed && stream.as_mut().poll_flush(cx)?.is_ready() {
            self.unflushed = false;
        }
        if !listen {
            return Poll::Pending;
        }
        if !self.eof && self.ahead.is_empty() {
            let mut room = [0; AHEAD];
            let mut room = ReadBuf::new(&mut room);
            ready!(stream.poll_read(cx, &mut room))?;
            self.eof = room.filled().is_empty();
            self.ahead.extend_from_slice(room.filled());
        }
        Poll::Ready(Ok(Ready::Readable))
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
            Kind::Tcp(tcp) => f.debug_tuple("Transport").field(tcp).finish(),
            Kind::Other(_) => f.write_str("Transport(..)"),
        }
    }
}

#[cfg(test)]
mod tests;
