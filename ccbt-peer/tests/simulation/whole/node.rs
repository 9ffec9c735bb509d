//! One of our own: the core of a swarm with its connections, its disk, and all that may befall them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ccbt_peer::close::CloseReason;
use ccbt_peer::core::{
    Action, HANDSHAKE_LIMIT, Input, PeerKey, SessionConfig, SessionEvent, SwarmConfig, SwarmCore,
    Tell,
};
use ccbt_peer::policy::{Direction, PolicySet, Time};
use ccbt_peer::wire::{Bitfield, HandshakeDecoder, InfoHash, PieceIndex};
use ccbt_peer::{Addresses, EventKind};

use super::Sabotage;
use super::connection::{Came, Connection, News, Ours};
use super::net::{End, Happening, Net, Who};
use crate::audit::Audit;
use crate::disk::{Disk, Put};

/// Connections whose torrent is not known yet.
const PENDING: usize = 1024;
/// Addresses that are remembered: those that were named, and as many that came by themselves.
const ADDRESSES: usize = 2 * 10_000;
/// A deadline may bring about another one at once; so often it does not.
const ROUNDS: u32 = 200;
pub(super) const TORRENT: InfoHash = InfoHash([7; 20]);

/// What the swarm wants of a connection.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Tell(Tell),
    /// There are pieces to announce.
    Look,
    Close,
}

/// How long things take inside of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between a connection and the swarm, in each direction, up to this.
    pub(super) lag: Duration,
    /// From a piece's last block to its place in the store, up to this.
    pub(super) store: Duration,
}

/// Somebody who came in and has not said for what.
#[derive(Debug)]
struct Stranger {
    handshake: HandshakeDecoder,
    until: Time,
}

/// One of our own, in one of its lives.
pub(super) struct Node {
    pub(super) who: Who,
    pub(super) addr: SocketAddr,
    pub(super) core: SwarmCore,
    /// When it had everything.
    pub(super) complete_at: Option<Time>,
    pub(super) closes: BTreeMap<String, u32>,
    config: Arc<SessionConfig>,
    most: usize,
    pace: Pace,
    disk: Disk,
    ours: Ours,
    audit: Audit,
    strangers: BTreeMap<End, Stranger>,
    connections: BTreeMap<End, Connection>,
    keys: BTreeMap<PeerKey, End>,
    dials: BTreeSet<PeerKey>,
    /// To the writer, in order.
    to_core_at: Time,
    alarm_at: Time,
    /// What it does wrong on purpose.
    pub(super) sabotage: Option<Sabotage>,
    /// The next write fails.
    pub(super) disk_breaks: bool,
    /// Connections that the system lets it have.
    pub(super) descriptors: usize,
}

impl Node {
    pub(super) fn new(
        who: Who,
        addr: SocketAddr,
        config: &SwarmConfig,
        pace: Pace,
        have: Bitfield,
        net: &mut Net,
    ) -> Self {
        let session = SessionConfig {
            info_hash: TORRENT,
            peer_id: config.peer_id,
            metadata: config.geometry.into(),
            listen_port: Some(addr.port()),
            pex: config.pex,
            dht_port: None,
        };
        let mut node = Self {
            who,
            addr,
            most: (config.max_peers + config.lobby) as usize,
            complete_at: have.all().then_some(net.now),
            core: SwarmCore::new(config.clone(), have.clone(), PolicySet::standard()),
            config: Arc::new(session),
            closes: BTreeMap::new(),
            pace,
            disk: Disk::new(config.geometry, have.clone()),
            ours: Ours {
                have: have.clone(),
                log: Vec::new(),
                hidden: config.super_seed && have.all(),
            },
            audit: Audit::resumed(&have),
            strangers: BTreeMap::new(),
            connections: BTreeMap::new(),
            keys: BTreeMap::new(),
            dials: BTreeSet::new(),
            to_core_at: net.now,
            alarm_at: Time::MAX,
            sabotage: None,
            disk_breaks: false,
            descriptors: usize::MAX,
        };
        node.act(net);
        node
    }

    /// What the next life begins with.
    pub(super) fn remains(&self, now: Time) -> (Bitfield, Addresses) {
        (self.disk.flushed().clone(), self.core.addresses(now))
    }

    pub(super) fn recall(&mut self, net: &mut Net, addresses: &Addresses) {
        self.core.recall(net.now, addresses);
        self.act(net);
    }

    /// Everything ends without a word.
    pub(super) fn crash(self, net: &mut Net) {
        for end in self.connections.into_keys().chain(self.strangers.into_keys()) {
            net.close(end, true);
        }
    }

