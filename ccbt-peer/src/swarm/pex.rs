//! Peers tell each other of peers (BEP 11): whom we tell of whom, how often, and what we take from them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ccbt_policy::{Availability, Direction, PeerView, Source, Time};
use ccbt_wire::{ExtensionHandshake, PexMessage, PexPeer, UT_PEX};

use super::roster::Place;
use super::{Action, PeerKey, SwarmCore, memory};
use crate::close::Violation;
use crate::session::Tell;

/// A peer hears from us so often at most.
const EACH: Duration = Duration::from_secs(60);
/// It is looked so often whether there is anything to tell it.
const LOOK: Duration = Duration::from_secs(5);
/// Peers of which one message tells, and of which a peer is thought to know, at most.
const MOST: usize = 50;
/// Of messages that come within this, the second is ignored, and the third ends the connection.
const HASTE: Duration = Duration::from_secs(30);
/// Hosts of which it is known at once when they were listened to last, at most; others wait.
const HOSTS: usize = 1024;

/// What is said of peers, and to whom.
#[derive(Debug, Default)]
pub(super) struct Pex {
    talks: BTreeMap<PeerKey, Talk>,
    /// Which hosts told us of peers within `HASTE`: a new connection gives nobody another turn.
    hosts: BTreeMap<IpAddr, Time>,
    next_at: Time,
}

impl Pex {
    /// Whether the host may tell us of peers now; it may not again for a while then.
    fn hears(&mut self, now: Time, from: IpAddr) -> bool {
        let Some(host) = memory::host(from) else { return true };
        self.hosts.retain(|_, at| now.saturating_since(*at) < HASTE);
        if self.hosts.len() >= HOSTS || self.hosts.contains_key(&host) {
            return false;
        }
        self.hosts.insert(host, now);
        true
    }
}

/// One peer that speaks of others, or may.
#[derive(Debug, Default)]
struct Talk {
    /// It wants to hear of peers.
    wants: bool,
    /// Where it can be dialed, if it came to us and said so.
    listens: Option<SocketAddr>,
    /// When its last messages came, the latest first.
    heard: [Option<Time>; 2],
    /// Of whom we told it.
    told: Vec<(PeerKey, SocketAddr)>,
    next_at: Time,
}

impl SwarmCore {
    /// Whether peers are exchanged at all: a private torrent has its trackers alone (BEP 27).
    fn exchanges(&self) -> bool {
        self.config.pex && !self.config.private
    }

    /// What a peer's extension handshake says about that.
    pub(super) fn hear_of_pex(&mut self, key: PeerKey, hello: &ExtensionHandshake) {
        let (Some(view), true) = (self.watch.get(key), self.exchanges()) else { return };
        let mut listens = view.addr;
        let came = view.direction == Direction::Incoming;
        let talk = self.pex.talks.entry(key).or_default();
        if let Some(port) = hello.p.filter(|_| came) {
            listens.set_port(port);
            talk.listens = Some(listens);
        }
        if let Some((_, id)) = hello.m.iter().find(|(name, _)| name == UT_PEX) {
            talk.wants = *id != 0;
        }
        let wants = talk.wants;
        self.watch.note(key, |view| view.pex = wants);
    }

    /// A peer tells of others.
    pub(super) fn on_pex(&mut self, now: Time, key: PeerKey, message: &PexMessage) {
        let Some(from) = self.peers.get(key).map(|peer| peer.addr.ip()) else { return };
        if !self.exchanges() {
            return;
        }
        let talk = self.pex.talks.entry(key).or_default();
        let lately = |at: &&Option<Time>| at.is_some_and(|at| now.saturating_since(at) < HASTE);
        let hasty = talk.heard.iter().filter(lately).count();
        talk.heard = [Some(now), talk.heard[0]];
        match hasty {
            0 => {}
            1 => return,
            _ => {
                let reason = Violation::Pex("three messages in 30 s".to_owned()).into();
                return self.close(now, key, reason, None);
            }
        }
        if message.added.is_empty() || !self.pex.hears(now, from) {
            return;
        }
        let added = message.added.iter().filter(|peer| is_plausible(peer.addr, from));
        for peer in added.take(MOST) {
            self.memory.found(now, peer.addr, Source::Pex);
        }
    }

    /// A peer has a node of the DHT, which is not for private torrents.
    pub(super) fn on_dht_port(&mut self, key: PeerKey, port: u16) {
        let view = self.watch.get(key).filter(|_| !self.config.private);
        if let Some(view) = view {
            let addr = SocketAddr::new(view.addr.ip().to_canonical(), port);
            self.actions.push_back(Action::DhtNode(addr));
        }
    }

