//! Streams of bytes between places, in virtual time: order holds within a stream and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use ccbt_peer::core::Input;
use ccbt_peer::policy::Time;
use ccbt_peer::wire::PieceIndex;

use super::node::Order;
use crate::ms;

/// Bytes on their way in one direction, in the buffers of both ends: a sender has to wait beyond.
pub(super) const BUFFERS: usize = 256 << 10;

/// A place in one of its lives: who dies and comes back is somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) place: usize,
    pub(super) life: u32,
}

/// One end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    wire: u32,
    side: usize,
}

impl End {
    pub(super) fn other(self) -> Self {
        Self { side: 1 - self.side, ..self }
    }
}

/// What a wire is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quality {
    pub(super) latency: Duration,
    /// Bytes a second in each direction.
    pub(super) rate: u64,
    /// Bytes of a chunk, at the most.
    pub(super) cut: usize,
}

/// Something that is under way.
#[derive(Debug)]
pub(super) enum Happening {
    /// A dial comes to its end.
    Dialed {
        by: Who,
        token: u32,
        to: SocketAddr,
    },
    /// Bytes arrive.
    Bytes(End, Vec<u8>),
    /// The other end has closed, or cut the wire.
    Over {
        at: End,
        cut: bool,
    },
    /// There is room again for what is to be sent.
    Room(End),
    /// A connection has something to do.
    Alarm(End),
    /// A place has something to do.
    Wake(Who),
    /// The swarm hears of these.
    ToCore(Who, Vec<Input>),
    ToConnection(End, Order),
    /// The store has written a piece.
    Written(Who, PieceIndex),
    /// Something goes wrong, or a place changes.
    Fate(super::fate::Fate),
}

#[derive(Debug)]
struct Wire {
    quality: Quality,
    /// Nothing arrives any more, and nobody is told.
    dead: bool,
    sides: [Side; 2],
}

/// What is on its way to one end, and in its hands.
#[derive(Debug)]
struct Side {
    owner: Who,
    addr: SocketAddr,
    inbox: BytesMut,
    /// Sent to it and not taken yet.
    unread: usize,
    other_waits: bool,
    /// When the wire to it is free.
    free_at: Time,
    over: bool,
    closed: bool,
}

/// All wires, and all that is under way.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) now: Time,
    pub(super) rng: fastrand::Rng,
    pub(super) events: u64,
    /// The slowest that a wire may be.
    pub(super) least_rate: u64,
    pub(super) finest_cut: bool,
    wires: BTreeMap<u32, Wire>,
    queue: BTreeMap<(Time, u64), Happening>,
    order: u64,
    next_wire: u32,
    next_port: u16,
}

impl Net {
    pub(super) fn new(rng: fastrand::Rng) -> Self {
        Self {
            now: Time::ZERO,
            rng,
            events: 0,
            least_rate: 100_000,
            finest_cut: false,
            wires: BTreeMap::new(),
            queue: BTreeMap::new(),
            order: 0,
            next_wire: 0,
            next_port: 10_000,
        }
    }

    /// The next thing that happens until `end`.
    pub(super) fn next(&mut self, end: Time) -> Option<Happening> {
        let (at, _) = *self.queue.first_key_value()?.0;
        if at > end {
            return None;
        }
        assert!(at >= self.now, "something was planned for the past");
        self.now = at;
        self.events += 1;
        self.queue.pop_first().map(|(_, happening)| happening)
    }

    pub(super) fn plan(&mut self, at: Time, happening: Happening) {
        self.order += 1;
        self.queue.insert((at.max(self.now), self.order), happening);
    }

    pub(super) fn later(&mut self, after: Duration, happening: Happening) {
        self.plan(self.now + after, happening);
    }

