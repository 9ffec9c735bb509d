//! How many connections there may be: what the person wants, what other swarms leave, what the system has.

use ccbt_policy::Time;

use super::{SwarmConfig, SwarmCore};
use crate::budget::{Amount, Usage};

/// A swarm that is found by others wants so many connections more than it has, or a part of these, if that is more.
const HEADROOM: u32 = 4;
const HEADROOM_PART: u32 = 4;
/// Wishes are told in so large steps: one peer more here is not to cost another swarm one at once.
const STEP: u32 = 8;
/// Of a budget that is too small for everything, one in so many is for the lobby.
const LOBBY_PART: u32 = 5;

/// Slots, and places beyond them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) slots: u32,
    pub(super) lobby: u32,
}

/// What was wanted, and what is left of it.
#[derive(Debug)]
pub(super) struct Room {
    wanted: Places,
    half_open: u32,
    granted: Option<u32>,
}

impl Room {
    pub(super) fn new(config: &SwarmConfig) -> Self {
        let wanted = Places { slots: config.max_peers, lobby: config.lobby };
        Self { wanted, half_open: config.half_open, granted: None }
    }
}

impl Places {
    pub(super) fn sum(self) -> u32 {
        self.slots.saturating_add(self.lobby)
    }

    pub(super) fn min(self, other: Self) -> Self {
        Self { slots: self.slots.min(other.slots), lobby: self.lobby.min(other.lobby) }
    }

    /// As much of both as so many connections allow. Without a lobby nobody could be exchanged for a better one.
    fn within(self, connections: u32) -> Self {
        let lobby = self.lobby.min(connections / LOBBY_PART);
        let slots = self.slots.min(connections - lobby);
        Self { slots, lobby: self.lobby.min(connections - slots) }
    }
}

impl SwarmCore {
    /// The person wants another number of slots.
    pub(super) fn set_max_peers(&mut self, now: Time, slots: u32) {
        self.room.wanted.slots = slots;
        self.fit(now);
    }

    /// Other swarms leave us so much.
    pub(super) fn set_budget(&mut self, now: Time, connections: u32, half_open: u32) {
        self.room.granted = Some(connections);
        self.config.half_open = self.room.half_open.min(half_open);
        self.fit(now);
    }

    /// Places as far as the person and the other swarms are concerned.
    pub(super) fn meant(&self) -> Places {
        let Room { wanted, granted, .. } = self.room;
        granted.map_or(wanted, |connections| wanted.within(connections))
    }

    /// Fits the swarm to the places that there are now.
    pub(super) fn fit(&mut self, now: Time) {
        let meant = self.meant();
        let Places { slots, lobby } = self.reduced().map_or(meant, |reduced| meant.min(reduced));
        self.config.lobby = lobby;
        if slots != self.config.max_peers {
            self.set_slots(now, slots);
        }
        self.take_dials_back(now);
    }

    /// What we have of what we share with other swarms, and what we could use.
    pub(crate) fn usage(&self) -> Usage {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (all, half_open) = (number(self.peers.len()), number(self.peers.half_open()));
        let has = Amount { connections: all, half_open };
        let most = Amount { connections: self.room.wanted.sum(), half_open: self.room.half_open };
        if self.stopped {
            return Usage { has, wants: has, most };
        }
        let reserve = number(self.memory.reserve()).min(most.half_open);
        let headroom = reserve.max(HEADROOM).max(all / HEADROOM_PART);
        let wants = Amount {
            connections: all
                .saturating_add(headroom)
                .checked_next_multiple_of(STEP)
                .unwrap_or(u32::MAX),
            half_open: half_open.saturating_add(reserve),
        };
        Usage { has, wants, most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fit_into_a_budget_with_a_fifth_for_the_lobby() {
        let wanted = Places { slots: 256, lobby: 64 };
        for (connections, slots, lobby) in
            [(320, 256, 64), (1_000, 256, 64), (319, 256, 63), (100, 80, 20), (4, 4, 0), (0, 0, 0)]
        {
            assert_eq!(wanted.within(connections), Places { slots, lobby }, "{connections}");
        }
    }
}
