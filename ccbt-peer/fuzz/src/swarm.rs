use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use ccbt_peer::close::{CloseReason, Timeout};
use ccbt_peer::core::{
    Action, Announced, Input, PeerKey, Print, SessionEvent, SwarmConfig, SwarmCore, Tell,
};
use ccbt_peer::policy::{Direction, PolicySet, Source, Time};
use ccbt_peer::wire::metainfo::build;
use ccbt_peer::wire::{
    Bitfield, Block, ExtensionHandshake, MetadataMessage, Metainfo, PeerId, PexMessage, PieceIndex,
};
use ccbt_peer::{Blocklist, EventKind, Geometry};

use super::feed::Feed;

const PIECES: u32 = 6;
const PIECE: u32 = 40_000;
/// The greatest number of peers, and connections that may wait beside them.
const PEERS: u32 = 8;
const LOBBY: u32 = 4;
const HALF_OPEN: u32 = 6;

/// A swarm that is told anything of any connection.
///
/// A connection closes once, who was announced as connected is announced as gone, nothing is announced or asked
/// for that is not to be, nobody is asked who said that it lacks it, the number of connections stays within its
/// limits, and time passes.
pub fn swarm(input: &[u8]) {
    let mut feed = Feed::new(input);
    let mut world = World::new(&mut feed);
    while let Some(what) = feed.next() {
        let input = world.input(what, &mut feed);
        world.handle(input);
    }
    world.handle(Some(Input::Stop));
    assert_eq!(world.core.views().count(), 0);
    assert!(world.peers.is_empty(), "never closed: {:?}", world.peers.keys());
    assert!(world.connected.is_empty(), "without an end: {:?}", world.connected);
    assert_eq!(world.core.deadline(), None);
}

struct World {
    core: SwarmCore,
    now: Time,
    info: Bytes,
    peers: BTreeMap<PeerKey, Known>,
    closed: BTreeSet<PeerKey>,
    connected: BTreeSet<SocketAddr>,
    stored: BTreeSet<PieceIndex>,
    announced: BTreeSet<PieceIndex>,
    measured: bool,
}

/// What a connection said.
#[derive(Default)]
struct Known {
    open: bool,
    unchoked: bool,
    allowed: BTreeSet<PieceIndex>,
    has: BTreeSet<PieceIndex>,
    asked: BTreeSet<(PieceIndex, u32)>,
}

impl World {
    fn new(feed: &mut Feed<'_>) -> Self {
        let setup = feed.byte();
        // Hashing is most of the work otherwise.
        static TORRENT: LazyLock<Metainfo> = LazyLock::new(|| {
            let payload = vec![7; (PIECES * PIECE) as usize - 9];
            Metainfo::parse(&build::single_file("x", PIECE, &payload, None)).expect("a torrent")
        });
        let torrent = &*TORRENT;
        let geometry = Geometry::of(torrent);
        let magnet = setup & 1 != 0;
        let mut config = SwarmConfig::new(geometry);
        if magnet {
            config = SwarmConfig::magnet(torrent.info_hash());
        }
        let mut have = Bitfield::new(config.geometry.pieces());
        if !magnet && setup & 2 != 0 {
            have = Bitfield::full(PIECES);
            have.set(PieceIndex(3), setup & 4 == 0);
        }
        config.super_seed = setup & 8 != 0;
        config.observe = setup & 16 != 0;
        config.private = setup & 32 != 0;
        config.listen = (setup & 64 != 0).then(|| addr(0));
        (config.max_peers, config.lobby, config.half_open) =
            (1 + feed.below(PEERS), LOBBY, HALF_OPEN);
        config.seed = u64::from(setup);
        let stored = have.iter_ones().collect();
        Self {
            core: SwarmCore::new(config, have, PolicySet::standard()),
            now: Time::ZERO,
            info: Bytes::copy_from_slice(torrent.info_bytes()),
            peers: BTreeMap::new(),
            closed: BTreeSet::new(),
            connected: BTreeSet::new(),
            stored,
            announced: BTreeSet::new(),
            measured: !magnet,
        }
    }

    fn handle(&mut self, input: Option<Input>) {
        if let Some(input) = input {
            self.core.handle(self.now, input);
        }
        self.settle();
    }

