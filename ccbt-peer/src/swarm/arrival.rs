//! Connections that come in, and the end of the handshake: who stays of those that are the same.

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::{Direction, PeerView, Source, Time};
use ccbt_wire::PeerId;

use super::roster::{Peer, Place};
use super::{Action, PeerKey, SwarmCore, memory};
use crate::CloseReason;
use crate::close::Refusal;
use crate::event::EventKind;
use crate::session::{SessionEvent, Tell};

/// A newcomer without a free slot has so long to show what it has.
pub(super) const LOBBY: Duration = Duration::from_secs(2);

impl SwarmCore {
    /// Somebody connected to us and wants this torrent: the key under which the connection lives.
    ///
    /// # Errors
    /// If the connection is not wanted; nothing is remembered of it then.
    pub fn admit(&mut self, now: Time, addr: SocketAddr) -> Result<PeerKey, Refusal> {
        let addr = memory::canonical(addr);
        if self.is_blocked(addr) {
            return Err(Refusal::Blocked);
        }
        if self.memory.is_banned(now, addr) {
            return Err(Refusal::Banned);
        }
        if self.stopped || (self.peers.len() >= self.most() && !self.sacrifice_dial(now)) {
            return Err(Refusal::Full);
        }
        if self.is_network_full(addr) {
            return Err(Refusal::SamePrefix);
        }
        if !self.memory.connect(addr) {
            return Err(Refusal::Duplicate);
        }
        Ok(self.enter(Peer::new(addr, Source::Incoming, Place::Handshaking, now)))
    }

    pub(super) fn on_opened(&mut self, now: Time, key: PeerKey, event: &SessionEvent) {
        let SessionEvent::Opened { direction, peer_id, fast, extended, dht } = event else {
            return;
        };
        let Some(peer) = self.peers.get(key) else { return };
        if peer.is_open() {
            return;
        }
        let (addr, source) = (peer.addr, peer.source);
        if let Some(twin) = self.twin(key, *peer_id) {
            let stays = self.newcomer_stays(*direction, *peer_id, addr, twin);
            let (loser, winner) = if stays { (twin, key) } else { (key, twin) };
            self.part_twins(now, loser, winner);
            if loser == key {
                return;
            }
        }
        let past = self.memory.past(addr);
        self.memory.connected(addr);
        self.peers.set_id(key, *peer_id);
        let mut view = PeerView::new(addr, now);
        view.direction = *direction;
        view.source = source;
        view.peer_id = peer_id.0;
        view.client = peer_id.client().map(Into::into);
        view.fast = *fast;
        view.extended = *extended;
        view.dht = *dht;
        view.past = past;
        view.pinned = self.config.pinned.contains(&addr.ip());
        view.same_prefix = self.peers.of_network(addr.ip()).saturating_sub(1);
        view.set_offered(now, self.have.count_ones());
        let free = self.free_for(*direction) > 0;
        let place = if free { Place::Slot } else { Place::Lobby { until: now + LOBBY } };
        self.peers.set_place(key, place);
        self.watch.insert(key, view, now);
        self.show_next(now, key);
        if self.need == 0 && !self.have.all() {
            // Our greeting says it only for what is complete.
            self.actions.push_back(Action::Tell { key, tell: Tell::UploadOnly(true) });
        }
        self.emit(EventKind::PeerConnected { peer: addr, direction: *direction, source });
        self.refresh_swarm_view(now);
    }

    /// The other connection to the same peer, if there is one. A peer id is no secret: whoever comes with it
    /// from another host is somebody else, or an honest peer would be kept out by a thief of its id. One
    /// peer has an address of each family, though.
    fn twin(&self, key: PeerKey, peer_id: PeerId) -> Option<PeerKey> {
        let addr = self.peers.get(key)?.addr;
        self.peers.with_id(peer_id).find(|other| {
            let other = self.peers.get(*other).map(|peer| peer.addr);
            other.is_some_and(|o| o.ip() == addr.ip() || o.is_ipv4() != addr.is_ipv4())
        })
    }

    /// Which of two connections to the same peer stays. Both ends must come to the same answer. Of two that
    /// cross it is the one that the greater peer id dialed, else the older; where an end may have seen the
    /// other one first, as they go over IPv4 and IPv6 and nothing was exchanged yet, the one over IPv6.
    fn newcomer_stays(
        &self,
        direction: Direction,
        peer_id: PeerId,
        addr: SocketAddr,
        twin: PeerKey,
    ) -> bool {
        let Some(older) = self.watch.get(twin) else { return true };
        if older.direction != direction {
            let ours_stays = self.config.peer_id.0 > peer_id.0;
            return ours_stays == (direction == Direction::Outgoing);
        }
        addr.is_ipv6() && older.addr.is_ipv4() && older.downloaded + older.uploaded == 0
    }

    fn part_twins(&mut self, now: Time, loser: PeerKey, winner: PeerKey) {
        let addr_of = |key| self.peers.get(key).map(|peer| peer.addr);
        let (lost, kept) = (addr_of(loser), addr_of(winner));
        self.close(now, loser, CloseReason::Refused(Refusal::Duplicate), None);
        // As long as the winner is here, the address is not to be dialed; what becomes of the winner holds
        // for it too.
        if let (Some(lost), Some(kept)) = (lost, kept) {
            self.memory.is_also(kept, lost);
        }
    }

    pub(super) fn enter(&mut self, peer: Peer) -> PeerKey {
        let key = PeerKey(self.next_key);
        self.next_key += 1;
        self.peers.insert(key, peer);
        key
    }
}
