//! Where addresses of peers come from: the trait, given addresses, trackers, the DHT, the local network.

#[cfg(feature = "dht")]
pub mod dht;
mod given;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "lsd")]
mod lsd;
#[cfg(feature = "nat")]
pub mod nat;
#[cfg(any(feature = "http", feature = "udp"))]
mod tracker;
#[cfg(feature = "udp")]
pub mod udp;
#[cfg(any(feature = "http", feature = "udp"))]
mod url_error;
#[cfg(feature = "webseed")]
mod webseed;

#[cfg(test)]
mod fixtures;

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use ccbt_policy::Source;
use ccbt_wire::{InfoHash, PeerId};
use tokio::sync::{mpsc, watch};

use crate::Binding;

pub use given::Given;
#[cfg(feature = "lsd")]
pub use lsd::{LocalDiscovery, LocalSource};
#[cfg(feature = "http")]
pub use tracker::HttpTracker;
#[cfg(any(feature = "http", feature = "udp"))]
pub use tracker::{ScrapeError, TrackerTiers, scrape};
#[cfg(any(feature = "http", feature = "udp"))]
pub use url_error::UrlError;
#[cfg(feature = "webseed")]
pub(crate) use webseed::{Known as KnownWebSeeds, WebSeeds};

/// A source of peers: runs beside the swarm and hands it addresses.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait PeerSource: Send + 'static {
    /// What people call it, such as a tracker's URL.
    fn name(&self) -> String;

    /// Which kind it is; peers carry it with them.
    fn kind(&self) -> Source;

    /// Finds peers until `context.stopped()` resolves, then says goodbye and returns.
    /// The swarm waits for the goodbye for a short time only.
    async fn run(self: Box<Self>, context: SourceContext);
}

/// Whether a private torrent may have peers from there (BEP 27): from trackers, from the person, and those
/// that come to us.
pub(crate) fn is_fit_for_private(kind: Source) -> bool {
    !matches!(kind, Source::Dht | Source::Pex | Source::Lsd)
}

/// What a source may know, and where it delivers.
#[derive(Debug)]
pub struct SourceContext {
    /// The torrent.
    pub info_hash: InfoHash,
    /// Our peer id.
    pub peer_id: PeerId,
    /// The port where we accept connections; `None` if we do not.
    pub port: Option<u16>,
    totals: watch::Receiver<Totals>,
    stop: watch::Receiver<bool>,
    found: mpsc::Sender<Found>,
    name: String,
    kind: Source,
    binding: Binding,
}

/// What a tracker wants to hear about the transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of payload received.
    pub downloaded: u64,
    /// Bytes of payload sent.
    pub uploaded: u64,
    /// Bytes that are not verified yet.
    pub left: u64,
    /// Whether the download became complete while the swarm ran. False if it was complete at the start.
    pub completed: bool,
}

/// What a source found, on its way to the swarm.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) source: String,
    pub(crate) kind: Source,
    pub(crate) result: Result<(Vec<SocketAddr>, Option<String>), String>,
}

impl SourceContext {
    pub(crate) fn new(
        (info_hash, peer_id, port): (InfoHash, PeerId, Option<u16>),
        (name, kind): (String, Source),
        totals: watch::Receiver<Totals>,
        stop: watch::Receiver<bool>,
        found: mpsc::Sender<Found>,
    ) -> Self {
        Self {
            info_hash,
            peer_id,
            port,
            totals,
            stop,
            found,
            name,
            kind,
            binding: Binding::default(),
        }
    }

    pub(crate) fn bound(mut self, binding: Binding) -> Self {
        self.binding = binding;
        self
    }

    /// Which way the source's sockets are to take.
    #[must_use]
    pub fn binding(&self) -> &Binding {
        &self.binding
    }

    /// The same context under another name, for a source that stands for several that people know, such
    /// as the trackers of a torrent.
    #[must_use]
    pub fn named(&self, name: impl Into<String>) -> Self {
        Self {
            info_hash: self.info_hash,
            peer_id: self.peer_id,
            port: self.port,
            totals: self.totals.clone(),
            stop: self.stop.clone(),
            found: self.found.clone(),
            name: name.into(),
            kind: self.kind,
            binding: self.binding.clone(),
        }
    }

    /// The transfer so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        *self.totals.borrow()
    }

    /// Hands addresses to the swarm, with a warning if the source had one.
    pub async fn found(&self, peers: Vec<SocketAddr>, warning: Option<String>) {
        self.send(Ok((peers, warning))).await;
    }

    /// Tells that the source failed this time.
    pub async fn failed(&self, error: impl Into<String> + Send) {
        self.send(Err(error.into())).await;
    }

    async fn send(&self, result: Result<(Vec<SocketAddr>, Option<String>), String>) {
        let found = Found { source: self.name.clone(), kind: self.kind, result };
        // A swarm that is gone needs no peers.
        let _ = self.found.send(found).await;
    }

    /// Resolves when the swarm stops.
    pub async fn stopped(&self) {
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Resolves when the download becomes complete; never, if it was complete at the start.
    pub async fn completed(&self) {
        if self.totals.clone().wait_for(|totals| totals.completed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for `duration`; false if the swarm stopped before.
    pub async fn pause(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => true,
            () = self.stopped() => false,
        }
    }
}
