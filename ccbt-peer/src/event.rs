//! What happens in a swarm, for whoever watches: a terminal, a log, a test.

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::{Direction, Evidence, Source, Time};
use ccbt_wire::Metainfo;

use crate::CloseReason;

/// One thing that happened, and when.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, since the swarm began.
    pub at: Time,
    /// What.
    pub kind: EventKind,
}

/// What can happen in a swarm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// The swarm runs: it listens and dials.
    Started {
        /// Where we listen; `None` if we only dial.
        listen: Option<SocketAddr>,
        /// Pieces that were verified before the start.
        have: u32,
        /// Pieces that are wanted and were not. If there are none, no `Finished` comes for them. 0 while the
        /// metadata of a magnet link is unknown.
        need: u32,
        /// Pieces of the torrent; 0 while the metadata of a magnet link is unknown.
        pieces: u32,
    },
    /// A source of peers answered.
    SourceReplied {
        /// The source, such as a tracker's URL.
        source: String,
        /// How many addresses it gave.
        peers: usize,
        /// A warning of the tracker, as it sent it.
        warning: Option<String>,
    },
    /// A source of peers failed; it is tried again later by itself.
    SourceFailed {
        /// The source, such as a tracker's URL.
        source: String,
        /// The error, in words.
        error: String,
    },
    /// An address did not become a connection.
    DialFailed {
        /// The address.
        peer: SocketAddr,
        /// The error, in words.
        error: String,
    },
    /// The handshakes are done.
    PeerConnected {
        /// The address at the other end of the socket.
        peer: SocketAddr,
        /// Who dialed.
        direction: Direction,
        /// Where the address came from.
        source: Source,
    },
    /// The peer told what it has, for the first time.
    PeerReady {
        /// The address.
        peer: SocketAddr,
        /// The client's name and version, as far as it told.
        client: Option<String>,
        /// Pieces that it has.
        have: u32,
        /// Pieces that it has and that we need.
        wanted: u32,
    },
    /// Our interest in the peer changed, or was told for the first time.
    Interest {
        /// The address.
        peer: SocketAddr,
        /// Whether we are interested now.
        am_interested: bool,
    },
    /// A policy has put the peer on notice.
    EvictScheduled {
        /// The address.
        peer: SocketAddr,
        /// The reason as the policy names it.
        reason: &'static str,
        /// The policy and what it saw.
        evidence: Evidence,
        /// When the peer goes if nothing changes.
        evict_at: Time,
    },
    /// The peer is no longer on notice.
    EvictPardoned {
        /// The address.
        peer: SocketAddr,
        /// The reason that fell away.
        reason: &'static str,
        /// The policy that had put it on notice.
        evidence: Evidence,
    },
    /// A policy under `DryRun` would have closed the peer now.
    EvictShadow {
        /// The address.
        peer: SocketAddr,
        /// The reason as the policy names it.
        reason: &'static str,
        /// The policy and what it saw.
        evidence: Evidence,
    },
    /// The connection is over. Comes exactly once for every `PeerConnected`, and once for a connection
    /// that ended before its handshake was done.
    PeerClosed {
        /// The address.
        peer: SocketAddr,
        /// Why.
        reason: CloseReason,
        /// How long the connection stood since its handshake; zero if it had none.
        connected: Duration,
        /// Bytes of payload that came from the peer.
        downloaded: u64,
        /// Bytes of payload that we sent to the peer.
        uploaded: u64,
    },
    /// A piece is verified and in the store.
    Piece {
        /// The piece, counted from 0.
        piece: u32,
        /// Verified pieces now.
        have: u32,
    },
    /// A piece had a wrong hash; it is fetched again.
    PieceFailed {
        /// The piece, counted from 0.
        piece: u32,
        /// The peers that sent blocks of it. If it is one alone, that peer is banned.
        from: Vec<SocketAddr>,
    },
    /// How far the metadata of a magnet link is, once a second until it is here, and then once more.
    MetadataProgress {
        /// Bytes of the `info` dictionary that are here.
        have: u32,
        /// Bytes of it in all, as the peers say; 0 if nobody said anything.
        size: u32,
        /// Peers that say they have it.
        peers: u32,
    },
    /// The metadata is here and right: what the magnet link leads to. The store is opened now.
    Metadata(Metainfo),
    /// The metadata is here and right, but is no torrent that can be downloaded; the swarm has stopped.
    MetadataRefused {
        /// The error, in words.
        error: String,
    },
    /// The store of a torrent whose metadata was fetched is open: the download begins, or is done.
    Checked {
        /// Pieces that were there.
        have: u32,
        /// Pieces that are wanted and were not.
        need: u32,
        /// Pieces of the torrent.
        pieces: u32,
    },
    /// The state of the whole, once a second and at the end.
    Progress(Progress),
    /// Every wanted piece is verified and in the store. Comes again when other pieces were chosen
    /// ([`Swarm::choose`](crate::Swarm::choose)) and these are here, too.
    Finished,
    /// The store failed. The swarm pauses: it asks for nothing if it cannot write, lets nobody ask if nothing can
    /// be read, and tries again, after 1 s and up to every 15 s, until [`StoreRecovered`](Self::StoreRecovered) or
    /// until it is [stopped](crate::Swarm::stop). If the store of a magnet link could not be opened, it stops.
    StoreFailed {
        /// The error, with its path.
        error: String,
    },
    /// The store works again, and the swarm goes on.
    StoreRecovered,
    /// Some pieces cannot be read, such as those of one file. Requests of them are refused, new peers are not
    /// told of them, all others are served; they are tried again, after 1 s and up to every 15 s. Each error
    /// is told once until [`ReadRecovered`](Self::ReadRecovered).
    ReadFailed {
        /// The error, with its path.
        error: String,
    },
    /// All pieces can be read again, and peers were told.
    ReadRecovered,
    /// The store works, but what it remembers for later runs cannot be written
    /// ([`PieceStore::trouble`](crate::PieceStore::trouble)): the next start will check more than it had to.
    StateFailed {
        /// The error, with its path.
        error: String,
    },
    /// The swarm has stopped; the last event.
    Stopped,
    /// The reader was too slow: so many events are lost.
    Lagged {
        /// Events that were thrown away.
        missed: u64,
    },
}

