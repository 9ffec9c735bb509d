//! Which of the machine's ways into the network our sockets take.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, SockRef, Socket, Type};

/// Which way our sockets take: any, that of one address, or that of one network interface.
///
/// What is bound to an interface sends and receives through no other; where the system cannot do that
/// (elsewhere than on Linux and Android), it is bound to the interface's addresses. What is bound to an
/// address has no way into the network of the other family.
///
/// ```
/// use ccbt_peer::Binding;
///
/// let binding = Binding::address([127, 0, 0, 1].into());
/// assert_ne!(binding, Binding::default());
/// assert_eq!(Binding::address([0, 0, 0, 0].into()), Binding::default());
/// assert!(Binding::interface("nosuch0").is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// Nothing is bound to a device if this is empty.
    device: Option<String>,
    v4: Way,
    v6: Way,
}

/// The way into the network of one address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Any,
    Of(IpAddr),
    None,
}

/// Why nothing can be bound to a network interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// There is no interface of this name, or it has no address.
    #[error("there is no network interface {name}, or it has no address")]
    Missing {
        /// The name that was given.
        name: String,
    },
    /// The system does not let us.
    #[error("may not bind to the network interface {name}: {source}")]
    Refused {
        /// The interface.
        name: String,
        /// The system's word.
        source: io::Error,
    },
}

impl Binding {
    /// The way of this address of ours. An unspecified address is any way.
    #[must_use]
    pub fn address(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        match ip {
            _ if ip.is_unspecified() => Self::default(),
            IpAddr::V4(_) => Self { device: None, v4: Way::Of(ip), v6: Way::None },
            IpAddr::V6(_) => Self { device: None, v4: Way::None, v6: Way::Of(ip) },
        }
    }

    /// The way of the network interface with this name, such as `eth0`.
    ///
    /// # Errors
    /// If there is no such interface, or the system does not let us use it.
    pub fn interface(name: &str) -> Result<Self, BindingError> {
        if cfg!(any(target_os = "android", target_os = "linux")) {
            let device = Self { device: Some(name.to_owned()), ..Self::default() };
            return match device.udp(true, 0) {
                Ok(_) => Ok(device),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    Err(BindingError::Refused { name: name.to_owned(), source: error })
                }
                Err(_) => Err(BindingError::Missing { name: name.to_owned() }),
            };
        }
        Self::addresses_of(name)
    }

    /// The addresses of an interface, one of each family.
    fn addresses_of(name: &str) -> Result<Self, BindingError> {
        let refused = |source| BindingError::Refused { name: name.to_owned(), source };
        let all = if_addrs::get_if_addrs().map_err(refused)?;
        let of_interface =
            || all.iter().filter(|one| one.name == name).map(if_addrs::Interface::ip);
        // One that means something beyond the next router is better.
        let link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let way = |is_ipv4: bool| {
            let of_family = of_interface().filter(|ip| ip.is_ipv4() == is_ipv4);
            of_family.min_by_key(link_local).map_or(Way::None, Way::Of)
        };
        match (way(true), way(false)) {
            (Way::None, Way::None) => Err(BindingError::Missing { name: name.to_owned() }),
            (v4, v6) => Ok(Self { device: None, v4, v6 }),
        }
    }

    /// The network interface to which sockets are bound by name.
    #[cfg(feature = "http")]
    pub(crate) fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// Ties a new socket to the device, and gives the address that it is to be bound to: an unspecified one
    /// if any will do.
    ///
    /// # Errors
    /// If there is no way into the network of this family.
    pub(crate) fn tie(&self, socket: SockRef<'_>, is_ipv4: bool) -> io::Result<IpAddr> {
        #[cfg(any(target_os = "android", target_os = "linux"))]
        if let Some(device) = &self.device {
            socket.bind_device(Some(device.as_bytes()))?;
        }
        #[cfg(not(any(target_os = "android", target_os = "linux")))]
        let _ = socket;
        Ok(match if is_ipv4 { self.v4 } else { self.v6 } {
            Way::Of(ip) => ip,
            Way::Any if is_ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            Way::Any => Ipv6Addr::UNSPECIFIED.into(),
            Way::None => return Err(io::ErrorKind::AddrNotAvailable.into()),
        })
    }

    /// The address of a family that outgoing connections come from, if it is not any: an error if there is
    /// no way.
    #[cfg(feature = "http")]
    pub(crate) fn source(&self, is_ipv4: bool) -> Option<Result<IpAddr, ()>> {
        match if is_ipv4 { self.v4 } else { self.v6 } {
            Way::Any => None,
            Way::Of(ip) => Some(Ok(ip)),
            Way::None => Some(Err(())),
        }
    }

    /// A socket for datagrams of one family; port 0 is any free one.
    ///
    /// # Errors
    /// If there is no way into that network, or the port is taken.
    pub(crate) fn udp(&self, is_ipv4: bool, port: u16) -> io::Result<std::net::UdpSocket> {
        let domain = if is_ipv4 { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM, None)?;
        if !is_ipv4 {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        let ip = self.tie(SockRef::from(&socket), is_ipv4)?;
        socket.bind(&SocketAddr::new(ip, port).into())?;
        Ok(socket.into())
    }

    /// The same, driven by the runtime.
    #[cfg(feature = "dht")]
    pub(crate) fn async_udp(&self, is_ipv4: bool, port: u16) -> io::Result<tokio::net::UdpSocket> {
        tokio::net::UdpSocket::from_std(self.udp(is_ipv4, port)?)
    }
}
