//! A swarm as sources see it, for their tests.

use std::net::SocketAddr;

use ccbt_policy::Source;
use ccbt_wire::{InfoHash, PeerId};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Found, SourceContext, Totals};

pub(crate) struct Swarm {
    totals: watch::Sender<Totals>,
    stop: watch::Sender<bool>,
    found: mpsc::Receiver<Found>,
    sender: mpsc::Sender<Found>,
    name: (String, Source),
    pub(crate) port: Option<u16>,
    began: Clock,
}

/// Seconds since the test began, in the runtime's time.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "tests look at the runtime's virtual time")]
    fn now() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(self) -> u64 {
        self.0.elapsed().as_secs()
    }

    #[cfg(feature = "http")]
    pub(crate) fn millis(self) -> u128 {
        self.0.elapsed().as_millis()
    }
}

impl Swarm {
    pub(crate) fn new(name: &str, kind: Source) -> Self {
        let totals = watch::Sender::new(Totals { left: 1_000, ..Totals::default() });
        let (sender, found) = mpsc::channel(64);
        let (stop, name) = (watch::Sender::new(false), (name.into(), kind));
        Self { totals, stop, found, sender, name, port: Some(6881), began: Clock::now() }
    }

    pub(crate) fn context(&self) -> SourceContext {
        SourceContext::new(
            (InfoHash([0xaa; 20]), PeerId(*b"-CC0100-abcdefghijkl"), self.port),
            self.name.clone(),
            self.totals.subscribe(),
            self.stop.subscribe(),
            self.sender.clone(),
        )
    }

    pub(crate) fn clock(&self) -> Clock {
        self.began
    }

    /// What the source delivers next.
    pub(crate) async fn next(&mut self) -> Result<Vec<SocketAddr>, String> {
        self.found.recv().await.unwrap().result.map(|(peers, _)| peers)
    }

    /// What is delivered next, and under whose name.
    #[cfg(feature = "http")]
    pub(crate) async fn next_named(&mut self) -> (String, Result<Vec<SocketAddr>, String>) {
        let found = self.found.recv().await.unwrap();
        (found.source, found.result.map(|(peers, _)| peers))
    }

    #[cfg(feature = "http")]
    pub(crate) async fn next_warning(&mut self) -> Option<String> {
        self.found.recv().await.unwrap().result.unwrap().1
    }

    #[cfg(feature = "http")]
    pub(crate) fn complete(&self) {
        self.totals.send_replace(Totals { left: 0, completed: true, ..Totals::default() });
    }

    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }
}
