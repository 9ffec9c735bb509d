//! What a client asks.

use super::fields::Fields;
use super::{ANNOUNCE, CONNECT, DatagramError, SCRAPE};
use crate::tracker::{Announce, AnnounceEvent};
use crate::{InfoHash, PeerId};

/// By this number a tracker knows the protocol.
const MAGIC: u64 = 0x0417_2710_1980;
/// Torrents that one scrape may ask for.
pub const MAX_SCRAPED: usize = 74;
/// Bytes of a URL that an announce carries at most; BEP 41 sets no limit, but a datagram has one.
pub const MAX_URL_DATA: usize = 1024;
const END_OF_OPTIONS: u8 = 0;
const NOTHING: u8 = 1;
const URL_DATA: u8 = 2;

/// A request of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// For a connection id.
    Connect,
    /// For peers.
    Announce {
        /// The connection id.
        connection: u64,
        /// What the client tells. It has no tracker id, and numbers above `i64::MAX` are told as that.
        announce: Announce,
        /// What follows host and port in the tracker's URL, such as `/announce?pass=1` (BEP 41): at most
        /// [`MAX_URL_DATA`] bytes are sent.
        url_data: Vec<u8>,
    },
    /// For the sizes of swarms.
    Scrape {
        /// The connection id.
        connection: u64,
        /// The torrents: at most [`MAX_SCRAPED`] are asked for.
        torrents: Vec<InfoHash>,
    },
}

impl Request {
    /// The datagram. The tracker repeats `transaction` in its reply.
    pub fn encode(&self, transaction: u32) -> Vec<u8> {
        let (connection, action) = match self {
            Self::Connect => (MAGIC, CONNECT),
            Self::Announce { connection, .. } => (*connection, ANNOUNCE),
            Self::Scrape { connection, .. } => (*connection, SCRAPE),
        };
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(connection.to_be_bytes());
        bytes.extend(action.to_be_bytes());
        bytes.extend(transaction.to_be_bytes());
        match self {
            Self::Connect => (),
            Self::Announce { announce, url_data, .. } => {
                push_announce(announce, &mut bytes);
                push_url_data(url_data, &mut bytes);
            }
            Self::Scrape { torrents, .. } => {
                torrents.iter().take(MAX_SCRAPED).for_each(|torrent| bytes.extend(torrent.0));
            }
        }
        bytes
    }

    /// The transaction and the request, as a tracker reads them.
    ///
    /// # Errors
    /// If the datagram is none of this protocol.
    pub fn parse(bytes: &[u8]) -> Result<(u32, Self), DatagramError> {
        let mut fields = Fields::new(bytes, 16)?;
        let connection = fields.u64();
        let action = fields.u32();
        let transaction = fields.u32();
        let request = match action {
            CONNECT if connection == MAGIC => Self::Connect,
            CONNECT => return Err(DatagramError::Magic),
            ANNOUNCE => {
                let mut fields = Fields::new(bytes, 98)?;
                let _head: [u8; 16] = fields.take();
                let announce = take_announce(&mut fields);
                Self::Announce { connection, announce, url_data: url_data(fields.rest()) }
            }
            SCRAPE => {
                let hashes = fields.rest().as_chunks::<20>().0.iter().take(MAX_SCRAPED);
                Self::Scrape { connection, torrents: hashes.copied().map(InfoHash).collect() }
            }
            other => return Err(DatagramError::Action(other)),
        };
        Ok((transaction, request))
    }
}

fn push_announce(announce: &Announce, bytes: &mut Vec<u8>) {
    bytes.extend(announce.info_hash.0);
    bytes.extend(announce.peer_id.0);
    // The fields are signed.
    for count in [announce.downloaded, announce.left, announce.uploaded] {
        bytes.extend(count.min(i64::MAX.cast_unsigned()).to_be_bytes());
    }
    let event: u32 = match announce.event {
        None => 0,
        Some(AnnounceEvent::Completed) => 1,
        Some(AnnounceEvent::Started) => 2,
        Some(AnnounceEvent::Stopped) => 3,
    };
    bytes.extend(event.to_be_bytes());
    // Our address is that of the datagram.
    bytes.extend([0; 4]);
    bytes.extend(announce.key.unwrap_or_default().to_be_bytes());
    // -1: as many as the tracker likes.
    bytes.extend(announce.numwant.unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(announce.port.to_be_bytes());
}

fn take_announce(fields: &mut Fields<'_>) -> Announce {
    let (info_hash, peer_id) = (InfoHash(fields.take()), PeerId(fields.take()));
    let [downloaded, left, uploaded] = [fields.u64(), fields.u64(), fields.u64()];
    let event = match fields.u32() {
        1 => Some(AnnounceEvent::Completed),
        2 => Some(AnnounceEvent::Started),
        3 => Some(AnnounceEvent::Stopped),
        _ => None,
    };
    let _address = fields.u32();
    let (key, numwant) = (Some(fields.u32()), fields.u32());
    Announce {
        info_hash,
        peer_id,
        port: fields.u16(),
        uploaded,
        downloaded,
        left,
        event,
        numwant: Some(numwant).filter(|count| i32::try_from(*count).is_ok()),
        key,
        tracker_id: None,
    }
}

fn push_url_data(data: &[u8], bytes: &mut Vec<u8>) {
    let data = &data[..data.len().min(MAX_URL_DATA)];
    for part in data.chunks(usize::from(u8::MAX)) {
        let Ok(length) = u8::try_from(part.len()) else { return };
        bytes.extend([URL_DATA, length]);
        bytes.extend(part);
    }
    if !data.is_empty() {
        bytes.push(END_OF_OPTIONS);
    }
}

/// The parts of the URL in the options behind an announce; a torn option ends them.
fn url_data(mut options: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some((&kind, rest)) = options.split_first() {
        match kind {
            END_OF_OPTIONS => break,
            NOTHING => options = rest,
            _ => {
                let Some((&length, rest)) = rest.split_first() else { break };
                let Some((part, rest)) = rest.split_at_checked(usize::from(length)) else { break };
                if kind == URL_DATA {
                    data.extend_from_slice(part);
                }
                options = rest;
            }
        }
    }
    data.truncate(MAX_URL_DATA);
    data
}
