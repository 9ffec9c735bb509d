//! The sockets of local discovery.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ccbt_wire::local::{LocalAnnounce, MAX_LENGTH};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use crate::Binding;

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
    pub(super) fn open(binding: &Binding) -> io::Result<Self> {
        match (open_v4(binding), open_v6(binding)) {
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

fn open_v4(binding: &Binding) -> io::Result<UdpSocket> {
    let socket = shared(Domain::IPV4)?;
    let IpAddr::V4(ours) = binding.tie(SockRef::from(&socket), true)? else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    // What is sent to a group comes to no socket that is bound to an address.
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
    let interface = match binding.interface_index() {
        Some(index) => InterfaceIndexOrAddress::Index(index),
        None => InterfaceIndexOrAddress::Address(ours),
    };
    socket.join_multicast_v4_n(&GROUP_V4, &interface)?;
    if !ours.is_unspecified() {
        socket.set_multicast_if_v4(&ours)?;
    }
    UdpSocket::from_std(socket.into())
}

fn open_v6(binding: &Binding) -> io::Result<UdpSocket> {
    let socket = shared(Domain::IPV6)?;
    socket.set_only_v6(true)?;
    binding.tie(SockRef::from(&socket), false)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
    let index = binding.interface_index().unwrap_or_default();
    socket.join_multicast_v6(&GROUP_V6, index)?;
    socket.set_multicast_if_v6(index)?;
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
