//! The sockets of local discovery.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ccbt_wire::local::{LocalAnnounce, MAX_LENGTH};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

const PORT: u16 = 6771;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 192, 152, 143);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0xefc0, 0x988f);

/// One socket for each family of addresses that this machine has.
#[derive(Debug)]
pub(super) struct Sockets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
}

impl Sockets {
    /// # Errors
    /// If neither group can be joined.
    pub(super) fn open() -> io::Result<Self> {
        match (open_v4(), open_v6()) {
            (Err(error), Err(_)) => Err(error),
            (v4, v6) => Ok(Self { v4: v4.ok(), v6: v6.ok() }),
        }
    }

    /// Says it to both groups. A network that is down now may be up the next time.
    pub(super) async fn send(&self, announce: &LocalAnnounce) {
        let groups = [(&self.v4, IpAddr::from(GROUP_V4)), (&self.v6, IpAddr::from(GROUP_V6))];
        for (socket, group) in groups {
            let group = SocketAddr::new(group, PORT);
            if let Some(socket) = socket {
                let _ = socket.send_to(&announce.encode(&group.to_string()), group).await;
            }
        }
    }

    /// The next datagram from either, into `buffer`: its length and where it is from.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        tokio::select! {
            ready = readable(self.v4.as_ref()) => ready?.try_recv_from(buffer),
            ready = readable(self.v6.as_ref()) => ready?.try_recv_from(buffer),
        }
    }
}

/// One byte more than a datagram may have, so that longer ones are known.
pub(super) const BUFFER: usize = MAX_LENGTH + 1;

/// The socket, as soon as there is something to read; never, if there is no socket.
async fn readable(socket: Option<&UdpSocket>) -> io::Result<&UdpSocket> {
    match socket {
        Some(socket) => socket.readable().await.map(|()| socket),
        None => std::future::pending().await,
    }
}

fn open_v4() -> io::Result<UdpSocket> {
    let socket = shared(Domain::IPV4)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
    socket.join_multicast_v4(&GROUP_V4, &Ipv4Addr::UNSPECIFIED)?;
    UdpSocket::from_std(socket.into())
}

fn open_v6() -> io::Result<UdpSocket> {
    let socket = shared(Domain::IPV6)?;
    socket.set_only_v6(true)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
    socket.join_multicast_v6(&GROUP_V6, 0)?;
    UdpSocket::from_std(socket.into())
}

/// A socket whose port other programs of this machine may have, too.
fn shared(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    #[cfg(all(
        unix,
        not(any(
            target_os = "linux",
            target_os = "android",
            target_os = "solaris",
            target_os = "illumos",
            target_os = "cygwin"
        ))
    ))]
    socket.set_reuse_port(true)?;
    Ok(socket)
}
