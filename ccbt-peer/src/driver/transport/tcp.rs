//! A TCP connection that the runtime watches while somebody may have to wait for it.
//!
//! Whoever watches a socket is woken by every segment that arrives, also when nobody waits for one. While a peer
//! sends faster than we take, that is an idle thread of the runtime several times a read, for nothing. So a
//! socket that brings much in one read is watched no longer: it counts as readable until a read finds nothing.

use std::io::{self, IoSliceMut, Read, Write};
use std::net::IpAddr;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::TcpStream;

use super::Ready;

/// A read that brings so much has more behind it.
const FLOOD: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Tcp(State);

#[derive(Debug)]
enum State {
    Watched(TcpStream),
    Flooding(std::net::TcpStream),
    /// The system would not let it change from one to the other.
    Broken,
}

impl Tcp {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(State::Watched(stream))
    }

    pub(super) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        out: &[u8],
        listen: bool,
    ) -> Poll<io::Result<Ready>> {
        if matches!(self.0, State::Flooding(_)) {
            if out.is_empty() {
                let ready = Poll::Ready(Ok(Ready::Readable));
                return if listen { ready } else { Poll::Pending };
            }
            match self.try_write(out) {
                // When there is room has to be waited for.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.watch()?,
                written => return Poll::Ready(written.map(Ready::Written)),
            }
        }
        let State::Watched(stream) = &self.0 else { return Poll::Ready(Err(broken())) };
        while !out.is_empty() && stream.poll_write_ready(cx)?.is_ready() {
            match stream.try_write(out) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written.map(Ready::Written)),
            }
        }
        if !listen {
            return Poll::Pending;
        }
        stream.poll_read_ready(cx).map_ok(|()| Ready::Readable)
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.0 {
            State::Watched(stream) if buffer.len() < FLOOD => read_out(stream, buffer),
            _ => self.try_read_vectored(&mut [IoSliceMut::new(buffer)]),
        }
    }

    pub(super) fn try_read_vectored(
        &mut self,
        buffers: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        let read = match &mut self.0 {
            State::Watched(stream) => stream.try_read_vectored(buffers),
            State::Flooding(stream) => stream.read_vectored(buffers),
            State::Broken => Err(broken()),
        };
        match &read {
            Ok(count) if *count >= FLOOD => self.flood()?,
            // Whatever comes from now on is told, and also what came before.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.watch()?,
            _ => {}
        }
        read
    }

    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            State::Watched(stream) => stream.try_write(bytes),
            State::Flooding(stream) => stream.write(bytes),
            State::Broken => Err(broken()),
        }
    }

    pub(super) fn peer_ip(&self) -> Option<IpAddr> {
        let addr = match &self.0 {
            State::Watched(stream) => stream.peer_addr(),
            State::Flooding(stream) => stream.peer_addr(),
            State::Broken => Err(broken()),
        };
        addr.ok().map(|addr| addr.ip())
    }

    fn flood(&mut self) -> io::Result<()> {
        self.0 = match std::mem::replace(&mut self.0, State::Broken) {
            State::Watched(stream) => State::Flooding(stream.into_std()?),
            state => state,
        };
        Ok(())
    }

    fn watch(&mut self) -> io::Result<()> {
        self.0 = match std::mem::replace(&mut self.0, State::Broken) {
            State::Flooding(stream) => State::Watched(TcpStream::from_std(stream)?),
            state => state,
        };
        Ok(())
    }
}

/// Reads what is there. A read that does not fill the buffer has emptied the socket: whoever has but one HAVE to
/// say is not to cost a second call, which finds out that nothing is left.
fn read_out(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    let read = stream.try_io(Interest::READABLE, || {
        count = stream.try_read(buffer)?;
        // Of edge-triggered epoll alone it is known that the rest will be told of again.
        let emptied = cfg!(target_os = "linux") && (1..buffer.len()).contains(&count);
        if emptied { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    if count > 0 { Ok(count) } else { read.map(|()| 0) }
}

fn broken() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

#[cfg(test)]
mod tests;
