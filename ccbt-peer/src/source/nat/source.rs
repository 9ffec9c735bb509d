//! The mapping for as long as swarms run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ccbt_policy::Source;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Mapping, Protocol, pcp};
use crate::source::{PeerSource, SourceContext};

/// A router that refused or was not there is asked again after so long.
const RETRY: Duration = Duration::from_secs(10 * 60);

/// Has the router lead connections from outside to us, for all swarms of a process on one port.
///
/// It asks by PCP, NAT-PMP and UPnP IGD when the first of its [sources](Self::source) runs, renews after half
/// of the time that the router gives, and gives the port back when the last of them ends. What came of it is told as the reply of a source
/// that names no address: its warning says which port leads to us.
#[derive(Clone, Debug, Default)]
pub struct PortMapper {
    udp: Option<u16>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    users: usize,
    work: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl PortMapper {
    /// For the port on which the swarms listen, and this UDP port, that of the DHT say.
    #[must_use]
    pub fn new(udp: Option<u16>) -> Self {
        Self { udp, shared: Arc::default() }
    }

    /// What a swarm is given: the port is mapped while it runs.
    #[must_use]
    pub fn source(&self) -> PortMapperSource {
        PortMapperSource { mapper: self.clone() }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wish of one swarm that a port of the router leads to us. See [`PortMapper`].
#[derive(Clone, Debug)]
pub struct PortMapperSource {
    mapper: PortMapper,
}

#[async_trait]
impl PeerSource for PortMapperSource {
    fn name(&self) -> String {
        "port mapping".into()
    }

    fn kind(&self) -> Source {
        Source::Incoming
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        let Some(port) = context.port else {
            context.failed("nobody listens").await;
            return;
        };
        let mut ports = vec![(Protocol::Tcp, port)];
        ports.extend(self.mapper.udp.map(|port| (Protocol::Udp, port)));
        {
            let mut shared = self.mapper.shared();
            shared.users += 1;
            if shared.work.is_none() {
                let (stop, stopped) = watch::channel(false);
                let work = keep(context.named(self.name()), ports, stopped);
                shared.work = Some((stop, tokio::spawn(work)));
            }
        }
        context.stopped().await;
        let last = {
            let mut shared = self.mapper.shared();
            shared.users -= 1;
            if shared.users == 0 { shared.work.take() } else { None }
        };
        if let Some((stop, work)) = last {
            let _ = stop.send(true);
            let _ = work.await;
        }
    }
}

/// Maps, tells, and renews, until it is to stop.
async fn keep(
    context: SourceContext,
    ports: Vec<(Protocol, u16)>,
    mut stopped: watch::Receiver<bool>,
) {
    let binding = context.binding().clone();
    let (mut told, nonce) = (None, pcp::Nonce::new());
    loop {
        let made = tokio::select! {
            made = Mapping::new(&binding, &ports, nonce) => made,
            // What is half made ends by itself, as all that is not renewed.
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let (line, mapping) = match made {
            Ok(mapping) => {
                let at = mapping.external.map(|ip| format!(" of {ip}")).unwrap_or_default();
                let port = ports.first().map_or(0, |(_, port)| *port);
                (Ok(format!("port {port}{at} leads to us ({})", mapping.method())), Some(mapping))
            }
            Err(error) => (Err(error.to_string()), None),
        };
        // Each state is told when it begins, and not again.
        if told.as_ref() != Some(&line) {
            match line.clone() {
                Ok(line) => context.found(Vec::new(), Some(line)).await,
                Err(error) => context.failed(error).await,
            }
            told = Some(line);
        }
        let wait = mapping.as_ref().map_or(RETRY, Mapping::renewal);
        let up = tokio::select! {
            () = sleep(wait) => false,
            _ = stopped.wait_for(|stop| *stop) => true,
        };
        if up {
            if let Some(mapping) = mapping {
                mapping.remove(&binding).await;
            }
            return;
        }
    }
}
