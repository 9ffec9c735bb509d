//! The rules that come with the crate, one file each.

mod bitfield_timeout;
mod facts;
mod health;
mod no_interest;
mod redundant;

pub use bitfield_timeout::BitfieldTimeout;
pub use health::{Health, ZeroPeriod};
pub use no_interest::NoInterest;
pub use redundant::Redundant;

#[cfg(test)]
mod tests;
