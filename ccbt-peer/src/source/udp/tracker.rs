//! A tracker behind sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccbt_policy::Time;
use ccbt_wire::InfoHash;
use ccbt_wire::tracker::udp::{Family, Reply};
use ccbt_wire::tracker::{Announce, AnnounceEvent, AnnounceReply, ScrapeCounts};
use tokio::net::{UdpSocket, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout, timeout_at};

use super::UdpError;
use super::exchange::{Ask, Connection, Exchange};
use super::url::{self, Url};
use crate::Binding;
use crate::driver::Clock;
use crate::source::UrlError;

/// So long a silent tracker is waited for, its name included. That is the first wait of BEP 15.
pub(in crate::source) const PATIENCE: Duration = Duration::from_secs(15);
/// When the tracker has answered over one family of addresses, the other has so long to do the same.
const GRACE: Duration = Duration::from_secs(1);
/// Bytes of a reply that are read. More than 200 peers are not asked for.
const LONGEST: usize = 8 << 10;

/// A tracker by its URL. Clones share what they know of it.
#[derive(Clone, Debug)]
pub(in crate::source) struct UdpTracker {
    text: Arc<str>,
    url: Arc<Url>,
    clock: Clock,
    known: Arc<Mutex<Vec<Known>>>,
    binding: Binding,
}

/// An address that has answered: the last one of each family.
#[derive(Clone, Copy, Debug)]
struct Known {
    server: SocketAddr,
    connection: Option<Connection>,
}

impl UdpTracker {
    /// Whether URLs with this scheme are such trackers.
    pub(in crate::source) fn takes(scheme: &str) -> bool {
        url::is_udp(scheme)
    }

    pub(in crate::source) fn new(text: &str) -> Result<Self, UrlError> {
        let url = Arc::new(url::parse(text)?);
        let text = text.trim().into();
        let (known, binding) = (Arc::default(), Binding::default());
        Ok(Self { text, url, clock: Clock::start(), known, binding })
    }

    /// The same tracker, asked on another way into the network.
    pub(in crate::source) fn through(self, binding: Binding) -> Self {
        Self { binding, ..self }
    }

    pub(in crate::source) fn url(&self) -> &str {
        &self.text
    }

    /// Announces over both families of addresses, if the tracker has both. Who answered before is who is told
    /// of the end: there is no time then to look its name up.
    pub(in crate::source) async fn announce(
        &self,
        announce: Announce,
    ) -> Result<AnnounceReply, UdpError> {
        let is_last = announce.event == Some(AnnounceEvent::Stopped);
        let ask = Ask::Announce { announce, url_data: self.url.data.clone() };
        let until = self.clock.now() + PATIENCE;
        let known = if is_last { self.known_servers() } else { Vec::new() };
        let servers = if known.is_empty() { self.look_up(until).await? } else { known };
        Ok(joined(self.ask(&servers, &ask, until).await?))
    }

    /// The size of a swarm; `None` if the tracker's answer has no numbers.
    pub(in crate::source) async fn scrape(
        &self,
        torrent: InfoHash,
    ) -> Result<Option<ScrapeCounts>, UdpError> {
        let until = self.clock.now() + PATIENCE;
        let servers = self.look_up(until).await?;
        let replies = self.ask(&servers, &Ask::Scrape(torrent), until).await?;
        let counts = replies.into_iter().filter_map(|reply| match reply {
            Reply::Scrape(counts) => counts.first().copied(),
            _ => None,
        });
        // It counts both families, or each by itself: we cannot know, and so nobody is counted twice.
        Ok(counts.max_by_key(|counts| (counts.complete, counts.incomplete)))
    }

    fn known_servers(&self) -> Vec<SocketAddr> {
        self.known().iter().map(|known| known.server).collect()
    }

