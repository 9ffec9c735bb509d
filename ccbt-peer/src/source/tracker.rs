//! Trackers: tell them what we do, get peers from them (BEP 3, 7, 12, 15, 23, 31).

mod conversation;
#[cfg(feature = "http")]
mod http_tracker;
mod kind;
mod order;
#[cfg(feature = "http")]
mod over_http;
mod rounds;
mod schedule;
mod scrape;
mod tiers;

#[cfg(feature = "http")]
#[cfg(test)]
mod fixtures;
#[cfg(feature = "http")]
#[cfg(test)]
mod tests;

#[cfg(feature = "http")]
pub use self::http_tracker::HttpTracker;
pub use self::scrape::{ScrapeError, scrape};
pub use self::tiers::TrackerTiers;
