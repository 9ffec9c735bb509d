//! Where others connect to us: one port for all swarms of a process.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ccbt_wire::{Handshake, HandshakeDecoder, InfoHash};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::binding::Binding;
use super::connection::Connection;
use super::reserve;
use super::strangers::Strangers;
use super::transport::Transport;
use super::{Report, Shared};
use crate::session::HANDSHAKE_LIMIT;
use crate::swarm::Input;

/// Connections that the kernel may hold for us.
const BACKLOG: u32 = 1024;

/// One listener for the swarms of a process: it finds out which torrent a connection wants.
///
/// A swarm makes its own with [`SwarmBuilder::listen`](crate::SwarmBuilder::listen); make one yourself
/// to have several swarms on one port. It listens as long as a clone of it lives.
#[derive(Clone, Debug)]
pub struct Node {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    addr: SocketAddr,
    swarms: Mutex<HashMap<InfoHash, Weak<Shared>>>,
}

impl Node {
    /// Listens at `addr`; port 0 is any free one, and `[::]` takes IPv4 as well. Where there is no IPv6,
    /// `[::]` becomes `0.0.0.0`.
    ///
    /// # Errors
    /// If the address cannot be had.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn listen(addr: SocketAddr) -> io::Result<Self> {
        Self::listen_through(addr, &Binding::default())
    }

    /// The same as [`listen`](Self::listen), for those who come by the way that `binding` says. With an
    /// unspecified address it listens at the one that the binding has, if it has one.
    ///
    /// # Errors
    /// If the address cannot be had.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn listen_through(addr: SocketAddr, binding: &Binding) -> io::Result<Self> {
        let addr = match binding.sources() {
            (v4, v6) if addr.ip().is_unspecified() => {
                v4.or(v6).map_or(addr, |ip| SocketAddr::new(ip, addr.port()))
            }
            _ => addr,
        };
        let listener = match bind(addr, binding) {
            Err(_) if addr.ip().is_unspecified() && addr.is_ipv6() => {
                bind((Ipv4Addr::UNSPECIFIED, addr.port()).into(), binding)?
            }
            bound => bound?,
        };
        let addr = listener.local_addr()?;
        let inner = Arc::new(Inner { addr, swarms: Mutex::default() });
        tokio::spawn(accept(listener, Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// The address at which it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.addr
    }

    pub(crate) fn add(&self, info_hash: InfoHash, shared: &Arc<Shared>) {
        let mut swarms = lock(&self.inner.swarms);
        swarms.retain(|_, swarm| swarm.strong_count() > 0);
        swarms.insert(info_hash, Arc::downgrade(shared));
    }
}

impl Inner {
    /// Whoever comes next finds no descriptor. A swarm that does not hear of it now hears of it next time.
    fn tell_of_shortage(&self) {
        for swarm in lock(&self.swarms).values().filter_map(Weak::upgrade) {
            let _ = swarm.reports.try_send(Report::Wish(Input::NoDescriptors));
        }
    }

    fn swarm(&self, info_hash: InfoHash) -> Option<Arc<Shared>> {
        let swarms = lock(&self.swarms);
        swarms.get(&info_hash)?.upgrade()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bind(addr: SocketAddr, binding: &Binding) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() {
        tokio::net::TcpSocket::new_v4()?
    } else {
        let domain = socket2::Domain::IPV6;
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        socket.set_only_v6(!addr.ip().is_unspecified())?;
        socket.set_nonblocking(true)?;
        tokio::net::TcpSocket::from_std_stream(socket.into())
    };
    // What it says of addresses is settled already; a device is a matter of the socket.
    binding.tie(SockRef::from(&socket), addr.is_ipv4())?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, node: Weak<Inner>) {
    let strangers = Arc::new(Mutex::new(Strangers::default()));
    loop {
        // Whoever holds the node decides how long we listen; look now and then whether anybody does.
        let accepted = tokio::time::timeout(LOOK, listener.accept()).await;
        let Some(inner) = node.upgrade() else {
            // Nobody is there for whom they could ask.
            return lock(&strangers).clear();
        };
        let (stream, addr) = match accepted {
            Err(_) => continue,
            Ok(Ok(accepted)) => accepted,
            // Others have taken what connections leave, or the peer is gone again.
            Ok(Err(error)) => {
                if reserve::is_lack(&error) {
                    inner.tell_of_shortage();
                }
                tokio::time::sleep(LOOK / 10).await;
                continue;
            }
        };
        if !reserve::is_left(&stream) && !lock(&strangers).thin_out(FEW) {
            // To be told so at once is better than to wait, and the swarms make room for better ones.
            inner.tell_of_shortage();
            continue;
        }
        let (hold, let_go) = oneshot::channel();
        let number = lock(&strangers).enter(addr.ip(), hold);
        // Who says nothing is no reason to listen on.
        let (strangers, node) = (strangers.clone(), node.clone());
        tokio::spawn(async move {
            let routed = route(stream, addr, node, let_go).await;
            lock(&strangers).leave(addr.ip(), number);
            if let Some(connection) = routed {
                // A task of its own, and no part of this one: what this one needed before must not stay
                // as long as the connection does.
                tokio::spawn(connection.run());
            }
        });
    }
}

const LOOK: Duration = Duration::from_secs(1);
/// Where descriptors are short, connections that have not said what they want give way before any that have, if
/// there are more than that.
const FEW: usize = 32;

/// Finds out which torrent the connection wants, unless it is let go before, and hands it to the swarm.
async fn route(
    stream: TcpStream,
    addr: SocketAddr,
    node: Weak<Inner>,
    let_go: oneshot::Receiver<Infallible>,
) -> Option<Connection> {
    let mut transport = Transport::tcp(stream).ok()?;
    let mut decoder = HandshakeDecoder::new();
    let info_hash = tokio::select! {
        known = tokio::time::timeout(HANDSHAKE_LIMIT, ask(&mut transport, &mut decoder)) => known.ok()??,
        _ = let_go => return None,
    };
    let shared = node.upgrade()?.swarm(info_hash)?;
    let (reply, answer) = oneshot::channel();
    shared.report(Report::Incoming(addr, reply)).await;
    let (key, mailbox) = answer.await.ok()?.ok()?;
    Some(Connection::incoming(shared, key, mailbox, transport, decoder))
}

/// Reads so far that the torrent is known.
async fn ask(transport: &mut Transport, decoder: &mut HandshakeDecoder) -> Option<InfoHash> {
    let mut buffer = [0; Handshake::LEN];
    let mut got = 0;
    loop {
        if let Some(info_hash) = decoder.info_hash() {
            return Some(info_hash);
        }
        transport.readable().await.ok()?;
        // Never more than the handshake: what follows belongs to the connection.
        match transport.try_read(&mut buffer[got..KNOWN]) {
            Ok(0) => return None,
            Ok(count) => {
                decoder.feed(&mut &buffer[got..got + count]).ok()?;
                got += count;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

/// Bytes of a handshake up to the end of the info hash.
const KNOWN: usize = 48;

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the clock of the runtime stands still here")]

    use tokio::io::AsyncReadExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_does_not_keep_a_node_alive() {
        let node = Node::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let mut stream = TcpStream::connect(node.local_addr()).await.unwrap();
        // It is accepted in between.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        drop(node);
        let end = stream.read_u8().await.unwrap_err();
        assert_ne!(end.kind(), io::ErrorKind::WouldBlock);
        assert!(began.elapsed() <= LOOK * 2, "{:?}", began.elapsed());
    }
}
