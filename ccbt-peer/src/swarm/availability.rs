//! What peers have, what of it we need, what of ours they lack, and our interest in them.

use ccbt_policy::{Availability, PeerView, Time};
use ccbt_wire::{Bitfield, ExtensionHandshake, PieceIndex};

use super::{PeerKey, SwarmCore};
use crate::event::EventKind;
use crate::session::{Announced, Tell};
use crate::swarm::action::Action;

impl SwarmCore {
    pub(super) fn on_announced(&mut self, now: Time, key: PeerKey, announced: Announced) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if let Some(before) = peer.bits.take() {
            self.picker.rarity.sub_all(&before);
        }
        let (kind, have) = match &announced {
            Announced::All => (Availability::All, self.have.len()),
            Announced::None => (Availability::None, 0),
            Announced::Some(bits) => (Availability::Some, bits.count_ones()),
        };
        if let Announced::Some(bits) = announced {
            self.picker.rarity.add_all(&bits);
            peer.bits = Some(bits);
        }
        let (wanted, offered) = self.balance(key, kind);
        self.watch.update(key, now, |view| {
            view.set_availability(now, kind);
            view.have = have;
            view.set_offered(now, offered);
            set_wanted(view, now, wanted);
        });
        self.follow(now, key);
    }

    pub(super) fn on_have(&mut self, now: Time, key: PeerKey, piece: PieceIndex) {
        let Some(kind) = self.watch.get(key).map(|view| view.availability) else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        if kind == Availability::All {
            return;
        }
        let bits = peer.bits.get_or_insert_with(|| Bitfield::new(self.config.geometry.pieces()));
        if !bits.set(piece, true) {
            return;
        }
        self.picker.rarity.add(piece);
        let complete = bits.all();
        if complete && let Some(bits) = peer.bits.take() {
            self.picker.rarity.sub_all(&bits);
        }
        let (ours, settled) = (self.have.get(piece), self.settled.get(piece));
        let wanted = self.metadata.checked && !settled;
        let lacked = kind != Availability::Unknown;
        let all_offered = self.have.count_ones();
        self.watch.update(key, now, |view| {
            view.new_have(now);
            // Before its first word about pieces a peer has none, so it lacks all that we have.
            let offered = if lacked { view.offered } else { all_offered };
            view.set_offered(now, offered - u32::from(ours));
            set_wanted(view, now, view.wanted + u32::from(wanted));
            if complete {
                view.set_availability(now, Availability::All);
            }
        });
        self.super_seed_heard(now, key, piece);
        self.follow(now, key);
    }

    pub(super) fn on_extended(&mut self, now: Time, key: PeerKey, hello: &ExtensionHandshake) {
        self.hear_addresses(key, hello);
        self.hear_of_metadata(now, key, hello);
        self.hear_of_pex(key, hello);
        let Some(peer) = self.peers.get_mut(key) else { return };
        if let Some(reqq) = hello.reqq {
            peer.window.set_reqq(reqq);
        }
        self.watch.update(key, now, |view| {
            if let Some(name) = &hello.v {
                view.client = Some(name.as_str().into());
            }
            match hello.upload_only {
                Some(true) => _ = view.upload_only_since.get_or_insert(now),
                Some(false) => view.upload_only_since = None,
                None => {}
            }
        });
    }

    /// Our own piece: everybody who has it is wanted for one piece less, if it was `needed`, and everybody
    /// else is offered one more.
    pub(super) fn share_piece(&mut self, now: Time, piece: PieceIndex, needed: bool) {
        let change = |view: &mut PeerView, has: bool| {
            if has {
                set_wanted(view, now, view.wanted.saturating_sub(needed.into()));
            } else {
                view.set_offered(now, view.offered + 1);
            }
        };
        // Both are in the order of the keys, so this is one walk, and a short one for each of thousands.
        let mut matters = Vec::new();
        let mut peers = self.peers.iter();
        self.watch.note_each(|key, view| {
            let Some((_, peer)) = peers.find(|(other, _)| **other == key) else { return };
            let has = has_piece(view, peer.bits.as_ref(), piece);
            // Rules react to the last needed piece and to the first offered one, not to those between.
            if if has { view.wanted == 1 } else { view.offered == 0 } {
                matters.push((key, has));
            } else {
                change(view, has);
            }
        });
        drop(peers);
        for (key, has) in matters {
            self.watch.update(key, now, |view| change(view, has));
            self.follow(now, key);
        }
    }

    /// `wanted` and `offered` of a peer, counted afresh.
    fn balance(&self, key: PeerKey, kind: Availability) -> (u32, u32) {
        let bits = self.peers.get(key).and_then(|peer| peer.bits.as_ref());
        match (kind, bits) {
            // What we need is known when the files are checked.
            _ if !self.metadata.checked => (0, 0),
            (Availability::All, _) => (self.need, 0),
            (Availability::Some, Some(bits)) => {
                (bits.count_and_not(&self.settled), self.have.count_and_not(bits))
            }
            _ => (0, self.have.count_ones()),
        }
    }

    /// Measures all peers anew, after everything has changed.
    pub(super) fn rebalance_all(&mut self, now: Time) {
        for key in self.open_peers() {
            let Some(view) = self.watch.get(key) else { continue };
            let kind = view.availability;
            let have = if kind == Availability::All { self.have.len() } else { view.have };
            let (wanted, offered) = self.balance(key, kind);
            self.watch.update(key, now, |view| {
                view.have = have;
                view.set_offered(now, offered);
                set_wanted(view, now, wanted);
            });
            self.follow(now, key);
        }
    }

    /// What we need has changed: so may have what we want of the peer.
    pub(super) fn rebalance(&mut self, now: Time, key: PeerKey) {
        let Some(kind) = self.watch.get(key).map(|view| view.availability) else { return };
        let (wanted, _) = self.balance(key, kind);
        self.watch.update(key, now, |view| set_wanted(view, now, wanted));
        self.follow(now, key);
    }

    /// Tells peer and watchers what changed: interest, readiness; and asks for blocks.
    pub(super) fn follow(&mut self, now: Time, key: PeerKey) {
        let Some(view) = self.watch.get(key) else { return };
        let interested = view.am_interested;
        let ready = view.availability.is_known() && self.config.geometry.is_known();
        let shown = EventKind::PeerReady {
            peer: view.addr,
            client: view.client.as_deref().map(str::to_owned),
            have: view.have,
            wanted: view.wanted,
        };
        let Some(peer) = self.peers.get_mut(key) else { return };
        if ready && !peer.shown {
            peer.shown = true;
            self.actions.push_back(Action::Emit(shown));
        }
        let told = self.told_interest(key);
        if interested != told {
            self.tell_interest(key, interested);
        }
        self.settle_news(now, key);
        self.refill(now, key);
    }

    fn told_interest(&self, key: PeerKey) -> bool {
        self.peers.get(key).is_some_and(|peer| peer.told_interested)
    }

    pub(super) fn tell_interest(&mut self, key: PeerKey, interested: bool) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.told_interested = interested;
        peer.told_useless = !interested;
        let addr = peer.addr;
        self.actions.push_back(Action::Tell { key, tell: Tell::Interested(interested) });
        self.emit(EventKind::Interest { peer: addr, am_interested: interested });
    }
}

/// Whether the peer has the piece, as far as it told.
pub(super) fn has_piece(view: &PeerView, bits: Option<&Bitfield>, piece: PieceIndex) -> bool {
    view.availability == Availability::All || bits.is_some_and(|bits| bits.get(piece))
}

fn set_wanted(view: &mut PeerView, now: Time, wanted: u32) {
    view.set_wanted(now, wanted);
    view.set_am_interested(now, wanted > 0);
}
