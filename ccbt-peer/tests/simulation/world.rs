//! A network in virtual time: one swarm of ours, real sessions, scripted peers at the other ends.
//!
//! A message of a peer is with us when its script says so; what we send travels for [`Pace::wire`].
//! Nothing is read from a clock and chance comes from a seed, so a run can be repeated to the last event.

mod wishes;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccbt_peer::close::{CloseReason, Refusal};
use ccbt_peer::core::{
    Action, Input, Known, Metadata, PeerKey, Session, SessionConfig, SessionEvent, SwarmConfig,
    SwarmCore, Tell,
};
use ccbt_peer::policy::{Direction, EvictionPolicy, PolicySet, Source, Time};
use ccbt_peer::wire::{
    Bitfield, Block, Handshake, InfoHash, Limits, Message, MessageDecoder, PeerId, PieceIndex,
    Reserved,
};
use ccbt_peer::{EventKind, Geometry};

use super::audit::Audit;
use super::disk::{Disk, Put};
use super::host::{Alarm, Answer, Host, Out, Remote};
use super::{ms, secs};

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// From a dial to the connection, and from there to the peer's handshake.
    pub(crate) dial: Duration,
    /// What we send, to the peer.
    pub(crate) wire: Duration,
    /// From a piece's last block to its place in the store.
    pub(crate) store: Duration,
    /// Between a connection and the swarm, in each direction: a random time up to this.
    pub(crate) lag: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { dial: ms(10), wire: ms(5), store: ms(2), lag: Duration::ZERO }
    }
}

/// Something that is under way.
#[derive(Debug)]
enum Happening {
    Dialed(PeerKey),
    HandshakeArrives(PeerKey),
    ToPeer(PeerKey, Message),
    Wake(PeerKey, Alarm),
    ToCore(Input),
    ToSession(PeerKey, Order),
    Incoming(SocketAddr),
}

/// What the swarm wants of a connection.
#[derive(Clone, Debug)]
enum Order {
    Tell(Tell),
    Announce(PieceIndex),
    Close,
}

/// A connection, with both ends.
struct Link {
    addr: SocketAddr,
    session: Session,
    remote: Remote,
    sent: MessageDecoder,
    /// Bytes of our handshake that are still to be cut off.
    handshake: usize,
    /// What drips in, how much of it is here, and whether it was asked for.
    arriving: Option<(Option<Block>, u32)>,
    expected: bool,
    /// Messages between connection and swarm do not overtake each other.
    to_core_at: Time,
    to_session_at: Time,
}

/// Everything.
pub(crate) struct World {
    pub(crate) core: SwarmCore,
    pub(crate) now: Time,
    pub(crate) pace: Pace,
    /// What the swarm told, and when.
    pub(crate) log: Vec<(Time, EventKind)>,
    /// What we said to whom, and when it left.
    pub(crate) said: Vec<(Time, SocketAddr, Message)>,
    /// When connections began to stand, before any handshake.
    pub(crate) stood: Vec<(Time, SocketAddr)>,
    /// Every action, in words.
    pub(crate) trace: Vec<String>,
    geometry: Geometry,
    config: Arc<SessionConfig>,
    hosts: BTreeMap<SocketAddr, Host>,
    dials: BTreeMap<PeerKey, SocketAddr>,
    links: BTreeMap<PeerKey, Link>,
    disk: Disk,
    audit: Audit,
    queue: BTreeMap<(Time, u64), Happening>,
    order: u64,
    rng: fastrand::Rng,
    /// Greetings name no piece: we super-seed.
    hidden: bool,
}

