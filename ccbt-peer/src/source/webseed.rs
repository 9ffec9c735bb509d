//! Web seeds (BEP 19): servers that have the files, as peers that have every piece.
//!
//! To the swarm a web seed is an address like any other. Whoever dials it gets a stream at whose other end a
//! task speaks the peer protocol and fetches what it is asked for. So all that holds for peers holds for
//! web seeds, and nobody else has to know of them.

mod layout;
mod peer;

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

use self::layout::Layout;
use self::peer::Peer;
use super::{PeerSource, SourceContext, http};
use crate::driver::{Dialer, Transport};
use crate::{Addresses, Binding, Blocklist};

const FIRST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(10 * 60);
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
    seeds: Mutex<HashMap<SocketAddr, Arc<Seed>>>,
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

    /// Finds out where a web seed is, under an address that no other one has.
    async fn look_up(
        &self,
        metainfo: &Arc<Metainfo>,
        (url, uri): (&str, &Uri),
        binding: &Binding,
    ) -> Result<SocketAddr, String> {
        let found = lookup_host(http::host(uri)).await;
        let mut found = found.map_err(|error| error.to_string())?;
        let seed = Arc::new(Seed {
            layout: Layout::new(Arc::clone(metainfo), url),
            ranges: http::Ranges::through(binding, &self.known.guard),
            failures: self.tell.clone(),
        });
        let mut seeds = self.known.seeds();
        let free = found.find(|address| !seeds.contains_key(address));
        let address = free.ok_or("another web seed is at its address")?;
        seeds.insert(address, seed);
        Ok(address)
    }
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
        let seeds = self.seeds();
        addresses.peers.retain(|peer| !seeds.contains_key(&peer.addr));
        addresses
    }

    fn seeds(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arc<Seed>>> {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner)
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
            let mut again = Vec::new();
            for (url, uri) in waiting {
                let found = tokio::select! {
                    found = self.look_up(&metainfo, (&url, &uri), context.binding()) => found,
                    () = context.stopped() => return,
                };
                let context = context.named(&url);
                match found {
                    Ok(address) => context.found(vec![address], None).await,
                    Err(error) => {
                        context.failed(error).await;
                        again.push((url, uri));
                    }
                }
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
        let seed = self.known.seeds().get(&addr).map(Arc::clone);
        let Some(seed) = seed else { return self.others.dial(addr).await };
        let (ours, theirs) = tokio::io::duplex(ROOM);
        tokio::spawn(Peer::run(seed, theirs));
        Ok(Transport::other(ours))
    }
}
