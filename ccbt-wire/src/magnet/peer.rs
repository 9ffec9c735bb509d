//! Peers in a link.

use crate::text;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// What DNS takes for a name, in bytes.
const MAX_HOST: usize = 253;
/// Characters of a value that an error repeats.
const MAX_QUOTE: usize = 64;

/// Where a peer listens, as in a magnet link: `host:port`, `1.2.3.4:port` or `[2001:db8::1]:port` (BEP 9).
///
/// ```
/// use ccbt_wire::magnet::PeerAddress;
///
/// let peer: PeerAddress = "[2001:db8:0::1]:6881".parse()?;
/// assert_eq!((peer.host(), peer.port()), ("2001:db8::1", 6881));
/// assert_eq!(peer.socket_addr().map(|addr| addr.to_string()).as_deref(), Some("[2001:db8::1]:6881"));
/// # Ok::<(), ccbt_wire::magnet::ParsePeerAddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddress {
    // Letters, digits and `.-_`, or an IPv6 address without brackets.
    host: String,
    // Not 0.
    port: u16,
}

impl PeerAddress {
    /// A host name or an address; that of IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port, not 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if the host is one and needs no look-up.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse().ok()?, self.port))
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl TryFrom<SocketAddr> for PeerAddress {
    type Error = ParsePeerAddressError;

    /// # Errors
    /// If the port is 0. A scope of IPv6, which means something on one machine only, is left out.
    fn try_from(addr: SocketAddr) -> Result<Self, Self::Error> {
        match addr.port() {
            0 => Err(ParsePeerAddressError::Port { value: "0".into() }),
            port => Ok(Self { host: addr.ip().to_string(), port }),
        }
    }
}

/// Why a text is no [`PeerAddress`]. The values are printable and cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParsePeerAddressError {
    /// There is no port.
    #[error("{value:?} is not host:port")]
    NoPort {
        /// The text.
        value: String,
    },
    /// The port is no number from 1 to 65535.
    #[error("port {value:?} is not in 1 to 65535")]
    Port {
        /// The port.
        value: String,
    },
    /// The host is neither a name nor an address; that of IPv6 needs brackets.
    #[error("{value:?} is not a host")]
    Host {
        /// The host.
        value: String,
    },
}

impl FromStr for PeerAddress {
    type Err = ParsePeerAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let quote = |value: &str| text::printable(value.as_bytes(), MAX_QUOTE);
        let (host, port) = text
            .rsplit_once(':')
            .ok_or_else(|| ParsePeerAddressError::NoPort { value: quote(text) })?;
        let number = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok());
        let Some(port) = number.flatten().filter(|&port| port != 0) else {
            return Err(ParsePeerAddressError::Port { value: quote(port) });
        };
        match canonical(host) {
            Some(host) => Ok(Self { host, port }),
            None => Err(ParsePeerAddressError::Host { value: quote(host) }),
        }
    }
}

fn canonical(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let ip: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(ip.to_string());
    }
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let fits = (1..=MAX_HOST).contains(&host.len()) && host.bytes().all(name);
    // An address in the one form that it is compared in.
    fits.then(|| host.parse().map_or_else(|_| host.to_owned(), |ip: IpAddr| ip.to_string()))
}
