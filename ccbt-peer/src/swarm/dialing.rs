//! From an address to a dial, and what becomes of it before the handshake.

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::{Direction, PeerView, Time};

use super::arrival::LOBBY;
use super::room::Places;
use super::roster::{Peer, Place};
use super::{Action, PeerKey, SwarmCore, memory};
use crate::CloseReason;
use crate::close::Timeout;
use crate::event::EventKind;

/// A dial that does not stand after so long is given up ...
const DIAL: Duration = Duration::from_secs(15);
/// ... and the sooner, down to this, the more addresses wait to be dialed.
const DIAL_LEAST: Duration = Duration::from_secs(4);
/// Descriptors that are left to files when there are no more for connections.
const FOR_FILES: u32 = 8;
/// So long a swarm that ran out of descriptors is content with fewer peers; longer each time, up to an hour.
const SHORT: Duration = Duration::from_secs(60);
const SHORT_CAP: Duration = Duration::from_secs(60 * 60);
/// What it gives up is closed within this; a shortage in between says nothing new.
const SETTLE: Duration = Duration::from_secs(10);

/// The system has no more descriptors, or had none lately.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    reduced: Option<Reduced>,
    /// A dial failed of it since the last tick.
    fresh: bool,
    times: u32,
}

/// Fewer slots and a smaller lobby than are meant to be, for want of descriptors.
#[derive(Clone, Copy, Debug)]
struct Reduced {
    places: Places,
    since: Time,
    until: Time,
}

impl SwarmCore {
    /// Dials as many addresses as there is room for.
    pub(super) fn dial(&mut self, now: Time) {
        self.memory.wake(now);
        while self.memory.next_at().is_some_and(|at| at <= now) && self.wants_newcomers(now) {
            let Some((addr, source)) = self.memory.next(now) else { break };
            if self.is_blocked(addr) {
                self.memory.shun(now, addr, memory::BLOCKED, false);
            } else if self.is_network_full(addr) {
                self.memory.shun(now, addr, memory::SAME_PREFIX, false);
            } else {
                let key = self.enter(Peer::new(addr, source, Place::Dialing, now));
                self.actions.push_back(Action::Dial { key, addr });
            }
        }
    }

    /// When the next dial is due; `None` if there is no room for one.
    pub(super) fn dial_at(&self) -> Option<Time> {
        let next = self.memory.next_at()?;
        self.wants_newcomers(next).then_some(next)
    }

    /// Whether one more connection could come to a slot: a free one, or that of a useless peer.
    fn wants_newcomers(&self, now: Time) -> bool {
        let immune = |key, view: &PeerView| self.is_immune(now, key, view);
        self.may_dial()
            && (self.has_slots_for_dials()
                || self.lacks_givers(now + LOBBY)
                || self.watch.earliest_spare(now + LOBBY, immune).is_some())
    }

    /// Whether there is a place for one more dial, and a descriptor as far as we know.
    fn may_dial(&self) -> bool {
        let room = self.peers.half_open() < self.config.half_open as usize;
        room && self.peers.len() < self.most() && !self.shortage.fresh
    }

    /// Whether there would be a free slot if all that is half open, and one more, came to stand.
    fn has_slots_for_dials(&self) -> bool {
        self.free_for(Direction::Outgoing) as usize > self.peers.half_open()
    }

    /// Free slots for a connection that came this way: 5 %, and one at least, is kept for those that come
    /// in, as long as somebody can.
    pub(super) fn free_for(&self, direction: Direction) -> u32 {
        let limit = self.config.max_peers;
        let kept = match direction {
            Direction::Outgoing if self.config.listen.is_some() => (limit / 20).max(1),
            Direction::Outgoing | Direction::Incoming => 0,
        };
        self.free_slots().saturating_sub(kept.min(limit.saturating_sub(1)))
    }

    pub(super) fn most(&self) -> usize {
        (self.config.max_peers as usize).saturating_add(self.config.lobby as usize)
    }

    pub(super) fn on_dialed(&mut self, key: PeerKey) {
        if self.peers.get(key).is_some_and(|peer| peer.place() == Place::Dialing) {
            self.peers.set_place(key, Place::Handshaking);
        }
    }

    pub(super) fn on_dial_failed(&mut self, now: Time, key: PeerKey, error: String) {
        if let Some(peer) = self.remove_unopened(key) {
            self.memory.lost(now, peer);
            self.emit(EventKind::DialFailed { peer, error });
        }
    }

    /// There was no descriptor for the dial: the address keeps its place, and the swarm makes do with fewer.
    pub(super) fn on_no_descriptor(&mut self, now: Time, key: PeerKey) {
        if let Some(peer) = self.remove_unopened(key) {
            self.memory.put_back(now, peer);
            self.lack_descriptors();
        }
    }

    /// The swarm makes do with fewer at the next tick: others that failed of it are still to be heard of.
    pub(super) fn lack_descriptors(&mut self) {
        self.shortage.fresh = true;
    }