    fn settle(&mut self) {
        let most = PEERS + LOBBY + HALF_OPEN;
        let mut learnt = false;
        for n in 0.. {
            assert!(n < 10_000, "actions without end");
            let Some(action) = self.core.poll_action() else { break };
            learnt |= matches!(action, Action::Metadata(_));
            self.act(action);
        }
        assert!(self.peers.len() <= most as usize, "{} connections", self.peers.len());
        for (key, view) in self.core.views() {
            let asked = self.peers.get(&key).map_or(0, |known| known.asked.len());
            assert_eq!(view.in_flight as usize, asked, "requests of {key:?}");
        }
        if learnt {
            self.measured = true;
            let geometry = Geometry::new(u64::from(PIECES * PIECE) - 9, PIECE);
            self.core.handle(self.now, Input::Metadata { geometry, private: false });
            let checked =
                Input::Checked { have: Bitfield::new(PIECES), choice: Default::default() };
            self.handle(Some(checked));
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Dial { key, .. } => {
                assert!(self.peers.insert(key, Known::default()).is_none(), "{key:?} used twice");
            }
            Action::Tell { key, tell } => {
                let Some(known) = self.peers.get_mut(&key) else {
                    panic!("{key:?} is told {tell:?}, but gone: {}", self.closed.contains(&key));
                };
                match tell {
                    Tell::Request(blocks) => {
                        for Block { piece, begin, .. } in blocks {
                            assert!(!self.stored.contains(&piece));
                            assert!(known.has.contains(&piece), "it lacks {piece:?}");
                            assert!(known.unchoked || known.allowed.contains(&piece));
                            assert!(known.asked.insert((piece, begin)), "asked twice");
                        }
                    }
                    Tell::Cancel(blocks) => {
                        for Block { piece, begin, .. } in blocks {
                            assert!(known.asked.remove(&(piece, begin)), "not asked for");
                        }
                    }
                    Tell::Pex(message) => assert!(message.added.len() <= 50),
                    _ => {}
                }
            }
            Action::Announce(piece) => {
                assert!(self.stored.contains(&piece), "{piece:?} is not stored");
                assert!(self.announced.insert(piece), "{piece:?} is announced twice");
            }
            Action::Close { key, reason } => {
                super::assert_shows_well(&reason.to_string());
                assert!(self.closed.insert(key), "{key:?} is closed twice");
                assert!(self.peers.remove(&key).is_some(), "{key:?} was not there");
            }
            Action::Metadata(info) => assert_eq!(info, self.info),
            Action::Emit(EventKind::PeerConnected { peer, .. }) => {
                assert!(self.connected.insert(peer), "{peer} is connected twice");
            }
            Action::Emit(EventKind::PeerClosed { peer, .. }) => _ = self.connected.remove(&peer),
            _ => {}
        }
    }

    fn pass(&mut self, by: Duration) {
        let end = self.now + by;
        let mut calls = 0;
        while let Some(at) = self.core.deadline().filter(|at| *at <= end) {
            calls = if at > self.now { 0 } else { calls + 1 };
            assert!(calls < 16, "a deadline is never over");
            self.now = at.max(self.now);
            self.core.on_deadline(self.now);
            self.settle();
        }
        self.now = end;
    }

    /// One of the connections that there are, or one that there is not.
    fn key(&self, feed: &mut Feed<'_>) -> PeerKey {
        let n = usize::from(feed.byte());
        let there = self.peers.keys().nth(n % (self.peers.len() + 1)).copied();
        there.unwrap_or(PeerKey(u32::try_from(n).expect("a byte")))
    }

    fn input(&mut self, what: u8, feed: &mut Feed<'_>) -> Option<Input> {
        let key = self.key(feed);
        Some(match what % 32 {
            0 => {
                let sources = [Source::Tracker, Source::Given, Source::Pex, Source::Dht];
                let source = sources[feed.below(4) as usize];
                let peers = (0..feed.below(6)).map(|_| addr(feed.byte())).collect();
                Input::Found { source, peers }
            }
            1 => {
                if let Ok(key) = self.core.admit(self.now, addr(feed.byte())) {
                    assert!(self.peers.insert(key, Known::default()).is_none());
                }
                return None;
            }
            2 => Input::Dialed(key),
            3 => {
                // Of those that are open it means nothing.
                if self.peers.get(&key).is_some_and(|known| !known.open) {
                    self.peers.remove(&key);
                }
                match feed.flag() {
                    true => Input::NoDescriptor(key),
                    false => Input::DialFailed { key, error: "no route".into() },
                }
            }
            4 => {
                let reason = match feed.byte() % 3 {
                    0 => CloseReason::PeerLeft,
                    1 => CloseReason::TimedOut(Timeout::Idle),
                    _ => CloseReason::Failed(std::io::ErrorKind::ConnectionReset),
                };
                Input::Closed { key, reason }
            }
            5 => Input::MaxPeers(1 + feed.below(PEERS)),
            6 => Input::Pin { host: addr(feed.byte()).ip(), pinned: feed.flag() },
            7 => {
                let list = format!("10.0.0.{}", feed.byte());
                Input::Blocklist(Blocklist::parse(list.as_bytes()).expect("a list").into())
            }
            8 if self.measured => {
                let piece = PieceIndex(feed.below(PIECES));
                if !self.stored.insert(piece) {
                    return None;
                }
                Input::Stored(piece)
            }
            9 if self.measured => {
                let piece = PieceIndex(feed.below(PIECES));
                if self.stored.contains(&piece) {
                    return None;
                }
                let print = |n: u32| Print { from: key, digest: u64::from(n & 1) };
                let prints = (0..3).map(print).collect();
                self.core.handle(self.now, Input::Prints { piece, prints });
                Input::PieceFailed(piece)
            }
            10..=14 => {
                let by = u64::from(feed.byte());
                self.pass(Duration::from_millis(by * by));
                return None;
            }
            _ => {
                let event = self.event(key, feed)?;
                Input::Session { key, event }
            }
        })
    }

