//! A port of the router that leads to us, so that others can connect: UPnP IGD, and NAT-PMP (RFC 6886).
//!
//! [`PortMapper`] asks the router for it while swarms run, and takes leave when the last one stops. It finds
//! no peers; it lets them find us.

mod gateway;
mod natpmp;
mod source;
mod upnp;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::Binding;

pub use source::{PortMapper, PortMapperSource};

/// For so long a mapping is asked for; it is renewed after half of it.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

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
    #[error("no router answers, neither by NAT-PMP nor by UPnP")]
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
    /// The router's own address on the other side, if it tells.
    external: Option<IpAddr>,
}

#[derive(Debug)]
enum Router {
    NatPmp(natpmp::Router),
    Upnp(upnp::Router),
}

impl Mapping {
    /// Asks a router for these ports.
    async fn new(binding: &Binding, ports: &[(Protocol, u16)]) -> Result<Self, MapError> {
        let (routers, mut error) = (find(binding).await, MapError::NoRouter);
        for router in routers {
            let mapping = Self { ports: ports.to_vec(), router, external: None };
            match mapping.renew(binding).await {
                Ok(()) => {
                    let external = mapping.router.external(binding).await;
                    return Ok(Self { external, ..mapping });
                }
                Err(refused) => {
                    mapping.remove(binding).await;
                    error = refused;
                }
            }
        }
        Err(error)
    }

    fn method(&self) -> &'static str {
        self.router.method()
    }

    /// Asks for another while.
    async fn renew(&self, binding: &Binding) -> Result<(), MapError> {
        for (protocol, port) in &self.ports {
            match &self.router {
                Router::NatPmp(router) => router.map(binding, *protocol, *port, LIFETIME).await?,
                Router::Upnp(router) => router.map(binding, *protocol, *port, LIFETIME).await?,
            }
        }
        Ok(())
    }

    /// Gives the ports back. A router that does not answer forgets them by itself.
    async fn remove(&self, binding: &Binding) {
        for (protocol, port) in &self.ports {
            match &self.router {
                Router::NatPmp(router) => router.unmap(binding, *protocol, *port).await,
                Router::Upnp(router) => router.unmap(binding, *protocol, *port).await,
            }
        }
    }
}

impl Router {
    fn method(&self) -> &'static str {
        match self {
            Self::NatPmp(_) => natpmp::METHOD,
            Self::Upnp(_) => upnp::METHOD,
        }
    }

    async fn external(&self, binding: &Binding) -> Option<IpAddr> {
        match self {
            Self::NatPmp(router) => router.external(binding).await,
            Self::Upnp(router) => router.external(binding).await,
        }
    }
}

/// Routers that answer, both ways at once; who speaks NAT-PMP first.
async fn find(binding: &Binding) -> Vec<Router> {
    let gateway = gateway::default(binding);
    let natpmp = async {
        let router = natpmp::Router::new(gateway?);
        router.external(binding).await.map(|_| Router::NatPmp(router))
    };
    let upnp = async { Some(Router::Upnp(upnp::Router::find(binding, gateway).await?)) };
    // One that is there is enough: nobody waits for the other then.
    tokio::pin!(upnp);
    tokio::select! {
        biased;
        Some(router) = natpmp => vec![router],
        found = &mut upnp => found.into_iter().collect(),
    }
}

/// Our address as this host sees it.
async fn ours_towards(binding: &Binding, host: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = binding.async_udp(true, 0).ok()?;
    socket.connect((host, natpmp::PORT)).await.ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}
