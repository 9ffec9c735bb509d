//! An event as a JSON object: names and shapes that scripts rely on.

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::policy::{Direction, Source, Time};
use ccbt_peer::{CloseReason, Event, EventKind};
use serde::{Serialize, Serializer};

use super::About;

#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    time_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    info_hash: Option<String>,
    #[serde(flatten)]
    kind: Kind<'a>,
}

/// Always `ip:port`, and an IPv4 address always in its own form.
#[derive(Debug)]
struct Peer(SocketAddr);

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&canonical(self.0))
    }
}

/// The address as people write it: an IPv4 address that came in over an IPv6 socket is IPv4.
pub(crate) fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Kind<'a> {
    Started {
        listen: Option<Peer>,
        have: u32,
        need: u32,
        pieces: u32,
    },
    SourceReplied {
        source: &'a str,
        peers: usize,
        warning: Option<&'a str>,
    },
    SourceFailed {
        source: &'a str,
        error: &'a str,
    },
    DialFailed {
        peer: Peer,
        error: &'a str,
    },
    PeerConnected {
        peer: Peer,
        direction: &'static str,
        source: &'static str,
    },
    PeerReady {
        peer: Peer,
        client: Option<&'a str>,
        availability: &'static str,
        have: u32,
        wanted: u32,
    },
    Interest {
        peer: Peer,
        am_interested: bool,
    },
    EvictScheduled {
        peer: Peer,
        policy: &'a str,
        reason: &'a str,
        evidence: &'a str,
        at_ms: u64,
    },
    EvictPardoned {
        peer: Peer,
        policy: &'a str,
        reason: &'a str,
        evidence: &'a str,
    },
    EvictShadow {
        peer: Peer,
        policy: &'a str,
        reason: &'a str,
        evidence: &'a str,
    },
    PeerClosed {
        peer: Peer,
        reason: &'static str,
        cause: Option<&'static str>,
        policy: Option<&'a str>,
        evidence: String,
        connected_ms: u64,
        downloaded: u64,
        uploaded: u64,
    },
    Piece {
        piece: u32,
        have: u32,
    },
    PieceFailed {
        piece: u32,
        from: Vec<Peer>,
    },
    MetadataProgress {
        have: u32,
        size: u32,
        peers: u32,
    },
    Metadata {
        name: &'a str,
        length: u64,
        pieces: u32,
        piece_length: u32,
        files: usize,
        private: bool,
    },
    MetadataRefused {
        error: &'a str,
    },
    Checked {
        have: u32,
        need: u32,
        pieces: u32,
    },
    Progress {
        verified: u64,
        total: u64,
        have: u32,
        need: u32,
        pieces: u32,
        download_rate: u64,
        upload_rate: u64,
        downloaded: u64,
        uploaded: u64,
        peers: u32,
        useful: u32,
        choking: u32,
        dropped: u32,
        candidates: u32,
        dialing: u32,
        blocked: u32,
    },
    Finished,
    StoreFailed {
        error: &'a str,
    },
    StoreRecovered,
    ReadFailed {
        error: &'a str,
    },
    ReadRecovered,
    StateFailed {
        error: &'a str,
    },
    Stopped,
    Lagged {
        missed: u64,
    },
}

