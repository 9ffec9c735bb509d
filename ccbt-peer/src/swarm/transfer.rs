//! Asking for blocks and taking them in.

use std::time::Duration;

use ccbt_policy::{PeerView, Time};
use ccbt_wire::{Block, PieceIndex};

use super::partial::Receipt;
use super::picker::Asker;
use super::roster::{Asked, Peer};
use super::rounds::may_ask;
use super::{Action, PeerKey, SwarmCore};
use crate::session::Tell;

/// A block that a delivering peer leaves out for so long is asked for elsewhere too.
const OVERDUE: Duration = Duration::from_secs(15);
/// What a snubbing peer was asked for so long ago is lost.
const LOST: Duration = Duration::from_secs(60);
/// We count as limited for so long after a peer was held back.
const HELD: Duration = Duration::from_secs(1);
/// A peer that refuses a block is asked again after this, and twice as long each time.
const HOLD: Duration = Duration::from_millis(100);
const MAX_HOLD_DOUBLINGS: u32 = 7;

impl SwarmCore {
    /// Asks the peer for as much as its window has room for.
    pub(super) fn refill(&mut self, now: Time, key: PeerKey) {
        let limits_itself = self.limits_itself(now);
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(view) = self.watch.get(key) else { return };
        if self.config.observe || self.paused.writes || !may_ask(peer, view) {
            return;
        }
        self.rounds.rouse(now, key, peer, self.meter.measured_at());
        if now < peer.hold_until {
            return;
        }
        let clock = peer.clock(now);
        let room = peer.window.room(peer.in_flight.len(), view.snubbed_since.is_some());
        if room == 0 {
            return;
        }
        let asker = Asker {
            key,
            has: peer.bits.as_ref(),
            working: &mut peer.working,
            in_flight: peer.in_flight.len(),
            // Under our own limit a second copy comes no sooner than the first.
            may_double: !limits_itself,
        };
        let blocks = if view.peer_choking {
            self.picker.pick_among(&asker, room, &peer.allowed)
        } else {
            self.picker.pick(asker, room, self.have.count_ones())
        };
        if blocks.is_empty() {
            self.idle.insert(key);
            return;
        }
        self.idle.remove(&key);
        let asked = blocks.iter().map(|block| Asked { block: *block, at: clock, overdue: false });
        peer.in_flight.extend(asked);
        peer.window.asked(clock);
        self.note_in_flight(key);
        self.actions.push_back(Action::Tell { key, tell: Tell::Request(blocks) });
    }

    /// Gives peers for which there was nothing another chance, if there is something new.
    pub(super) fn refill_idle(&mut self, now: Time) {
        let version = self.picker.version();
        if version == self.idle_version {
            return;
        }
        self.idle_version = version;
        let snubs = |key| self.watch.get(key).is_some_and(|view| view.snubbed_since.is_some());
        let idle = std::mem::take(&mut self.idle).into_iter();
        let mut idle: Vec<(bool, PeerKey)> = idle.map(|key| (snubs(key), key)).collect();
        // Those who deliver come first.
        idle.sort_unstable();
        for (_, key) in idle {
            self.refill(now, key);
        }
    }

    /// Whether our own limit held a peer back lately.
    pub(super) fn limits_itself(&self, now: Time) -> bool {
        self.held_at.is_some_and(|at| now.saturating_since(at) < HELD)
    }

    pub(super) fn on_unchoked(&mut self, now: Time, key: PeerKey) {
        let choking = self.watch.get(key).filter(|view| view.peer_choking);
        let choking_since = choking.map(|view| view.peer_choking_since);
        self.watch.update(key, now, |view| view.set_peer_choking(now, false));
        if let Some(peer) = self.peers.get_mut(key) {
            peer.choked_us_since = choking_since.unwrap_or(peer.choked_us_since);
            // What it refused before was refused because it choked us.
            (peer.hold_until, peer.refusals) = (now, 0);
        }
        self.refill(now, key);
    }