    /// It stops by itself; a little later all has to be over.
    pub(super) fn stop(&mut self, net: &mut Net) {
        self.tell_core(net, Input::Stop);
    }

    /// It has stopped: nothing is left, and everybody was closed once.
    pub(super) fn check_end(&self) {
        self.audit.end();
        assert!(self.dials.is_empty(), "dials are left: {:?}", self.dials);
        assert!(self.connections.is_empty(), "connections are left: {:?}", self.connections.keys());
        assert_eq!(self.core.views().count(), 0);
    }

    // What comes from outside.

    pub(super) fn on_dialed(&mut self, net: &mut Net, key: PeerKey, end: Option<End>) {
        let wanted = self.dials.remove(&key);
        match end {
            Some(end) if !wanted => net.close(end, true),
            Some(end) => {
                self.link_up(net, end, key, Direction::Outgoing, HandshakeDecoder::new());
                self.up(net, Input::Dialed(key), None);
            }
            None if wanted => {
                let error = "connection refused".to_owned();
                self.up(net, Input::DialFailed { key, error }, None);
            }
            None => {}
        }
    }

    pub(super) fn on_incoming(&mut self, net: &mut Net, end: End) {
        if self.in_use() >= self.descriptors {
            net.close(end, true);
            return self.tell_core(net, Input::NoDescriptors);
        }
        if self.strangers.len() >= PENDING {
            return net.close(end, true);
        }
        let until = net.now + HANDSHAKE_LIMIT;
        self.strangers.insert(end, Stranger { handshake: HandshakeDecoder::new(), until });
        net.plan(until, Happening::Alarm(end));
    }

    /// Bytes came, or room to send, or the end, or a deadline.
    pub(super) fn look(&mut self, net: &mut Net, end: End) {
        if self.strangers.contains_key(&end) {
            self.hear_stranger(net, end);
        } else if self.connections.contains_key(&end) {
            self.serve(net, end);
        }
    }

    pub(super) fn on_cut(&mut self, net: &mut Net, end: End) {
        if self.strangers.remove(&end).is_some() {
            net.close(end, true);
        } else if self.connections.contains_key(&end) {
            self.lose(net, end, CloseReason::PeerLeft);
        }
    }

    fn in_use(&self) -> usize {
        self.strangers.len() + self.connections.len() + self.dials.len()
    }

    fn hear_stranger(&mut self, net: &mut Net, end: End) {
        let Some(stranger) = self.strangers.get_mut(&end) else { return };
        let most = 48 - stranger.handshake.received();
        let bytes = net.take(end, most);
        let fed = stranger.handshake.feed(&mut &bytes[..]);
        let late = net.now >= stranger.until || net.is_over(end);
        match (fed, stranger.handshake.info_hash()) {
            (Ok(_), None) if !late => {}
            (Ok(_), Some(TORRENT)) if !late => {
                let Some(stranger) = self.strangers.remove(&end) else { return };
                let Some((_, addr)) = net.peer(end) else { return };
                match self.core.admit(net.now, addr) {
                    Ok(key) => {
                        self.audit.admitted(key, addr);
                        self.link_up(net, end, key, Direction::Incoming, stranger.handshake);
                        self.serve(net, end);
                    }
                    Err(_) => net.close(end, false),
                }
                self.act(net);
            }
            _ => {
                self.strangers.remove(&end);
                net.close(end, false);
            }
        }
    }

    fn link_up(
        &mut self,
        net: &mut Net,
        end: End,
        key: PeerKey,
        direction: Direction,
        handshake: HandshakeDecoder,
    ) {
        let (config, pieces) = (self.config.clone(), self.ours.have.len());
        let connection = Connection::new(key, config, pieces, direction, handshake, net.now);
        self.connections.insert(end, connection);
        assert!(self.keys.insert(key, end).is_none(), "{key:?} is used twice");
        net.later(Duration::ZERO, Happening::Alarm(end));
    }

