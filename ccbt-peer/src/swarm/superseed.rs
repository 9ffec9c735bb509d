//! Super-seeding (BEP 16): the first seed shows each peer one piece at a time, so that nearly every byte it
//! sends is one that nobody has yet. The next one comes when the last was seen at somebody else.

use std::collections::BTreeMap;
use std::time::Duration;

use ccbt_policy::{Availability, Time};
use ccbt_wire::{Bitfield, PieceIndex};

use super::availability::has_piece;
use super::{Action, PeerKey, SwarmCore};
use crate::session::Tell;

/// Who has its piece, or does not want it, is shown another after so long, whatever becomes of it: it may
/// know nobody else, and clients leave those who offer nothing for long.
const PATIENCE: Duration = Duration::from_secs(10);
/// When every piece is with so many others, they do without us, and we show everything.
const COPIES: u32 = 2;

/// What was shown to whom.
#[derive(Debug)]
pub(super) struct SuperSeed {
    peers: BTreeMap<PeerKey, Shown>,
    /// To how many of those who are here each piece was shown.
    times: Vec<u16>,
}

#[derive(Debug)]
struct Shown {
    pieces: Bitfield,
    last: Option<PieceIndex>,
    /// Since when it has the last one, or was shown it.
    since: Time,
    has_last: bool,
}

impl SuperSeed {
    pub(super) fn new(pieces: u32) -> Self {
        Self { peers: BTreeMap::new(), times: vec![0; pieces as usize] }
    }

    /// The peer is gone.
    pub(super) fn forget(&mut self, key: PeerKey) {
        if let Some(shown) = self.peers.remove(&key) {
            for piece in shown.pieces.iter_ones() {
                let times = &mut self.times[piece.0 as usize];
                *times = times.saturating_sub(1);
            }
        }
    }
}

impl SwarmCore {
    /// A peer has one more piece than we knew: whom it may have it from is shown the next.
    pub(super) fn super_seed_heard(&mut self, now: Time, key: PeerKey, piece: PieceIndex) {
        let Some(state) = &mut self.super_seed else { return };
        let mut due = Vec::new();
        let shown = state.peers.get_mut(&key);
        // Who was shown it has it from us.
        if shown.as_ref().is_none_or(|shown| !shown.pieces.get(piece)) {
            let givers = state.peers.iter().filter(|(_, shown)| shown.last == Some(piece));
            due.extend(givers.map(|(key, _)| *key));
        } else if let Some(shown) = shown.filter(|shown| shown.last == Some(piece)) {
            (shown.has_last, shown.since) = (true, now);
            if !self.somebody_lacks(key, piece) {
                due.push(key);
            }
        }
        for key in due {
            self.show_next(now, key);
        }
    }

    /// Whether there is anybody but this peer who could get the piece from it.
    fn somebody_lacks(&self, key: PeerKey, piece: PieceIndex) -> bool {
        self.watch.iter().filter(|(other, _)| *other != key).any(|(other, view)| {
            let bits = self.peers.get(other).and_then(|peer| peer.bits.as_ref());
            !has_piece(view, bits, piece)
        })
    }

    /// Shows a peer the rarest piece that it lacks and was not shown, if there is one.
    pub(super) fn show_next(&mut self, now: Time, key: PeerKey) {
        let Some(state) = &mut self.super_seed else { return };
        let (Some(view), Some(peer)) = (self.watch.get(key), self.peers.get(key)) else { return };
        let pieces = self.have.len();
        let shown = state.peers.entry(key).or_insert_with(|| Shown {
            pieces: Bitfield::new(pieces),
            last: None,
            since: now,
            has_last: false,
        });
        // Each begins elsewhere, so that equals are not all shown the same.
        let start = key.0.wrapping_mul(0x9e37_79b9) % pieces;
        let around = (start..pieces).chain(0..start).map(PieceIndex);
        let open = around
            .filter(|piece| !shown.pieces.get(*piece))
            .filter(|piece| !has_piece(view, peer.bits.as_ref(), *piece));
        let spread = |piece: &PieceIndex| {
            let times = state.times[piece.0 as usize];
            u32::from(self.picker.rarity.count(*piece)) + u32::from(times)
        };
        let next = open.min_by_key(spread);
        (shown.last, shown.since, shown.has_last) = (next, now, false);
        let Some(piece) = next else { return };
        shown.pieces.set(piece, true);
        let times = &mut state.times[piece.0 as usize];
        *times = times.saturating_add(1);
        self.actions.push_back(Action::Tell { key, tell: Tell::Have(piece) });
    }

    /// Once a second: nobody waits for ever, and there is an end.
    pub(super) fn mind_super_seed(&mut self, now: Time) {
        let Some(state) = &self.super_seed else { return };
        let seeds = self.watch.iter().filter(|(_, view)| view.availability == Availability::All);
        let seeds = u32::try_from(seeds.count()).unwrap_or(u32::MAX);
        let copies = |piece| u32::from(self.picker.rarity.count(piece)).saturating_add(seeds);
        if self.have.iter_ones().all(|piece| copies(piece) >= COPIES) {
            return self.show_everything();
        }
        let waits = |(key, shown): &(&PeerKey, &Shown)| {
            let wants = self.watch.get(**key).is_some_and(|view| view.peer_interested);
            shown.last.is_some() && (shown.has_last || !wants) && shown.since + PATIENCE <= now
        };
        let due: Vec<PeerKey> = state.peers.iter().filter(waits).map(|(key, _)| *key).collect();
        for key in due {
            self.show_next(now, key);
        }
    }

    fn show_everything(&mut self) {
        self.super_seed = None;
        self.actions.push_back(Action::ShowAll);
        for key in self.open_peers() {
            self.actions.push_back(Action::Tell { key, tell: Tell::UploadOnly(true) });
        }
    }
}
