//! Our node of the DHT, and what it remembers from run to run.

use std::sync::Arc;
use std::time::Duration;

use ccbt_peer::Binding;
use ccbt_peer::source::dht::{Dht, DhtConfig, DhtNodes};
use tokio::task::JoinHandle;

use crate::args::{Contact, DhtOptions};
use crate::report::Report;
use crate::state::{Nodes, State};

/// So often it is written down whom the node knows.
const PERIOD: Duration = Duration::from_secs(5 * 60);

/// The node of this process, in all of its swarms.
#[derive(Debug)]
pub(super) struct DhtNode {
    dht: Dht,
    memory: Arc<Nodes>,
    writer: JoinHandle<()>,
}

impl DhtNode {
    /// Opens its sockets, beside the port where we listen if that is free; it is silent until a swarm
    /// searches. Without it there are other ways to find peers, so that it is no failure if it cannot be.
    pub(super) fn start(
        contact: &Contact,
        binding: &Binding,
        state: &State,
        report: &mut Report,
    ) -> Option<Self> {
        let DhtOptions { no_dht: false, dht_bootstrap } = &contact.dht else { return None };
        // Nodes of one network are nothing to another.
        let memory =
            Arc::new(if dht_bootstrap.is_empty() { state.nodes() } else { Nodes::default() });
        let (nodes, trouble) = memory.recall();
        if let Some(trouble) = trouble {
            report.once(&trouble);
        }
        let mut config = DhtConfig { binding: binding.clone(), ..DhtConfig::default() };
        config.port = contact.listen.port();
        if !dht_bootstrap.is_empty() {
            config.bootstrap.clone_from(dht_bootstrap);
        } else if contact.listen.ip().is_loopback() {
            // There is no way from there to the usual ones.
            config.bootstrap.clear();
        }
        config.nodes = nodes.addresses().to_vec();
        match Dht::start(config) {
            Ok(dht) => {
                let writer = tokio::spawn(write_now_and_then(dht.clone(), memory.clone()));
                Some(Self { dht, memory, writer })
            }
            Err(error) => {
                report.once(&format!("no DHT: {error}"));
                None
            }
        }
    }

    /// A handle of it.
    pub(super) fn dht(&self) -> Dht {
        self.dht.clone()
    }

    /// The port to which nodes of the IPv4 network send.
    pub(super) fn port(&self) -> Option<u16> {
        self.dht.port(true)
    }
}

impl Drop for DhtNode {
    fn drop(&mut self) {
        self.writer.abort();
        // A later run without it asks the usual nodes: nothing is lost but a second.
        let _ = self.memory.keep(&DhtNodes::new(self.dht.nodes()));
    }
}

async fn write_now_and_then(dht: Dht, memory: Arc<Nodes>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let (memory, nodes) = (memory.clone(), DhtNodes::new(dht.nodes()));
        // What cannot be written now may be written later.
        let _ = tokio::task::spawn_blocking(move || memory.keep(&nodes)).await;
    }
}
