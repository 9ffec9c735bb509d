//! Pieces with a wrong hash that had several senders: who of them lied?
//!
//! Of every wrong copy it is kept who sent which block, and a digest of it. The piece then goes to one peer
//! alone, the one that is least likely to be the liar. If that copy is wrong too, its sender is the liar; if
//! it is right, every kept block that differs from it names one. Whoever was entrusted with a piece and lets
//! it lie loses it to the next, so that liars cost a download no more than a wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::{PeerView, Time};
use ccbt_wire::PieceIndex;

use super::availability::has_piece;
use super::roster::Place;
use super::{PeerKey, SwarmCore, memory};
use crate::CloseReason;

/// A piece waits so long for a peer that is not known to deliver, or that chokes us, or that is slow while
/// others have nothing to do.
const STALLED: Duration = Duration::from_secs(5);
/// Blocks of wrong copies that are kept in all: about a MiB. Beyond, their senders lose trust instead.
const KEPT: usize = 1 << 16;
/// What each sender of a wrong piece loses if it cannot be found out who it was.
const DISTRUST: i8 = 2;

/// A block of a piece that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Who sent it.
    pub from: PeerKey,
    /// A digest of its bytes: equal for equal bytes.
    pub digest: u64,
}

/// The pieces in question.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    pieces: BTreeMap<PieceIndex, Suspect>,
    /// Of pieces of which we are about to hear whether they are right.
    told: BTreeMap<PieceIndex, Vec<Print>>,
    pub(super) kept: usize,
}

#[derive(Debug, Default)]
struct Suspect {
    wrong: Vec<Copy>,
    /// Who has had a part in a wrong copy.
    senders: BTreeSet<SocketAddr>,
    /// How often peers let it lie.
    left: BTreeMap<PeerKey, u32>,
    /// Since when its present owner is to send it.
    since: Time,
    /// Since when it is suspect.
    began: Time,
}

impl Suspect {
    fn new(now: Time) -> Self {
        Self { since: now, began: now, ..Self::default() }
    }

    /// Whether the peer came later, and has given nothing right: it may be one that lied before.
    fn is_stranger(&self, view: &PeerView) -> bool {
        view.connected_at > self.began && view.trust <= 0
    }
}

/// A wrong copy.
#[derive(Debug)]
struct Copy {
    /// Who sent each, if that is known, and its digest.
    blocks: Vec<(Option<SocketAddr>, u64)>,
}

impl Suspects {
    /// Whom the last word on the piece names, each once, and its blocks.
    fn take_told(&mut self, piece: PieceIndex) -> (BTreeSet<PeerKey>, Vec<Print>) {
        let prints = self.told.remove(&piece).unwrap_or_default();
        (prints.iter().map(|print| print.from).collect(), prints)
    }
}

impl SwarmCore {
    /// Who sent what of a piece that is about to be told as wrong, or as right after it was wrong.
    pub(super) fn on_prints(&mut self, piece: PieceIndex, prints: Vec<Print>) {
        if !self.have.get(piece) {
            self.suspects.told.insert(piece, prints);
        }
    }

    /// A piece is wrong. `known` are its senders as far as the core has heard, and `all` says that there
    /// are no others. Gives everybody who had a part in it, and whose work alone it was.
    pub(super) fn suspect(
        &mut self,
        now: Time,
        piece: PieceIndex,
        known: Vec<PeerKey>,
        all: bool,
    ) -> (Vec<SocketAddr>, Option<SocketAddr>) {
        let (told, prints) = self.suspects.take_told(piece);
        let (senders, all) =
            if told.is_empty() { (known, all) } else { (told.into_iter().collect(), true) };
        let mut addrs: Vec<SocketAddr> =
            senders.iter().filter_map(|sender| self.addr_of(*sender)).collect();
        addrs.sort_unstable();
        addrs.dedup();
        if let [culprit] = addrs[..]
            && all
            && senders.iter().all(|sender| self.addr_of(*sender).is_some())
        {
            return (addrs, Some(culprit));
        }
        let blocks: Vec<(Option<SocketAddr>, u64)> =
            prints.iter().map(|print| (self.addr_of(print.from), print.digest)).collect();
        let suspect = self.suspects.pieces.entry(piece).or_insert_with(|| Suspect::new(now));
        suspect.senders.extend(&addrs);
        if !blocks.is_empty() && self.suspects.kept + blocks.len() <= KEPT {
            self.suspects.kept += blocks.len();
            suspect.wrong.push(Copy { blocks });
        } else {
            for sender in &senders {
                self.watch.update(*sender, now, |view| {
                    view.trust = view.trust.saturating_sub(DISTRUST);
                });
            }
        }
        self.picker.withhold(piece);
        (addrs, None)
    }

    /// A piece is right: who sent blocks of it before that were not.
    pub(super) fn acquit(&mut self, piece: PieceIndex) -> BTreeSet<SocketAddr> {
        let (_, right) = self.suspects.take_told(piece);
        let Some(suspect) = self.suspects.pieces.remove(&piece) else { return BTreeSet::new() };
        let mut liars = BTreeSet::new();
        for copy in &suspect.wrong {
            self.suspects.kept -= copy.blocks.len();
            let pairs = copy.blocks.iter().zip(&right);
            let lies = pairs.filter(|((_, digest), right)| *digest != right.digest);
            liars.extend(lies.filter_map(|((addr, _), _)| *addr));
        }
        liars
    }

