mod immunity;
mod peer;
mod swarm;

pub use peer::PeerView;
pub use swarm::SwarmView;

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The peer dialed us.
    Incoming,
    /// We dialed the peer.
    Outgoing,
}

/// Where we have the peer's address from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The person named it.
    Given,
    /// A tracker (BEP 3, BEP 15).
    Tracker,
    /// The distributed hash table (BEP 5).
    Dht,
    /// Another peer (BEP 11).
    Pex,
    /// A multicast in the local network (BEP 14).
    Lsd,
    /// It dialed us.
    Incoming,
    /// Anything else.
    Other,
}

/// What kind of holdings a peer has announced, whichever message it used for it.
///
/// BITFIELD and HAVE (BEP 3) count as much as HAVE_ALL and HAVE_NONE (BEP 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Availability {
    /// It has announced nothing yet.
    Unknown,
    /// It has announced that it has no piece.
    None,
    /// It has announced some pieces.
    Some,
    /// It has announced every piece.
    All,
}

impl Availability {
    /// Whether the peer has announced anything.
    pub fn is_known(self) -> bool {
        self != Availability::Unknown
    }
}

/// What earlier connections to the same address have left behind; all zero at a first meeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// Connections that passed their handshake before this one.
    pub connections: u32,
    /// How many of them were closed because of an eviction.
    pub evictions: u32,
    /// Bytes of payload that it sent us.
    pub downloaded: u64,
    /// Bytes of payload that we sent it.
    pub uploaded: u64,
    /// The most pieces it was ever known to have.
    pub highest_have: u32,
}
