//! What a tracker answers.

use super::fields::Fields;
use super::{ANNOUNCE, CONNECT, DatagramError, ERROR, Family, SCRAPE};
use crate::text;
use crate::tracker::compact;
use crate::tracker::reply::MAX_TEXT;
use crate::tracker::udp::MAX_SCRAPED;
use crate::tracker::{AnnounceReply, ScrapeCounts};

/// A reply of a tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The connection id, which is good for two minutes; clients use it for one.
    Connect {
        /// The id.
        connection: u64,
    },
    /// Peers.
    Announce(AnnounceReply),
    /// The sizes of swarms, in the order in which they were asked for.
    Scrape(Vec<ScrapeCounts>),
    /// A refusal in the tracker's words, printable.
    Error(String),
}

impl Reply {
    /// The transaction and the reply. Of peers and sizes whole entries are read, at most
    /// [`MAX_PEERS`](crate::tracker::MAX_PEERS) and [`MAX_SCRAPED`].
    ///
    /// # Errors
    /// If the datagram is none of this protocol.
    pub fn parse(bytes: &[u8], family: Family) -> Result<(u32, Self), DatagramError> {
        let mut fields = Fields::new(bytes, 8)?;
        let action = fields.u32();
        let transaction = fields.u32();
        let reply = match action {
            CONNECT => {
                Fields::new(bytes, 16)?;
                Self::Connect { connection: fields.u64() }
            }
            ANNOUNCE => {
                Fields::new(bytes, 20)?;
                Self::Announce(announced(fields, family))
            }
            SCRAPE => Self::Scrape(scraped(fields.rest())),
            ERROR => Self::Error(text::printable(fields.rest(), MAX_TEXT)),
            other => return Err(DatagramError::Action(other)),
        };
        Ok((transaction, reply))
    }

    /// The datagram, as a tracker sends it: of the peers of an announce those of the datagram's family, and
    /// zeros for numbers that it does not know.
    pub fn encode(&self, transaction: u32, family: Family) -> Vec<u8> {
        let action = match self {
            Self::Connect { .. } => CONNECT,
            Self::Announce(_) => ANNOUNCE,
            Self::Scrape(_) => SCRAPE,
            Self::Error(_) => ERROR,
        };
        let mut bytes = Vec::with_capacity(64);
        let push = |bytes: &mut Vec<u8>, numbers: &[u32]| {
            bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        };
        push(&mut bytes, &[action, transaction]);
        match self {
            Self::Connect { connection } => bytes.extend(connection.to_be_bytes()),
            Self::Announce(reply) => {
                let numbers = [reply.interval, reply.incomplete, reply.complete];
                push(&mut bytes, &numbers.map(Option::unwrap_or_default));
                bytes.extend(match family {
                    Family::V4 => reply.compact_v4(),
                    Family::V6 => reply.compact_v6(),
                });
            }
            Self::Scrape(all) => {
                for counts in all {
                    let numbers = [counts.complete, counts.downloaded, counts.incomplete];
                    push(&mut bytes, &numbers.map(Option::unwrap_or_default));
                }
            }
            Self::Error(words) => bytes.extend(words.as_bytes()),
        }
        bytes
    }
}

fn announced(mut fields: Fields<'_>, family: Family) -> AnnounceReply {
    let mut reply = AnnounceReply {
        interval: Some(fields.u32()),
        incomplete: Some(fields.u32()),
        complete: Some(fields.u32()),
        ..AnnounceReply::default()
    };
    match family {
        Family::V4 => reply.add(compact::parse_v4(fields.rest())),
        Family::V6 => reply.add(compact::parse_v6(fields.rest())),
    }
    reply
}

fn scraped(bytes: &[u8]) -> Vec<ScrapeCounts> {
    let counts = |entry: &[u8; 12]| {
        let [complete, downloaded, incomplete] = std::array::from_fn(|i| {
            let at = 4 * i;
            Some(u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]))
        });
        ScrapeCounts { complete, downloaded, incomplete }
    };
    bytes.as_chunks::<12>().0.iter().take(MAX_SCRAPED).map(counts).collect()
}
