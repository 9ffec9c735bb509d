//! What a session tells the swarm, and what the swarm tells a session.

use ccbt_policy::Direction;
use ccbt_wire::{
    Bitfield, Block, ExtensionHandshake, MetadataMessage, PeerId, PexMessage, PieceIndex,
};

/// What the swarm learns from a connection.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    /// The handshakes are done.
    Opened {
        /// Who dialed.
        direction: Direction,
        /// How the peer calls itself.
        peer_id: PeerId,
        /// Both sides speak the fast extension (BEP 6).
        fast: bool,
        /// Both sides speak the extension protocol (BEP 10).
        extended: bool,
        /// The peer has a DHT node (BEP 5).
        dht: bool,
    },
    /// The peer told all that it has.
    Has(Announced),
    /// The peer has one more piece.
    Have(PieceIndex),
    /// The peer allows us to ask for this piece though it chokes us (BEP 6).
    AllowedFast(PieceIndex),
    /// The peer chokes us; all that we asked for is void, but for pieces that it allows us.
    Choked,
    /// The peer no longer chokes us.
    Unchoked,
    /// The peer is, or is no longer, interested in us.
    Interested(bool),
    /// The peer asked for a block.
    Requested,
    /// The peer refused a block that we had asked for.
    Rejected(Block),
    /// The peer's extension handshake; it may come again.
    Extended(Box<ExtensionHandshake>),
    /// A block of the metadata that we had asked for, or its refusal.
    Metadata(Box<MetadataMessage>),
    /// The peer tells of other peers (BEP 11).
    Pex(Box<PexMessage>),
    /// The UDP port of the peer's DHT node (BEP 5). Told if we have one, too.
    DhtPort(u16),
    /// A block came.
    Received {
        /// The block.
        block: Block,
        /// Whether it was missing; if not, it is waste.
        fresh: bool,
        /// Which attempt at the piece it belongs to, counted from 0. A piece whose hash is wrong starts
        /// over, and blocks of the attempt before may still be on their way to the swarm.
        attempt: u32,
    },
    /// Payload went out.
    Uploaded(u64),
    /// It sends more messages than makes sense. Said once.
    Flooding,
    /// From now on we do not read what the peer has sent, because of our own limit; or we do again.
    Held(bool),
}

/// All that a peer has, as it told in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// Every piece (HAVE_ALL, or a bitfield that is full).
    All,
    /// No piece (HAVE_NONE, or a bitfield that is empty).
    None,
    /// These pieces.
    Some(Bitfield),
}

impl Announced {
    /// What a bitfield says.
    #[must_use]
    pub fn of(bits: Bitfield) -> Self {
        if bits.all() {
            Self::All
        } else if bits.none() {
            Self::None
        } else {
            Self::Some(bits)
        }
    }
}

/// What the swarm has a connection do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Send INTERESTED or NOT_INTERESTED.
    Interested(bool),
    /// Send CHOKE or UNCHOKE.
    Choke(bool),
    /// Say that we have this piece, to this peer alone (BEP 16).
    Have(PieceIndex),
    /// Ask for these blocks.
    Request(Vec<Block>),
    /// These blocks are no longer needed.
    Cancel(Vec<Block>),
    /// The peer may have these pieces though we choke it; it is told so (BEP 6). For connections with the
    /// fast extension.
    AllowFast(Vec<PieceIndex>),
    /// We need nothing any more, or need something again: tell it, if the peer understands (BEP 21).
    UploadOnly(bool),
    /// The metadata is known now: carried out by
    /// [`Session::learn_metadata`](super::Session::learn_metadata), since it may end the connection.
    Metadata,
    /// Tell it of other peers, if it wants to hear of them (BEP 11).
    Pex(PexMessage),
    /// Ask for these blocks of the metadata (BEP 9).
    AskMetadata(Vec<u32>),
}
