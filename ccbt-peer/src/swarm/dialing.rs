//! From an address to a connection: dials, incoming ones, the end of the handshake.

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::{Direction, PeerView, Source, Time};
use ccbt_wire::PeerId;

use super::roster::{Peer, Place};
use super::{Action, PeerKey, SwarmCore, memory};
use crate::CloseReason;
use crate::close::Refusal;
use crate::event::EventKind;
use crate::session::SessionEvent;

/// A newcomer without a free slot has so long to show what it has.
const LOBBY: Duration = Duration::from_secs(2);

impl SwarmCore {
    /// Somebody connected to us and wants this torrent: the key under which the connection lives.
    ///
    /// # Errors
    /// If the connection is not wanted; nothing is remembered of it then.
    pub fn admit(&mut self, now: Time, addr: SocketAddr) -> Result<PeerKey, Refusal> {
        let addr = memory::canonical(addr);
        if self.stopped || self.peers.len() >= self.most() {
            return Err(Refusal::Full);
        }
        if self.memory.is_banned(now, addr) {
            return Err(Refusal::Banned);
        }
        if !self.memory.connect(addr) {
            return Err(Refusal::Duplicate);
        }
        Ok(self.enter(Peer::new(addr, Source::Incoming, Place::Handshaking, now)))
    }

    /// Dials as many addresses as there is room for.
    pub(super) fn dial(&mut self, now: Time) {
        while self.memory.next_at().is_some_and(|at| at <= now) && self.wants_newcomers(now) {
            let Some((addr, source)) = self.memory.next(now) else { break };
            let key = self.enter(Peer::new(addr, source, Place::Dialing, now));
            self.actions.push_back(Action::Dial { key, addr });
        }
    }

    /// When the next dial is due; `None` if there is no room for one.
    pub(super) fn dial_at(&self) -> Option<Time> {
        let next = self.memory.next_at()?;
        self.wants_newcomers(next).then_some(next)
    }

    /// Whether one more connection could come to a slot: a free one, or that of a useless peer.
    fn wants_newcomers(&self, now: Time) -> bool {
        let half_open = self.peers.half_open();
        if half_open >= self.config.half_open as usize || self.peers.len() >= self.most() {
            return false;
        }
        let slots = self.free_slots() as usize;
        slots > half_open
            || self
                .watch
                .earliest_spare(now + LOBBY, |key, view| self.is_immune(now, key, view))
                .is_some()
    }

    pub(super) fn on_dialed(&mut self, key: PeerKey) {
        if self.peers.get(key).is_some_and(|peer| peer.place() == Place::Dialing) {
            self.peers.set_place(key, Place::Handshaking);
        }
    }

    pub(super) fn on_dial_failed(&mut self, now: Time, key: PeerKey, error: String) {
        if self.peers.get(key).is_none_or(Peer::is_open) {
            return;
        }
        let Some(peer) = self.peers.remove(key) else { return };
        self.memory.lost(now, peer.addr);
        self.emit(EventKind::DialFailed { peer: peer.addr, error });
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
        if let Some(loser) = self.twin(key, *peer_id, *direction) {
            self.close(now, loser, CloseReason::Refused(Refusal::Duplicate), None);
            if loser == key {
                return;
            }
        }
        let past = self.memory.past(addr);
        self.memory.connected(addr);
        let mut view = PeerView::new(addr, now);
        view.direction = *direction;
        view.source = source;
        view.peer_id = peer_id.0;
        view.client = peer_id.client().map(Into::into);
        view.fast = *fast;
        view.extended = *extended;
        view.dht = *dht;
        view.past = past;
        view.set_offered(now, self.have.count_ones());
        let free = self.free_slots() > 0;
        let place = if free { Place::Slot } else { Place::Lobby { until: now + LOBBY } };
        self.peers.set_place(key, place);
        self.watch.insert(key, view, now);
        self.emit(EventKind::PeerConnected { peer: addr, direction: *direction, source });
        self.refresh_swarm_view(now);
    }

    /// If the same peer is connected already: which of the two connections goes. Both ends must come to
    /// the same answer, so between two that cross, the one stays that the greater peer id dialed.
    fn twin(&self, key: PeerKey, peer_id: PeerId, direction: Direction) -> Option<PeerKey> {
        let addr = self.peers.get(key)?.addr;
        let (other, view) = self.watch.iter().find(|(_, view)| view.peer_id == peer_id.0)?;
        let crossed = view.direction != direction && view.addr.ip() == addr.ip();
        let ours_stays = self.config.peer_id.0 > peer_id.0;
        let newcomer_stays = crossed && ours_stays == (direction == Direction::Outgoing);
        Some(if newcomer_stays { other } else { key })
    }

    fn enter(&mut self, peer: Peer) -> PeerKey {
        let key = PeerKey(self.next_key);
        self.next_key += 1;
        self.peers.insert(key, peer);
        key
    }

    fn most(&self) -> usize {
        (self.config.max_peers + self.config.lobby) as usize
    }
}