    pub(super) fn on_choked(&mut self, now: Time, key: PeerKey) {
        let Some(peer) = self.peers.get(key) else { return };
        let (before, owes) = (peer.choked_us_since, !peer.in_flight.is_empty());
        self.watch.update(key, now, |view| {
            // Or one that lets us ask for a second now and then would never have choked us for long.
            let gave = view.last_block_at >= Some(view.peer_choking_since);
            let in_vain = !view.peer_choking && owes && !gave;
            view.set_peer_choking(now, true);
            if in_vain {
                view.peer_choking_since = before;
            }
            view.snubbed_since = None;
        });
        // Also what the session had not sent yet when the CHOKE came.
        let allowed = peer.allowed.clone();
        let _ = self.take_requests(key, |block| !allowed.contains(&block.piece));
    }

    /// Takes back the requests to the peer for which `back` holds, for others.
    pub(super) fn take_requests(
        &mut self,
        key: PeerKey,
        back: impl Fn(&Block) -> bool,
    ) -> Vec<Block> {
        let Some(peer) = self.peers.get_mut(key) else { return Vec::new() };
        let asked = std::mem::take(&mut peer.in_flight).into_iter();
        let (gone, left): (Vec<_>, Vec<_>) = asked.partition(|asked| back(&asked.block));
        peer.in_flight = left.into();
        if peer.in_flight.is_empty() {
            peer.window.nothing_due();
        }
        let blocks: Vec<Block> = gone.into_iter().map(|asked| asked.block).collect();
        for block in &blocks {
            self.picker.give_back(key, *block, false);
        }
        self.note_in_flight(key);
        blocks
    }

