//! What is done again and again. Of ten thousand connections nearly all are idle, so the rounds look at those
//! alone with whom something is going on.

use std::collections::BTreeSet;
use std::time::Duration;

use ccbt_policy::{PeerView, Time};

use super::roster::{Peer, Place};
use super::{PeerKey, SwarmCore};
use crate::event::EventKind;

/// The core does its rounds so often: snubs, rates, peers that could be asked for more.
const TICK: Duration = Duration::from_millis(250);

/// When the next round is, and who is looked at.
#[derive(Debug)]
pub(super) struct Rounds {
    next_tick: Time,
    /// Peers that may be asked, owe us something, or have a rate.
    awake: BTreeSet<PeerKey>,
}

impl Rounds {
    pub(super) fn new() -> Self {
        Self { next_tick: Time::ZERO + TICK, awake: BTreeSet::new() }
    }

    /// From now on the rounds look at this peer; rates were `measured_at` last.
    pub(super) fn rouse(&mut self, now: Time, key: PeerKey, peer: &mut Peer, measured_at: Time) {
        if std::mem::replace(&mut peer.awake, true) {
            return;
        }
        // As if it had been measured with the others.
        peer.window.tick(measured_at);
        if self.awake.is_empty() {
            // The beat is kept, whether all slept or not.
            while self.next_tick < now {
                self.next_tick = self.next_tick + TICK;
            }
        }
        self.awake.insert(key);
    }

    pub(super) fn awake(&self) -> impl Iterator<Item = PeerKey> {
        self.awake.iter().copied()
    }
}

impl SwarmCore {
    /// When the next round is. Where nothing goes on there is nothing to do but to measure.
    pub(super) fn tick_at(&self) -> Time {
        // Who waits in the lobby takes the slot of a peer that is spare by now.
        let somebody = !self.rounds.awake.is_empty() || !self.peers.lobby().is_empty();
        let rests = !somebody && !self.has_suspects() && !self.lacks_descriptors();
        let measure_at = if rests { self.meter.due_at() } else { Time::ZERO };
        self.rounds.next_tick.max(measure_at)
    }

    pub(super) fn tick(&mut self, now: Time) {
        self.rounds.next_tick = now + TICK;
        self.mind_descriptors(now);
        self.check_snubs(now);
        self.rotate(now);
        if now >= self.meter.due_at() {
            self.measure_rates(now);
            if !self.rounds.awake.is_empty() {
                self.moved_at = now;
            }
            self.let_sleep();
            self.refresh_swarm_view(now);
            self.turn_over(now);
            self.mind_super_seed(now);
            self.measure();
            self.tell_metadata_progress();
            self.tell_of_peers(now);
            self.emit(EventKind::Progress(self.progress));
        }
        for key in self.rounds.awake().collect::<Vec<_>>() {
            self.refill(now, key);
        }
    }

    /// The rounds look no more at those with whom nothing is going on.
    fn let_sleep(&mut self) {
        let (peers, watch) = (&mut self.peers, &self.watch);
        self.rounds.awake.retain(|key| {
            let (Some(peer), Some(view)) = (peers.get_mut(*key), watch.get(*key)) else {
                return false;
            };
            peer.awake = may_ask(peer, view) || is_moving(peer, view);
            peer.awake
        });
    }
}

/// Whether blocks may be asked for, as far as the protocol and its place are concerned.
pub(super) fn may_ask(peer: &Peer, view: &PeerView) -> bool {
    let lets = !view.peer_choking || !peer.allowed.is_empty();
    peer.place() == Place::Slot && view.am_interested && lets
}

fn is_moving(peer: &Peer, view: &PeerView) -> bool {
    let sends = !peer.in_flight.is_empty() || peer.window.is_moving();
    sends || view.upload_rate > 0 || view.uploaded != peer.uploaded_before
}
