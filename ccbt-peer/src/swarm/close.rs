//! The end of a connection: once, with one reason, and with everything that it held given back.

use std::time::Duration;

use ccbt_policy::{Availability, Cooldown, Time};

use super::roster::Peer;
use super::{Action, PeerKey, SwarmCore, memory};
use crate::CloseReason;
use crate::close::Refusal;
use crate::event::EventKind;

impl SwarmCore {
    /// Closes a connection and lets somebody from the lobby have its slot.
    pub(super) fn close(
        &mut self,
        now: Time,
        key: PeerKey,
        reason: CloseReason,
        cooldown: Option<Cooldown>,
    ) {
        let slot = self.has_slot(key);
        let unchoked = self.watch.get(key).is_some_and(|view| !view.am_choking);
        self.close_for(now, key, reason, cooldown);
        if slot && !self.stopped {
            self.settle_lobby(now);
            // Without that there is no slot that was not there before: thousands may leave at once.
            if unchoked {
                self.fill_slots(now);
            }
        }
    }

    /// Closes a connection; its slot is for whom the caller has in mind.
    pub(super) fn close_for(
        &mut self,
        now: Time,
        key: PeerKey,
        reason: CloseReason,
        cooldown: Option<Cooldown>,
    ) {
        let Some(peer) = self.peers.remove(key) else { return };
        self.take_back(key, &peer);
        self.super_seed_lost(key);
        let view = self.watch.remove(key);
        self.stirred = true;
        self.choker.unchoked -= usize::from(view.as_ref().is_some_and(|view| !view.am_choking));
        self.remember(now, &peer, &reason, cooldown);
        let (connected, downloaded, uploaded) = view.map_or((Duration::ZERO, 0, 0), |view| {
            let have =
                if view.availability == Availability::All { self.have.len() } else { view.have };
            self.memory.remember(peer.addr, view.downloaded, view.uploaded, have);
            (now.saturating_since(view.connected_at), view.downloaded, view.uploaded)
        });
        if reason.is_of_the_peer() {
            self.progress.dropped += 1;
        }
        self.actions.push_back(Action::Close { key, reason: reason.clone() });
        let peer = peer.addr;
        self.emit(EventKind::PeerClosed { peer, reason, connected, downloaded, uploaded });
        self.refresh_swarm_view(now);
    }

    fn take_back(&mut self, key: PeerKey, peer: &Peer) {
        for asked in &peer.in_flight {
            self.picker.give_back(key, asked.block, false);
        }
        for piece in self.picker.release(key) {
            self.start_over(piece);
        }
        if let Some(bits) = &peer.bits {
            self.picker.rarity.sub_all(bits);
        }
        if self.picker.involves(key) || !peer.in_flight.is_empty() {
            self.ghosts.insert(key, peer.addr);
        }
        self.idle.remove(&key);
        self.leave_pex(key);
        if let Some(fetch) = &mut self.metadata.fetch {
            fetch.leave(key);
        }
    }

    fn remember(&mut self, now: Time, peer: &Peer, why: &CloseReason, cooldown: Option<Cooldown>) {
        let (addr, known) = (peer.addr, &mut self.memory);
        match why {
            CloseReason::Evicted { reason, .. } | CloseReason::Displaced { reason, .. } => {
                known.evicted(now, addr, reason, cooldown.unwrap_or_default());
            }
            CloseReason::NoSlot => known.shun(now, addr, memory::NO_SLOT, false),
            CloseReason::PeerBrokeProtocol(_) => known.shun(now, addr, memory::VIOLATION, true),
            CloseReason::SentBadPiece { .. } | CloseReason::SentBadMetadata => {
                known.shun(now, addr, memory::BAN, true)
            }
            CloseReason::Refused(Refusal::Ourselves | Refusal::WrongInfoHash) => {
                known.shun(now, addr, memory::STRANGER, false);
            }
            CloseReason::Refused(Refusal::Duplicate) => {
                known.shun(now, addr, memory::DUPLICATE, false);
            }
            CloseReason::Refused(Refusal::Blocked) => {
                known.shun(now, addr, memory::BLOCKED, false);
            }
            CloseReason::Refused(_)
            | CloseReason::PeerLeft
            | CloseReason::TimedOut(_)
            | CloseReason::Failed(_)
            | CloseReason::ClosedByUs => known.lost(now, addr),
        }
    }
}
