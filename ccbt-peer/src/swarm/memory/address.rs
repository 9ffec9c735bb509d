//! Addresses and networks: what counts as one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// One address, one form: IPv4 in IPv6 clothes is IPv4, and of the rest of IPv6 a zone counts where the
/// address means nothing without it.
pub(in crate::swarm) fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V6(v6) => match v6.ip().to_canonical() {
            IpAddr::V6(ip) => {
                let zone = if ip.is_unicast_link_local() { v6.scope_id() } else { 0 };
                SocketAddrV6::new(ip, v6.port(), 0, zone).into()
            }
            ip => SocketAddr::new(ip, v6.port()),
        },
        SocketAddr::V4(_) => addr,
    }
}

/// Whether the host is on this machine or in its own network: there, many peers may live behind one address
/// or close to each other.
pub(in crate::swarm) fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The network that an address belongs to: a /24 of IPv4, a /64 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::swarm) enum Prefix {
    Four(u32),
    Six(u64),
}

impl Prefix {
    pub(in crate::swarm) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::Four(ip.to_bits() >> 8),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                let high =
                    [a, b, c, d].into_iter().fold(0, |high, part| high << 16 | u64::from(part));
                Self::Six(high)
            }
        }
    }
}

/// The host that an address belongs to, for what one host may do: of IPv6 it has a whole /64. `None` for hosts
/// near us: many peers may live behind one such address.
pub(crate) fn host(ip: IpAddr) -> Option<IpAddr> {
    match ip.to_canonical() {
        ip if is_local(ip) => None,
        IpAddr::V6(ip) => Some(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
        ip => Some(ip),
    }
}