/// The state of a swarm in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of wanted pieces that are verified.
    pub verified: u64,
    /// Bytes of all wanted pieces: those of the torrent, unless files were chosen.
    pub total: u64,
    /// Verified pieces.
    pub have: u32,
    /// Pieces that are wanted and not verified.
    pub need: u32,
    /// Pieces of the torrent.
    pub pieces: u32,
    /// Payload received, bytes a second, smoothed over some seconds.
    pub download_rate: u64,
    /// Payload sent, bytes a second, smoothed over some seconds.
    pub upload_rate: u64,
    /// Payload received in all, also what was thrown away.
    pub downloaded: u64,
    /// Payload sent in all.
    pub uploaded: u64,
    /// Peers that are connected.
    pub peers: u32,
    /// Of these: peers that have something we need.
    pub useful: u32,
    /// Of the useful ones: peers that choke us.
    pub choking: u32,
    /// Connections that we ended so far because of what the peer is or did: policies did (evicted or displaced),
    /// or it broke the protocol, or sent wrong pieces or metadata.
    pub dropped: u32,
    /// Addresses that could be dialed now.
    pub candidates: u32,
    /// Dials that are under way.
    pub dialing: u32,
    /// How often the blocklist kept us from a dial or a peer from us, so far.
    pub blocked: u32,
}

impl Progress {
    /// Time until the download is complete at the present rate; `None` if it stands still.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let left = self.total.saturating_sub(self.verified);
        if left == 0 {
            return Some(Duration::ZERO);
        }
        (self.download_rate > 0).then(|| Duration::from_secs(left.div_ceil(self.download_rate)))
    }
}
