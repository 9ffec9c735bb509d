use std::fmt;

use super::facts::{self, NOT_NOW};
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer of which at least 6 blocks (by default), and more than were useful, were of no use to us
/// goes at once.
///
/// While every needed block is requested several times over (endgame) waste is of our own making,
/// and nobody goes for it. A block that we had cancelled is no sin either, so this is meant for a
/// crowded swarm: `waster=6,when-crowded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waster {
    blocks: u32,
}

impl Waster {
    /// Its name in the registry.
    pub const NAME: &'static str = "waster";

    /// The rule for `blocks` wasted blocks or more.
    pub const fn new(blocks: u32) -> Self {
        Self { blocks }
    }
}

/// 6.
impl Default for Waster {
    fn default() -> Self {
        Self::new(6)
    }
}

impl EvictionPolicy for Waster {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        let wastes =
            peer.wasted_blocks >= self.blocks.into() && peer.wasted_blocks > peer.useful_blocks;
        if swarm.endgame || !wastes {
            return Verdict::keep();
        }
        let at = facts::last_block_or_start(peer);
        Verdict::evict(Eviction::new(at, Reason::WASTER).with_cooldown(NOT_NOW))
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, _: &Eviction) -> Evidence {
        let (wasted, useful) = (peer.wasted_blocks, peer.useful_blocks);
        Evidence::new(
            Self::NAME,
            format!("{wasted} of its blocks were wasted, {useful} were useful"),
        )
    }
}

/// As in a specification: `waster=6`.
impl fmt::Display for Waster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, self.blocks)
    }
}
