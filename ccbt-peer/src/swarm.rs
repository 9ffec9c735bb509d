//! All connections of one torrent as a state machine: who is dialed, asked, unchoked and closed.
//!
//! [`SwarmCore`] takes [`Input`]s with the time and gives [`Action`]s and its next deadline. It has no
//! socket, no clock and no thread, so a swarm of hundreds of peers runs in a test in virtual time, and the
//! same inputs give the same actions. The [driver](crate::Swarm) brings the world.
//!
//! ```
//! use ccbt_peer::core::{Action, Input, SwarmConfig, SwarmCore};
//! use ccbt_peer::{Geometry, policy};
//!
//! let config = SwarmConfig::new(Geometry::new(1 << 20, 1 << 16));
//! let nothing = ccbt_peer::wire::Bitfield::new(16);
//! let mut swarm = SwarmCore::new(config, nothing, policy::PolicySet::standard());
//! let peers = vec!["192.0.2.1:6881".parse().unwrap()];
//! swarm.handle(policy::Time::ZERO, Input::Found { source: policy::Source::Given, peers });
//! assert!(matches!(swarm.poll_action(), Some(Action::Dial { .. })));
//! ```

mod action;
mod arrival;
mod availability;
mod choking;
mod choosing;
mod close;
mod dialing;
mod eviction;
mod fast;
mod immunity;
mod inspect;
mod known;
mod memory;
mod metadata;
mod partial;
mod paused;
mod pex;
mod picker;
mod pieces;
mod progress;
mod rarity;
mod room;
mod roster;
mod rounds;
mod superseed;
mod suspects;
mod transfer;
mod turnover;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ccbt_policy::{
    ByExchange, EvictionPolicy, PeerView, Ranking, SwarmView, Time, Turnover, Watch,
};
use ccbt_wire::{Bitfield, InfoHash, PeerId, PieceIndex};

pub use action::{Action, Input, PeerKey};
use choking::Choker;
use dialing::Shortage;
use memory::Memory;
pub(crate) use memory::host;
use metadata::{Fetch, Metadata};
use paused::Paused;
pub use paused::StoreUse;
use pex::Pex;
use picker::Picker;
use progress::Meter;
use room::Room;
use roster::Roster;
use rounds::Rounds;
use superseed::SuperSeed;
pub use suspects::Print;
use suspects::Suspects;

use crate::choice::PieceChoice;
use crate::event::{EventKind, Progress};
use crate::session::SessionEvent;
use crate::{Blocklist, CloseReason, Geometry};

/// Every so often all peers are judged again, for the facts that change without an event.
const SWEEP: Duration = Duration::from_secs(10);
/// As long as nothing happens at all, facts change no more: of ten thousand silent peers all are judged so often.
const SWEEP_AT_REST: Duration = Duration::from_secs(60);
/// A verdict that stands for less than this is not worth a line to anybody.
const NOTICE: Duration = Duration::from_secs(1);

/// How a swarm is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SwarmConfig {
    /// The torrent's sizes; [`Geometry::UNKNOWN`] if they are to be learnt from peers.
    pub geometry: Geometry,
    /// The torrent asks for its trackers alone (BEP 27).
    pub private: bool,
    /// The torrent; it decides which pieces a choked peer may have (BEP 6).
    pub info_hash: InfoHash,
    /// Where we listen, if we do. Some slots are kept for those that come in then.
    pub listen: Option<SocketAddr>,
    /// Addresses that are neither dialed nor let in.
    pub blocklist: Arc<Blocklist>,
    /// Hosts whose peers keep their slots whatever the rules say.
    pub pinned: BTreeSet<IpAddr>,
    /// Our peer id; it decides which of two connections to the same peer stays.
    pub peer_id: PeerId,
    /// Connections with a slot.
    pub max_peers: u32,
    /// Connections beyond `max_peers` that may wait for a slot.
    pub lobby: u32,
    /// Dials and handshakes that may be under way at once.
    pub half_open: u32,
    /// Peers that are unchoked at once.
    pub unchoked: u32,
    /// What peers are worth, when all are fair but one is better.
    pub ranking: Arc<dyn Ranking>,
    /// How many go for better ones, when and how often.
    pub turnover: Turnover,
    /// Tell peers of peers, and take what they tell (BEP 11), unless the torrent is private.
    pub pex: bool,
    /// Show each peer one piece at a time (BEP 16), if we are complete at the start. The driver greets with no
    /// piece then, until [`Action::ShowAll`].
    pub super_seed: bool,
    /// Which pieces are wanted, and in which order; every piece by default.
    pub choice: Arc<PieceChoice>,
    /// Ask for nothing: only look.
    pub observe: bool,
    /// Two swarms with the same seed and the same inputs do the same.
    pub seed: u64,
}