    /// A connection does what it can.
    fn serve(&mut self, net: &mut Net, end: End) {
        loop {
            let Some(connection) = self.connections.get_mut(&end) else { return };
            if net.now >= connection.session.deadline()
                && let Err(reason) = connection.session.on_deadline(net.now)
            {
                return self.lose(net, end, reason);
            }
            let uploaded = connection.speak(net, end, &self.ours, self.sabotage);
            let listens = connection.listens(net.now) || self.sabotage == Some(Sabotage::Hoarding);
            let most = connection.most();
            self.report(net, end, uploaded);
            let bytes = if listens { net.take(end, most) } else { bytes::BytesMut::new() };
            if bytes.is_empty() {
                if listens && net.is_over(end) {
                    return self.lose(net, end, CloseReason::PeerLeft);
                }
                break;
            }
            let Some(connection) = self.connections.get_mut(&end) else { return };
            let mut news = Vec::new();
            let heard = connection.hear(net.now, &bytes, &self.ours, &mut news);
            let mut events = Vec::new();
            for news in news {
                match news {
                    News::Event(event) => events.push(event),
                    News::Came(came) => {
                        self.report(net, end, std::mem::take(&mut events));
                        self.on_came(net, end, &came);
                    }
                }
            }
            self.report(net, end, events);
            if let Err(reason) = heard {
                return self.lose(net, end, reason);
            }
        }
        let Some(connection) = self.connections.get_mut(&end) else { return };
        let deadline = connection.session.deadline();
        if deadline < connection.alarm_at || connection.alarm_at <= net.now {
            connection.alarm_at = deadline;
            net.plan(deadline, Happening::Alarm(end));
        }
    }

    fn on_came(&mut self, net: &mut Net, end: End, came: &Came) {
        let Some(connection) = self.connections.get(&end) else { return };
        let (key, block) = (connection.key, came.block);
        let (attempt, put) = if came.expected || !self.disk.is_suspect(block.piece) {
            self.disk.put(key, block, came.digest)
        } else {
            (0, Put::Waste)
        };
        let fresh = put != Put::Waste;
        self.report(net, end, vec![SessionEvent::Received { block, fresh, attempt }]);
        let piece = block.piece;
        if matches!(put, Put::Waste | Put::Fresh) {
            return;
        }
        if put == Put::Wrong || self.disk.is_suspect(piece) {
            let prints = self.disk.prints();
            self.up(net, Input::Prints { piece, prints }, Some(end));
        }
        if put == Put::Wrong {
            return self.up(net, Input::PieceFailed(piece), Some(end));
        }
        let heard = self.connections.get(&end).map_or(net.now, |known| known.to_core_at);
        let store = net.up_to(self.pace.store);
        self.to_core_at = self.to_core_at.max(heard).max(net.now + store);
        net.plan(self.to_core_at, Happening::Written(self.who, piece));
    }

    /// The store has written a piece, or cannot; false if it cannot.
    pub(super) fn on_written(&mut self, net: &mut Net, piece: PieceIndex) -> bool {
        if self.disk_breaks {
            return false;
        }
        if self.sabotage != Some(Sabotage::Unstored) {
            self.disk.flush(piece);
        }
        self.tell_core(net, Input::Stored(piece));
        true
    }

    /// The connection is over by itself.
    fn lose(&mut self, net: &mut Net, end: End, reason: CloseReason) {
        let Some(connection) = self.connections.get(&end) else { return };
        let key = connection.key;
        self.up(net, Input::Closed { key, reason }, Some(end));
        self.connections.remove(&end);
        self.keys.remove(&key);
        if self.sabotage == Some(Sabotage::ClosedTwice) {
            net.close(end, false);
            self.up(net, Input::Closed { key, reason: CloseReason::PeerLeft }, None);
        }
        if self.sabotage != Some(Sabotage::NeverClosed) {
            net.close(end, false);
        }
    }

    pub(super) fn obey(&mut self, net: &mut Net, end: End, order: Order) {
        let Some(connection) = self.connections.get_mut(&end) else { return };
        match order {
            Order::Tell(tell) => connection.session.tell(tell),
            Order::Look => {}
            Order::Close => {
                connection.speak(net, end, &self.ours, self.sabotage);
                let key = connection.key;
                self.connections.remove(&end);
                self.keys.remove(&key);
                return net.close(end, false);
            }
        }
        self.serve(net, end);
    }

    // Between connections and core.

    fn report(&mut self, net: &mut Net, end: End, events: Vec<SessionEvent>) {
        let Some(key) = self.connections.get(&end).map(|connection| connection.key) else { return };
        if !events.is_empty() {
            let inputs = events.into_iter().map(|event| Input::Session { key, event });
            self.up_all(net, inputs.collect(), Some(end));
        }
    }

    fn up(&mut self, net: &mut Net, input: Input, from: Option<End>) {
        self.up_all(net, vec![input], from);
    }

    fn up_all(&mut self, net: &mut Net, inputs: Vec<Input>, from: Option<End>) {
        let lag = net.up_to(self.pace.lag);
        let connection = from.and_then(|end| self.connections.get_mut(&end));
        let at = connection.map_or(net.now + lag, |connection| {
            connection.to_core_at = connection.to_core_at.max(net.now + lag);
            connection.to_core_at
        });
        net.plan(at, Happening::ToCore(self.who, inputs));
    }

