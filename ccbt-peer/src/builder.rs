//! The public handle of a swarm, and how to make one.

mod error;
mod sharing;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use ccbt_policy::{EvictionPolicy, PolicySet, Ranking, Source, Turnover};
use ccbt_wire::{Bitfield, InfoHash, Magnet, Metainfo, PeerId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::driver::{
    self, Begin, Binding, Budget, Dialer, Limits, Node, Opened, Opener, OurNode, Report, Setup,
    TcpDialer,
};
pub use error::{ChooseError, StartError};

use crate::events::{self, Events};
use crate::snapshot::Snapshot;
#[cfg(feature = "webseed")]
use crate::source::WebSeeds;
#[cfg(feature = "dht")]
use crate::source::dht::Dht;
use crate::source::{self, PeerSource};
use crate::store::{MemoryStore, PieceStore, StoreError};
use crate::swarm::{Input, SwarmConfig};
use crate::{Addresses, Blocklist, Choice, Geometry, Progress};

/// A running swarm: one torrent, its peers and its pieces.
///
/// It runs in tasks of its own; this is a handle that can be cloned and sent anywhere. When the last handle
/// is dropped the swarm stops.
///
/// ```no_run
/// # async fn download() -> Result<(), Box<dyn std::error::Error>> {
/// use ccbt_peer::{EventKind, FileStore, Given, Swarm, policy::PolicySet, wire::Metainfo};
///
/// let metainfo = Metainfo::parse(&std::fs::read("x.torrent")?)?;
/// let (store, have) = FileStore::resume("downloads", &metainfo)?;
/// let (swarm, mut events) = Swarm::builder(metainfo)
///     .store(store)
///     .have(have)
///     .policy(PolicySet::standard())
///     .source(Given::new(["192.0.2.1:6881".parse()?]))
///     .start()?;
/// while let Some(event) = events.next().await {
///     match event.kind {
///         EventKind::PeerClosed { peer, reason, .. } => println!("{peer}: {reason}"),
///         EventKind::Finished => swarm.stop().await,
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Swarm {
    inner: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    reports: mpsc::Sender<Report>,
    progress: Arc<Mutex<Progress>>,
    node: Option<Node>,
    limits: Limits,
    #[cfg(feature = "webseed")]
    web_seeds: Option<Arc<source::KnownWebSeeds>>,
    /// The torrent, once its store is there.
    torrent: watch::Receiver<Option<Arc<Metainfo>>>,
}

impl Swarm {
    /// A swarm to be for this torrent.
    #[must_use]
    pub fn builder(metainfo: Metainfo) -> SwarmBuilder {
        let have = Bitfield::new(metainfo.piece_count());
        let config = SwarmConfig {
            private: metainfo.is_private(),
            info_hash: metainfo.info_hash(),
            ..SwarmConfig::new(Geometry::of(&metainfo))
        };
        SwarmBuilder::new(What::Torrent(metainfo), config, have)
    }

    /// A swarm to be for this magnet link. Its metadata is fetched from peers (BEP 9) and told as
    /// [`EventKind::Metadata`](crate::EventKind::Metadata); then `open` is called, in a thread of its own while
    /// the connections live on, for the store and the verified pieces in it, and the files that are wanted if
    /// not all are, and the download begins.
    ///
    /// What the link says of trackers, web seeds and peers stands in [`Metainfo`] and [`Magnet`]; sources are
    /// given as for any other swarm.
    ///
    /// ```no_run
    /// # async fn download() -> Result<(), Box<dyn std::error::Error>> {
    /// use ccbt_peer::{FileStore, Given, Swarm, wire::Magnet};
    ///
    /// let link = "magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&x.pe=192.0.2.1:6881";
    /// let magnet: Magnet = link.parse()?;
    /// let peers = magnet.peers.iter().map(ToString::to_string).collect();
    /// let (swarm, events) = Swarm::magnet(magnet, |torrent| FileStore::resume("downloads", torrent))
    ///     .source(Given::hosts(peers))
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn magnet<O: Into<Opened>>(
        magnet: Magnet,
        open: impl FnOnce(&Metainfo) -> Result<O, StoreError> + Send + 'static,
    ) -> SwarmBuilder {
        let config = SwarmConfig::magnet(magnet.info_hash.unwrap_or(InfoHash([0; 20])));
        let open: Opener = Box::new(|torrent| open(torrent).map(Into::into));
        SwarmBuilder::new(What::Magnet(Box::new(magnet), open), config, Bitfield::new(0))
    }

    /// Other files, or another order, from now on. When it returns, the store is ready for the choice and the
    /// swarm follows it: requests for what is no longer wanted are withdrawn, peers hear at once of our
    /// interest in them, and [`Finished`](crate::EventKind::Finished) comes when all that is wanted is here.
    ///
    /// # Errors
    /// If the choice is about another torrent, that of a magnet link is not known or its store not open yet, a
    /// file cannot be had in its place, or the swarm has stopped. Then the choice before holds on.
    pub async fn choose(&self, choice: Choice) -> Result<(), ChooseError> {
        let files = self.inner.torrent.borrow().as_ref().map(|torrent| torrent.files().len());
        let files = files.ok_or(ChooseError::Unknown)?;
        let chosen = choice.files();
        if chosen != files {
            return Err(ChooseError::Files { chosen, files });
        }
        let (reply, done) = oneshot::channel();
        let asked = self.inner.reports.send(Report::Choose(choice, reply)).await;
        asked.map_err(|_| ChooseError::Stopped)?;
        done.await.map_err(|_| ChooseError::Stopped)?.map_err(ChooseError::Store)
    }

    /// Other rules from now on. Every peer is judged anew.
    pub fn set_policy(&self, policy: impl EvictionPolicy + 'static) {
        self.tell(Report::Wish(Input::Policy(Arc::new(policy))));
    }

    /// More addresses to try, as dear as those of a [`Given`](crate::Given) source.
    pub fn add_peers(&self, peers: Vec<SocketAddr>) {
        self.tell(Report::Wish(Input::Found { source: Source::Given, peers }));
    }

    /// Another idea of what peers are worth from now on, and of how many go for better ones.
    pub fn set_ranking(&self, ranking: impl Ranking + 'static, turnover: Turnover) {
        self.tell(Report::Wish(Input::Ranking(Arc::new(ranking), turnover)));
    }

    /// Other addresses are blocked from now on: neither dialed nor let in. Who is connected from one of them
    /// is closed.
    pub fn set_blocklist(&self, blocklist: Arc<Blocklist>) {
        #[cfg(feature = "webseed")]
        if let Some(web_seeds) = &self.inner.web_seeds {
            web_seeds.block(Arc::clone(&blocklist));
        }
        self.tell(Report::Wish(Input::Blocklist(blocklist)));
    }

    /// What there is to remember of addresses for a later run; `None` if the swarm has stopped. To be asked
    /// for before [`stop`](Self::stop).
    pub async fn addresses(&self) -> Option<Addresses> {
        let (reply, addresses) = oneshot::channel();
        self.inner.reports.send(Report::Addresses(reply)).await.ok()?;
        let addresses = addresses.await.ok()?;
        #[cfg(feature = "webseed")]
        if let Some(web_seeds) = &self.inner.web_seeds {
            return Some(web_seeds.without(addresses));
        }
        Some(addresses)
    }

    /// From now on the peers of this host keep their slots whatever the rules say, or no longer do.
    pub fn pin(&self, host: IpAddr, pinned: bool) {
        self.tell(Report::Wish(Input::Pin { host, pinned }));
    }

    /// So many connections with a slot from now on. If there are more, those go that are worth least.
    pub fn set_max_peers(&self, peers: u32) {
        self.tell(Report::Wish(Input::MaxPeers(peers)));
    }

    /// The swarm as it stands, peer by peer; `None` if it has stopped.
    pub async fn snapshot(&self) -> Option<Snapshot> {
        let (reply, snapshot) = oneshot::channel();
        self.inner.reports.send(Report::Look(reply)).await.ok()?;
        snapshot.await.ok()
    }

    /// Other limits from now on, in bytes a second; `None` is no limit. They are those of all swarms that
    /// [share](SwarmBuilder::limits) them.
    pub fn set_limits(&self, down: Option<u64>, up: Option<u64>) {
        self.inner.limits.set_down(down);
        self.inner.limits.set_up(up);
    }

    /// The state in numbers, as of the last second.
    #[must_use]
    pub fn progress(&self) -> Progress {
        *self.inner.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the swarm listens; `None` if it only dials.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.node.as_ref().map(Node::local_addr)
    }

    /// Asks the swarm to close all connections and say goodbye to its sources. The end of the
    /// [`Events`] tells when that is done, within half a second.
    pub async fn stop(&self) {
        let _ = self.inner.reports.send(Report::Stop).await;
    }

    /// The swarm's task always drains its queue, so the message waits for that at the most.
    pub(crate) fn tell(&self, report: Report) {
        if let Err(mpsc::error::TrySendError::Full(report)) = self.inner.reports.try_send(report) {
            let reports = self.inner.reports.clone();
            tokio::spawn(async move {
                let _ = reports.send(report).await;
            });
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A full queue: somebody has to wait for room, and it cannot be us.
        if let Err(mpsc::error::TrySendError::Full(report)) = self.reports.try_send(Report::Stop)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let reports = self.reports.clone();
            runtime.spawn(async move {
                let _ = reports.send(report).await;
            });
        }
    }
}

/// A swarm to be.
pub struct SwarmBuilder {
    what: What,
    config: SwarmConfig,
    store: Option<Arc<dyn PieceStore>>,
    have: Bitfield,
    policy: Arc<dyn EvictionPolicy>,
    sources: Vec<Box<dyn PeerSource>>,
    listen: Option<SocketAddr>,
    node: Option<Node>,
    limits: Limits,
    budget: Option<Budget>,
    dialer: Option<Arc<dyn Dialer>>,
    binding: Binding,
    peer_id: Option<PeerId>,
    addresses: Addresses,
    #[cfg(feature = "webseed")]
    web_seeds: Vec<String>,
    choice: Option<Choice>,
    dht: Option<OurNode>,
}

/// What a swarm is for.
enum What {
    Torrent(Metainfo),
    Magnet(Box<Magnet>, Opener),
}

impl SwarmBuilder {
    fn new(what: What, config: SwarmConfig, have: Bitfield) -> Self {
        Self {
            what,
            config,
            store: None,
            have,
            policy: Arc::new(PolicySet::standard()),
            sources: Vec::new(),
            listen: None,
            node: None,
            limits: Limits::none(),
            budget: None,
            dialer: None,
            binding: Binding::default(),
            peer_id: None,
            addresses: Addresses::default(),
            #[cfg(feature = "webseed")]
            web_seeds: Vec::new(),
            choice: None,
            dht: None,
        }
    }

    /// Which files are wanted, and in which order; every file by default. [`Swarm::choose`] changes it. A
    /// [`FileStore`](crate::FileStore) is best [opened](crate::store::FileStoreBuilder::choice) with the same
    /// choice. That of a magnet link comes with its store.
    #[must_use]
    pub fn choose(mut self, choice: Choice) -> Self {
        self.choice = Some(choice);
        self
    }

    /// Where the payload lies. The default is memory, which is for tests. That of a magnet link is what
    /// [`Swarm::magnet`] was given to open.
    #[must_use]
    pub fn store(mut self, store: impl PieceStore + 'static) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The pieces that the store holds already, verified. The default is none.
    #[must_use]
    pub fn have(mut self, have: Bitfield) -> Self {
        self.have = have;
        self
    }

    /// Who is to be closed, and when. The default is [`PolicySet::standard`].
    #[must_use]
    pub fn policy(mut self, policy: impl EvictionPolicy + 'static) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// One more source of peers. A private torrent has none that is a DHT, an exchange of addresses or local
    /// discovery (BEP 27): they are not run.
    #[must_use]
    pub fn source(mut self, source: impl PeerSource) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// Find peers by this node of the DHT, and tell peers of it, as they tell of theirs (BEP 5). That of a private
    /// torrent does neither (BEP 27).
    #[cfg(feature = "dht")]
    #[must_use]
    pub fn dht(mut self, dht: &Dht) -> Self {
        let node = dht.clone();
        let port = dht.port(true).or_else(|| dht.port(false));
        let add = Box::new(move |addr| node.add_node(addr));
        self.dht = port.map(|port| OurNode { port, add });
        self.source(dht.source())
    }

    /// Listen at `addr`, as [`Node::listen`] says. The default is not to listen.
    #[must_use]
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen = Some(addr);
        self
    }

    /// Share a listener with other swarms.
    #[must_use]
    pub fn node(mut self, node: &Node) -> Self {
        self.node = Some(node.clone());
        self
    }

    /// Connections with a slot; 256 by default.
    #[must_use]
    pub fn max_peers(mut self, peers: u32) -> Self {
        self.config.max_peers = peers;
        self
    }

    /// What peers are worth, and how many of the least go for better ones once nearly all slots are taken.
    /// The default is [`ByExchange`](ccbt_policy::ByExchange), and 4 % every 300 s.
    #[must_use]
    pub fn ranking(mut self, ranking: impl Ranking + 'static, turnover: Turnover) -> Self {
        self.config.ranking = Arc::new(ranking);
        self.config.turnover = turnover;
        self
    }

    /// The peers of this host keep their slots whatever the rules say. They go when they break the protocol or
    /// send bad data.
    #[must_use]
    pub fn pin(mut self, host: IpAddr) -> Self {
        self.config.pinned.insert(host.to_canonical());
        self
    }

    /// Whether peers tell us of peers, and we them (BEP 11); they do by default. Those of a private torrent never
    /// do.
    #[must_use]
    pub fn pex(mut self, pex: bool) -> Self {
        self.config.pex = pex;
        self
    }

    /// Ask nobody for anything: only look at the swarm.
    #[must_use]
    pub fn observe(mut self) -> Self {
        self.config.observe = true;
        self
    }

    /// Show each peer one piece at a time, so that a seed that is alone sends nearly every piece but once
    /// (BEP 16), until the others have everything twice. For a swarm that has every piece at its start;
    /// nothing changes for any other, nor for a magnet link.
    #[must_use]
    pub fn super_seed(mut self) -> Self {
        self.config.super_seed = true;
        self
    }

    /// Addresses that are neither dialed nor let in. The default is none.
    #[must_use]
    pub fn blocklist(mut self, blocklist: Arc<Blocklist>) -> Self {
        self.config.blocklist = blocklist;
        self
    }

    /// What an earlier run knew of addresses: good ones are dialed, the others wait for as long as they had
    /// to. The default is nothing.
    #[must_use]
    pub fn addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// Web servers that have the torrent's files (BEP 19), such as those of
    /// [`Metainfo::url_list`](ccbt_wire::Metainfo::url_list). The default is none.
    ///
    /// Each is a peer that has every piece and never chokes us: it gets a slot, and is asked, limited, judged,
    /// blamed for wrong pieces and tried again like any other, under the address of its server. Blocks that
    /// lie one behind the other are one request. Those at one address are one peer: each failure is told, and the
    /// next one takes over. A complete swarm asks none, no swarm more than 16, and that of a
    /// magnet link none before it knows the files.
    #[cfg(feature = "webseed")]
    #[must_use]
    pub fn web_seeds<U: AsRef<str>>(mut self, urls: &[U]) -> Self {
        self.web_seeds = urls.iter().map(|url| url.as_ref().to_owned()).collect();
        self
    }

    /// How connections are made. The default is [`TcpDialer`], with the [`binding`](Self::binding) of the swarm.
    #[must_use]
    pub fn dialer(mut self, dialer: impl Dialer + 'static) -> Self {
        self.dialer = Some(Arc::new(dialer));
        self
    }

    /// Which way the swarm's sockets take: where it listens, whom it dials, whom its sources ask. The default
    /// is any. A [`node`](Self::node) has its own.
    #[must_use]
    pub fn binding(mut self, binding: &Binding) -> Self {
        self.binding = binding.clone();
        self
    }

    /// Our peer id. The default names this client and is random else.
    #[must_use]
    pub fn peer_id(mut self, peer_id: PeerId) -> Self {
        self.peer_id = Some(peer_id);
        self
    }

    /// Seed for everything random in the swarm's decisions, for runs that are to be alike.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Starts the swarm. Its events can be read at once.
    ///
    /// # Errors
    /// If the address to listen at cannot be had, the bitfield or the choice is of another torrent, or there
    /// is no thread to be had.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(mut self) -> Result<(Swarm, Events), StartError> {
        let (pieces, bits) = (self.config.geometry.pieces(), self.have.len());
        if pieces != bits {
            return Err(StartError::Bitfield { bits, pieces });
        }
        let begin = match self.what {
            What::Torrent(metainfo) => {
                let (choice, files) = (self.choice, metainfo.files().len());
                let chosen = choice.as_ref().map(Choice::files);
                if let Some(chosen) = chosen.filter(|chosen| *chosen != files) {
                    return Err(StartError::Choice { chosen, files });
                }
                if let Some(choice) = &choice {
                    self.config.choice = Arc::new(choice.pieces(&metainfo));
                }
                let store = self.store.unwrap_or_else(|| Arc::new(MemoryStore::new(&metainfo)));
                let opened = Opened::new(store, self.have, choice);
                Begin::Torrent { metainfo: Arc::new(metainfo), opened }
            }
            What::Magnet(magnet, _) if magnet.info_hash.is_none() => {
                return Err(StartError::NoInfoHash);
            }
            What::Magnet(..) if self.store.is_some() || self.choice.is_some() => {
                return Err(StartError::StoreOfMagnet);
            }
            What::Magnet(magnet, open) => Begin::Magnet { magnet, open },
        };
        let node = match (self.node, self.listen) {
            (Some(node), _) => Some(node),
            (None, Some(addr)) => {
                let node = Node::listen_through(addr, &self.binding);
                Some(node.map_err(|source| StartError::Listen { addr, source })?)
            }
            (None, None) => None,
        };
        self.config.listen = node.as_ref().map(Node::local_addr);
        self.config.peer_id = self.peer_id.unwrap_or_else(random_peer_id);
        if self.config.seed == 0 {
            self.config.seed = fastrand::u64(..);
        }
        if self.config.private {
            self.sources.retain(|source| source::is_fit_for_private(source.kind()));
        }
        let dialer =
            self.dialer.unwrap_or_else(|| Arc::new(TcpDialer::through(self.binding.clone())));
        let dht = self.dht.filter(|_| !self.config.private);
        let (torrent, known) = watch::channel(None);
        #[cfg(feature = "webseed")]
        let (dialer, web_seeds) = if self.web_seeds.is_empty() {
            (dialer, None)
        } else {
            let seeds = WebSeeds::new(&self.web_seeds, known.clone());
            seeds.known().block(Arc::clone(&self.config.blocklist));
            let through: Arc<dyn Dialer> = Arc::new(seeds.dialer(dialer));
            let places = seeds.known();
            self.sources.push(Box::new(seeds));
            (through, Some(places))
        };
        let progress = Arc::new(Mutex::new(Progress::default()));
        let (sink, events) = events::channel();
        let reports = driver::run(Setup {
            begin,
            config: self.config,
            addresses: self.addresses,
            policy: self.policy,
            dialer,
            binding: self.binding,
            dht,
            sources: self.sources,
            node: node.clone(),
            limits: self.limits.clone(),
            budget: self.budget,
            events: sink,
            progress: progress.clone(),
            torrent,
        })
        .map_err(StartError::Thread)?;
        let handle = Handle {
            reports,
            progress,
            node,
            limits: self.limits,
            #[cfg(feature = "webseed")]
            web_seeds,
            torrent: known,
        };
        Ok((Swarm { inner: Arc::new(handle) }, events))
    }
}

/// `-CC0100-` and twelve letters and digits (BEP 20).
fn random_peer_id() -> PeerId {
    let mut id = *b"-CC0100-000000000000";
    id[8..].fill_with(|| u8::try_from(fastrand::alphanumeric()).unwrap_or(b'0'));
    PeerId(id)
}