impl SwarmConfig {
    /// No info hash, 256 peers, a lobby of 64, 100 half-open dials, 8 unchoked peers.
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        let peer_id = PeerId(*b"-CC0100-000000000000");
        Self {
            geometry,
            private: false,
            info_hash: InfoHash([0; 20]),
            listen: None,
            blocklist: Arc::default(),
            pinned: BTreeSet::new(),
            peer_id,
            max_peers: 256,
            lobby: 64,
            half_open: 100,
            unchoked: 8,
            ranking: Arc::new(ByExchange),
            turnover: Turnover::default(),
            pex: true,
            super_seed: false,
            choice: Arc::default(),
            observe: false,
            seed: 0,
        }
    }

    /// The same for a torrent of which nothing but the info hash is known: the metadata is fetched from peers.
    #[must_use]
    pub fn magnet(info_hash: InfoHash) -> Self {
        Self { info_hash, ..Self::new(Geometry::UNKNOWN) }
    }

    /// Whether a swarm that begins with these pieces shows one at a time. Of a magnet link nothing is known.
    pub(crate) fn super_seeds(&self, have: &Bitfield) -> bool {
        self.super_seed && !have.is_empty() && have.all()
    }
}

/// The core of a swarm.
#[derive(Debug)]
pub struct SwarmCore {
    config: SwarmConfig,
    have: Bitfield,
    /// Pieces that need nothing: we have them, or do not want them.
    settled: Bitfield,
    /// The others: how many pieces, and how many bytes.
    need: u32,
    left: u64,
    metadata: Metadata,
    pex: Pex,
    peers: Roster,
    /// Where the addresses of peers that are gone, but have a part in a piece under way, are kept.
    ghosts: BTreeMap<PeerKey, SocketAddr>,
    watch: Watch<PeerKey>,
    picker: Picker,
    /// Peers that could be asked for more, but there was nothing, and when that was.
    idle: BTreeSet<PeerKey>,
    idle_version: u64,
    /// When a peer was held back by our own limit last.
    held_at: Option<Time>,
    choker: Choker,
    /// How often a piece had to start over, if ever.
    attempts: BTreeMap<PieceIndex, u32>,
    suspects: Suspects,
    super_seed: Option<SuperSeed>,
    memory: Memory,
    shortage: Shortage,
    room: Room,
    meter: Meter,
    /// Something happened since the peers were counted for `progress`.
    stirred: bool,
    progress: Progress,
    next_key: u32,
    rounds: Rounds,
    swept_at: Time,
    /// When something happened last: an input, or payload that moved.
    moved_at: Time,
    paused: Paused,
    /// When peers may be exchanged for better ones next.
    next_turn: Time,
    stopped: bool,
    actions: VecDeque<Action>,
}

