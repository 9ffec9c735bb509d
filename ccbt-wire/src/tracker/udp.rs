//! Datagrams between a client and a UDP tracker (BEP 15), with the rest of the tracker's URL (BEP 41).
//!
//! Every datagram is one request or one reply. A client first asks for a connection id ([`Request::Connect`]),
//! which proves that its address is its own, and names it in what it asks then.
//!
//! ```
//! use ccbt_wire::InfoHash;
//! use ccbt_wire::tracker::udp::{Family, Reply, Request};
//!
//! let ask = Request::Scrape { connection: 5, torrents: vec![InfoHash([1; 20])] };
//! assert_eq!(Request::parse(&ask.encode(77)), Ok((77, ask)));
//! let refusal = Reply::Error("no such torrent".into()).encode(77, Family::V4);
//! assert_eq!(Reply::parse(&refusal, Family::V4), Ok((77, Reply::Error("no such torrent".into()))));
//! ```

mod fields;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use reply::Reply;
pub use request::{MAX_SCRAPED, MAX_URL_DATA, Request};

/// Which kind of addresses the peers in a reply have: that of the datagram that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// 6 bytes a peer.
    V4,
    /// 18 bytes a peer.
    V6,
}

impl Family {
    /// That of the tracker's address.
    pub const fn of(address: std::net::SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Why a datagram is none of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatagramError {
    /// It ends before its last field.
    #[error("a datagram of {length} bytes is too short, it needs {needed}")]
    TooShort {
        /// Its bytes.
        length: usize,
        /// The bytes that such a datagram has at least.
        needed: usize,
    },
    /// It asks for, or answers, something that the protocol does not know.
    #[error("unknown action {0}")]
    Action(u32),
    /// A connection is asked for without the number by which the protocol is known.
    #[error("not a request of this protocol")]
    Magic,
}

const CONNECT: u32 = 0;
const ANNOUNCE: u32 = 1;
const SCRAPE: u32 = 2;
const ERROR: u32 = 3;
