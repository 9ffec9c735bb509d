//! What goes into the core of a swarm, and what comes out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use ccbt_policy::{EvictionPolicy, Ranking, Source, Turnover};
use ccbt_wire::{Bitfield, PieceIndex};

use super::{Print, StoreUse};
use crate::blocklist::Blocklist;
use crate::choice::PieceChoice;
use crate::event::EventKind;
use crate::session::{SessionEvent, Tell};
use crate::{CloseReason, Geometry};

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
    /// A dial failed because the system has no more descriptors: the address is not to blame.
    NoDescriptor(PeerKey),
    /// Somebody came and was sent away, because the system has no more descriptors.
    NoDescriptors,
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
    /// The blocks of a piece that came whole, in order. Told before [`PieceFailed`](Self::PieceFailed), and
    /// before [`Stored`](Self::Stored) of a piece that was wrong before: they show who lied.
    Prints {
        /// The piece.
        piece: PieceIndex,
        /// One for each block.
        prints: Vec<Print>,
    },
    /// All blocks of a piece are here and its hash is wrong.
    PieceFailed(PieceIndex),
    /// A piece is verified and in the store.
    Stored(PieceIndex),
    /// The metadata, which came with [`Action::Metadata`], says this. Connections were told how to learn it.
    Metadata {
        /// The torrent's sizes.
        geometry: Geometry,
        /// The torrent asks for its trackers alone (BEP 27).
        private: bool,
    },
    /// The files of a torrent whose metadata was fetched are checked: these pieces are in the store.
    Checked {
        /// What is there.
        have: Bitfield,
        /// What is wanted.
        choice: Arc<PieceChoice>,
    },
    /// From now on peers of this host keep their slots whatever the rules say, or no longer do.
    Pin {
        /// The host.
        host: IpAddr,
        /// Whether they do.
        pinned: bool,
    },
    /// Other rules from now on.
    Policy(Arc<dyn EvictionPolicy>),
    /// Other ideas of who is worth more, and of how many go for better ones.
    Ranking(Arc<dyn Ranking>, Turnover),
    /// Other pieces are wanted from now on, or in another order. One that is about another number of pieces
    /// is ignored.
    Choose(Arc<PieceChoice>),
    /// So many connections with a slot from now on.
    MaxPeers(u32),
    /// From now on so much is left to us of what we share with other swarms. Within it the numbers of
    /// [`SwarmConfig`](super::SwarmConfig) hold.
    Budget {
        /// Connections in all: in slots, in the lobby and half open.
        connections: u32,
        /// Of these, dials and handshakes that may be under way.
        half_open: u32,
    },
    /// Other addresses are blocked from now on.
    Blocklist(Arc<Blocklist>),
    /// The store cannot be used for this from now on, or can again.
    Store {
        /// For what.
        of: StoreUse,
        /// Whether it fails.
        fails: bool,
    },
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
    /// Greet with all that we have from now on, and tell everybody who was greeted otherwise: super-seeding is
    /// over.
    ShowAll,
    /// Throw away the blocks of this piece that are here: it starts over.
    Forget(PieceIndex),
    /// Close the connection, or give up the dial.
    Close {
        /// The connection.
        key: PeerKey,
        /// Why.
        reason: CloseReason,
    },
    /// The metadata is here, and has the right hash. [`Input::Metadata`] is to follow, and
    /// [`Input::Checked`] after it.
    Metadata(Bytes),
    /// A node of the DHT is there; for ours to know.
    DhtNode(SocketAddr),
    /// Tell whoever watches.
    Emit(EventKind),
}