    /// Tells peers of peers, if it is time for that.
    pub(super) fn tell_of_peers(&mut self, now: Time) {
        if now < self.pex.next_at || !self.exchanges() {
            return;
        }
        self.pex.next_at = now + LOOK;
        // The latest are worth the most to others.
        let newest =
            self.peers.iter().filter(|(_, peer)| peer.place() == Place::Slot).map(|p| *p.0);
        let mut newest: Vec<PeerKey> = newest.collect();
        newest.reverse();
        let cards = newest.into_iter().filter_map(|key| Some((key, self.card(key)?)));
        // So many near us must not hide those of whom everybody may hear.
        let mut room = [2 * MOST; 2];
        let known = cards.filter(|(_, peer)| {
            let room = &mut room[usize::from(memory::is_local(peer.addr.ip()))];
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        });
        let known: Vec<(PeerKey, PexPeer)> = known.collect();
        let peers = &self.peers;
        for (key, talk) in self.pex.talks.iter_mut() {
            if !talk.wants || now < talk.next_at {
                continue;
            }
            let Some(to) = peers.get(*key).map(|peer| peer.addr.ip()) else { continue };
            let (here, gone): (Vec<_>, Vec<_>) =
                talk.told.drain(..).partition(|(other, _)| peers.get(*other).is_some());
            talk.told = here;
            let room = MOST.saturating_sub(talk.told.len());
            let fresh = known.iter().filter(|(other, _)| {
                other != key && talk.told.iter().all(|(told, _)| told != other)
            });
            // Hosts of our own network are no business of others, and of no use to them.
            let fresh = fresh.filter(|(_, peer)| is_plausible(peer.addr, to));
            let fresh: Vec<(PeerKey, PexPeer)> = fresh.take(room).copied().collect();
            if fresh.is_empty() && gone.is_empty() {
                continue;
            }
            talk.told.extend(fresh.iter().map(|(other, peer)| (*other, peer.addr)));
            talk.next_at = now + EACH;
            let message = PexMessage {
                added: fresh.into_iter().map(|(_, peer)| peer).collect(),
                dropped: gone.into_iter().map(|(_, addr)| addr).collect(),
            };
            self.actions.push_back(Action::Tell { key: *key, tell: Tell::Pex(message) });
        }
    }

    /// What others may know of a peer; `None` if nobody could dial it, or if it may be no peer to anybody but us,
    /// such as a web seed.
    fn card(&self, key: PeerKey) -> Option<PexPeer> {
        let view = self.watch.get(key).filter(|view| view.source != Source::Other)?;
        let dialed = view.direction == Direction::Outgoing;
        let addr = if dialed { view.addr } else { self.pex.talks.get(&key)?.listens? };
        let reachable = if dialed { PexPeer::REACHABLE } else { 0 };
        let seed = if is_seed(view) { PexPeer::SEED } else { 0 };
        Some(PexPeer { addr: memory::canonical(addr), flags: reachable | seed })
    }

    pub(super) fn leave_pex(&mut self, key: PeerKey) {
        self.pex.talks.remove(&key);
    }
}

fn is_seed(view: &PeerView) -> bool {
    view.upload_only_since.is_some() || view.availability == Availability::All
}

/// Whether `from` can mean this address, and what it is told can mean it: hosts of a network of its own mean
/// nothing to others.
fn is_plausible(addr: SocketAddr, from: IpAddr) -> bool {
    let (ip, from) = (addr.ip().to_canonical(), from.to_canonical());
    let nobody = ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4([255; 4].into());
    let near = !memory::is_local(ip) || memory::is_local(from);
    addr.port() != 0 && !nobody && near && (!ip.is_loopback() || from.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mean_nothing_here_are_not_taken() {
        let plausible =
            |addr: &str, from: &str| is_plausible(addr.parse().unwrap(), from.parse().unwrap());
        assert!(plausible("198.51.100.7:1", "203.0.113.1"));
        assert!(plausible("[2001:db8::7]:1", "203.0.113.1"));
        assert!(plausible("127.0.0.2:1", "127.0.0.1"));
        assert!(plausible("192.168.1.2:1", "10.0.0.1"));
        for addr in ["198.51.100.7:0", "0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1"] {
            assert!(!plausible(addr, "127.0.0.1"), "{addr}");
        }
        for addr in ["127.0.0.1:1", "192.168.1.2:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1"] {
            assert!(!plausible(addr, "203.0.113.1"), "{addr}");
        }
        assert!(!plausible("127.0.0.1:1", "192.168.1.2"));
    }
}
