//! How several swarms share what they have together: fair shares, and who has which. No runtime in here; the
//! driver tells the swarms.

mod divide;
mod ledger;

pub(crate) use ledger::{Ledger, Member, Use};

/// Of connections, dials among them, and of dials alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) connections: u32,
    pub(crate) half_open: u32,
}

/// What a swarm says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) has: Amount,
    /// What it could use now, with what it has.
    pub(crate) wants: Amount,
    /// What it could use if there were no others.
    pub(crate) most: Amount,
}
