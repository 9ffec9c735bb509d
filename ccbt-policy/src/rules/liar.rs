use std::fmt;

use super::facts;
use crate::{
    Cooldown, Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict,
};

/// A peer that is proven to have sent bad data, or had a part in so many bad pieces that its trust
/// is 7 (by default) below zero, goes at once, and its address is left alone for a day.
///
/// Of several who had a part in a bad piece only the liar is proven one, once the good piece shows
/// whose blocks differ ([`PeerView::proven_liar`]); the others lose trust
/// ([`PeerView::trust`]), which good pieces give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liar {
    distrust: u32,
}

impl Liar {
    /// Its name in the registry.
    pub const NAME: &'static str = "liar";

    /// The rule for a trust of `distrust` below zero.
    pub const fn new(distrust: u32) -> Self {
        Self { distrust }
    }
}

/// 7.
impl Default for Liar {
    fn default() -> Self {
        Self::new(7)
    }
}

impl EvictionPolicy for Liar {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
        let distrust = u32::from(peer.trust.min(0).unsigned_abs());
        if !peer.proven_liar && distrust < self.distrust.max(1) {
            return Verdict::keep();
        }
        let at = facts::last_block_or_start(peer);
        Verdict::evict(Eviction::new(at, Reason::BAD_DATA).with_cooldown(Cooldown::BAN))
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, _: &Eviction) -> Evidence {
        let text = match peer.proven_liar {
            true => "a bad piece was its work".to_owned(),
            false => format!("had a part in bad pieces; its trust is {}", peer.trust),
        };
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `liar=7`.
impl fmt::Display for Liar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, self.distrust)
    }
}
