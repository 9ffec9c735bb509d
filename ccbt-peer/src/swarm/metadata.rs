//! From a magnet link to a torrent: the metadata is fetched from peers (BEP 9), the files are checked, and
//! only then it is known what we need.

mod fetch;
mod room;

use std::sync::Arc;

use bytes::Bytes;
use ccbt_policy::{Source, Time};
use ccbt_wire::{Bitfield, ExtensionHandshake, MetadataMessage, UT_METADATA};

use super::picker::Picker;
use super::{Action, PeerKey, SwarmCore, choosing, memory};
use crate::choice::PieceChoice;
use crate::close::Violation;
use crate::event::EventKind;
use crate::session::Tell;
use crate::source::is_fit_for_private;
use crate::{CloseReason, Geometry};
pub(super) use fetch::Fetch;
use fetch::Finding;

/// What the swarm has to do with metadata.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// While it is unknown.
    pub(super) fetch: Option<Box<Fetch>>,
    /// What was fetched, to hold late answers against.
    fetched: Bytes,
    /// It is known, and the files are checked.
    pub(super) checked: bool,
}

impl Metadata {
    /// That of a torrent, or of a link.
    pub(super) fn new(fetch: Option<Fetch>) -> Self {
        let checked = fetch.is_none();
        Self { fetch: fetch.map(Box::new), fetched: Bytes::new(), checked }
    }
}

