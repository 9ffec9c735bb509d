//! Whom the swarm knows, and whom it wants nothing to do with.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ccbt_policy::{Clears, Direction, Time};
use ccbt_wire::ExtensionHandshake;

use super::{PeerKey, SwarmCore, memory};
use crate::addresses::Addresses;
use crate::blocklist::Blocklist;
use crate::close::{CloseReason, Refusal};

/// Connections that one network has at most when the swarm is crowded.
const OF_ONE_NETWORK: u32 = 8;
/// One host has at most such a part of the slots then, and one of them at least.
const OF_ONE_HOST: u32 = 16;

impl SwarmCore {
    /// What there is to remember of addresses, for a later run.
    #[must_use]
    pub fn addresses(&self, now: Time) -> Addresses {
        let (peers, hosts) = self.memory.known(now);
        Addresses { have: self.have.count_ones(), complete: self.is_complete(), peers, hosts }
    }

    /// Takes in what an earlier run remembered. What was good is dialed; what has to wait waits on, unless
    /// the cause is gone.
    pub fn recall(&mut self, now: Time, addresses: &Addresses) {
        let have = self.have.count_ones();
        let gone = [
            // Whoever was content and is no longer has chosen more.
            (have < addresses.have || (addresses.complete && self.need > 0), Clears::WantedGrew),
            (have > addresses.have, Clears::OfferGrew),
            (addresses.complete != self.is_complete(), Clears::ModeChanged),
        ];
        let gone: Vec<Clears> =
            gone.into_iter().filter(|(gone, _)| *gone).map(|(_, cause)| cause).collect();
        self.memory.recall(now, addresses, &gone);
        self.settle(now);
    }

    /// Other addresses are blocked from now on; who is connected from one of them is closed.
    pub(super) fn set_blocklist(&mut self, now: Time, blocklist: Arc<Blocklist>) {
        self.config.blocklist = blocklist;
        self.memory.pardon(now, memory::BLOCKED);
        for key in self.peers.keys() {
            let addr = self.peers.get(key).map(|peer| peer.addr);
            if addr.is_some_and(|addr| self.is_blocked(addr)) {
                self.close(now, key, CloseReason::Refused(Refusal::Blocked), None);
            }
        }
    }

    pub(super) fn pin(&mut self, now: Time, host: IpAddr, pinned: bool) {
        let host = host.to_canonical();
        if pinned {
            self.config.pinned.insert(host);
        } else {
            self.config.pinned.remove(&host);
        }
        let of_host = self.peers.iter().filter(|(_, peer)| peer.addr.ip() == host);
        for key in of_host.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.watch.update(key, now, |view| view.pinned = pinned);
        }
    }

    /// Whether the blocklist refuses the address; counts it if so.
    pub(super) fn is_blocked(&mut self, addr: SocketAddr) -> bool {
        let blocked = self.config.blocklist.contains(addr.ip());
        self.progress.blocked = self.progress.blocked.saturating_add(blocked.into());
        blocked
    }

    /// Whether the swarm is crowded and the network of the address, or its host, has its share of it.
    pub(super) fn is_network_full(&self, addr: SocketAddr) -> bool {
        let ip = addr.ip();
        if !self.watch.swarm().crowded || memory::is_local(ip) {
            return false;
        }
        let of_host = (self.config.max_peers / OF_ONE_HOST).max(1);
        let of_network = self.peers.of_network(ip);
        of_network >= OF_ONE_NETWORK || (of_network >= of_host && self.peers.of_host(ip) >= of_host)
    }

    /// What a peer says of addresses in its extension handshake (BEP 10): where it sees us, and where it
    /// listens itself.
    pub(super) fn hear_addresses(&mut self, key: PeerKey, hello: &ExtensionHandshake) {
        let Some(addr) = self.peers.get(key).map(|peer| peer.addr) else { return };
        if let Some(ip) = hello.yourip {
            self.memory.seen_at(addr.ip(), ip);
        }
        let came = self.watch.get(key).is_some_and(|view| view.direction == Direction::Incoming);
        if let Some(port) = hello.p.filter(|_| came) {
            let mut listens = addr;
            listens.set_port(port);
            self.memory.listens(addr, listens);
        }
    }

    /// Brings up to date how many of its network each peer has beside it.
    pub(super) fn count_neighbours(&mut self) {
        let peers = &self.peers;
        self.watch.note_each(|_, view| {
            view.same_prefix = peers.of_network(view.addr.ip()).saturating_sub(1);
        });
    }
}
