//! Web seeds (BEP 19): servers that have the files, as peers that have every piece.
//!
//! To the swarm a web seed is an address like any other. Whoever dials it gets a stream at whose other end a
//! task speaks the peer protocol and fetches what it is asked for. So all that holds for peers holds for
//! web seeds, and nobody else has to know of them.

mod layout;
mod peer;
mod site;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ccbt_policy::Source;
use ccbt_wire::Metainfo;
use hyper::Uri;
use tokio::net::lookup_host;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::layout::Layout;
use self::peer::Peer;
use self::site::Site;
use super::{PeerSource, SourceContext, http};
use crate::driver::{Dialer, Transport};
use crate::{Addresses, Binding, Blocklist};

const FIRST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(10 * 60);
/// How long the name of a web seed may be looked up.
const LOOK_UP: Duration = Duration::from_secs(5);
/// Bytes on their way between a web seed's task and its connection, in each direction. The connection reads
/// no faster than our limit allows, and so does the task.
const ROOM: usize = 64 << 10;
/// Failures that wait to be told; more are not.
const FAILURES: usize = 16;
/// Web seeds of a torrent; what it names beyond them is not asked.
const MOST: usize = 16;

/// The web seeds of a torrent.
#[derive(Debug)]
pub(crate) struct WebSeeds {
    urls: Vec<String>,
    /// The torrent, once its files are checked.
    torrent: watch::Receiver<Option<Arc<Metainfo>>>,
    known: Arc<Known>,
    failures: mpsc::Receiver<Failure>,
    tell: mpsc::Sender<Failure>,
}

/// Where web seeds are, as far as their names have been looked up.
#[derive(Debug, Default)]
pub(crate) struct Known {
    sites: Mutex<HashMap<SocketAddr, Arc<Site>>>,
    guard: Arc<http::Guard>,
}

/// What went wrong with the web seed of this URL.
#[derive(Debug)]
struct Failure {
    url: String,
    error: String,
}

/// One of them.
#[derive(Debug)]
struct Seed {
    layout: Layout,
    ranges: http::Ranges,
    failures: mpsc::Sender<Failure>,
}

impl WebSeeds {
    pub(crate) fn new<U: AsRef<str>>(
        urls: &[U],
        torrent: watch::Receiver<Option<Arc<Metainfo>>>,
    ) -> Self {
        let (tell, failures) = mpsc::channel(FAILURES);
        let mut all: Vec<String> = Vec::new();
        for url in urls.iter().map(|url| url.as_ref().trim()) {
            if all.len() < MOST && !all.iter().any(|known| known == url) {
                all.push(url.to_owned());
            }
        }
        Self { urls: all, torrent, known: Arc::default(), failures, tell }
    }

    /// Dials web seeds, and everybody else through `others`.
    pub(crate) fn dialer(&self, others: Arc<dyn Dialer>) -> WebDialer {
        WebDialer { others, known: Arc::clone(&self.known) }
    }

    /// Where they are, as that becomes known.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known)
    }

    /// The files that the servers are asked for; `None` if the swarm ends before they are known.
    async fn files(&mut self) -> Option<Arc<Metainfo>> {
        self.torrent.wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Makes a web seed known at one of the addresses of its name, at one that no other one has if there is such.
    fn place(
        &self,
        metainfo: &Arc<Metainfo>,
        url: &str,
        found: &[SocketAddr],
        binding: &Binding,
    ) -> Option<SocketAddr> {
        let seed = Arc::new(Seed {
            layout: Layout::new(Arc::clone(metainfo), url),
            ranges: http::Ranges::through(binding, &self.known.guard),
            failures: self.tell.clone(),
        });
        let mut sites = self.known.sites();
        let free = found.iter().find(|address| !sites.contains_key(address));
        let address = *free.or(found.first())?;
        sites.entry(address).or_default().add(seed);
        Some(address)
    }
}

