//! Whom we unchoke: a fixed number of slots that go round among those who want something of ours.

use std::time::Duration;

use ccbt_policy::Time;

use super::roster::Place;
use super::{Action, PeerKey, SwarmCore};
use crate::session::Tell;

/// The slots move on so often.
const ROTATION: Duration = Duration::from_secs(10);
/// An unchoked peer keeps its slot at least so long; shorter turns never fill the line.
const TURN: Duration = Duration::from_secs(20);

/// When the slots move on.
#[derive(Debug, Default)]
pub(super) struct Choker {
    next: Time,
    /// Peers that are unchoked.
    pub(super) unchoked: usize,
}

impl SwarmCore {
    pub(super) fn on_interested(&mut self, now: Time, key: PeerKey, interested: bool) {
        self.watch.update(key, now, |view| view.set_peer_interested(now, interested));
        self.fill_slots(now);
    }

    /// Unchokes who waits while there are free slots, the longest choked first.
    pub(super) fn fill_slots(&mut self, now: Time) {
        let free = (self.config.unchoked as usize).saturating_sub(self.choker.unchoked);
        if free == 0 {
            return;
        }
        for key in self.waiting().into_iter().take(free) {
            self.choke(now, key, false);
        }
    }

    /// Takes slots from those who use them no more or had their turn, if others wait.
    pub(super) fn rotate(&mut self, now: Time) {
        if now < self.choker.next {
            return;
        }
        self.choker.next = now + ROTATION;
        let waiting = self.waiting().len();
        let mut unchoked: Vec<(bool, Time, PeerKey)> = (self.watch.iter())
            .filter(|(_, view)| !view.am_choking)
            .map(|(key, view)| {
                let uses = view.peer_interested && view.offered > 0;
                (uses, view.am_choking_since, key)
            })
            .collect();
        unchoked.sort_unstable();
        let turns = waiting.min((self.config.unchoked as usize).div_ceil(2));
        for (uses, since, key) in unchoked.into_iter().take(turns.max(1)) {
            if !uses || (turns > 0 && since + TURN <= now) {
                self.choke(now, key, true);
            }
        }
        self.fill_slots(now);
    }

    /// Choked peers that want something of ours, the longest choked first.
    fn waiting(&self) -> Vec<PeerKey> {
        let has_slot = |key| self.peers.get(key).is_some_and(|peer| peer.place() == Place::Slot);
        let mut waiting: Vec<(Time, PeerKey)> = (self.watch.iter())
            .filter(|(_, view)| view.am_choking && view.peer_interested && view.offered > 0)
            .filter(|(key, _)| has_slot(*key))
            .map(|(key, view)| (view.am_choking_since, key))
            .collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, key)| key).collect()
    }

    fn choke(&mut self, now: Time, key: PeerKey, choke: bool) {
        self.watch.update(key, now, |view| view.set_am_choking(now, choke));
        if choke {
            self.choker.unchoked -= 1;
        } else {
            self.choker.unchoked += 1;
        }
        self.actions.push_back(Action::Tell { key, tell: Tell::Choke(choke) });
    }
}
