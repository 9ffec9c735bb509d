//! Why a connection ended: one typed reason for every peer that leaves.

use std::fmt;

use ccbt_policy::Evidence;

/// Why a connection is over. Every connection closes exactly once, with exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// A policy found that the peer is not worth its slot.
    Evicted {
        /// The reason as the policy names it, such as `no-availability`.
        reason: &'static str,
        /// The policy that won and what it saw.
        evidence: Evidence,
    },
    /// A newcomer with something that we need, pieces or a magnet link's metadata, took the place of this useless
    /// peer.
    Displaced {
        /// The reason for which the peer could be taken.
        reason: &'static str,
        /// The policy that offered the peer and what it saw.
        evidence: Evidence,
    },
    /// Every slot was taken by a peer that is worth as much, or the newcomer showed nothing in time.
    NoSlot,
    /// The peer broke a rule of the protocol.
    PeerBrokeProtocol(Violation),
    /// The peer alone sent a piece whose hash is wrong.
    SentBadPiece {
        /// The piece, counted from 0.
        piece: u32,
    },
    /// The peer sent metadata, or a part of it, that does not have the torrent's hash.
    SentBadMetadata,
    /// The peer closed the connection.
    PeerLeft,
    /// Nothing came, or nothing could be sent, for too long.
    TimedOut(Timeout),
    /// The connection was not wanted before it began: ourselves, a duplicate, another torrent.
    Refused(Refusal),
    /// The transport failed.
    Failed(std::io::ErrorKind),
    /// We stopped.
    ClosedByUs,
}

/// A rule of the protocol that a peer broke, in words that carry the numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The handshake is not one.
    #[error("handshake: {0}")]
    Handshake(String),
    /// The bytes are no message.
    #[error("{0}")]
    Decode(ccbt_wire::DecodeError),
    /// A piece that the torrent does not have.
    #[error("{message} of piece {piece}, but the torrent has {pieces} pieces")]
    PieceOutOfRange {
        /// The message that named the piece.
        message: &'static str,
        /// The piece it named.
        piece: u32,
        /// How many pieces the torrent has.
        pieces: u32,
    },
    /// A block that was never asked for on this connection.
    #[error("PIECE that was not requested: piece {piece}, begin {begin}, {length} bytes")]
    Unrequested {
        /// The block's piece.
        piece: u32,
        /// First byte, counted from the piece's start.
        begin: u32,
        /// Length in bytes.
        length: u32,
    },
    /// The bitfield has the wrong size or spare bits set.
    #[error("bitfield: {0}")]
    Bitfield(String),
    /// A message of the fast extension without the fast extension (BEP 6).
    #[error("{0} without the fast extension")]
    FastNotNegotiated(&'static str),
    /// The extension handshake is not readable.
    #[error("extension handshake: {0}")]
    Extension(String),
    /// A message about other peers is not readable, or one of too many (BEP 11 allows one a minute).
    #[error("ut_pex: {0}")]
    Pex(String),
    /// A message of the metadata exchange is not readable, or a block of it has the wrong size (BEP 9).
    #[error("ut_metadata: {0}")]
    Metadata(String),
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timeout {
    /// The handshake, in all.
    Handshake,
    /// Any byte from the peer.
    Idle,
    /// The peer did not take a single byte of what we had to send.
    Write,
    /// A message of the peer began and did not get on for 60 s, or at less than 256 bytes a second.
    Frame {
        /// Bytes that came of it in the last 60 s.
        bytes: u64,
    },
}

/// Why a connection was not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// We dialed ourselves.
    Ourselves,
    /// The same peer is connected already.
    Duplicate,
    /// The peer speaks of another torrent.
    WrongInfoHash,
    /// The address sent us a piece with a wrong hash, or broke the protocol lately.
    Banned,
    /// There is no room, not even in the lobby.
    Full,
    /// The blocklist names the address.
    Blocked,
    /// The swarm is crowded, and the network of the address (/24 of IPv4, /64 of IPv6) has its share.
    SamePrefix,
}

impl CloseReason {
    /// The reason in one word, as it stands in events: `evicted`, `displaced`, `peer-left`, ...
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Evicted { .. } => "evicted",
            Self::Displaced { .. } => "displaced",
            Self::NoSlot => "no-slot",
            Self::PeerBrokeProtocol(_) => "broke-protocol",
            Self::SentBadPiece { .. } => "sent-bad-piece",
            Self::SentBadMetadata => "sent-bad-metadata",
            Self::PeerLeft => "peer-left",
            Self::TimedOut(_) => "timed-out",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::ClosedByUs => "closed-by-us",
        }
    }

    /// We ended the connection because of what the peer is or did, and not for want of a slot, a network or us.
    #[must_use]
    pub fn is_of_the_peer(&self) -> bool {
        match self {
            Self::Evicted { .. }
            | Self::Displaced { .. }
            | Self::PeerBrokeProtocol(_)
            | Self::SentBadPiece { .. }
            | Self::SentBadMetadata => true,
            Self::NoSlot
            | Self::PeerLeft
            | Self::TimedOut(_)
            | Self::Refused(_)
            | Self::Failed(_)
            | Self::ClosedByUs => false,
        }
    }

    /// The policy behind an eviction or displacement, and what it saw.
    #[must_use]
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Evicted { evidence, .. } | Self::Displaced { evidence, .. } => Some(evidence),
            _ => None,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicted { evidence, .. } => write!(f, "{}: {}", evidence.policy, evidence.text),
            Self::Displaced { evidence, .. } => {
                write!(f, "{}, displaced: {}", evidence.policy, evidence.text)
            }
            Self::NoSlot => f.write_str("no free slot"),
            Self::PeerBrokeProtocol(violation) => write!(f, "broke the protocol: {violation}"),
            Self::SentBadPiece { piece } => write!(f, "sent piece {piece} with a wrong hash"),
            Self::SentBadMetadata => f.write_str("sent wrong metadata"),
            Self::PeerLeft => f.write_str("peer left"),
            Self::TimedOut(Timeout::Handshake) => f.write_str("no handshake in time"),
            Self::TimedOut(Timeout::Idle) => f.write_str("silent for too long"),
            Self::TimedOut(Timeout::Write) => f.write_str("takes nothing of what we send"),
            Self::TimedOut(Timeout::Frame { bytes }) => {
                write!(f, "a message that does not become whole: {bytes} bytes in 60 s")
            }
            Self::Refused(Refusal::Ourselves) => f.write_str("our own address"),
            Self::Refused(Refusal::Duplicate) => f.write_str("connected already"),
            Self::Refused(Refusal::WrongInfoHash) => f.write_str("speaks of another torrent"),
            Self::Refused(Refusal::Banned) => f.write_str("banned address"),
            Self::Refused(Refusal::Full) => f.write_str("every slot is taken"),
            Self::Refused(Refusal::Blocked) => f.write_str("on the blocklist"),
            Self::Refused(Refusal::SamePrefix) => f.write_str("too many of its network"),
            Self::Failed(kind) => write!(f, "connection failed: {kind}"),
            Self::ClosedByUs => f.write_str("we stopped"),
        }
    }
}