impl World {
    /// A swarm without peers and without a piece, with the standard rules.
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self::with(geometry, PolicySet::standard(), |_| {})
    }

    pub(crate) fn with(
        geometry: Geometry,
        policy: impl EvictionPolicy + 'static,
        change: impl FnOnce(&mut SwarmConfig),
    ) -> Self {
        Self::resumed(geometry, Bitfield::new(geometry.pieces()), policy, change)
    }

    /// A swarm that has the pieces in `have` already.
    pub(crate) fn resumed(
        geometry: Geometry,
        have: Bitfield,
        policy: impl EvictionPolicy + 'static,
        change: impl FnOnce(&mut SwarmConfig),
    ) -> Self {
        let mut config = SwarmConfig::new(geometry);
        config.info_hash = InfoHash([7; 20]);
        change(&mut config);
        Self::begun(geometry, geometry.into(), config, have, policy)
    }

    pub(crate) fn begun(
        geometry: Geometry,
        metadata: Metadata,
        config: SwarmConfig,
        have: Bitfield,
        policy: impl EvictionPolicy + 'static,
    ) -> Self {
        let session = SessionConfig {
            info_hash: config.info_hash,
            peer_id: config.peer_id,
            metadata,
            listen_port: None,
            pex: config.pex,
            dht_port: None,
        };
        let rng = fastrand::Rng::with_seed(config.seed);
        let nothing = Bitfield::new(geometry.pieces());
        let sealed = if have.is_empty() { nothing } else { have.clone() };
        Self {
            hidden: config.super_seed,
            disk: Disk::new(geometry, sealed),
            core: SwarmCore::new(config, have, policy),
            now: Time::ZERO,
            pace: Pace::default(),
            log: Vec::new(),
            said: Vec::new(),
            stood: Vec::new(),
            trace: Vec::new(),
            geometry,
            config: Arc::new(session),
            hosts: BTreeMap::new(),
            dials: BTreeMap::new(),
            links: BTreeMap::new(),
            audit: Audit::default(),
            queue: BTreeMap::new(),
            order: 0,
            rng,
        }
    }

    /// Puts a peer into the world, of which nobody knows yet.
    pub(crate) fn place(&mut self, host: Host) -> SocketAddr {
        let n = u16::try_from(self.hosts.len()).unwrap();
        let [a, b] = n.to_be_bytes();
        let addr = SocketAddr::from(([10, 0, a, b], 6881));
        self.hosts.insert(addr, host);
        addr
    }

    /// Puts a peer into the world and has a tracker name it now.
    pub(crate) fn add(&mut self, host: Host) -> SocketAddr {
        let addr = self.place(host);
        self.found([addr]);
        addr
    }

    pub(crate) fn add_all(&mut self, hosts: impl IntoIterator<Item = Host>) -> Vec<SocketAddr> {
        let addrs: Vec<_> = hosts.into_iter().map(|host| self.place(host)).collect();
        self.found(addrs.clone());
        addrs
    }

    pub(crate) fn found(&mut self, peers: impl IntoIterator<Item = SocketAddr>) {
        self.found_by(Source::Tracker, peers);
    }

    pub(crate) fn found_by(&mut self, source: Source, peers: impl IntoIterator<Item = SocketAddr>) {
        let peers = peers.into_iter().collect();
        self.tell_core(Input::Found { source, peers });
    }

    /// Lets the time go on until `end`; everything due then has happened.
    pub(crate) fn run_until(&mut self, end: Time) {
        while self.step(end) {}
        self.now = end;
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Lets the time go on until every piece is stored, at most until `end`.
    pub(crate) fn finish(&mut self, end: Time) {
        while !self.core.is_complete() && self.step(end) {}
        assert!(
            self.core.is_complete(),
            "{} of {} pieces at {end}: {:?}",
            self.core.have().count_ones(),
            self.geometry.pieces(),
            self.core.progress()
        );
        self.run_until(self.now);
    }

    /// Stops the swarm and checks that nothing is left.
    pub(crate) fn stop(&mut self) {
        self.tell_core(Input::Stop);
        let end = self.now + secs(1);
        while self.step(end) {}
        self.audit.end();
        assert!(self.links.is_empty() && self.dials.is_empty());
        assert_eq!(self.core.views().count(), 0);
    }

    fn step(&mut self, end: Time) -> bool {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        let sessions = self.links.iter().map(|(key, link)| (link.session.deadline(), *key)).min();
        let core = self.core.deadline();
        let earliest = [queued, sessions.map(|(at, _)| at), core].into_iter().flatten().min();
        let Some(at) = earliest.filter(|at| *at <= end) else { return false };
        assert!(at >= self.now || queued != Some(at), "something was planned for the past");
        self.now = self.now.max(at);
        // What is there to be heard comes before any deadline.
        if queued == Some(at) {
            if let Some((_, happening)) = self.queue.pop_first() {
                self.happen(happening);
            }
        } else if let Some((_, key)) = sessions.filter(|(due, _)| *due == at) {
            self.on_session_deadline(key);
        } else {
            self.core.on_deadline(self.now);
            self.act();
            let next = self.core.deadline();
            assert!(next.is_none_or(|next| next > self.now), "a deadline that stays: {next:?}");
        }
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Dialed(key) => self.on_dialed(key),
            Happening::Incoming(addr) => match self.core.admit(self.now, addr) {
                Ok(key) => {
                    self.audit.admitted(key, addr);
                    self.link_up(key, addr, Direction::Incoming);
                    self.act();
                }
                Err(reason) => assert_ne!(reason, Refusal::Duplicate),
            },
            Happening::HandshakeArrives(key) => self.on_handshake(key),
            Happening::ToPeer(key, message) => {
                self.with_remote(key, |remote, out| remote.hear(&message, out));
            }
            Happening::Wake(key, alarm) => {
                self.with_remote(key, |remote, out| remote.wake(alarm, out));
            }
            Happening::ToCore(input) => self.tell_core(input),
            Happening::ToSession(key, order) => self.obey(key, order),
        }
    }

    fn on_dialed(&mut self, key: PeerKey) {
        let Some(addr) = self.dials.remove(&key) else { return };
        if self.hosts[&addr].answer == Answer::Refusal {
            let error = "connection refused".to_owned();
            return self.tell_core(Input::DialFailed { key, error });
        }
        self.tell_core(Input::Dialed(key));
        self.link_up(key, addr, Direction::Outgoing);
    }

    fn link_up(&mut self, key: PeerKey, addr: SocketAddr, direction: Direction) {
        self.stood.push((self.now, addr));
        let host = self.hosts[&addr].clone();
        let answers = host.answer == Answer::Handshake;
        let mut session = Session::new(self.config.clone(), direction, self.now);
        session.send_handshake();
        let link = Link {
            addr,
            session,
            remote: Remote::new(host, self.geometry.piece_length()),
            sent: MessageDecoder::new(Limits::for_pieces(self.geometry.pieces())),
            handshake: Handshake::LEN,
            arriving: None,
            expected: false,
            to_core_at: self.now,
            to_session_at: self.now,
        };
        self.links.insert(key, link);
        if answers {
            self.later(self.pace.dial, Happening::HandshakeArrives(key));
        }
    }

    fn on_handshake(&mut self, key: PeerKey) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let SocketAddr::V4(addr) = link.addr else { unreachable!("all peers have IPv4") };
        let mut peer_id = *b"-SM0001-000000000000";
        peer_id[16..].copy_from_slice(&addr.ip().octets());
        let host = link.remote.host();
        let mut reserved = if host.fast { Reserved::NONE.with_fast() } else { Reserved::NONE };
        if host.hello().is_some() {
            reserved = reserved.with_extended();
        }
        let info_hash = self.config.info_hash;
        let theirs = Handshake { reserved, info_hash, peer_id: PeerId(peer_id) };
        let nothing = Bitfield::new(self.geometry.pieces());
        let shown = if self.hidden { &nothing } else { self.core.have() };
        let opened = link.session.on_handshake(self.now, &theirs, shown);
        self.report(key, vec![opened.unwrap()]);
        self.with_remote(key, Remote::open);
    }

    /// Lets the other end of a connection do something, and hears what comes of it.
    fn with_remote(&mut self, key: PeerKey, act: impl FnOnce(&mut Remote, &mut Out)) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let mut out = Out::default();
        act(&mut link.remote, &mut out);
        for (after, alarm) in out.wake {
            self.later(after, Happening::Wake(key, alarm));
        }
        for message in out.say {
            self.hear(key, message);
        }
        if let Some((block, bytes)) = out.drip {
            self.hear_drops(key, block, bytes);
        }
        if out.leave {
            self.lose(key, CloseReason::PeerLeft);
        }
        self.flush(key);
    }

    /// A message of the peer is with us.
    fn hear(&mut self, key: PeerKey, message: Message) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let mut events = Vec::new();
        let result = match message {
            Message::Piece { piece, begin, data } => {
                let length = u32::try_from(data.len()).unwrap();
                let block = Block { piece, begin, length };
                let expected = link.session.on_piece_header(self.now, block);
                link.session.on_piece_end();
                expected.map(|expected| self.on_block(key, block, data[0] == 0, expected))
            }
            message => {
                let have = self.core.have();
                link.session.on_message(self.now, message, &|piece| have.get(piece), &mut events)
            }
        };
        self.report(key, events);
        if let Err(reason) = result {
            self.lose(key, reason);
        }
    }

    /// Some bytes of a message are with us that is not whole, or becomes whole by them.
    fn hear_drops(&mut self, key: PeerKey, block: Option<Block>, bytes: u32) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let (arriving, got) = link.arriving.unwrap_or_default();
        if block.is_some() && arriving.is_none() {
            link.expected = match block.map(|block| link.session.on_piece_header(self.now, block)) {
                Some(Err(reason)) => return self.lose(key, reason),
                expected => matches!(expected, Some(Ok(true))),
            };
        }
        let got = got + bytes;
        let whole = block.filter(|block| got == block.length);
        link.session.on_bytes(self.now, bytes as usize, whole.is_none());
        link.arriving = whole.is_none().then_some((block, got));
        if let Some(block) = whole {
            link.session.on_piece_end();
            let expected = link.expected;
            self.on_block(key, block, true, expected);
        }
    }

    fn on_block(&mut self, key: PeerKey, block: Block, right: bool, expected: bool) {
        let (attempt, put) = if expected || !self.disk.is_suspect(block.piece) {
            self.disk.put(key, block, u64::from(!right))
        } else {
            (0, Put::Waste)
        };
        let fresh = put != Put::Waste;
        self.report(key, vec![SessionEvent::Received { block, fresh, attempt }]);
        let input = match put {
            Put::Waste | Put::Fresh => return,
            Put::Complete => Input::Stored(block.piece),
            Put::Wrong => Input::PieceFailed(block.piece),
        };
        let heard = self.links.get(&key).map_or(self.now, |link| link.to_core_at);
        let at = (self.now + self.pace.store).max(heard);
        if put == Put::Wrong || self.disk.is_suspect(block.piece) {
            let prints = Input::Prints { piece: block.piece, prints: self.disk.prints() };
            self.plan(at, Happening::ToCore(prints));
        }
        self.plan(at, Happening::ToCore(input));
    }

    /// A connection tells the swarm what it learnt.
    fn report(&mut self, key: PeerKey, events: Vec<SessionEvent>) {
        for event in events {
            self.up(key, Input::Session { key, event });
        }
    }

    fn up(&mut self, key: PeerKey, input: Input) {
        if self.pace.lag.is_zero() {
            return self.tell_core(input);
        }
        let at = self.now + self.lag();
        let at = self.links.get_mut(&key).map_or(at, |link| {
            link.to_core_at = link.to_core_at.max(at);
            link.to_core_at
        });
        self.plan(at, Happening::ToCore(input));
    }

    fn down(&mut self, key: PeerKey, order: Order) {
        if self.pace.lag.is_zero() {
            return self.obey(key, order);
        }
        let at = self.now + self.lag();
        let Some(link) = self.links.get_mut(&key) else { return };
        link.to_session_at = link.to_session_at.max(at);
        let at = link.to_session_at;
        self.plan(at, Happening::ToSession(key, order));
    }

    fn lag(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(0..=u64::try_from(self.pace.lag.as_micros()).unwrap()))
    }

    /// The connection is over by itself.
    fn lose(&mut self, key: PeerKey, reason: CloseReason) {
        self.up(key, Input::Closed { key, reason });
        self.links.remove(&key);
    }

    fn obey(&mut self, key: PeerKey, order: Order) {
        let Some(link) = self.links.get_mut(&key) else { return };
        match order {
            Order::Tell(Tell::Metadata) => {
                let mut events = Vec::new();
                let learnt = link.session.learn_metadata(&mut events);
                self.report(key, events);
                if let Err(reason) = learnt {
                    return self.lose(key, reason);
                }
            }
            Order::Tell(tell) => link.session.tell(tell),
            Order::Announce(piece) => link.session.announce(&[piece]),
            Order::Close => {
                self.flush(key);
                self.links.remove(&key);
                return;
            }
        }
        self.flush(key);
    }

    fn on_session_deadline(&mut self, key: PeerKey) {
        let Some(link) = self.links.get_mut(&key) else { return };
        if let Err(reason) = link.session.on_deadline(self.now) {
            self.lose(key, reason);
        }
        self.flush(key);
    }

    /// Sends what the session has to say, and the blocks that the peer asked for.
    fn flush(&mut self, key: PeerKey) {
        let Some(link) = self.links.get_mut(&key) else { return };
        let addr = link.addr;
        let mut bytes = link.session.outgoing().split();
        while link.session.wants_metadata() {
            link.session.give_metadata(self.now, Some(addr.ip()));
            bytes.unsplit(link.session.outgoing().split());
        }
        let handshake = link.handshake.min(bytes.len());
        link.handshake -= handshake;
        link.sent.push(&bytes[handshake..]);
        if !bytes.is_empty() {
            link.session.on_sent(self.now, false);
        }
        let mut messages = Vec::new();
        while let Some(message) = link.sent.next().unwrap() {
            messages.push(message);
        }
        let mut uploads = Vec::new();
        while let Some(run) = link.session.next_upload(1 << 18) {
            uploads.push(SessionEvent::Uploaded(u64::from(run.len())));
            messages.extend(run.blocks.into_iter().map(|Block { piece, begin, .. }| {
                Message::Piece { piece, begin, data: Bytes::new() }
            }));
        }
        for message in messages {
            self.said.push((self.now, addr, message.clone()));
            self.later(self.pace.wire, Happening::ToPeer(key, message));
        }
        self.report(key, uploads);
    }

    fn tell_core(&mut self, input: Input) {
        self.audit.input(&input);
        self.core.handle(self.now, input);
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.core.poll_action() {
            self.audit.action(&action);
            self.trace.push(format!("{} {action:?}", self.now));
            match action {
                Action::DhtNode(_) => {}
                Action::Dial { key, addr } => {
                    self.dials.insert(key, addr);
                    self.later(self.pace.dial, Happening::Dialed(key));
                }
                Action::Tell { key, tell } => self.down(key, Order::Tell(tell)),
                Action::Announce(piece) => self.tell_all(piece),
                Action::ShowAll => {
                    self.hidden = false;
                    for piece in self.core.have().clone().iter_ones() {
                        self.tell_all(piece);
                    }
                }
                Action::Forget(piece) => self.disk.forget(piece),
                Action::Close { key, .. } => {
                    self.dials.remove(&key);
                    self.down(key, Order::Close);
                }
                Action::Metadata(info) => self.learn(info),
                Action::Emit(event) => self.log.push((self.now, event)),
            }
        }
        self.audit.compare(&self.core);
    }

    /// The metadata is here; the files are checked after the time that a disk takes.
    fn learn(&mut self, info: Bytes) {
        let geometry = self.geometry;
        self.config.metadata.learn(Known { geometry, info, private: false });
        let private = false;
        self.later(Duration::ZERO, Happening::ToCore(Input::Metadata { geometry, private }));
        let nothing = Bitfield::new(geometry.pieces());
        let checked = Input::Checked { have: nothing, choice: Arc::default() };
        self.later(self.pace.store, Happening::ToCore(checked));
    }

    fn tell_all(&mut self, piece: PieceIndex) {
        let open: Vec<PeerKey> = self.core.views().map(|(key, _)| key).collect();
        for key in open {
            self.down(key, Order::Announce(piece));
        }
    }

    fn later(&mut self, after: Duration, happening: Happening) {
        self.plan(self.now + after, happening);
    }

    fn plan(&mut self, at: Time, happening: Happening) {
        self.order += 1;
        self.queue.insert((at, self.order), happening);
    }
}
