//! What the rules say is done here, and who gets a slot when all are taken.

use ccbt_policy::{Eviction, Outcome, PeerView, Time};

use super::roster::Place;
use super::{PeerKey, SwarmCore};
use crate::CloseReason;
use crate::event::EventKind;

impl SwarmCore {
    /// Carries out what the rules have come to.
    pub(super) fn settle_watch(&mut self, now: Time) {
        while let Some(outcome) = self.watch.poll(now) {
            self.carry_out(now, outcome);
        }
    }

    /// Tells at once what a change of the peer's facts has brought; evictions wait for their deadline.
    pub(super) fn settle_news(&mut self, now: Time, key: PeerKey) {
        while let Some(outcome) = self.watch.news(key) {
            self.carry_out(now, outcome);
        }
    }

    fn carry_out(&mut self, now: Time, outcome: Outcome<PeerKey>) {
        match outcome {
            Outcome::LoseInterest { key } => {
                let told = self.peers.get(key).is_none_or(|peer| peer.told_useless);
                if !told && self.need > 0 {
                    self.tell_interest(key, false);
                }
            }
            Outcome::Scheduled { key, eviction, evidence } => {
                self.emit_of(key, |peer| EventKind::EvictScheduled {
                    peer,
                    reason: eviction.reason.as_str(),
                    evidence,
                    evict_at: eviction.at,
                });
            }
            Outcome::Pardoned { key, eviction, evidence } => {
                let reason = eviction.reason.as_str();
                self.emit_of(key, |peer| EventKind::EvictPardoned { peer, reason, evidence });
            }
            Outcome::Shadow { key, eviction, evidence } => {
                let reason = eviction.reason.as_str();
                self.emit_of(key, |peer| EventKind::EvictShadow { peer, reason, evidence });
            }
            Outcome::Evict { key, eviction, evidence } => {
                let reason = eviction.reason.as_str();
                let reason = CloseReason::Evicted { reason, evidence };
                self.close(now, key, reason, Some(eviction.cooldown));
            }
        }
    }

    /// Something about a newcomer changed: it takes a slot, waits on, or goes.
    pub(super) fn settle_newcomer(&mut self, now: Time, key: PeerKey) {
        let Some(peer) = self.peers.get(key) else { return };
        let Place::Lobby { until } = peer.place() else { return };
        let Some(view) = self.watch.get(key) else { return };
        let useful = view.is_useful(now);
        // A leecher says what it has first, and only then that it is interested.
        let shown = view.availability.is_known() && view.offered == 0;
        // Before the metadata is known, who has no piece may still have that.
        let shown = shown && self.metadata.fetch.is_none();
        let may_displace = useful && !self.memory.is_cooling(now, peer.addr);
        if self.free_for(view.direction) > 0
            || (may_displace && self.displace(now))
            || self.displace_for_metadata(now, key)
        {
            self.take_slot(now, key);
        } else if now >= until || (shown && !useful) {
            self.close(now, key, CloseReason::NoSlot, None);
        }
    }

    /// The lobby at a deadline, or when a slot has become free: the useful ones first.
    pub(super) fn settle_lobby(&mut self, now: Time) {
        let useful = |key| self.watch.get(key).is_some_and(|view| view.is_useful(now));
        let lobby = self.peers.lobby().iter();
        let mut waiting: Vec<_> = lobby.map(|(_, key)| (!useful(*key), *key)).collect();
        waiting.sort_unstable();
        for (_, key) in waiting {
            self.settle_newcomer(now, key);
        }
    }

    fn take_slot(&mut self, now: Time, key: PeerKey) {
        self.peers.set_place(key, Place::Slot);
        self.refresh_swarm_view(now);
        self.refill(now, key);
        self.fill_slots(now);
    }

    /// Closes the peer that has been useless the longest; false if there is none that may be taken.
    fn displace(&mut self, now: Time) -> bool {
        // A newcomer asks at each of its messages, and mostly nobody is spare.
        if self.watch.earliest_spare(now, |_, _| false).is_none() {
            return false;
        }
        self.find_sole_holders();
        let immune = |key, view: &PeerView| self.is_immune(now, key, view);
        let Some((victim, eviction)) = self.watch.earliest_spare(now, immune) else { return false };
        let Some(evidence) = self.watch.explain(victim, &eviction) else { return false };
        let Eviction { reason, cooldown, .. } = eviction;
        let reason = CloseReason::Displaced { reason: reason.as_str(), evidence };
        self.close_for(now, victim, reason, Some(cooldown));
        true
    }

    pub(super) fn has_slot(&self, key: PeerKey) -> bool {
        self.peers.get(key).is_some_and(|peer| peer.place() == Place::Slot)
    }

    pub(super) fn free_slots(&self) -> u32 {
        self.config.max_peers.saturating_sub(self.peers.slots())
    }

    fn emit_of(&mut self, key: PeerKey, event: impl FnOnce(std::net::SocketAddr) -> EventKind) {
        if let Some(peer) = self.peers.get(key) {
            let event = event(peer.addr);
            self.emit(event);
        }
    }
}
