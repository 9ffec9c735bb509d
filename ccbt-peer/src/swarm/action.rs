//! What goes into the core of a swarm, and what comes out.

use std::net::SocketAddr;
use std::sync::Arc;

use ccbt_policy::{EvictionPolicy, Source};
use ccbt_wire::PieceIndex;

use crate::CloseReason;
use crate::event::EventKind;
use crate::session::{SessionEvent, Tell};

/// A connection's name inside a swarm. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub u32);

/// Something that happened to the swarm.
#[derive(Debug)]
pub enum Input {
    /// A source found addresses.
    Found {
        /// Which kind of source.
        source: Source,
        /// The addresses.
        peers: Vec<SocketAddr>,
    },
    /// A dialed connection stands; its handshake comes next.
    Dialed(PeerKey),
    /// A dial failed.
    DialFailed {
        /// The dial.
        key: PeerKey,
        /// The error, in words.
        error: String,
    },
    /// A connection learnt something.
    Session {
        /// The connection.
        key: PeerKey,
        /// What it learnt.
        event: SessionEvent,
    },
    /// A connection ended by itself. Ignored if the swarm has closed it before.
    Closed {
        /// The connection.
        key: PeerKey,
        /// Why.
        reason: CloseReason,
    },
    /// All blocks of a piece are here and its hash is wrong.
    PieceFailed(PieceIndex),
    /// A piece is verified and in the store.
    Stored(PieceIndex),
    /// Other rules from now on.
    Policy(Arc<dyn EvictionPolicy>),
    /// Close everything.
    Stop,
}

/// Something that the swarm wants done. The order matters.
#[derive(Debug)]
pub enum Action {
    /// Connect to the address under this key.
    Dial {
        /// The key that the connection will have.
        key: PeerKey,
        /// The address.
        addr: SocketAddr,
    },
    /// Have a connection do something.
    Tell {
        /// The connection.
        key: PeerKey,
        /// What to do.
        tell: Tell,
    },
    /// Tell every peer that we have this piece.
    Announce(PieceIndex),
    /// Throw away the blocks of this piece that are here: it starts over.
    Forget(PieceIndex),
    /// Close the connection, or give up the dial.
    Close {
        /// The connection.
        key: PeerKey,
        /// Why.
        reason: CloseReason,
    },
    /// Tell whoever watches.
    Emit(EventKind),
}