    /// The tracker's first address of each family.
    async fn look_up(&self, until: Time) -> Result<Vec<SocketAddr>, UdpError> {
        let found = lookup_host((self.url.host.as_str(), self.url.port));
        let found = timeout_at(self.clock.instant(until), found).await;
        let found = found.map_err(|_| silent())?.map_err(|error| failed(&error))?;
        let mut servers: Vec<SocketAddr> = Vec::new();
        for server in found {
            if servers.iter().all(|other| other.is_ipv4() != server.is_ipv4()) {
                servers.push(server);
            }
        }
        Ok(servers)
    }

    /// Asks all of these at once. One answer or more, or the first error.
    pub(super) async fn ask(
        &self,
        servers: &[SocketAddr],
        ask: &Ask,
        until: Time,
    ) -> Result<Vec<Reply>, UdpError> {
        let mut asked = JoinSet::new();
        for server in servers {
            asked.spawn(self.clone().converse(*server, ask.clone(), until));
        }
        let (mut replies, mut error) = (Vec::new(), None);
        loop {
            let next = asked.join_next();
            let next = if replies.is_empty() {
                next.await
            } else {
                timeout(GRACE, next).await.unwrap_or_default()
            };
            match next {
                None => break,
                Some(Ok(Ok(reply))) => replies.push(reply),
                Some(Ok(Err(said))) => error = error.or(Some(said)),
                // Cut off: the runtime is going down.
                Some(Err(_)) => (),
            }
        }
        if replies.is_empty() {
            Err(error.unwrap_or_else(|| UdpError::Failed("no address".into())))
        } else {
            Ok(replies)
        }
    }

    async fn converse(self, server: SocketAddr, ask: Ask, until: Time) -> Result<Reply, UdpError> {
        let kept = self.known().iter().find(|known| known.server == server).copied();
        let kept = kept.and_then(|known| known.connection);
        let seed = fastrand::u64(..);
        let mut exchange = Exchange::new(self.clock.now(), ask, Family::of(server), kept, seed);
        let result = self.talk(server, &mut exchange, until).await;
        // Who keeps silent may have forgotten us.
        let connection = exchange.connection().filter(|_| result.is_ok());
        let mut known = self.known();
        if result.is_ok() {
            known.retain(|known| known.server.is_ipv4() != server.is_ipv4());
            known.push(Known { server, connection });
        } else if let Some(known) = known.iter_mut().find(|known| known.server == server) {
            known.connection = None;
        }
        result
    }

    async fn talk(
        &self,
        server: SocketAddr,
        exchange: &mut Exchange,
        until: Time,
    ) -> Result<Reply, UdpError> {
        let socket = self.open(server).await.map_err(|error| failed(&error))?;
        let mut buffer = vec![0; LONGEST];
        loop {
            while let Some(datagram) = exchange.poll_transmit() {
                socket.send(&datagram).await.map_err(|error| failed(&error))?;
            }
            let received = tokio::select! {
                received = socket.recv(&mut buffer) => received,
                () = sleep_until(self.clock.instant(until)) => return Err(silent()),
            };
            let length = received.map_err(|error| failed(&error))?;
            let bytes = buffer.get(..length).unwrap_or_default();
            if let Some(end) = exchange.handle_datagram(self.clock.now(), bytes) {
                return end;
            }
        }
    }

    /// A socket that hears of nobody but this server.
    async fn open(&self, server: SocketAddr) -> std::io::Result<UdpSocket> {
        let socket = self.binding.async_udp(server.is_ipv4(), 0)?;
        socket.connect(server).await?;
        Ok(socket)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answers of both families in one.
fn joined(replies: Vec<Reply>) -> AnnounceReply {
    let mut all = AnnounceReply::default();
    for reply in replies {
        if let Reply::Announce(reply) = reply {
            all.interval = all.interval.max(reply.interval);
            all.complete = all.complete.max(reply.complete);
            all.incomplete = all.incomplete.max(reply.incomplete);
            all.peers.extend(reply.peers);
        }
    }
    all
}

fn silent() -> UdpError {
    UdpError::TimedOut { seconds: PATIENCE.as_secs() }
}

fn failed(error: &std::io::Error) -> UdpError {
    UdpError::Failed(error.to_string())
}