    pub(super) fn on_rejected(&mut self, now: Time, key: PeerKey, block: Block) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.landed(block).is_none() {
            return;
        }
        self.watch.update(key, now, |view| {
            view.consecutive_rejects = view.consecutive_rejects.saturating_add(1);
        });
        // At once would be a loop of question and refusal at the speed of the line. What it refuses in
        // one go counts once.
        if now >= peer.hold_until {
            peer.hold_until = now + HOLD * (1 << peer.refusals.min(MAX_HOLD_DOUBLINGS));
            peer.refusals += 1;
        }
        if peer.in_flight.is_empty() {
            peer.window.nothing_due();
        }
        self.picker.give_back(key, block, false);
        self.note_in_flight(key);
    }

    pub(super) fn on_received(&mut self, now: Time, key: PeerKey, block: Block, fresh: bool) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        self.rounds.rouse(now, key, peer, self.meter.measured_at());
        let owed = peer.landed(block).is_some();
        peer.refusals = 0;
        let clock = peer.clock(now);
        peer.window.received(clock, block.length, !peer.in_flight.is_empty());
        self.meter.downloaded += u64::from(block.length);
        let receipt = if fresh { self.picker.receive(key, block) } else { None };
        if owed && !fresh {
            // It had to be thrown away, as when the store fails.
            self.picker.give_back(key, block, false);
        }
        let useful = receipt.is_some();
        let change = |view: &mut PeerView| {
            view.last_block_at = Some(now);
            view.snubbed_since = None;
            view.consecutive_rejects = 0;
            view.downloaded += u64::from(block.length);
            view.useful_blocks += u64::from(useful);
            view.wasted_blocks += u64::from(!useful);
        };
        // One of very many good blocks is no cause to ask the rules.
        let was_bad =
            |view: &PeerView| view.snubbed_since.is_some() || view.consecutive_rejects > 0;
        if !useful || self.watch.get(key).is_some_and(was_bad) {
            self.watch.update(key, now, change);
        } else {
            self.watch.note(key, change);
        }
        if let Some(receipt) = receipt {
            self.cancel_elsewhere(now, receipt, block);
        }
        self.note_in_flight(key);
        self.refill(now, key);
    }

    pub(super) fn on_uploaded(&mut self, now: Time, key: PeerKey, bytes: u64) {
        self.meter.uploaded += bytes;
        if let Some(peer) = self.peers.get_mut(key) {
            self.rounds.rouse(now, key, peer, self.meter.measured_at());
        }
        self.watch.note(key, |view| {
            view.uploaded += bytes;
            view.last_upload_at = Some(now);
        });
        self.widen_slots(now);
    }

    pub(super) fn on_held(&mut self, now: Time, key: PeerKey, held: bool) {
        self.held_at = Some(now);
        if let Some(peer) = self.peers.get_mut(key) {
            peer.hold(now, held);
        }
    }

    /// A block came from a peer that is closed by now.
    pub(super) fn on_late_block(&mut self, now: Time, key: PeerKey, block: Block, attempt: u32) {
        self.meter.downloaded += u64::from(block.length);
        if attempt != self.attempt(block.piece) {
            return;
        }
        if let Some(receipt) = self.picker.receive(key, block) {
            self.cancel_elsewhere(now, receipt, block);
        }
    }

    fn cancel_elsewhere(&mut self, now: Time, receipt: Receipt, block: Block) {
        for other in receipt.others {
            self.cancel(now, other, block);
        }
    }

    /// `key` need not send the block any more.
    fn cancel(&mut self, now: Time, key: PeerKey, block: Block) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.landed(block).is_none() {
            return;
        }
        if peer.in_flight.is_empty() {
            peer.window.nothing_due();
            self.watch.update(key, now, |view| view.snubbed_since = None);
        }
        self.actions.push_back(Action::Tell { key, tell: Tell::Cancel(vec![block]) });
        self.note_in_flight(key);
        self.refill(now, key);
    }

    /// Peers that deliver nothing in their time, and blocks that are left out.
    pub(super) fn check_snubs(&mut self, now: Time) {
        for key in self.rounds.awake() {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            if peer.in_flight.is_empty() {
                continue;
            }
            let clock = peer.clock(now);
            let snubbed = peer.window.snub_at().is_some_and(|at| at <= clock);
            for asked in &mut peer.in_flight {
                let late = snubbed || asked.at + OVERDUE <= clock;
                if late && !asked.overdue {
                    asked.overdue = true;
                    self.picker.give_back(key, asked.block, true);
                }
            }
            if snubbed {
                peer.window.snubbed();
                peer.working = None;
                self.watch.update(key, now, |view| {
                    // Who chokes us may leave out even what it allowed.
                    if !view.peer_choking {
                        view.snubbed_since.get_or_insert(now);
                    }
                });
            }
        }
        self.forget_lost_requests(now);
        self.settle_suspects(now);
        // What was taken back is for those who wait, before it is for whom it was taken from.
        self.refill_idle(now);
    }

    /// A peer that answers nothing at all for so long has lost our requests: some do, when they have
    /// more than they want to keep. It is asked anew, if only for one block.
    fn forget_lost_requests(&mut self, now: Time) {
        let lost = |peer: &Peer| {
            let oldest = peer.in_flight.front();
            oldest.is_some_and(|asked| asked.at + LOST <= peer.clock(now))
        };
        let gives_nothing = |key| {
            let view = self.watch.get(key);
            view.is_some_and(|view| view.snubbed_since.is_some() || view.peer_choking)
        };
        let silent: Vec<PeerKey> = (self.rounds.awake())
            .filter(|key| self.peers.get(*key).is_some_and(lost) && gives_nothing(*key))
            .collect();
        for key in silent {
            let blocks = self.take_requests(key, |_| true);
            self.actions.push_back(Action::Tell { key, tell: Tell::Cancel(blocks) });
        }
    }

    /// Nobody need send a block of the piece any more.
    pub(super) fn withdraw(&mut self, piece: PieceIndex) {
        for key in self.peers.keys() {
            self.withdraw_from(key, piece);
        }
    }

    pub(super) fn withdraw_from(&mut self, key: PeerKey, piece: PieceIndex) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let of_piece = |asked: &Asked| asked.block.piece == piece;
        let blocks: Vec<Block> =
            peer.in_flight.iter().filter(|a| of_piece(a)).map(|asked| asked.block).collect();
        if blocks.is_empty() {
            return;
        }
        peer.in_flight.retain(|asked| !of_piece(asked));
        if peer.in_flight.is_empty() {
            peer.window.nothing_due();
        }
        self.actions.push_back(Action::Tell { key, tell: Tell::Cancel(blocks) });
        self.note_in_flight(key);
    }

    pub(super) fn note_in_flight(&mut self, key: PeerKey) {
        let in_flight = self.peers.get(key).map_or(0, |peer| peer.in_flight.len());
        let in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
        self.watch.note(key, |view| view.in_flight = in_flight);
    }
}
