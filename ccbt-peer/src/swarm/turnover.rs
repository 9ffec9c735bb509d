//! Who goes when all are fair but one is better.

use std::sync::Arc;

use ccbt_policy::{Ranking, Time, Turnover, median_worth, worst_first};

use super::SwarmCore;
use crate::CloseReason;

impl SwarmCore {
    pub(super) fn set_ranking(&mut self, ranking: Arc<dyn Ranking>, turnover: Turnover) {
        self.config.ranking = ranking;
        self.config.turnover = turnover;
    }

    /// Lets some of the least peers go for better candidates, if it is time and nearly all slots are taken.
    pub(super) fn turn_over(&mut self, now: Time) {
        let turnover = self.config.turnover;
        if now < self.next_turn {
            return;
        }
        self.next_turn = now + turnover.period;
        if !turnover.is_on(self.watch.swarm()) {
            return;
        }
        let candidates = self.memory.promising(now, self.config.max_peers as usize);
        self.find_sole_holders();
        self.measure_worth(now);
        let ranking = self.config.ranking.clone();
        let in_slots = self.watch.iter().filter(|(key, _)| self.has_slot(*key));
        let swarm = self.watch.swarm();
        for displaced in turnover.choose(in_slots, &candidates, swarm, now, &*ranking) {
            let eviction = displaced.eviction(now);
            let evidence = displaced.evidence(&*ranking);
            let reason = CloseReason::Displaced { reason: eviction.reason.as_str(), evidence };
            self.close(now, displaced.key, reason, Some(eviction.cooldown));
        }
    }

    /// More or fewer slots from now on. If too many are taken, those go that are worth least.
    pub(super) fn set_slots(&mut self, now: Time, max_peers: u32) {
        self.config.max_peers = max_peers;
        self.find_sole_holders();
        let over = self.peers.slots().saturating_sub(max_peers) as usize;
        let in_slots = self.watch.iter().filter(|(key, _)| self.has_slot(*key));
        let (swarm, ranking) = (self.watch.swarm(), &*self.config.ranking);
        for key in worst_first(in_slots, over, swarm, now, ranking) {
            self.close_for(now, key, CloseReason::NoSlot, None);
        }
        self.refresh_swarm_view(now);
        self.settle_lobby(now);
        self.fill_slots(now);
    }

    /// Brings the middle of what peers are worth up to date.
    pub(super) fn measure_worth(&mut self, now: Time) {
        // Whoever is open and not in the lobby has a slot, which saves a search for each of thousands.
        let all = self.peers.lobby().is_empty();
        let in_slots = self.watch.iter().filter(|(key, _)| all || self.has_slot(*key));
        let views = in_slots.map(|(_, view)| view);
        let median = median_worth(views, self.watch.swarm(), now, &*self.config.ranking);
        self.watch.update_swarm(now, |view| view.median_worth = median.map(|worth| worth.get()));
    }
}
