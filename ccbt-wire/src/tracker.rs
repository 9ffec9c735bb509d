//! What goes to an HTTP tracker and what comes back (BEP 3, 7, 23, 31 and 48): bytes only, no I/O.

mod announce;
mod compact;
mod reply;
mod scrape;
#[cfg(test)]
mod tests;

pub use announce::{Announce, AnnounceEvent};
pub use compact::{compact_v4, compact_v6};
pub use reply::{AnnounceReply, MAX_PEERS, TrackerError};
pub use scrape::{ScrapeCounts, ScrapeReply, scrape_request, scrape_url};