    fn remove_unopened(&mut self, key: PeerKey) -> Option<SocketAddr> {
        if self.peers.get(key).is_none_or(Peer::is_open) {
            return None;
        }
        self.peers.remove(key).map(|peer| peer.addr)
    }

    /// Whether there were too few descriptors of late.
    pub(super) fn lacks_descriptors(&self) -> bool {
        self.shortage.fresh || self.shortage.reduced.is_some()
    }

    /// Fits the swarm to the descriptors that there are, and tries again later whether there are more.
    pub(super) fn mind_descriptors(&mut self, now: Time) {
        if !std::mem::take(&mut self.shortage.fresh) {
            if self.shortage.reduced.take_if(|reduced| now >= reduced.until).is_some() {
                self.fit(now);
            }
            return;
        }
        if self.shortage.reduced.is_some_and(|reduced| now < reduced.since + SETTLE) {
            // What was given up a moment ago is not closed yet.
            return;
        }
        let connections = u32::try_from(self.peers.len()).unwrap_or(u32::MAX);
        // Half of what there is for the lobby: nobody can be exchanged for a better one who cannot come in.
        let room = connections.saturating_sub(FOR_FILES).max(2);
        let places = Places { slots: room - room / 2, lobby: room / 2 };
        let places = self.reduced().map_or(places, |before| places.min(before));
        let wait = SHORT.saturating_mul(1 << self.shortage.times.min(16)).min(SHORT_CAP);
        self.shortage.times += 1;
        self.shortage.reduced = Some(Reduced { places, since: now, until: now + wait });
        self.fit(now);
    }

    /// What is left for want of descriptors.
    pub(super) fn reduced(&self) -> Option<Places> {
        self.shortage.reduced.map(|reduced| reduced.places)
    }

    /// Gives up the youngest dials as long as there are more connections than places.
    pub(super) fn take_dials_back(&mut self, now: Time) {
        while self.peers.len() > self.most() {
            let youngest = self.peers.dialing().last().or(self.peers.shaking().last());
            let Some((_, key)) = youngest.copied() else { break };
            self.take_dial_back(now, key);
        }
    }

    /// Gives up the oldest dial for somebody who is here already, if dials are more than a tenth of the slots.
    pub(super) fn sacrifice_dial(&mut self, now: Time) -> bool {
        let dialing = self.peers.dialing();
        let enough = dialing.len() * 10 > self.config.max_peers as usize;
        let oldest = dialing.first().filter(|_| enough).map(|(_, key)| *key);
        oldest.map(|key| self.take_dial_back(now, key)).is_some()
    }

    /// Ends a dial that stands or not; the address is not to blame.
    pub(super) fn take_dial_back(&mut self, now: Time, key: PeerKey) {
        if let Some(addr) = self.remove_unopened(key) {
            self.memory.put_back(now, addr);
            self.actions.push_back(Action::Close { key, reason: CloseReason::ClosedByUs });
        }
    }

    /// How long a dial may take: the shorter, the more others wait for its place.
    fn dial_limit(&self) -> Duration {
        if self.shortage.reduced.is_some() {
            return DIAL_LEAST;
        }
        let places = self.config.half_open.max(1);
        let reserve = u32::try_from(self.memory.reserve()).unwrap_or(u32::MAX);
        (DIAL.saturating_mul(places) / places.saturating_add(reserve)).max(DIAL_LEAST)
    }

    /// When the oldest dial is given up. One that stands and waits for the handshake only if somebody waits
    /// for its place: else the connection has a limit of its own.
    pub(super) fn give_up_at(&self) -> Option<Time> {
        let oldest = |began: Option<&(Time, PeerKey)>| began.map(|(at, _)| *at + self.dial_limit());
        let dialing = oldest(self.peers.dialing().first());
        let room = self.may_dial() && self.has_slots_for_dials();
        let waited_for = self.memory.reserve() > 0 && !room;
        let shaking = oldest(self.peers.shaking().first()).filter(|_| waited_for);
        [dialing, shaking].into_iter().flatten().min()
    }

    /// Gives up the dials that took too long.
    pub(super) fn give_up_dials(&mut self, now: Time) {
        while self.give_up_at().is_some_and(|at| at <= now) {
            let limit = self.dial_limit();
            let late = |began: Option<&(Time, PeerKey)>| {
                began.filter(|(at, _)| *at + limit <= now).map(|(_, key)| *key)
            };
            if let Some(key) = late(self.peers.dialing().first()) {
                let reason = CloseReason::TimedOut(Timeout::Handshake);
                self.actions.push_back(Action::Close { key, reason });
                self.on_dial_failed(now, key, format!("no connection in {limit:.1?}"));
            } else if let Some(key) = late(self.peers.shaking().first()) {
                self.close(now, key, CloseReason::TimedOut(Timeout::Handshake), None);
            } else {
                break;
            }
        }
    }
}
