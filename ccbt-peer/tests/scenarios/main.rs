//! Given, when, then: what a connection has to do. The numbers are those of `docs/scenarios.md`.

#![allow(clippy::unwrap_used)]

mod session;

use std::time::Duration;

use ccbt_peer::policy::Time;

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