    /// Anything that a session may tell, and that it makes sure of stays sure.
    fn event(&mut self, key: PeerKey, feed: &mut Feed<'_>) -> Option<SessionEvent> {
        let event = any_event(&self.info, feed)?;
        let of_pieces = matches!(
            event,
            SessionEvent::Has(Announced::Some(_))
                | SessionEvent::Have(_)
                | SessionEvent::AllowedFast(_)
                | SessionEvent::Rejected(_)
                | SessionEvent::Received { .. }
                | SessionEvent::Requested
        );
        if of_pieces && !self.measured {
            return None;
        }
        if let Some(known) = self.peers.get_mut(&key) {
            // A session opens once, and tells nothing before.
            if known.open == matches!(event, SessionEvent::Opened { .. }) {
                return None;
            }
            match &event {
                SessionEvent::Opened { .. } => known.open = true,
                SessionEvent::Has(Announced::All) => {
                    known.has = (0..PIECES).map(PieceIndex).collect()
                }
                SessionEvent::Has(Announced::None) => known.has.clear(),
                SessionEvent::Has(Announced::Some(bits)) => known.has = bits.iter_ones().collect(),
                SessionEvent::Have(piece) => _ = known.has.insert(*piece),
                SessionEvent::AllowedFast(piece) => _ = known.allowed.insert(*piece),
                SessionEvent::Unchoked => known.unchoked = true,
                SessionEvent::Choked => {
                    known.unchoked = false;
                    known.asked.retain(|(piece, _)| known.allowed.contains(piece));
                }
                SessionEvent::Rejected(block) | SessionEvent::Received { block, .. } => {
                    known.asked.remove(&(block.piece, block.begin));
                }
                _ => {}
            }
        }
        Some(event)
    }
}

fn any_event(info: &Bytes, feed: &mut Feed<'_>) -> Option<SessionEvent> {
    let geometry = Geometry::new(u64::from(PIECES * PIECE) - 9, PIECE);
    let piece = PieceIndex(feed.below(PIECES));
    let block = geometry.block(piece, feed.below(geometry.blocks(piece)));
    Some(match feed.byte() % 22 {
        0..=2 => SessionEvent::Opened {
            direction: if feed.flag() { Direction::Incoming } else { Direction::Outgoing },
            peer_id: PeerId([feed.byte(); 20]),
            fast: feed.flag(),
            extended: feed.flag(),
            dht: feed.flag(),
        },
        3 => {
            let byte = feed.byte() & 0b1111_1100;
            SessionEvent::Has(Announced::of(Bitfield::from_wire(&[byte], PIECES).ok()?))
        }
        4 => SessionEvent::Has(Announced::All),
        5 => SessionEvent::Has(Announced::None),
        6 => SessionEvent::Have(piece),
        7 => SessionEvent::AllowedFast(piece),
        8 => SessionEvent::Choked,
        9 | 10 => SessionEvent::Unchoked,
        11 => SessionEvent::Interested(feed.flag()),
        12 => SessionEvent::Requested,
        13 => SessionEvent::Rejected(block),
        14 => {
            let count = usize::from(feed.byte());
            SessionEvent::Extended(ExtensionHandshake::parse(feed.bytes(count)).ok()?.into())
        }
        15 => {
            let size = u32::try_from(info.len()).ok();
            let hello = ExtensionHandshake {
                m: vec![("ut_metadata".into(), 1 + feed.byte() % 4), ("ut_pex".into(), 2)],
                metadata_size: size.map(|size| size + u32::from(feed.byte() % 3)),
                upload_only: Some(feed.flag()),
                p: Some(6881),
                ..ExtensionHandshake::default()
            };
            SessionEvent::Extended(hello.into())
        }
        16 => {
            let total_size = u32::try_from(info.len()).ok()? + u32::from(feed.byte() % 3);
            let data = if feed.flag() { info.clone() } else { info.slice(1..) };
            SessionEvent::Metadata(match feed.byte() % 3 {
                0 => MetadataMessage::Reject { piece: 0 }.into(),
                _ => MetadataMessage::Data { piece: u32::from(feed.byte() % 2), total_size, data }
                    .into(),
            })
        }
        17 => {
            let count = usize::from(feed.byte());
            SessionEvent::Pex(PexMessage::parse(feed.bytes(count)).ok()?.into())
        }
        18 => SessionEvent::Received { block, fresh: feed.flag(), attempt: feed.below(2) },
        19 => SessionEvent::Received { block, fresh: true, attempt: 0 },
        20 => SessionEvent::Uploaded(u64::from(feed.byte()) * 1000),
        _ => match feed.byte() % 3 {
            0 => SessionEvent::Flooding,
            1 => SessionEvent::DhtPort(1 + u16::from(feed.byte())),
            _ => SessionEvent::Held(feed.flag()),
        },
    })
}

fn addr(n: u8) -> SocketAddr {
    // Some in one network, some elsewhere.
    SocketAddr::from(([10, 0, n / 100, n], 6881))
}