impl SwarmCore {
    /// A swarm without peers that has the pieces in `have`.
    ///
    /// # Panics
    /// If `have` or the choice is for another number of pieces.
    pub fn new(config: SwarmConfig, have: Bitfield, policy: impl EvictionPolicy + 'static) -> Self {
        let geometry = config.geometry;
        assert_eq!(have.len(), geometry.pieces(), "the bitfield is of another torrent");
        assert!(config.choice.fits(geometry.pieces()), "the choice is about another torrent");
        let settled = choosing::settled(&have, &config.choice);
        let need = settled.len() - settled.count_ones();
        let super_seed = config.super_seeds(&have).then(|| SuperSeed::new(have.len()));
        let view = SwarmView::new().with(|view| {
            let known = geometry.is_known().then_some(Time::ZERO);
            (view.metadata_at, view.checked_at) = (known, known);
            view.upload_only_since = known.filter(|_| need == 0);
            view.limit = config.max_peers;
            view.private = config.private;
        });
        let rng = fastrand::Rng::with_seed(config.seed);
        let mut core = Self {
            picker: Picker::new(geometry, &have, &config.choice, rng),
            need,
            left: choosing::bytes(geometry, settled.iter_zeros()),
            settled,
            have,
            metadata: Metadata::new((!geometry.is_known()).then(|| Fetch::new(config.info_hash))),
            pex: Pex::default(),
            peers: Roster::default(),
            ghosts: BTreeMap::new(),
            watch: Watch::new(Arc::new(policy), view).with_notice(NOTICE),
            idle: BTreeSet::new(),
            idle_version: 0,
            held_at: None,
            choker: Choker::new(fastrand::Rng::with_seed(config.seed ^ 1)),
            attempts: BTreeMap::new(),
            suspects: Suspects::default(),
            super_seed,
            memory: Memory::default(),
            shortage: Shortage::default(),
            room: Room::new(&config),
            meter: Meter::default(),
            stirred: false,
            progress: Progress::default(),
            next_key: 0,
            rounds: Rounds::new(),
            swept_at: Time::ZERO,
            moved_at: Time::ZERO,
            paused: Paused::default(),
            next_turn: Time::ZERO + config.turnover.period,
            stopped: false,
            actions: VecDeque::new(),
            config,
        };
        if let Some(addr) = core.config.listen {
            core.memory.we_listen_at(addr);
        }
        core.progress.total = choosing::wanted_bytes(geometry, &core.config.choice);
        core.refresh_swarm_view(Time::ZERO);
        core.measure();
        core
    }

