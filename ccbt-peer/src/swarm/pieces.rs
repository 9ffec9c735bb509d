//! Whole pieces: verified ones, and wrong ones with their culprits.

use ccbt_policy::{Clears, Time};
use ccbt_wire::PieceIndex;

use super::{Action, PeerKey, SwarmCore};
use crate::event::EventKind;

/// Nobody is trusted more than this: good pieces are no licence for bad ones.
const TRUST: i8 = 8;

impl SwarmCore {
    pub(super) fn on_stored(&mut self, now: Time, piece: PieceIndex) {
        if !self.have.set(piece, true) {
            return;
        }
        // A piece may come that was wanted when it was asked for, and no longer is.
        let needed = self.settled.set(piece, true);
        if needed {
            self.need -= 1;
            self.left -= u64::from(self.config.geometry.piece_len(piece));
        }
        let completes = needed && self.need == 0;
        let senders = self.picker.stored(piece);
        let liars = self.acquit(piece);
        if !senders.all {
            self.withdraw(piece);
        }
        for sender in senders.known {
            if let Some(addr) = self.addr_of(sender) {
                self.memory.was_good(addr);
            }
            self.watch.note(sender, |view| view.trust = view.trust.saturating_add(1).min(TRUST));
        }
        self.forget_ghosts();
        self.attempts.remove(&piece);
        self.actions.push_back(Action::Announce(piece));
        let have = self.have.count_ones();
        self.emit(EventKind::Piece { piece: piece.0, have });
        if completes {
            // First the mode, then the interest: nobody is to be judged as useless by a complete client.
            self.refresh_swarm_view(now);
        }
        self.share_piece(now, piece, needed);
        for liar in liars {
            self.ban(now, liar, piece);
        }
        self.settle_suspects(now);
        self.memory.clear(now, Clears::OfferGrew);
        self.fill_slots(now);
        if completes {
            self.on_mode(now);
            self.finish();
        }
    }

    pub(super) fn on_piece_failed(&mut self, now: Time, piece: PieceIndex) {
        let senders = self.picker.failed(piece);
        if !senders.all {
            self.withdraw(piece);
        }
        self.start_over(piece);
        let (from, culprit) = self.suspect(now, piece, senders.known, senders.all);
        self.emit(EventKind::PieceFailed { piece: piece.0, from });
        if let Some(culprit) = culprit {
            self.ban(now, culprit, piece);
        }
        self.forget_ghosts();
        self.settle_suspects(now);
    }

    /// The blocks of the piece that are here are worth nothing.
    pub(super) fn start_over(&mut self, piece: PieceIndex) {
        *self.attempts.entry(piece).or_default() += 1;
        self.actions.push_back(Action::Forget(piece));
    }

    /// Which attempt at the piece is under way, counted from 0.
    pub(super) fn attempt(&self, piece: PieceIndex) -> u32 {
        self.attempts.get(&piece).copied().unwrap_or(0)
    }

    pub(super) fn addr_of(&self, key: PeerKey) -> Option<std::net::SocketAddr> {
        let peer = self.peers.get(key).map(|peer| peer.addr);
        peer.or_else(|| self.ghosts.get(&key).copied())
    }

    fn forget_ghosts(&mut self) {
        let picker = &self.picker;
        self.ghosts.retain(|key, _| picker.involves(*key));
    }
}