    /// A random time up to this.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.rng.u64(0..=u64::try_from(most.as_micros()).unwrap()))
    }

    pub(super) fn dial(&mut self, by: Who, token: u32, to: SocketAddr) {
        let takes = ms(self.rng.u64(1..400));
        self.later(takes, Happening::Dialed { by, token, to });
    }

    /// A wire from one place to another; gives the ends of both.
    pub(super) fn connect(&mut self, from: (Who, SocketAddr), to: (Who, SocketAddr)) -> (End, End) {
        let quality = Quality {
            latency: ms(self.rng.u64(0..200)),
            rate: self.least_rate << self.rng.u32(..6),
            cut: if self.finest_cut { self.rng.usize(1..40) } else { 1 << self.rng.u32(7..17) },
        };
        self.next_port = self.next_port.checked_add(1).unwrap_or(10_000);
        let side = |owner, addr| Side {
            owner,
            addr,
            inbox: BytesMut::new(),
            unread: 0,
            other_waits: false,
            free_at: self.now,
            over: false,
            closed: false,
        };
        let from_addr = SocketAddr::new(from.1.ip(), self.next_port);
        let sides = [side(from.0, from_addr), side(to.0, to.1)];
        self.wires.insert(self.next_wire, Wire { quality, dead: false, sides });
        self.next_wire += 1;
        let dialer = End { wire: self.next_wire - 1, side: 0 };
        (dialer, dialer.other())
    }

    /// Whose end it is.
    pub(super) fn owner(&self, end: End) -> Option<Who> {
        let side = &self.wires.get(&end.wire)?.sides[end.side];
        (!side.closed).then_some(side.owner)
    }

    /// Where somebody at this end sees the other.
    pub(super) fn peer(&self, end: End) -> Option<(Who, SocketAddr)> {
        let side = &self.wires.get(&end.wire)?.sides[1 - end.side];
        Some((side.owner, side.addr))
    }

    /// Sends as much as there is room for, cut at arbitrary places; says how much that is.
    pub(super) fn send(&mut self, from: End, bytes: &[u8]) -> usize {
        let now = self.now;
        let Some(wire) = self.wires.get_mut(&from.wire) else { return bytes.len() };
        let Quality { latency, rate, cut } = wire.quality;
        let side = &mut wire.sides[1 - from.side];
        let taken = bytes.len().min(BUFFERS.saturating_sub(side.unread));
        side.other_waits = taken < bytes.len();
        side.unread += taken;
        let mut chunks = Vec::new();
        let mut rest = &bytes[..taken];
        while !rest.is_empty() {
            // A long message in the smallest pieces would only take our time.
            let most = if rest.len() > 2048 { cut.max(2048) } else { cut };
            let (chunk, behind) = rest.split_at(self.rng.usize(1..=most.min(rest.len())));
            rest = behind;
            let takes = Duration::from_micros(chunk.len() as u64 * 1_000_000 / rate);
            side.free_at = side.free_at.max(now) + takes;
            chunks.push((side.free_at + latency, chunk.to_vec()));
        }
        for (at, chunk) in chunks {
            self.plan(at, Happening::Bytes(from.other(), chunk));
        }
        taken
    }

    /// Bytes arrive at this end; false if nobody is to hear of it.
    pub(super) fn arrive(&mut self, at: End, bytes: &[u8]) -> bool {
        let Some(wire) = self.wires.get_mut(&at.wire).filter(|wire| !wire.dead) else {
            return false;
        };
        let side = &mut wire.sides[at.side];
        side.inbox.extend_from_slice(bytes);
        !side.closed
    }

    /// Takes up to `most` bytes that have arrived.
    pub(super) fn take(&mut self, at: End, most: usize) -> BytesMut {
        let Some(wire) = self.wires.get_mut(&at.wire) else { return BytesMut::new() };
        let side = &mut wire.sides[at.side];
        let count = most.min(side.inbox.len());
        let bytes = side.inbox.split_to(count);
        side.unread -= count;
        if count > 0 && std::mem::take(&mut side.other_waits) {
            let latency = wire.quality.latency;
            self.later(latency, Happening::Room(at.other()));
        }
        bytes
    }

    /// Whether all has arrived that ever will.
    pub(super) fn is_over(&self, at: End) -> bool {
        self.wires.get(&at.wire).is_none_or(|wire| {
            let side = &wire.sides[at.side];
            side.over && side.inbox.is_empty()
        })
    }

    /// The other end hears that nothing more comes, behind all that was sent.
    pub(super) fn finish(&mut self, from: End, cut: bool) {
        let Some(wire) = self.wires.get_mut(&from.wire) else { return };
        let side = &wire.sides[1 - from.side];
        let at = side.free_at.max(self.now) + wire.quality.latency;
        self.plan(at, Happening::Over { at: from.other(), cut });
    }

    /// This end is closed. Nobody closes one twice.
    pub(super) fn close(&mut self, end: End, cut: bool) {
        self.finish(end, cut);
        let Some(wire) = self.wires.get_mut(&end.wire) else { return };
        assert!(!wire.sides[end.side].closed, "{end:?} is closed twice");
        wire.sides[end.side].closed = true;
        if wire.sides.iter().all(|side| side.closed) {
            self.wires.remove(&end.wire);
        }
    }

    /// The end of a stream arrives; false if nobody is to hear of it.
    pub(super) fn on_over(&mut self, at: End, cut: bool) -> bool {
        let Some(wire) = self.wires.get_mut(&at.wire).filter(|wire| !wire.dead) else {
            return false;
        };
        let side = &mut wire.sides[at.side];
        side.over = true;
        if cut {
            side.unread -= side.inbox.len();
            side.inbox.clear();
        }
        !side.closed
    }

    /// Some wire of this place, if it has one.
    pub(super) fn any_wire(&mut self, place: usize) -> Option<End> {
        let ends = self.wires.iter().flat_map(|(wire, inner)| {
            let ends = (0..2).map(|side| End { wire: *wire, side });
            ends.filter(|end| inner.sides[end.side].owner.place == place)
        });
        let ends: Vec<End> = ends.collect();
        self.rng.choice(ends)
    }

    /// The wire is cut: both ends hear of it at once.
    pub(super) fn cut(&mut self, end: End) {
        for at in [end, end.other()] {
            self.plan(self.now, Happening::Over { at, cut: true });
        }
    }

    /// From now on nothing arrives, and nobody is told.
    pub(super) fn kill(&mut self, end: End) {
        if let Some(wire) = self.wires.get_mut(&end.wire) {
            wire.dead = true;
        }
    }

    /// Nothing moves for so long; then all of it comes.
    pub(super) fn stall(&mut self, end: End, time: Duration) {
        if let Some(wire) = self.wires.get_mut(&end.wire) {
            for side in &mut wire.sides {
                side.free_at = side.free_at.max(self.now) + time;
            }
        }
    }

    /// Ends of these places that are not closed.
    pub(super) fn open(&self, places: &BTreeSet<usize>) -> Vec<End> {
        let ends = self.wires.iter().flat_map(|(wire, inner)| {
            let ends = (0..2).map(|side| End { wire: *wire, side });
            ends.filter(|end| {
                let side = &inner.sides[end.side];
                !side.closed && places.contains(&side.owner.place)
            })
        });
        ends.collect()
    }
}
