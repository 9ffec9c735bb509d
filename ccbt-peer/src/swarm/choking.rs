//! Whom we unchoke: those who give to us while we need something, those who take well when we do not.
//!
//! Every ten seconds the slots are dealt anew. While we download they go to the peers that gave us most
//! (tit for tat), but for one that is drawn among the others every thirty seconds, so that a better
//! partner can be found: the optimistic unchoke. A complete client lets them go round instead. Between two
//! rounds nobody is choked, and whoever becomes interested gets a free slot at once.

use std::cmp::Reverse;
use std::time::Duration;

use ccbt_policy::{PeerView, Time};

use super::{Action, PeerKey, SwarmCore};
use crate::session::Tell;

/// The slots are dealt anew so often.
const ROUND: Duration = Duration::from_secs(10);
/// Another peer is drawn for the optimistic slot so often.
const OPTIMISTIC: Duration = Duration::from_secs(30);
/// Who is younger than this is drawn three times as likely: it has nothing to give yet.
const NEW: Duration = Duration::from_secs(60);
/// A complete client gives a slot to the next after so long, if somebody waits.
const TURN: Duration = Duration::from_secs(20);
/// An unchoked peer that asked for nothing for so long makes room for others.
const UNUSED: Duration = Duration::from_secs(60);
/// There are more slots than configured while each of them would get so many bytes a second.
const SHARE: u64 = 64 << 10;
/// More slots than these there are never.
const MOST: usize = 100;

/// When the slots are dealt, and who has the optimistic one.
#[derive(Debug)]
pub(super) struct Choker {
    next_round: Time,
    next_draw: Time,
    /// The peer that is unchoked to be tried out.
    pub(super) optimistic: Option<PeerKey>,
    /// Peers that are unchoked.
    pub(super) unchoked: usize,
    /// So many slots there were when they were last filled.
    filled: usize,
    rng: fastrand::Rng,
    /// How often all peers were looked at.
    #[cfg(test)]
    pub(super) walks: std::cell::Cell<usize>,
}

impl Choker {
    pub(super) fn new(rng: fastrand::Rng) -> Self {
        let (next_round, next_draw) = (Time::ZERO, Time::ZERO);
        Self {
            next_round,
            next_draw,
            optimistic: None,
            unchoked: 0,
            filled: 0,
            rng,
            #[cfg(test)]
            walks: std::cell::Cell::default(),
        }
    }
}

impl SwarmCore {
    pub(super) fn on_interested(&mut self, now: Time, key: PeerKey, interested: bool) {
        self.watch.update(key, now, |view| view.set_peer_interested(now, interested));
        self.fill_slots(now);
        self.allow_fast(key);
    }

    /// Unchokes who waits while there are free slots.
    pub(super) fn fill_slots(&mut self, now: Time) {
        let free = self.slots().saturating_sub(self.choker.unchoked);
        if free == 0 {
            return;
        }
        let ranked = self.ranked(now);
        let waiting = ranked.into_iter().filter(|key| self.is_choked(*key));
        for key in waiting.take(free).collect::<Vec<_>>() {
            self.choke(now, key, false);
        }
    }

    /// The line has room for more: whoever waits need not wait for the next round.
    pub(super) fn widen_slots(&mut self, now: Time) {
        let slots = self.slots();
        if slots > self.choker.filled {
            self.fill_slots(now);
        }
        self.choker.filled = slots;
    }

    /// Deals the slots anew, if it is time.
    pub(super) fn rotate(&mut self, now: Time) {
        if now < self.choker.next_round {
            return;
        }
        self.choker.next_round = now + ROUND;
        let mut ranked = self.ranked(now);
        let slots = self.slots();
        let mut chosen: Vec<PeerKey> = Vec::new();
        if ranked.len() <= slots {
            chosen.append(&mut ranked);
        } else {
            let spare = usize::from(!self.is_complete() && slots > 1);
            let rest = ranked.split_off(slots - spare);
            chosen.append(&mut ranked);
            if spare > 0 {
                chosen.extend(self.draw(now, &rest));
            }
        }
        let over: Vec<PeerKey> = (self.watch.iter())
            .filter(|(key, view)| !view.am_choking && !chosen.contains(key))
            .map(|(key, _)| key)
            .collect();
        for key in over {
            self.choke(now, key, true);
        }
        for key in chosen {
            if self.is_choked(key) {
                self.choke(now, key, false);
            }
        }
    }

