//! The node at work: its sockets, its task, and the handle that swarms share.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ccbt_wire::InfoHash;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};

use super::core::{Core, News};
use super::source::DhtSource;
use crate::driver::{Binding, Clock};

/// Nodes by which newcomers find their way into the DHT, kept up by the authors of other clients.
pub const BOOTSTRAP: [&str; 3] =
    ["dht.libtorrent.org:25401", "dht.transmissionbt.com:6881", "router.bittorrent.com:6881"];

/// A longer datagram is none of the DHT.
const DATAGRAM: usize = 2_048;
/// With so many nodes there is no need of others' help.
const ENOUGH: usize = 8;
/// Names of nodes have to be found in this time.
const LOOK_UP: Duration = Duration::from_secs(10);
/// Wishes of swarms, and finds of one search, that may wait.
const COMMANDS: usize = 64;
const FINDS: usize = 64;
/// After a fault of a socket it is left alone for so long.
const FAULT: Duration = Duration::from_millis(100);

/// How a node of the DHT is to be.
#[derive(Clone, Debug)]
pub struct DhtConfig {
    /// The UDP port; another is taken if this one is not to be had. 0 is any.
    pub port: u16,
    /// Which way its datagrams take.
    pub binding: Binding,
    /// Nodes as `HOST:PORT` by which it finds its way into the network. The default is [`BOOTSTRAP`].
    pub bootstrap: Vec<String>,
    /// Nodes that an earlier run knew.
    pub nodes: Vec<SocketAddr>,
    /// For so long it asks others not to remember it, since most processes end soon (BEP 43). The default
    /// is 10 min.
    pub read_only: Duration,
}

impl Default for DhtConfig {
    fn default() -> Self {
        Self {
            port: 0,
            binding: Binding::default(),
            bootstrap: BOOTSTRAP.map(str::to_owned).to_vec(),
            nodes: Vec::new(),
            read_only: Duration::from_secs(10 * 60),
        }
    }
}

/// A node of the DHT (BEP 5, 32, 42, 43), for all swarms of a process.
///
/// It is in the IPv4 network and in the IPv6 network, as far as there are sockets to be had. Nothing is
/// sent before a swarm searches for the first time. It lives as long as a clone of it, or a source of it.
///
/// ```no_run
/// # fn start(metainfo: ccbt_peer::wire::Metainfo) -> Result<(), Box<dyn std::error::Error>> {
/// use ccbt_peer::{Swarm, source::dht::{Dht, DhtConfig}};
///
/// let dht = Dht::start(DhtConfig { port: 6881, ..DhtConfig::default() })?;
/// let (swarm, events) = Swarm::builder(metainfo)
///     .listen("[::]:6881".parse()?)
///     .source(dht.source())
///     .start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Dht {
    commands: mpsc::Sender<Command>,
    ports: Ports,
    known: Arc<Mutex<Vec<SocketAddr>>>,
}

/// The UDP ports in the two networks.
#[derive(Clone, Copy, Debug)]
struct Ports {
    v4: Option<u16>,
    v6: Option<u16>,
}

enum Command {
    LookUp { info_hash: InfoHash, announce: Option<u16>, finds: mpsc::Sender<Vec<SocketAddr>> },
    Meet(SocketAddr),
}

impl Dht {
    /// Opens the sockets of a node.
    ///
    /// # Errors
    /// If there is none to be had, in neither family.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(config: DhtConfig) -> io::Result<Self> {
        let open = |is_ipv4, port| {
            let opened = config.binding.async_udp(is_ipv4, port);
            opened.or_else(|_| config.binding.async_udp(is_ipv4, 0))
        };
        let port = |socket: &UdpSocket| Some(socket.local_addr().ok()?.port());
        let v4 = open(true, config.port);
        let v6 = open(false, v4.as_ref().ok().and_then(port).unwrap_or(config.port)).ok();
        let v4 = match v4 {
            Err(error) if v6.is_none() => return Err(error),
            socket => socket.ok(),
        };
        let ports = Ports { v4: v4.as_ref().and_then(port), v6: v6.as_ref().and_then(port) };
        let clock = Clock::start();
        let families = (v4.is_some(), v6.is_some());
        let core = Core::new(clock.now(), families, config.read_only, fastrand::u64(..));
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (named, names) = mpsc::channel(1);
        let known = Arc::new(Mutex::new(Vec::new()));
        let task = Task {
            core,
            clock,
            sockets: [v4, v6],
            searches: HashMap::new(),
            // Whoever searches first waits for the first nodes to be known by their address.
            waiting: Some(Vec::new()),
            names: Names { bootstrap: config.bootstrap, named, asked: false },
            nodes: config.nodes,
            known: Arc::clone(&known),
            in_use: false,
        };
        tokio::spawn(task.run(inbox, names));
        Ok(Self { commands, ports, known })
    }

    /// A source of peers for one swarm.
    #[must_use]
    pub fn source(&self) -> DhtSource {
        DhtSource::new(self.clone())
    }

    /// The UDP port to which nodes of this family send, if we are in their network.
    #[must_use]
    pub fn port(&self, is_ipv4: bool) -> Option<u16> {
        if is_ipv4 { self.ports.v4 } else { self.ports.v6 }
    }

    /// The nodes that answer it, those that were heard last first: the [`DhtConfig::nodes`] of a later run.
    #[must_use]
    pub fn nodes(&self) -> Vec<SocketAddr> {
        self.known().clone()
    }

    /// How many nodes answer it.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.known().len()
    }

    fn known(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node is said to be at this address: a peer told it, say. It may be forgotten when there is much
    /// to do.
    pub fn add_node(&self, addr: SocketAddr) {
        let _ = self.commands.try_send(Command::Meet(addr));
    }

    /// Searches once, and announces that we accept connections at this port. Peers come as they are found,
    /// some of them more than once, until the search is over.
    pub async fn look_up(
        &self,
        info_hash: InfoHash,
        announce: Option<u16>,
    ) -> mpsc::Receiver<Vec<SocketAddr>> {
        let (finds, found) = mpsc::channel(FINDS);
        // A node that is gone finds nobody.
        let _ = self.commands.send(Command::LookUp { info_hash, announce, finds }).await;
        found
    }
}

