//! What may be asked for and served while choked (BEP 6, allowed fast).

use std::net::IpAddr;

use ccbt_policy::{PeerView, Time};
use ccbt_wire::{PieceIndex, allowed_fast};

use super::{Action, PeerKey, SwarmCore};
use crate::session::Tell;

/// Pieces that a peer may have while we choke it; the number of BEP 6.
const SET: usize = 10;
/// But no more than so many bytes in all: it is to have something to trade with, not the torrent.
const SET_BYTES: u64 = 16 << 20;

impl SwarmCore {
    /// Allows a peer that has next to nothing and waits for a slot some pieces of ours, once.
    pub(super) fn allow_fast(&mut self, key: PeerKey) {
        let (Some(peer), Some(view)) = (self.peers.get_mut(key), self.watch.get(key)) else {
            return;
        };
        if self.super_seed.is_some() {
            return;
        }
        let IpAddr::V4(ip) = view.addr.ip().to_canonical() else { return };
        if peer.allows || self.have.none() || !waits_with_nothing(view) {
            return;
        }
        let geometry = self.config.geometry;
        let most = SET_BYTES.div_ceil(u64::from(geometry.piece_length()));
        let most = usize::try_from(most).map_or(SET, |most| most.min(SET));
        let mut pieces = allowed_fast(ip, self.config.info_hash, geometry.pieces(), most);
        pieces.retain(|piece| self.have.get(*piece));
        if !pieces.is_empty() {
            peer.allows = true;
            self.actions.push_back(Action::Tell { key, tell: Tell::AllowFast(pieces) });
        }
    }

    pub(super) fn on_allowed(&mut self, now: Time, key: PeerKey, piece: PieceIndex) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.allowed.push(piece);
        }
        self.refill(now, key);
    }
}

fn waits_with_nothing(view: &PeerView) -> bool {
    view.fast && view.am_choking && view.peer_interested && (view.have as usize) < SET
}
