//! The core of a swarm in virtual time: when each peer leaves, and why.

#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

mod audit;
mod choice;
mod crowd;
mod disk;
mod host;
mod kept;
mod kinds;
mod liars;
mod magnet;
mod mixed;
mod modes;
mod pex;
mod random;
mod seed_cases;
mod slots;
mod story;
mod superseed;
mod transport;
mod whole;
mod world;

use std::time::Duration;

use ccbt_peer::Geometry;
use ccbt_peer::policy::Time;

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// So many pieces of two blocks each.
fn pieces(count: u32) -> Geometry {
    Geometry::new(u64::from(count) * 32768, 32768)
}

/// The first check, every 30 s of the connection, that is not before `earliest`.
fn first_check(connected: Time, earliest: Time) -> Time {
    (1..)
        .map(|k| connected + secs(30 * k))
        .find(|check| *check >= earliest)
        .expect("there is always a next check")
}
