mod by_exchange;
mod candidate;
mod like_libtorrent;
mod order;
mod turnover;

pub use by_exchange::ByExchange;
pub use candidate::Candidate;
pub use like_libtorrent::LikeLibtorrent;
pub use order::{median_worth, worst_first};
pub use turnover::{Displaced, Turnover};

use std::fmt;
use std::sync::Arc;

use crate::{PeerView, SwarmView, Time};

/// What a peer is worth, or a candidate promises to be, on the scale of one [`Ranking`].
///
/// A plain number, so that any two compare; what a unit of it means is the ranking's own business.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Worth(u64);

impl Worth {
    /// Worth nothing.
    pub const ZERO: Worth = Worth(0);
    /// Worth more than anybody.
    pub const MAX: Worth = Worth(u64::MAX);

    /// That many units.
    pub const fn new(units: u64) -> Self {
        Self(units)
    }

    /// How many units.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is more than `percent` percent of `other`.
    pub fn exceeds(self, percent: u32, other: Worth) -> bool {
        u128::from(self.0) * 100 > u128::from(other.0) * u128::from(percent)
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Says what peers are worth and what candidates promise, on one scale: who goes when all are fair
/// but one is better.
///
/// Rules say who is useless; a ranking never closes anybody by itself. Who is displaced, how many
/// at once and for what gain is decided by [`Turnover`]. A ranking has no state, does no I/O and
/// reads no clock.
///
/// ```
/// use ccbt_policy::{Candidate, PeerView, Ranking, SwarmView, Time, Worth};
///
/// /// Who has most of what we need is worth most.
/// #[derive(Debug)]
/// struct ByPieces;
///
/// impl Ranking for ByPieces {
///     fn name(&self) -> &str {
///         "by-pieces"
///     }
///
///     fn worth(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Worth {
///         Worth::new(peer.wanted.into())
///     }
///
///     fn promise(&self, candidate: &Candidate, swarm: &SwarmView) -> Worth {
///         Worth::new(if candidate.seed { swarm.need.into() } else { 0 })
///     }
/// }
/// ```
pub trait Ranking: fmt::Debug + Send + Sync {
    /// A short stable name, in lower case with hyphens, that events and logs show.
    fn name(&self) -> &str;

    /// What a connected peer is worth to us at `now`.
    fn worth(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Worth;

    /// What an address that we could dial promises to be worth, on the same scale.
    fn promise(&self, candidate: &Candidate, swarm: &SwarmView) -> Worth;
}

// A swarm holds its ranking as `dyn Ranking`: this line stops compiling if a change forbids it.
const _: Option<&dyn Ranking> = None;

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Ranking + ?Sized> Ranking for $pointer {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn worth(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Worth {
                (**self).worth(peer, swarm, now)
            }

            fn promise(&self, candidate: &Candidate, swarm: &SwarmView) -> Worth {
                (**self).promise(candidate, swarm)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);

#[cfg(test)]
mod tests;
