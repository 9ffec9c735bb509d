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

    /// The number of the network interface, which groups are joined on; `None` if any will do.
    #[cfg(feature = "lsd")]
    pub(crate) fn interface_index(&self) -> Option<u32> {
        let (v4, v6) = self.sources();
        let is_ours = |one: &if_addrs::Interface| {
            Some(&one.name) == self.device.as_ref() || [v4, v6].contains(&Some(one.ip()))
        };
        if_addrs::get_if_addrs().ok()?.into_iter().find(is_ours)?.index
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

    /// The addresses, IPv4 and IPv6, to which sockets are bound; none if any will do. If there is one alone,
    /// there is no way into the network of the other family.
    pub(crate) fn sources(&self) -> (Option<IpAddr>, Option<IpAddr>) {
        let of = |way| match way {
            Way::Of(ip) => Some(ip),
            Way::Any | Way::None => None,
        };
        (of(self.v4), of(self.v6))
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
    #[cfg(any(feature = "dht", feature = "nat", feature = "udp"))]
    pub(crate) fn async_udp(&self, is_ipv4: bool, port: u16) -> io::Result<tokio::net::UdpSocket> {
        tokio::net::UdpSocket::from_std(self.udp(is_ipv4, port)?)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn from(binding: &Binding) -> io::Result<IpAddr> {
        let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = binding.udp(true, 0)?;
        socket.send_to(b"x", sink.local_addr().unwrap())?;
        Ok(sink.recv_from(&mut [0; 1]).unwrap().1.ip())
    }

    #[test]
    fn what_is_bound_to_an_address_comes_from_there_and_has_no_way_of_the_other_family() {
        let there = [127, 0, 0, 7].into();
        let binding = Binding::address(there);
        assert_eq!(from(&binding).unwrap(), there);
        let error = binding.udp(false, 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
        assert_eq!(binding.sources(), (Some(there), None));
        assert_eq!(Binding::address("::ffff:127.0.0.7".parse().unwrap()), binding);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_bound_to_an_interface_goes_through_it() {
        let binding = Binding::interface("lo").unwrap();
        assert_eq!(from(&binding).unwrap(), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(binding.sources(), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interface_is_known_by_its_addresses_too() {
        let binding = Binding::addresses_of("lo").unwrap();
        assert_eq!(binding.sources().0, Some([127, 0, 0, 1].into()));
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        for result in [Binding::interface("nosuch0"), Binding::addresses_of("nosuch0")] {
            let expected = "there is no network interface nosuch0, or it has no address";
            assert_eq!(result.unwrap_err().to_string(), expected);
        }
    }
}