/// The addresses of each of them, in their order. All are asked for at once, so that of those that share an
/// address all are known before the first is dialed, and nobody waits long for a name that leads nowhere.
async fn look_up(seeds: &[(String, Uri)]) -> Vec<Result<Vec<SocketAddr>, String>> {
    let mut lookups = JoinSet::new();
    for (at, (_, uri)) in seeds.iter().enumerate() {
        let uri = uri.clone();
        lookups.spawn(async move {
            let found = match timeout(LOOK_UP, lookup_host(http::host(&uri))).await {
                Ok(found) => found.map(Iterator::collect).map_err(|error| error.to_string()),
                Err(_) => Err(format!("its name led to no address in {LOOK_UP:?}")),
            };
            (at, found)
        });
    }
    let mut found = lookups.join_all().await;
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, found)| found).collect()
}

impl Known {
    /// Their redirects lead to none of these hosts from now on. To the hosts that they are at the swarm looks
    /// itself.
    pub(crate) fn block(&self, blocklist: Arc<Blocklist>) {
        self.guard.set(blocklist);
    }

    /// What there is to remember of peers. A later run finds web seeds anew: before it does, it would take
    /// their addresses for those of peers.
    pub(crate) fn without(&self, mut addresses: Addresses) -> Addresses {
        let sites = self.sites();
        addresses.peers.retain(|peer| !sites.contains_key(&peer.addr));
        addresses
    }

    fn sites(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arc<Site>>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PeerSource for WebSeeds {
    fn name(&self) -> String {
        "web seeds".into()
    }

    fn kind(&self) -> Source {
        Source::Other
    }

    async fn run(mut self: Box<Self>, context: SourceContext) {
        let metainfo = tokio::select! {
            metainfo = self.files() => metainfo,
            () = context.stopped() => return,
        };
        let Some(metainfo) = metainfo.filter(|_| context.totals().left > 0) else { return };
        let mut waiting: Vec<(String, Uri)> = Vec::new();
        for url in &self.urls {
            match http::parse(url) {
                Ok(uri) => waiting.push((url.clone(), uri)),
                Err(error) => context.named(url).failed(error.to_string()).await,
            }
        }
        let mut retry = FIRST_RETRY;
        loop {
            let found = tokio::select! {
                found = look_up(&waiting) => found,
                () = context.stopped() => return,
            };
            let (mut again, mut addresses) = (Vec::new(), Vec::new());
            for ((url, uri), found) in waiting.into_iter().zip(found) {
                let place = |found: Vec<_>| {
                    let place = self.place(&metainfo, &url, &found, context.binding());
                    place.ok_or_else(|| "its name has no address".to_owned())
                };
                match found.and_then(place) {
                    Ok(address) => addresses.push((context.named(&url), address)),
                    Err(error) => {
                        context.named(&url).failed(error).await;
                        again.push((url, uri));
                    }
                }
            }
            for (context, address) in addresses {
                context.found(vec![address], None).await;
            }
            waiting = again;
            let pause = if waiting.is_empty() { Duration::MAX } else { retry };
            let mut pause = std::pin::pin!(context.pause(pause));
            loop {
                tokio::select! {
                    goes_on = &mut pause => if goes_on { break } else { return },
                    Some(Failure { url, error }) = self.failures.recv() => {
                        context.named(url).failed(error).await;
                    }
                }
            }
            retry = (retry * 2).min(LONGEST_RETRY);
        }
    }
}

/// Makes connections to web seeds out of nothing, and leaves all others to another dialer.
#[derive(Debug)]
pub(crate) struct WebDialer {
    others: Arc<dyn Dialer>,
    known: Arc<Known>,
}

#[async_trait]
impl Dialer for WebDialer {
    async fn dial(&self, addr: SocketAddr) -> io::Result<Transport> {
        let site = self.known.sites().get(&addr).map(Arc::clone);
        let Some(site) = site else { return self.others.dial(addr).await };
        let (ours, theirs) = tokio::io::duplex(ROOM);
        tokio::spawn(Peer::run(site, theirs));
        Ok(Transport::other(ours))
    }
}
