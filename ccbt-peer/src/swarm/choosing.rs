//! Which pieces are needed, and what follows when that changes.

use std::sync::Arc;

use ccbt_policy::{Clears, Time};
use ccbt_wire::{Bitfield, PieceIndex};

use super::{Action, PeerKey, SwarmCore};
use crate::Geometry;
use crate::choice::PieceChoice;
use crate::event::EventKind;
use crate::session::Tell;

impl SwarmCore {
    pub(super) fn choose(&mut self, now: Time, choice: Arc<PieceChoice>) {
        let geometry = self.config.geometry;
        // Before, it comes with what was found.
        if !self.metadata.checked || !choice.fits(geometry.pieces()) {
            return;
        }
        let before = std::mem::replace(&mut self.settled, settled(&self.have, &choice));
        let grew = before.any_and_not(&self.settled);
        let was_complete = self.need == 0;
        self.need = self.settled.len() - self.settled.count_ones();
        self.left = bytes(geometry, self.settled.iter_zeros());
        self.progress.total = wanted_bytes(geometry, &choice);
        for piece in self.picker.choose(&choice, &self.have) {
            self.withdraw(piece);
            self.start_over(piece);
        }
        self.withhold_suspects();
        self.config.choice = choice;
        // First the mode, then the interest, as when a piece comes.
        self.refresh_swarm_view(now);
        for key in self.open_peers() {
            self.rebalance(now, key);
        }
        if grew {
            self.memory.clear(now, Clears::WantedGrew);
        }
        if was_complete != (self.need == 0) {
            self.on_mode(now);
        }
        self.fill_slots(now);
        if self.need == 0 {
            self.finish();
        }
        self.measure();
    }

    /// From downloading to complete, or back: peers and waiting addresses hear of it.
    pub(super) fn on_mode(&mut self, now: Time) {
        self.memory.clear(now, Clears::ModeChanged);
        let upload_only = self.need == 0;
        for key in self.open_peers() {
            self.actions.push_back(Action::Tell { key, tell: Tell::UploadOnly(upload_only) });
        }
    }

    /// Nothing is needed any more.
    pub(super) fn finish(&mut self) {
        self.measure();
        self.emit(EventKind::Progress(self.progress));
        self.emit(EventKind::Finished);
    }

    pub(super) fn open_peers(&self) -> Vec<PeerKey> {
        self.watch.iter().map(|(key, _)| key).collect()
    }
}

/// The pieces that need nothing: we have them, or do not want them.
pub(super) fn settled(have: &Bitfield, choice: &PieceChoice) -> Bitfield {
    let mut settled = have.clone();
    for piece in have.iter_zeros().filter(|piece| !choice.wants(*piece)) {
        settled.set(piece, true);
    }
    settled
}

/// How many bytes these pieces have.
pub(super) fn bytes(geometry: Geometry, pieces: impl Iterator<Item = PieceIndex>) -> u64 {
    pieces.map(|piece| u64::from(geometry.piece_len(piece))).sum()
}

/// How many bytes the wanted pieces have.
pub(super) fn wanted_bytes(geometry: Geometry, choice: &PieceChoice) -> u64 {
    let pieces = (0..geometry.pieces()).map(PieceIndex);
    bytes(geometry, pieces.filter(|piece| choice.wants(*piece)))
}