struct Task {
    core: Core,
    clock: Clock,
    sockets: [Option<UdpSocket>; 2],
    searches: HashMap<u64, mpsc::Sender<Vec<SocketAddr>>>,
    /// Searches that wait for the first address of a node; `None` once there was one.
    waiting: Option<Vec<Command>>,
    names: Names,
    nodes: Vec<SocketAddr>,
    /// What the handles see.
    known: Arc<Mutex<Vec<SocketAddr>>>,
    /// Somebody searched, so that there is something to be done.
    in_use: bool,
}

/// Nodes that are known by name, and where their addresses come when they are found.
struct Names {
    bootstrap: Vec<String>,
    named: mpsc::Sender<Vec<SocketAddr>>,
    asked: bool,
}

impl Task {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Command>,
        mut names: mpsc::Receiver<Vec<SocketAddr>>,
    ) {
        let mut buffers = [vec![0; DATAGRAM], vec![0; DATAGRAM]];
        loop {
            self.flush().await;
            let [first, second] = &mut buffers;
            let due = self.clock.instant(self.core.deadline());
            let received = tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => {
                        self.obey(command);
                        continue;
                    }
                    None => return,
                },
                Some(found) = names.recv() => {
                    self.names.asked = false;
                    self.begin(&found);
                    continue;
                }
                received = receive(self.sockets[0].as_ref(), first) => received.map(|it| (&*first, it)),
                received = receive(self.sockets[1].as_ref(), second) => received.map(|it| (&*second, it)),
                () = sleep_until(due), if self.in_use => {
                    self.core.on_deadline(self.clock.now());
                    continue;
                }
            };
            match received {
                Ok((buffer, (length, from))) => {
                    self.core.handle(self.clock.now(), from, &buffer[..length]);
                }
                // Some systems tell here that a datagram of ours did not arrive.
                Err(_) => sleep(FAULT).await,
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Meet(addr) => self.core.meet(now, addr),
            Command::LookUp { .. } if self.waiting.is_some() => {
                self.in_use = true;
                self.waiting.get_or_insert_default().push(command);
                let nodes = std::mem::take(&mut self.nodes);
                if nodes.is_empty() {
                    self.names.ask();
                } else {
                    self.begin(&nodes);
                }
            }
            Command::LookUp { info_hash, announce, finds } => {
                if self.core.node_count() < ENOUGH {
                    self.names.ask();
                }
                let key = self.core.look_up(now, info_hash, announce);
                self.searches.insert(key, finds);
            }
        }
    }

    /// At these addresses there are nodes, or nobody could be found.
    fn begin(&mut self, nodes: &[SocketAddr]) {
        self.core.say(self.clock.now(), nodes);
        self.waiting.take().into_iter().flatten().for_each(|command| self.obey(command));
    }

    /// Sends and tells what there is to be sent and told.
    async fn flush(&mut self) {
        while let Some((to, datagram)) = self.core.poll_send() {
            if let Some(socket) = &self.sockets[usize::from(to.is_ipv6())] {
                // It is lost, as datagrams are.
                let _ = socket.send_to(&datagram, to).await;
            }
        }
        while let Some(news) = self.core.poll_news() {
            match news {
                News::Over(key) => _ = self.searches.remove(&key),
                News::Peers(key, peers) => {
                    let told = self.searches.get(&key).map(|finds| finds.try_send(peers));
                    if let Some(Err(mpsc::error::TrySendError::Closed(_))) = told {
                        self.searches.remove(&key);
                        self.core.give_up(key);
                    }
                }
            }
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() != self.core.node_count() {
            *known = self.core.nodes();
        }
    }
}

impl Names {
    /// Looks the names up, beside all else.
    fn ask(&mut self) {
        if std::mem::replace(&mut self.asked, true) {
            return;
        }
        let (bootstrap, named) = (self.bootstrap.clone(), self.named.clone());
        tokio::spawn(async move {
            let mut lookups = tokio::task::JoinSet::new();
            for name in bootstrap {
                let lookup = tokio::time::timeout(LOOK_UP, async move {
                    tokio::net::lookup_host(name).await.map(Iterator::collect::<Vec<_>>)
                });
                lookups.spawn(lookup);
            }
            // The first that are found are a beginning already.
            let mut all: Vec<SocketAddr> = Vec::new();
            while let Some(found) = lookups.join_next().await {
                if let Ok(Ok(Ok(found))) = found {
                    all.extend(found);
                }
            }
            let _ = named.send(all).await;
        });
    }
}

async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    match socket {
        Some(socket) => socket.recv_from(buffer).await,
        None => std::future::pending().await,
    }
}
