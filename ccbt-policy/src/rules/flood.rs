use std::fmt;

use super::facts::MISBEHAVED;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// A peer that sends more messages than makes sense goes at once.
///
/// What makes sense is measured where messages are read, and told by [`PeerView::flood`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flood;

impl Flood {
    /// Its name in the registry.
    pub const NAME: &'static str = "flood";
}

impl EvictionPolicy for Flood {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
        if !peer.flood {
            return Verdict::keep();
        }
        let at = peer.last_message_at.unwrap_or(peer.connected_at);
        Verdict::evict(Eviction::new(at, Reason::FLOOD).with_cooldown(MISBEHAVED))
    }

    fn explain(&self, _: &PeerView, _: &SwarmView, _: &Eviction) -> Evidence {
        Evidence::new(Self::NAME, "sends more messages than makes sense")
    }
}

/// As in a specification: `flood=on`.
impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=on", Self::NAME)
    }
}
