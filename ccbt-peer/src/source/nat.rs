//! A port of the router that leads to us, so that others can connect: PCP (RFC 6887), NAT-PMP (RFC 6886), and
//! UPnP IGD.
//!
//! [`PortMapper`] asks the router for it while swarms run, and takes leave when the last one stops. It finds
//! no peers; it lets them find us.

mod datagram;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod gateway;
mod natpmp;
mod pcp;
mod source;
#[cfg(test)]
mod tests;
mod upnp;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::Binding;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use fuzzing::{nat_pmp, pcp, ssdp, upnp};
pub use source::{PortMapper, PortMapperSource};

/// For so long a mapping is asked for; it is renewed after half of what the router gives.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// It is not renewed more often than that.
const SHORTEST: Duration = Duration::from_secs(60);

/// What is carried to the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
}

/// Why no port of a router leads to us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// Nobody answered.
    #[error("no router answers, neither by PCP or NAT-PMP nor by UPnP")]
    NoRouter,
    /// The router said no.
    #[error("the router refuses port {port} by {method}: error {code}")]
    Refused {
        /// Our port.
        port: u16,
        /// How it was asked.
        method: &'static str,
        /// Its reason, in the numbers of that protocol.
        code: u16,
    },
    /// The router has another port for us, which nobody would hear of.
    #[error("the router has port {given} for us, and not {port}")]
    OtherPort {
        /// Our port.
        port: u16,
        /// The router's.
        given: u16,
    },
}

/// A port of a router that leads to us.
#[derive(Debug)]
struct Mapping {
    ports: Vec<(Protocol, u16)>,
    router: Router,
    /// How long the ports are ours.
    lifetime: Duration,
    /// The router's own address on the other side, if it tells.
    external: Option<IpAddr>,
}

#[derive(Debug)]
enum Router {
    Pcp(pcp::Router),
    NatPmp(natpmp::Router),
    Upnp(upnp::Router),
}

impl Mapping {
    /// Asks a router for these ports, again if it was asked before with this nonce.
    async fn new(
        binding: &Binding,
        ports: &[(Protocol, u16)],
        nonce: pcp::Nonce,
    ) -> Result<Self, MapError> {
        let router = find(binding, nonce).await.ok_or(MapError::NoRouter)?;
        Self::through(router, binding, ports).await
    }

    /// Asks this router. What it refuses may be somebody else's, so that only what it gave is given back.
    async fn through(
        router: Router,
        binding: &Binding,
        ports: &[(Protocol, u16)],
    ) -> Result<Self, MapError> {
        let mut mapping = Self { ports: Vec::new(), router, lifetime: LIFETIME, external: None };
        for (protocol, port) in ports.iter().copied() {
            let mapped = mapping.router.map(binding, protocol, port).await;
            // Another port is ours as well.
            if matches!(mapped, Ok(_) | Err(MapError::OtherPort { .. })) {
                mapping.ports.push((protocol, port));
            }
            match mapped {
                Ok(lifetime) => mapping.lifetime = mapping.lifetime.min(lifetime),
                Err(error) => {
                    mapping.remove(binding).await;
                    return Err(error);
                }
            }
        }
        mapping.external = mapping.router.external(binding).await;
        Ok(mapping)
    }

    fn method(&self) -> &'static str {
        self.router.method()
    }

    /// When it is to be asked for again.
    fn renewal(&self) -> Duration {
        (self.lifetime / 2).max(SHORTEST)
    }

    /// Gives the ports back. A router that does not answer forgets them by itself.
    async fn remove(&self, binding: &Binding) {
        for (protocol, port) in &self.ports {
            match &self.router {
                Router::Pcp(router) => router.unmap(binding, *protocol, *port).await,
                Router::NatPmp(router) => router.unmap(binding, *protocol, *port).await,
                Router::Upnp(router) => router.unmap(binding, *protocol, *port).await,
            }
        }
    }
}

impl Router {
    fn method(&self) -> &'static str {
        match self {
            Self::Pcp(_) => pcp::METHOD,
            Self::NatPmp(_) => natpmp::METHOD,
            Self::Upnp(_) => upnp::METHOD,
        }
    }

    async fn map(
        &mut self,
        binding: &Binding,
        protocol: Protocol,
        port: u16,
    ) -> Result<Duration, MapError> {
        match self {
            Self::Pcp(router) => router.map(binding, protocol, port, LIFETIME).await,
            Self::NatPmp(router) => router.map(binding, protocol, port, LIFETIME).await,
            Self::Upnp(router) => {
                let mapped = router.map(binding, protocol, port, LIFETIME).await;
                mapped.map(|()| LIFETIME)
            }
        }
    }

    async fn external(&self, binding: &Binding) -> Option<IpAddr> {
        match self {
            Self::Pcp(router) => router.external,
            Self::NatPmp(router) => router.external(binding).await,
            Self::Upnp(router) => router.external(binding).await,
        }
    }
}

/// A router that answers, asked all ways at once; PCP before NAT-PMP, and what is first of these and UPnP.
async fn find(binding: &Binding, nonce: pcp::Nonce) -> Option<Router> {
    let gateway = gateway::default(binding);
    let by_datagram = async {
        let gateway = gateway?;
        let pcp = async {
            let ours = ours_towards(binding, gateway).await?;
            pcp::Router::find(binding, (gateway, ours), nonce).await.map(Router::Pcp)
        };
        let natpmp = async {
            let router = natpmp::Router::new(gateway);
            router.external(binding).await.map(|_| Router::NatPmp(router))
        };
        let (pcp, natpmp) = tokio::join!(pcp, natpmp);
        pcp.or(natpmp)
    };
    let upnp = async { Some(Router::Upnp(upnp::Router::find(binding, gateway).await?)) };
    first_found(by_datagram, upnp).await
}

/// What is found first. One is enough: nobody waits for the other then.
async fn first_found<T>(
    one: impl Future<Output = Option<T>>,
    other: impl Future<Output = Option<T>>,
) -> Option<T> {
    tokio::select! {
        biased;
        Some(found) = one => Some(found),
        Some(found) = other => Some(found),
        else => None,
    }
}

/// Our address as this host sees it.
async fn ours_towards(binding: &Binding, host: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = binding.async_udp(true, 0).ok()?;
    socket.connect((host, datagram::PORT)).await.ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}