    /// Bans whoever is at the address, connected or not: it sent a piece with a wrong hash, or a part of
    /// one.
    pub(super) fn ban(&mut self, now: Time, addr: SocketAddr, piece: PieceIndex) {
        // It may be gone, and it may have come back since.
        let here = self.peers.iter().find(|(_, peer)| peer.addr == addr).map(|(key, _)| *key);
        let Some(key) = here else { return self.memory.shun(now, addr, memory::BAN, true) };
        // What else it sent is worth no more, and liars without end are not to spoil it again: a peer that
        // was here before has those pieces to itself.
        for piece in self.picker.discard(key) {
            self.withdraw(piece);
            self.start_over(piece);
            self.suspects.pieces.entry(piece).or_insert_with(|| Suspect::new(now));
            self.picker.withhold(piece);
        }
        self.watch.note(key, |view| view.proven_liar = true);
        self.close(now, key, CloseReason::SentBadPiece { piece: piece.0 }, None);
    }

    /// What is wanted again, and was wrong before, is still for one peer alone.
    pub(super) fn withhold_suspects(&mut self) {
        for piece in self.suspects.pieces.keys().filter(|piece| !self.have.get(**piece)) {
            if self.picker.owner(*piece).is_none() {
                self.picker.withhold(*piece);
            }
        }
    }

    /// Whether the liar of some piece is being looked for.
    pub(super) fn has_suspects(&self) -> bool {
        !self.suspects.pieces.is_empty()
    }

    /// Sees to it that every suspect piece is with somebody who delivers.
    pub(super) fn settle_suspects(&mut self, now: Time) {
        if self.suspects.pieces.is_empty() {
            return;
        }
        if self.paused.writes {
            // Nothing is asked of anybody, so nobody is late.
            self.suspects.pieces.values_mut().for_each(|suspect| suspect.since = now);
            return;
        }
        let pieces: Vec<PieceIndex> = self.suspects.pieces.keys().copied().collect();
        for piece in pieces {
            let owner = self.picker.owner(piece);
            if owner.is_some_and(|owner| !self.is_stalled(now, owner, piece)) {
                continue;
            }
            let Some(suspect) = self.suspects.pieces.get_mut(&piece) else { continue };
            if let Some(owner) = owner {
                *suspect.left.entry(owner).or_default() += 1;
                suspect.since = now;
            }
            let best = self.best_for(now, piece, None);
            let Some(next) = best.filter(|best| Some(*best) != owner) else { continue };
            if let Some(owner) = owner {
                self.picker.take_from(owner, piece);
                self.withdraw_from(owner, piece);
                self.start_over(piece);
            }
            if self.picker.entrust(piece, next) {
                if let Some(suspect) = self.suspects.pieces.get_mut(&piece) {
                    suspect.since = now;
                }
                self.refill(now, next);
            }
        }
    }

    /// Whether a suspect piece is to go to another peer, if there is a better one.
    fn is_stalled(&self, now: Time, owner: PeerKey, piece: PieceIndex) -> bool {
        let (Some(view), Some(suspect)) = (self.watch.get(owner), self.suspects.pieces.get(&piece))
        else {
            return false;
        };
        let (came, of) = self.picker.progress(piece);
        if came == of {
            return false;
        }
        if self.peers.get(owner).is_some_and(|peer| !has_piece(view, peer.bits.as_ref(), piece)) {
            return true;
        }
        let waited = now.saturating_since(suspect.since);
        if view.snubbed_since.is_some_and(|since| since > suspect.since) {
            return true;
        }
        if view.snubbed_since.is_some() || view.peer_choking {
            return waited >= STALLED;
        }
        let left = (waited / came.max(1)).saturating_mul(of - came);
        waited >= STALLED && left > STALLED && !self.limits_itself(now) && {
            let best = self.best_for(now, piece, Some(owner));
            let fits = |best| {
                let view = self.watch.get(best);
                !suspect.left.contains_key(&best) && view.is_some_and(|v| !suspect.is_stranger(v))
            };
            best.is_some_and(|best| fits(best) && self.is_free(best))
        }
    }

    fn is_free(&self, key: PeerKey) -> bool {
        self.peers.get(key).is_some_and(|peer| peer.in_flight.is_empty())
    }

    /// Who is to send a suspect piece: somebody who delivers, who did not let it lie before, who was here
    /// before it became suspect (who lies can come again under another name), who had no part in a wrong copy
    /// of it. Among equals it is one who has given right pieces, and who has few suspect ones
    /// to send already.
    fn best_for(&self, now: Time, piece: PieceIndex, not: Option<PeerKey>) -> Option<PeerKey> {
        let suspect = self.suspects.pieces.get(&piece)?;
        let candidates = self.peers.iter().filter_map(|(key, peer)| {
            let view = self.watch.get(*key)?;
            let has = peer.bits.as_ref().is_none_or(|bits| bits.get(piece));
            let gives = peer.place() == Place::Slot && view.am_interested && !view.peer_choking;
            (has && gives && now >= peer.hold_until && not != Some(*key)).then(|| {
                let stranger = suspect.is_stranger(view);
                // Who has given right pieces always comes before those of whom nothing is known.
                let most = if view.trust > 0 { 1 } else { u32::MAX - 1 };
                let left = suspect.left.get(key).copied().unwrap_or(0).min(most);
                let part = suspect.senders.contains(&peer.addr);
                let worth = (Reverse(view.trust), Reverse(view.download_rate));
                let load = self.picker.entrusted_to(*key);
                let doubts = (left + u32::from(stranger), stranger, part, view.trust <= 0);
                (view.snubbed_since.is_some(), doubts, load, worth, *key)
            })
        });
        candidates.min().map(|(.., key)| key)
    }
}