impl SwarmCore {
    /// Whether we know what we need, and that it is nothing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.metadata.checked && self.need == 0
    }

    /// What a peer says of the metadata in its extension handshake.
    pub(super) fn hear_of_metadata(&mut self, now: Time, key: PeerKey, hello: &ExtensionHandshake) {
        let size = hello.metadata_size.filter(|size| *size > 0);
        if size.is_some() {
            self.watch.update(key, now, |view| view.metadata_done = true);
        }
        if let Some(fetch) = &mut self.metadata.fetch {
            let named = hello.m.iter().find(|(name, _)| name == UT_METADATA);
            fetch.offer(now, key, named.map(|(_, id)| *id != 0), size);
            self.ask_for_metadata(now);
        }
    }

    /// An answer of a peer that we asked for metadata.
    pub(super) fn on_metadata_message(
        &mut self,
        now: Time,
        key: PeerKey,
        message: MetadataMessage,
    ) {
        let findings = match &mut self.metadata.fetch {
            Some(fetch) => fetch.take(now, key, message),
            None => self.late_answer(key, message),
        };
        for finding in findings {
            match finding {
                Finding::Whole(info) => self.fetched(info),
                Finding::Liar(key) => {
                    self.watch.note(key, |view| view.proven_liar = true);
                    self.close(now, key, CloseReason::SentBadMetadata, None);
                }
                Finding::Broke(key, why) => {
                    let reason = CloseReason::PeerBrokeProtocol(Violation::Metadata(why));
                    self.close(now, key, reason, None);
                }
            }
        }
        self.ask_for_metadata(now);
    }

    /// Who lies too late is not spared for it.
    fn late_answer(&self, key: PeerKey, message: MetadataMessage) -> Vec<Finding> {
        let whole = &self.metadata.fetched;
        let MetadataMessage::Data { piece, total_size, data } = message else { return Vec::new() };
        // Another size is another dictionary, and whoever speaks of one was told so by nobody.
        if whole.len() != total_size as usize {
            return Vec::new();
        }
        if let Err(why) = fetch::check(total_size, piece, total_size, &data) {
            return vec![Finding::Broke(key, why)];
        }
        let lies = fetch::block(whole, piece) != data;
        if lies { vec![Finding::Liar(key)] } else { Vec::new() }
    }

    fn fetched(&mut self, info: Bytes) {
        let state = self.metadata.fetch.take().map(|fetch| fetch.state()).unwrap_or_default();
        self.metadata.fetched = info.clone();
        let size = u32::try_from(info.len()).unwrap_or(u32::MAX);
        self.emit(EventKind::MetadataProgress { have: size, size, peers: state.peers });
        self.actions.push_back(Action::Metadata(info));
    }

    /// Asks whoever may have what is missing of the metadata.
    pub(super) fn ask_for_metadata(&mut self, now: Time) {
        let Some(fetch) = self.metadata.fetch.as_mut().filter(|_| !self.stopped) else { return };
        for (key, blocks) in fetch.ask(now) {
            self.actions.push_back(Action::Tell { key, tell: Tell::AskMetadata(blocks) });
        }
    }

    /// When somebody is late with metadata.
    pub(super) fn metadata_at(&self) -> Option<Time> {
        self.metadata.fetch.as_ref().and_then(|fetch| fetch.deadline())
    }

    pub(super) fn tell_metadata_progress(&mut self) {
        if let Some(fetch) = &self.metadata.fetch {
            let state = fetch.state();
            let (have, size, peers) = (state.have, state.size, state.peers);
            self.emit(EventKind::MetadataProgress { have, size, peers });
        }
    }

    /// The metadata is known. Peers can be measured from now on, but not what we need of them.
    pub(super) fn on_metadata(&mut self, now: Time, geometry: Geometry, private: bool) {
        if self.config.geometry.is_known() {
            return;
        }
        self.metadata.fetch = None;
        self.config.geometry = geometry;
        self.config.private = private;
        self.have = Bitfield::new(geometry.pieces());
        self.want();
        if private {
            self.keep_to_trackers(now);
        }
        for key in self.peers.keys() {
            self.actions.push_back(Action::Tell { key, tell: Tell::Metadata });
        }
        self.watch.update_swarm(now, |view| {
            view.metadata_at = Some(now);
            view.private = private;
        });
        // Whoever had none may have pieces.
        self.memory.pardon(now, memory::NO_METADATA);
        self.rebalance_all(now);
        self.measure();
    }

    /// The torrent turns out to be private: whom others than its trackers named is dialed no more (BEP 27).
    fn keep_to_trackers(&mut self, now: Time) {
        let is_unfit = |source| !is_fit_for_private(source);
        self.memory.disregard(is_unfit);
        let dials = self.peers.iter().filter(|(_, peer)| !peer.is_open() && is_unfit(peer.source));
        for key in dials.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.take_dial_back(now, key);
        }
    }

    /// The files are checked: these pieces are here, those are wanted. The download begins, or is done.
    pub(super) fn on_checked(&mut self, now: Time, have: Bitfield, choice: Arc<PieceChoice>) {
        let fits = have.len() == self.have.len() && choice.fits(have.len());
        if self.metadata.checked || !fits || have.is_empty() {
            return;
        }
        self.metadata.checked = true;
        self.have = have;
        self.config.choice = choice;
        self.want();
        self.watch.update_swarm(now, |view| view.checked_at = Some(now));
        self.refresh_swarm_view(now);
        self.rebalance_all(now);
        self.fill_slots(now);
        self.measure();
        if self.need == 0 {
            self.on_mode(now);
            self.finish();
        }
    }

    /// Whether addresses from such a source are not to be used (BEP 27).
    pub(super) fn is_closed_to(&self, source: Source) -> bool {
        self.config.private && !is_fit_for_private(source)
    }

    /// What is missing anew, with a picker for it that knows what peers have.
    fn want(&mut self) {
        let (geometry, choice) = (self.config.geometry, &self.config.choice);
        self.settled = choosing::settled(&self.have, choice);
        self.need = self.settled.len() - self.settled.count_ones();
        self.left = choosing::bytes(geometry, self.settled.iter_zeros());
        self.progress.total = choosing::wanted_bytes(geometry, choice);
        let rng = fastrand::Rng::with_seed(self.config.seed);
        self.picker = Picker::new(geometry, &self.have, choice, rng);
        for (_, peer) in self.peers.iter() {
            if let Some(bits) = &peer.bits {
                self.picker.rarity.add_all(bits);
            }
        }
    }
}
