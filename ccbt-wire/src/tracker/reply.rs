//! A tracker's answer to an announce.

use super::compact::{self, compact_v4, compact_v6};
use crate::bencode::{BencodeError, Dict, Owned, Value};
use crate::text;
use std::net::{IpAddr, SocketAddr};

/// Most peers that are taken from one reply.
pub const MAX_PEERS: usize = 200;
/// Characters of a message that are kept.
pub(super) const MAX_TEXT: usize = 256;
/// Longest `tracker id` that is kept, in bytes.
const MAX_ID: usize = 256;

/// What a tracker answers (BEP 3, BEP 7, BEP 23). Every key is optional.
///
/// ```
/// use ccbt_wire::tracker::AnnounceReply;
///
/// let reply = AnnounceReply::parse(b"d8:intervali1800e5:peers6:\x0a\0\0\x01\x1a\xe1e")?;
/// assert_eq!(reply.interval, Some(1800));
/// assert_eq!(reply.peers[0].to_string(), "10.0.0.1:6881");
/// # Ok::<(), ccbt_wire::tracker::TrackerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AnnounceReply {
    /// Seconds until the next announce.
    pub interval: Option<u32>,
    /// Seconds before which no announce is welcome.
    pub min_interval: Option<u32>,
    /// To be sent back with the next announce.
    pub tracker_id: Option<Vec<u8>>,
    /// How many seeds the swarm has.
    pub complete: Option<u32>,
    /// How many leechers the swarm has.
    pub incomplete: Option<u32>,
    /// The tracker's warning, printable.
    pub warning: Option<String>,
    /// Peers of both address families, at most [`MAX_PEERS`], none with port 0.
    pub peers: Vec<SocketAddr>,
}

/// Why there is no reply to an announce or a scrape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerError {
    /// The reply is not bencode.
    #[error("the reply is not bencode: {0}")]
    Bencode(#[from] BencodeError),
    /// Bencode, but no dictionary.
    #[error("the reply is not a dictionary")]
    NotADictionary,
    /// The tracker refused, for this reason (printable).
    #[error("the tracker refused: {reason}")]
    Refused {
        /// Its words.
        reason: String,
        /// Minutes until it may be asked again, if it said so (BEP 31).
        retry_in: Option<u32>,
    },
}

impl AnnounceReply {
    /// Reads the body of the tracker's response. Ill-typed keys count as absent.
    ///
    /// # Errors
    /// If the body is no bencoded dictionary, or has a failure reason.
    pub fn parse(body: &[u8]) -> Result<Self, TrackerError> {
        let root = accepted(body)?;
        let mut reply = Self::default();
        for (key, value) in root {
            match key {
                b"interval" => reply.interval = reply.interval.or_else(|| number(value)),
                b"min interval" => {
                    reply.min_interval = reply.min_interval.or_else(|| number(value))
                }
                b"complete" => reply.complete = reply.complete.or_else(|| number(value)),
                b"incomplete" => reply.incomplete = reply.incomplete.or_else(|| number(value)),
                b"tracker id" => {
                    let id = value.as_bytes().filter(|id| id.len() <= MAX_ID);
                    reply.tracker_id = reply.tracker_id.or_else(|| id.map(Into::into));
                }
                b"warning message" => {
                    let warning = value.as_bytes().map(|bytes| text::printable(bytes, MAX_TEXT));
                    reply.warning = reply.warning.or(warning);
                }
                b"peers" => reply.add(peers(value)),
                b"peers6" => reply.add(value.as_bytes().into_iter().flat_map(compact::parse_v6)),
                _ => {}
            }
        }
        Ok(reply)
    }

    /// The reply in the compact form: `peers` and, if there are any, `peers6`.
    pub fn encode(&self) -> Vec<u8> {
        let (v4, v6) = (self.compact_v4(), self.compact_v6());
        let mut root = vec![("peers", Owned::from(v4))];
        if !v6.is_empty() {
            root.push(("peers6", v6.into()));
        }
        root.extend(self.interval.map(|seconds| ("interval", seconds.into())));
        root.extend(self.min_interval.map(|seconds| ("min interval", seconds.into())));
        root.extend(self.complete.map(|count| ("complete", count.into())));
        root.extend(self.incomplete.map(|count| ("incomplete", count.into())));
        root.extend(self.tracker_id.clone().map(|id| ("tracker id", id.into())));
        root.extend(self.warning.as_deref().map(|text| ("warning message", text.into())));
        Owned::dict(root).encode()
    }

    /// The IPv4 peers in compact form.
    pub(super) fn compact_v4(&self) -> Vec<u8> {
        compact_v4(self.peers.iter().filter_map(|peer| match peer {
            SocketAddr::V4(peer) => Some(*peer),
            SocketAddr::V6(_) => None,
        }))
    }

    /// The IPv6 peers in compact form.
    pub(super) fn compact_v6(&self) -> Vec<u8> {
        compact_v6(self.peers.iter().filter_map(|peer| match peer {
            SocketAddr::V6(peer) => Some(*peer),
            SocketAddr::V4(_) => None,
        }))
    }

    pub(super) fn add(&mut self, peers: impl Iterator<Item = SocketAddr>) {
        let room = MAX_PEERS - self.peers.len();
        self.peers.extend(peers.filter(|peer| peer.port() != 0).take(room));
    }
}

/// The dictionary of a reply that is no refusal.
pub(super) fn accepted(body: &[u8]) -> Result<Dict<'_>, TrackerError> {
    let root = Value::parse(body)?.as_dict().ok_or(TrackerError::NotADictionary)?;
    if let Some(reason) = root.get("failure reason") {
        let reason = text::printable(reason.as_bytes().unwrap_or(b"no reason given"), MAX_TEXT);
        let retry_in = root.get("retry in").and_then(number);
        return Err(TrackerError::Refused { reason, retry_in });
    }
    Ok(root)
}

/// Peers in either form of `peers`: a string of 6 bytes each (BEP 23) or a list of dictionaries (BEP 3).
fn peers<'a>(value: Value<'a>) -> impl Iterator<Item = SocketAddr> + use<'a> {
    let compact = value.as_bytes().into_iter().flat_map(compact::parse_v4);
    let listed = value.as_list().into_iter().flatten().filter_map(|peer| {
        let peer = peer.as_dict()?;
        // Host names are allowed by BEP 3 and sent by nobody: they are left out.
        let ip: IpAddr = peer.get("ip")?.as_str()?.parse().ok()?;
        Some(SocketAddr::new(ip, number(peer.get("port")?)?))
    });
    compact.chain(listed)
}

pub(super) fn number<T: TryFrom<i64>>(value: Value<'_>) -> Option<T> {
    T::try_from(value.as_int()?).ok()
}
