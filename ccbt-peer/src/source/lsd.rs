//! Peers in the local network (BEP 14).

mod hub;
mod sockets;
mod talk;

use std::sync::Arc;

use async_trait::async_trait;
use ccbt_policy::Source;

use self::hub::Hub;
use super::{PeerSource, SourceContext};
use crate::Binding;

/// Local service discovery (BEP 14), for all torrents of a program: one socket for IPv4, one for IPv6.
///
/// It tells the groups 239.192.152.143 and ff15::efc0:988f, port 6771, which torrents take part and where
/// they accept connections, and hears who else does. Each torrent is announced when it joins, again after a
/// minute, because datagrams get lost, then every 5 minutes; never twice within a minute. A torrent without
/// a port of its own only listens. At most 64 different addresses a minute are taken for each torrent.
///
/// ```
/// use ccbt_peer::{LocalDiscovery, Swarm, wire::Metainfo};
///
/// # fn swarms(a: Metainfo, b: Metainfo) {
/// let local = LocalDiscovery::new();
/// let a = Swarm::builder(a).source(local.source());
/// let b = Swarm::builder(b).source(local.source());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LocalDiscovery {
    hub: Arc<Hub>,
}

impl LocalDiscovery {
    /// In the network of the system's choice. Nothing is opened or sent before a source runs.
    #[must_use]
    pub fn new() -> Self {
        Self::over(&Binding::default())
    }

    /// In the network that `binding` leads to.
    #[must_use]
    pub fn over(binding: &Binding) -> Self {
        Self { hub: Arc::new(Hub::new(binding.clone())) }
    }

    /// The source for one torrent.
    #[must_use]
    pub fn source(&self) -> LocalSource {
        LocalSource { hub: Arc::clone(&self.hub) }
    }
}

impl Default for LocalDiscovery {
    fn default() -> Self {
        Self::new()
    }
}

/// Peers of one torrent in the local network; see [`LocalDiscovery`].
#[derive(Debug)]
pub struct LocalSource {
    hub: Arc<Hub>,
}

#[async_trait]
impl PeerSource for LocalSource {
    fn name(&self) -> String {
        "lsd".into()
    }

    fn kind(&self) -> Source {
        Source::Lsd
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        let mut seat = self.hub.join(context.info_hash, context.port);
        loop {
            let heard = tokio::select! {
                heard = seat.next() => heard,
                () = context.stopped() => return,
            };
            match heard {
                Ok(peer) => context.found(vec![peer], None).await,
                Err(error) => context.failed(error).await,
            }
        }
    }
}