    /// Takes in something that happened at `now`. Ask for [`actions`](Self::poll_action) afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.stirred = true;
        self.moved_at = now;
        match input {
            Input::Found { source, .. } if self.is_closed_to(source) => {}
            Input::Found { source, peers } => {
                for addr in peers {
                    self.memory.found(now, addr, source);
                }
            }
            Input::Dialed(key) => self.on_dialed(key),
            Input::DialFailed { key, error } => self.on_dial_failed(now, key, error),
            Input::NoDescriptor(key) => self.on_no_descriptor(now, key),
            Input::NoDescriptors => self.lack_descriptors(),
            Input::Session { key, event } => self.on_session(now, key, event),
            Input::Closed { key, reason } => self.close(now, key, reason, None),
            Input::Prints { piece, prints } => self.on_prints(piece, prints),
            Input::PieceFailed(piece) => self.on_piece_failed(now, piece),
            Input::Stored(piece) => self.on_stored(now, piece),
            Input::Metadata { geometry, private } => self.on_metadata(now, geometry, private),
            Input::Checked { have, choice } => self.on_checked(now, have, choice),
            Input::Pin { host, pinned } => self.pin(now, host, pinned),
            Input::Policy(policy) => self.watch.set_policy(policy, now),
            Input::Ranking(ranking, turnover) => self.set_ranking(ranking, turnover),
            Input::Choose(choice) => self.choose(now, choice),
            Input::MaxPeers(max_peers) => self.set_max_peers(now, max_peers),
            Input::Budget { connections, half_open } => {
                self.set_budget(now, connections, half_open);
            }
            Input::Blocklist(blocklist) => self.set_blocklist(now, blocklist),
            Input::Store { of, fails } => self.on_store(now, of, fails),
            Input::Stop => self.stop(now),
        }
        self.settle(now);
    }

    /// Does what is due at `now`. To be called at [`deadline`](Self::deadline), after everything that was
    /// there to be read has been handled.
    pub fn on_deadline(&mut self, now: Time) {
        if self.stopped {
            return;
        }
        self.settle_lobby(now);
        self.give_up_dials(now);
        self.ask_for_metadata(now);
        if now >= self.tick_at() {
            self.tick(now);
        }
        let rests = self.moved_at < self.swept_at;
        if now >= self.swept_at + if rests { SWEEP_AT_REST } else { SWEEP } {
            self.swept_at = now;
            self.count_neighbours();
            self.measure_worth(now);
            if self.free_slots() == 0 {
                self.find_sole_holders();
            }
            self.watch.sweep(now);
        }
        // Here alone, and not after each input: after a pause the first input is not to cost those their
        // connection whose word is still on its way.
        self.settle_watch(now);
        self.settle(now);
    }

    /// When [`on_deadline`](Self::on_deadline) is to be called, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        if self.stopped {
            return None;
        }
        let lobby = self.peers.lobby().first().map(|(until, _)| *until);
        let dial = self.dial_at();
        let give_up = self.give_up_at();
        let (watch, late) = (self.watch.next_deadline(), self.metadata_at());
        let due = [Some(self.tick_at()), watch, lobby, dial, give_up, late];
        due.into_iter().flatten().min()
    }

    /// The next thing to do, in order.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The facts about a connected peer.
    #[must_use]
    pub fn view(&self, key: PeerKey) -> Option<&PeerView> {
        self.watch.get(key)
    }

    /// All connected peers.
    pub fn views(&self) -> impl Iterator<Item = (PeerKey, &PeerView)> {
        self.watch.iter()
    }

    /// The peers that we unchoke.
    pub fn unchoked(&self) -> impl Iterator<Item = PeerKey> {
        let most = self.choker.unchoked;
        self.views().filter(|(_, view)| !view.am_choking).map(|(key, _)| key).take(most)
    }

    /// The facts about the swarm.
    #[must_use]
    pub fn swarm_view(&self) -> &SwarmView {
        self.watch.swarm()
    }

    /// The pieces that are verified and in the store.
    #[must_use]
    pub fn have(&self) -> &Bitfield {
        &self.have
    }

    /// The state in numbers, as of the last second.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    fn on_session(&mut self, now: Time, key: PeerKey, event: SessionEvent) {
        if self.peers.get(key).is_none() {
            // A block lies with its piece, whatever became of the peer since.
            if let SessionEvent::Received { block, fresh: true, attempt } = event {
                self.on_late_block(now, key, block, attempt);
            }
            return;
        }
        match event {
            SessionEvent::Opened { .. } => return self.on_opened(now, key, &event),
            SessionEvent::Has(announced) => self.on_announced(now, key, announced),
            SessionEvent::Have(piece) => self.on_have(now, key, piece),
            SessionEvent::AllowedFast(piece) => self.on_allowed(now, key, piece),
            SessionEvent::Choked => self.on_choked(now, key),
            SessionEvent::Unchoked => self.on_unchoked(now, key),
            SessionEvent::Interested(interested) => self.on_interested(now, key, interested),
            SessionEvent::Requested => {
                self.watch.update(key, now, |view| view.last_request_at = Some(now));
            }
            SessionEvent::Flooding => self.watch.update(key, now, |view| view.flood = true),
            SessionEvent::Rejected(block) => self.on_rejected(now, key, block),
            SessionEvent::Extended(hello) => self.on_extended(now, key, &hello),
            SessionEvent::Pex(message) => self.on_pex(now, key, &message),
            SessionEvent::DhtPort(port) => self.on_dht_port(key, port),
            SessionEvent::Metadata(message) => self.on_metadata_message(now, key, *message),
            SessionEvent::Received { block, fresh, attempt } => {
                let fresh = fresh && attempt == self.attempt(block.piece);
                self.on_received(now, key, block, fresh);
            }
            // What we do is no sign of life of the peer.
            SessionEvent::Uploaded(bytes) => return self.on_uploaded(now, key, bytes),
            SessionEvent::Held(held) => return self.on_held(now, key, held),
        }
        self.watch.note(key, |view| view.last_message_at = Some(now));
        self.settle_news(now, key);
        self.settle_newcomer(now, key);
    }

    /// What follows from any change: work for idle peers, dials.
    fn settle(&mut self, now: Time) {
        if self.stopped {
            return;
        }
        self.refill_idle(now);
        self.dial(now);
    }

    fn stop(&mut self, now: Time) {
        for key in self.peers.keys() {
            self.close(now, key, CloseReason::ClosedByUs, None);
        }
        self.stopped = true;
        self.measure();
        self.emit(EventKind::Progress(self.progress));
    }

    fn emit(&mut self, kind: EventKind) {
        self.actions.push_back(Action::Emit(kind));
    }
}

#[cfg(test)]
mod tests;
