//! The query of an announce.

use crate::{InfoHash, PeerId, percent};
use std::fmt::Write as _;

/// What a client tells a tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announce {
    /// The torrent.
    pub info_hash: InfoHash,
    /// What we call ourselves; the same as in handshakes.
    pub peer_id: PeerId,
    /// The port on which we listen.
    pub port: u16,
    /// Bytes of payload sent since `started`.
    pub uploaded: u64,
    /// Bytes of payload received since `started`.
    pub downloaded: u64,
    /// Bytes that are still needed. 0 says that we are a seed, so it must not be 0 while the metainfo is
    /// unknown.
    pub left: u64,
    /// Why we announce, if it is not just time to.
    pub event: Option<AnnounceEvent>,
    /// How many peers we would like.
    pub numwant: Option<u32>,
    /// Proves to the tracker that we are the same client when our address changes.
    pub key: Option<u32>,
    /// The `tracker id` of an earlier reply.
    pub tracker_id: Option<Vec<u8>>,
}

/// Why a client announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnnounceEvent {
    /// The first announce.
    Started,
    /// The download just became complete; never sent by one that began complete.
    Completed,
    /// The last announce.
    Stopped,
}

impl AnnounceEvent {
    /// As in the query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
        }
    }
}

impl Announce {
    /// The announce as a query, without the `?`. Compact replies are asked for (BEP 23).
    pub fn query(&self) -> String {
        let mut query = String::with_capacity(256);
        query.push_str("info_hash=");
        push_escaped(&self.info_hash.0, &mut query);
        query.push_str("&peer_id=");
        push_escaped(&self.peer_id.0, &mut query);
        // Writing to a String cannot fail.
        let _ = write!(
            query,
            "&port={}&uploaded={}&downloaded={}&left={}&compact=1",
            self.port, self.uploaded, self.downloaded, self.left
        );
        if let Some(event) = self.event {
            let _ = write!(query, "&event={}", event.as_str());
        }
        if let Some(numwant) = self.numwant {
            let _ = write!(query, "&numwant={numwant}");
        }
        if let Some(key) = self.key {
            let _ = write!(query, "&key={key:08x}");
        }
        if let Some(id) = &self.tracker_id {
            query.push_str("&trackerid=");
            push_escaped(id, &mut query);
        }
        query
    }

    /// The announce URL of a metainfo file with the query in its place: a query that the URL has stays, a
    /// fragment goes.
    ///
    /// ```
    /// # use ccbt_wire::{InfoHash, PeerId, tracker::Announce};
    /// # let announce = Announce {
    /// #     info_hash: InfoHash([b'h'; 20]), peer_id: PeerId([b'i'; 20]), port: 6881, uploaded: 0, downloaded: 0,
    /// #     left: 1, event: None, numwant: None, key: None, tracker_id: None,
    /// # };
    /// assert!(announce.url("http://t.example/a").starts_with("http://t.example/a?info_hash="));
    /// assert!(announce.url("http://t.example/a?pass=1").starts_with("http://t.example/a?pass=1&info_hash="));
    /// ```
    pub fn url(&self, tracker: &str) -> String {
        join(tracker, &self.query())
    }
}

/// A URL with more parameters, and without its fragment.
pub(super) fn join(url: &str, query: &str) -> String {
    let base = url.split_once('#').map_or(url, |(base, _)| base);
    let joint = match base.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{base}{joint}{query}")
}

/// Raw bytes for a query: what is not unreserved in a URL becomes `%xx`.
pub(super) fn push_escaped(bytes: &[u8], query: &mut String) {
    for &byte in bytes {
        if percent::is_unreserved(byte) {
            query.push(char::from(byte));
        } else {
            let _ = write!(query, "%{byte:02x}");
        }
    }
}