impl<'a> Line<'a> {
    /// The line for an event; `None` for one that this version has no name for.
    pub(super) fn new(about: &About, event: &'a Event) -> Option<Self> {
        let kind = match &event.kind {
            EventKind::Started { listen, have, need, pieces } => Kind::Started {
                listen: listen.map(Peer),
                have: *have,
                need: *need,
                pieces: *pieces,
            },
            EventKind::SourceReplied { source, peers, warning } => {
                Kind::SourceReplied { source, peers: *peers, warning: warning.as_deref() }
            }
            EventKind::SourceFailed { source, error } => Kind::SourceFailed { source, error },
            EventKind::DialFailed { peer, error } => Kind::DialFailed { peer: Peer(*peer), error },
            EventKind::PeerConnected { peer, direction, source } => Kind::PeerConnected {
                peer: Peer(*peer),
                direction: direction_name(*direction),
                source: source_name(*source),
            },
            EventKind::PeerReady { peer, client, have, wanted } => Kind::PeerReady {
                peer: Peer(*peer),
                client: client.as_deref(),
                availability: availability(*have, about.pieces),
                have: *have,
                wanted: *wanted,
            },
            EventKind::Interest { peer, am_interested } => {
                Kind::Interest { peer: Peer(*peer), am_interested: *am_interested }
            }
            EventKind::EvictScheduled { peer, reason, evidence, evict_at } => {
                Kind::EvictScheduled {
                    peer: Peer(*peer),
                    policy: &evidence.policy,
                    reason,
                    evidence: &evidence.text,
                    at_ms: at_ms(*evict_at),
                }
            }
            EventKind::EvictPardoned { peer, reason, evidence } => Kind::EvictPardoned {
                peer: Peer(*peer),
                policy: &evidence.policy,
                reason,
                evidence: &evidence.text,
            },
            EventKind::EvictShadow { peer, reason, evidence } => Kind::EvictShadow {
                peer: Peer(*peer),
                policy: &evidence.policy,
                reason,
                evidence: &evidence.text,
            },
            EventKind::PeerClosed { peer, reason, connected, downloaded, uploaded } => {
                closed(*peer, reason, *connected, *downloaded, *uploaded)
            }
            EventKind::Piece { piece, have } => Kind::Piece { piece: *piece, have: *have },
            EventKind::PieceFailed { piece, from } => {
                Kind::PieceFailed { piece: *piece, from: from.iter().copied().map(Peer).collect() }
            }
            EventKind::MetadataProgress { have, size, peers } => {
                Kind::MetadataProgress { have: *have, size: *size, peers: *peers }
            }
            EventKind::Metadata(metainfo) => Kind::Metadata {
                name: metainfo.name(),
                length: metainfo.total_len(),
                pieces: metainfo.piece_count(),
                piece_length: metainfo.piece_length(),
                files: metainfo.files().iter().filter(|file| !file.pad).count(),
                private: metainfo.is_private(),
            },
            EventKind::MetadataRefused { error } => Kind::MetadataRefused { error },
            EventKind::Checked { have, need, pieces } => {
                Kind::Checked { have: *have, need: *need, pieces: *pieces }
            }
            EventKind::Progress(now) => Kind::Progress {
                verified: now.verified,
                total: now.total,
                have: now.have,
                need: now.need,
                pieces: now.pieces,
                download_rate: now.download_rate,
                upload_rate: now.upload_rate,
                downloaded: now.downloaded,
                uploaded: now.uploaded,
                peers: now.peers,
                useful: now.useful,
                choking: now.choking,
                dropped: now.dropped,
                candidates: now.candidates,
                dialing: now.dialing,
                blocked: now.blocked,
            },
            EventKind::Finished => Kind::Finished,
            EventKind::StoreFailed { error } => Kind::StoreFailed { error },
            EventKind::StoreRecovered => Kind::StoreRecovered,
            EventKind::ReadFailed { error } => Kind::ReadFailed { error },
            EventKind::ReadRecovered => Kind::ReadRecovered,
            EventKind::StateFailed { error } => Kind::StateFailed { error },
            EventKind::Stopped => Kind::Stopped,
            EventKind::Lagged { missed } => Kind::Lagged { missed: *missed },
            _ => return None,
        };
        let info_hash = about.info_hash.map(|hash| hash.to_string());
        Some(Self { time_ms: at_ms(event.at), info_hash, kind })
    }
}

fn closed(
    peer: SocketAddr,
    reason: &CloseReason,
    connected: Duration,
    downloaded: u64,
    uploaded: u64,
) -> Kind<'_> {
    let evidence = reason.evidence();
    Kind::PeerClosed {
        peer: Peer(peer),
        reason: reason.code(),
        cause: cause(reason),
        policy: evidence.map(|evidence| evidence.policy.as_ref()),
        evidence: evidence.map_or_else(|| reason.to_string(), |evidence| evidence.text.to_string()),
        connected_ms: u64::try_from(connected.as_millis()).unwrap_or(u64::MAX),
        downloaded,
        uploaded,
    }
}

/// The policy's reason behind an eviction, such as `no-availability`.
pub(crate) fn cause(reason: &CloseReason) -> Option<&'static str> {
    match reason {
        CloseReason::Evicted { reason, .. } | CloseReason::Displaced { reason, .. } => Some(reason),
        _ => None,
    }
}

fn at_ms(time: Time) -> u64 {
    time.as_millis()
}

fn availability(have: u32, pieces: u32) -> &'static str {
    match have {
        0 => "none",
        have if have >= pieces => "all",
        _ => "some",
    }
}

pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    }
}

pub(crate) fn source_name(source: Source) -> &'static str {
    match source {
        Source::Given => "given",
        Source::Tracker => "tracker",
        Source::Dht => "dht",
        Source::Pex => "pex",
        Source::Lsd => "lsd",
        Source::Incoming => "incoming",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