    fn down(&mut self, net: &mut Net, key: PeerKey, order: Order) {
        let lag = net.up_to(self.pace.lag);
        let Some(end) = self.keys.get(&key).copied() else { return };
        let Some(connection) = self.connections.get_mut(&end) else { return };
        connection.to_session_at = connection.to_session_at.max(net.now + lag);
        net.plan(connection.to_session_at, Happening::ToConnection(end, order));
    }

    fn down_all(&mut self, net: &mut Net) {
        for key in self.keys.keys().copied().collect::<Vec<_>>() {
            self.down(net, key, Order::Look);
        }
    }

    pub(super) fn tell_core(&mut self, net: &mut Net, input: Input) {
        self.tell_core_all(net, vec![input]);
    }

    pub(super) fn tell_core_all(&mut self, net: &mut Net, inputs: Vec<Input>) {
        for input in inputs {
            if super::traces() {
                println!("{} node {} <- {input:?}", net.now, self.who.place);
            }
            self.audit.input(&input);
            self.core.handle(net.now, input);
            self.carry_out(net);
        }
        self.check(net.now);
        self.set_alarm(net);
    }

    /// Something may be due for the core.
    pub(super) fn wake(&mut self, net: &mut Net) {
        if self.alarm_at <= net.now {
            self.alarm_at = Time::MAX;
        }
        for round in 0.. {
            let Some(deadline) = self.core.deadline().filter(|at| *at <= net.now) else { break };
            assert!(round < ROUNDS, "a deadline that stays: {deadline}");
            self.core.on_deadline(net.now);
            self.act(net);
        }
        self.set_alarm(net);
    }

    fn set_alarm(&mut self, net: &mut Net) {
        if let Some(deadline) = self.core.deadline().filter(|at| *at < self.alarm_at) {
            self.alarm_at = deadline.max(net.now);
            net.plan(deadline, Happening::Wake(self.who));
        }
    }

    fn act(&mut self, net: &mut Net) {
        self.carry_out(net);
        self.check(net.now);
        self.set_alarm(net);
    }

    fn carry_out(&mut self, net: &mut Net) {
        while let Some(action) = self.core.poll_action() {
            if super::traces() {
                println!("{} node {} -> {action:?}", net.now, self.who.place);
            }
            self.audit.action(&action);
            match action {
                Action::Dial { key, .. } if self.in_use() >= self.descriptors => {
                    self.up(net, Input::NoDescriptor(key), None);
                }
                Action::Dial { key, addr } => {
                    self.dials.insert(key);
                    net.dial(self.who, key.0, addr);
                }
                Action::Tell { key, tell } => self.down(net, key, Order::Tell(tell)),
                Action::Announce(piece) => {
                    assert!(self.disk.flushed().get(piece), "{piece:?} is announced, not stored");
                    self.disk.seal(piece);
                    self.ours.have.set(piece, true);
                    self.ours.log.push(piece);
                    self.down_all(net);
                }
                Action::Forget(piece) => self.disk.forget(piece),
                Action::Close { key, .. } => {
                    self.dials.remove(&key);
                    self.down(net, key, Order::Close);
                }
                Action::Emit(EventKind::PeerClosed { reason, .. }) => {
                    *self.closes.entry(reason.code().to_owned()).or_default() += 1;
                }
                Action::Metadata(_) | Action::DhtNode(_) | Action::Emit(_) => {}
                Action::ShowAll => {
                    self.ours.hidden = false;
                    self.ours.log.extend(self.ours.have.iter_ones());
                    self.down_all(net);
                }
            }
        }
    }

    /// What holds at every step.
    fn check(&mut self, now: Time) {
        self.audit.compare(&self.core);
        let have = self.core.have();
        assert!(!have.any_and_not(self.disk.flushed()), "the core has what is not stored");
        assert!(!self.ours.have.any_and_not(have), "what was announced is no longer there");
        let connected = self.core.views().count();
        assert!(connected <= self.most, "{connected} connections, {} allowed", self.most);
        if have.all() && self.complete_at.is_none() {
            self.complete_at = Some(now);
        }
    }

    /// Bounds that cost time to look at.
    pub(super) fn check_memory(&self, now: Time) {
        let known = self.core.addresses(now).peers.len();
        assert!(known <= ADDRESSES, "{known} addresses are remembered");
        let here = self.connections.len() + self.strangers.len();
        // Those that the core has closed go a lag later.
        assert!(here <= 2 * self.most + PENDING, "{here} connections are here");
    }
}
