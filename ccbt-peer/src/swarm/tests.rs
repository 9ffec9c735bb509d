use ccbt_policy::{Direction, PolicySet, Source};
use ccbt_wire::Block;

use super::*;
use crate::close::{Refusal, Violation};
use crate::session::{Announced, Tell};

mod addresses;
mod budget;
mod dial_limits;
mod dialing;
mod fast;
mod held;
mod liars;
mod metadata;
mod nonsense;
mod paused;
mod pex;
mod serving;
mod snapshot;
mod sweep;
mod transfer;
mod turnover;
mod twins;

/// A swarm of four pieces of two blocks, driven by hand.
struct Hand {
    core: SwarmCore,
    now: Time,
    actions: Vec<Action>,
}

impl Hand {
    fn new() -> Self {
        Self::with(Bitfield::new(4), |_| {})
    }

    fn with(have: Bitfield, change: impl FnOnce(&mut SwarmConfig)) -> Self {
        let mut config = SwarmConfig::new(Geometry::new(4 * 32768, 32768));
        change(&mut config);
        let core = SwarmCore::new(config, have, PolicySet::standard());
        Self { core, now: Time::ZERO, actions: Vec::new() }
    }

    fn handle(&mut self, input: Input) {
        self.core.handle(self.now, input);
        self.collect();
    }

    fn collect(&mut self) {
        self.actions.extend(std::iter::from_fn(|| self.core.poll_action()));
    }

    fn session(&mut self, key: PeerKey, event: SessionEvent) {
        self.handle(Input::Session { key, event });
    }

    /// Lets so many milliseconds pass.
    fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.core.deadline().filter(|at| *at <= end) {
            self.now = at;
            self.core.on_deadline(at);
            self.collect();
        }
        self.now = end;
    }

    fn found(&mut self, n: u8) {
        self.handle(Input::Found { source: Source::Tracker, peers: vec![addr(n)] });
    }

    /// A peer that dialed us and shook hands.
    fn open(&mut self, n: u8) -> PeerKey {
        let key = self.core.admit(self.now, addr(n)).unwrap();
        self.opened(key, n, Direction::Incoming);
        key
    }

    fn opened(&mut self, key: PeerKey, id: u8, direction: Direction) {
        let peer_id = PeerId([id; 20]);
        let (fast, extended, dht) = (true, false, false);
        self.session(key, SessionEvent::Opened { direction, peer_id, fast, extended, dht });
    }

    /// A peer that has everything and lets us ask.
    fn seed(&mut self, n: u8) -> PeerKey {
        let key = self.open(n);
        self.session(key, SessionEvent::Has(Announced::All));
        self.session(key, SessionEvent::Unchoked);
        key
    }

    fn receive(&mut self, key: PeerKey, block: Block, attempt: u32) {
        self.session(key, SessionEvent::Received { block, fresh: true, attempt });
    }

    fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// What the connection was told since the last call, for all connections.
    fn told(&mut self, key: PeerKey) -> Vec<Tell> {
        let tells = self.take().into_iter().filter_map(|action| match action {
            Action::Tell { key: to, tell } if to == key => Some(tell),
            _ => None,
        });
        tells.collect()
    }

    /// All blocks that the connection was asked for since the last call.
    fn asked(&mut self, key: PeerKey) -> Vec<Block> {
        let requests = self.told(key).into_iter().filter_map(|tell| match tell {
            Tell::Request(blocks) => Some(blocks),
            _ => None,
        });
        requests.flatten().collect()
    }

    /// Which dials were begun since the last call.
    fn dials(&mut self) -> Vec<(PeerKey, SocketAddr)> {
        let dials = self.take().into_iter().filter_map(|action| match action {
            Action::Dial { key, addr } => Some((key, addr)),
            _ => None,
        });
        dials.collect()
    }

    /// How connections ended since the last call.
    fn closes(&mut self) -> Vec<(PeerKey, CloseReason)> {
        let closes = self.take().into_iter().filter_map(|action| match action {
            Action::Close { key, reason } => Some((key, reason)),
            _ => None,
        });
        closes.collect()
    }

    fn close(&mut self, key: PeerKey, reason: CloseReason) {
        self.handle(Input::Closed { key, reason });
    }
}

fn addr(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n], 6881))
}

fn block(piece: u32, n: u32) -> Block {
    Geometry::new(4 * 32768, 32768).block(PieceIndex(piece), n)
}

fn having(pieces: impl IntoIterator<Item = u32>) -> Bitfield {
    let mut bits = Bitfield::new(4);
    pieces.into_iter().for_each(|piece| _ = bits.set(PieceIndex(piece), true));
    bits
}
