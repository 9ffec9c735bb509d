use std::time::Duration;

use super::PeerView;
use crate::{Reason, Time};

/// A peer that exchanged a block with us so lately is at work.
const AT_WORK: Duration = Duration::from_secs(2);

/// A peer younger than this has had no fair chance.
const YOUNG: Duration = Duration::from_secs(60);

impl PeerView {
    /// Whether nobody may take this peer's slot at `now`: it is pinned, the sole holder of a piece
    /// that we need, unchoked on trial, exchanged a block with us in the last 2 s, or is younger
    /// than 60 s.
    ///
    /// `spare` is why a rule gives the peer, or `None` where only a ranking does. The founding
    /// rules ([`Reason::takes_the_young`]) give peers whatever their age.
    pub fn is_immune(&self, now: Time, spare: Option<Reason>) -> bool {
        let exchanged_at = self.last_block_at.max(self.last_upload_at);
        let at_work = exchanged_at.is_some_and(|at| now.saturating_since(at) < AT_WORK);
        let young = now.saturating_since(self.connected_at) < YOUNG
            && !spare.is_some_and(Reason::takes_the_young);
        self.pinned || self.optimistic || at_work || young || (self.sole_holder && self.wanted > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_secs(100);

    fn old() -> PeerView {
        PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
    }

    #[test]
    fn an_old_idle_peer_is_not_immune() {
        assert!(!old().is_immune(NOW, None));
        assert!(!old().is_immune(NOW, Some(Reason::SNUBBED)));
    }

    #[test]
    fn age_protects_for_60_s_from_all_but_the_founding_rules() {
        let immune = |secs, reason| old().is_immune(Time::from_secs(secs), reason);
        for reason in [None, Some(Reason::SNUBBED), Some(Reason::new("of-my-own"))] {
            assert!(immune(59, reason));
            assert!(!immune(60, reason));
        }
        for reason in [Reason::NO_AVAILABILITY, Reason::NO_INTEREST, Reason::BECAME_USELESS] {
            assert!(!immune(2, Some(reason)));
        }
    }

    #[test]
    fn each_other_protection_holds_whatever_the_reason() {
        let protections: [fn(&mut PeerView); 5] = [
            |p| p.pinned = true,
            |p| p.optimistic = true,
            |p| (p.sole_holder, p.wanted) = (true, 1),
            |p| p.last_block_at = Some(Time::from_millis(98_001)),
            |p| p.last_upload_at = Some(Time::from_millis(98_001)),
        ];
        for protect in protections {
            let peer = old().with(protect);
            assert!(peer.is_immune(NOW, None));
            assert!(peer.is_immune(NOW, Some(Reason::NO_INTEREST)));
        }
        let rested = old().with(|p| p.last_block_at = Some(Time::from_secs(98)));
        assert!(!rested.is_immune(NOW, None));
        let needed_no_more = old().with(|p| p.sole_holder = true);
        assert!(!needed_no_more.is_immune(NOW, None));
    }
}
