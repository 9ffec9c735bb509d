//! The rules that come with the crate, one file each.

mod bitfield_timeout;
mod facts;
mod flood;
mod health;
mod idle;
mod inactive;
mod liar;
mod no_interest;
mod no_mutual_interest;
mod no_request;
mod redundant;
mod rejecter;
mod snubbed;
mod starved;
mod takes_only;
mod waster;

pub use bitfield_timeout::BitfieldTimeout;
pub use flood::Flood;
pub use health::{Health, ZeroPeriod};
pub use idle::Idle;
pub use inactive::Inactive;
pub use liar::Liar;
pub use no_interest::NoInterest;
pub use no_mutual_interest::NoMutualInterest;
pub use no_request::NoRequest;
pub use redundant::Redundant;
pub use rejecter::Rejecter;
pub use snubbed::Snubbed;
pub use starved::Starved;
pub use takes_only::TakesOnly;
pub use waster::Waster;

#[cfg(test)]
mod tests;