    /// The peer for the optimistic slot: the same until its time is over, then another at random.
    fn draw(&mut self, now: Time, rest: &[PeerKey]) -> Option<PeerKey> {
        let stays = self.choker.optimistic.filter(|key| rest.contains(key));
        if stays.is_some() && now < self.choker.next_draw {
            return stays;
        }
        let young = |key| {
            let view = self.watch.get(key);
            view.is_some_and(|view| now.saturating_since(view.connected_at) < NEW)
        };
        let others: Vec<PeerKey> = (rest.iter().filter(|key| Some(**key) != stays))
            .flat_map(|key| std::iter::repeat_n(*key, if young(*key) { 3 } else { 1 }))
            .collect();
        let drawn = self.choker.rng.choice(others).or(stays);
        self.choker.next_draw = now + OPTIMISTIC;
        for (key, optimistic) in [(self.choker.optimistic, false), (drawn, true)] {
            if let Some(key) = key {
                self.watch.note(key, |view| view.optimistic = optimistic);
            }
        }
        self.choker.optimistic = drawn;
        drawn
    }

    /// Peers that want something of ours, the one that a slot is best given to first.
    fn ranked(&self, now: Time) -> Vec<PeerKey> {
        #[cfg(test)]
        self.choker.walks.set(self.choker.walks.get() + 1);
        let mut ranked: Vec<(u64, Reverse<u64>, Time, PeerKey)> = (self.watch.iter())
            .filter(|(_, view)| view.peer_interested && view.offered > 0)
            .filter(|(key, _)| self.has_slot(*key))
            .map(|(key, view)| {
                let leeching = !self.is_complete();
                let (group, merit) = if leeching { merit(view, now) } else { (turn(view, now), 0) };
                (group, Reverse(merit), view.am_choking_since, key)
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(.., key)| key).collect()
    }

    /// How many may be unchoked: what is configured, and more while the line has room for them.
    fn slots(&self) -> usize {
        if self.paused.reads {
            return 0;
        }
        let room = usize::try_from(self.meter.capacity_up() / SHARE).unwrap_or(MOST);
        (self.config.unchoked as usize).max(room.min(MOST))
    }

    fn is_choked(&self, key: PeerKey) -> bool {
        self.watch.get(key).is_some_and(|view| view.am_choking)
    }

    pub(super) fn choke(&mut self, now: Time, key: PeerKey, choke: bool) {
        self.watch.update(key, now, |view| view.set_am_choking(now, choke));
        if choke {
            self.choker.unchoked -= 1;
        } else {
            self.choker.unchoked += 1;
        }
        self.actions.push_back(Action::Tell { key, tell: Tell::Choke(choke) });
    }
}

/// What a peer gives us: its group, the lower the better, and its rate. Among those who give nothing the slots
/// go round; who snubs us comes behind everybody. A partner of equal merit is not exchanged, so what an
/// unchoked one gives counts a tenth more.
fn merit(view: &PeerView, now: Time) -> (u64, u64) {
    let snubs = view.am_interested && view.snubbed_since.is_some();
    match (snubs, view.download_rate) {
        (false, rate @ 1..) if view.am_choking => (0, rate),
        (false, rate @ 1..) => (0, rate + rate / 10),
        (snubs, _) => (1 + 4 * u64::from(snubs) + turn(view, now), 0),
    }
}

/// Round and round: who is in his turn, who waits, who had his turn, who does not use it.
fn turn(view: &PeerView, now: Time) -> u64 {
    let asked_at = view.last_request_at.max(Some(view.am_choking_since));
    if !view.am_choking && asked_at.is_some_and(|at| at + UNUSED <= now) {
        return 3;
    }
    match (view.am_choking, view.am_choking_since + TURN <= now) {
        (false, false) => 0,
        (true, _) => 1,
        (false, true) => 2,
    }
}
