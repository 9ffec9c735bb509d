//! What goes to a tracker and what comes back, over HTTP (BEP 3, 7, 23, 31 and 48) and UDP (BEP 15 and 41):
//! bytes only, no I/O.

mod announce;
mod compact;
mod reply;
mod scrape;
#[cfg(test)]
mod tests;
pub mod udp;

pub use announce::{Announce, AnnounceEvent};
pub use compact::{compact_v4, compact_v6};
pub(crate) use compact::{parse_v4, parse_v6};
pub use reply::{AnnounceReply, MAX_PEERS, TrackerError};
pub use scrape::{ScrapeCounts, ScrapeReply, scrape_request, scrape_url};
