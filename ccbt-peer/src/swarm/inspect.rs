//! The swarm as it stands, for diagnosis.

use std::ops::Range;

use ccbt_policy::{Availability, PeerView, Time};
use ccbt_wire::PieceIndex;

use super::{PeerKey, SwarmCore};
use crate::snapshot::{Notice, NoticeKind, PeerStatus, Snapshot};

impl SwarmCore {
    /// Everything about the swarm at `now`. Costs a walk over all peers and pieces.
    #[must_use]
    pub fn snapshot(&self, now: Time) -> Snapshot {
        Snapshot {
            at: now,
            swarm: self.watch.swarm().clone(),
            progress: self.progress,
            peers: self.watch.iter().map(|(key, view)| self.status(now, key, view)).collect(),
            nobody_has: self.nobody_has(),
        }
    }

    fn status(&self, now: Time, key: PeerKey, view: &PeerView) -> PeerStatus {
        let (policy, swarm) = (self.watch.policy(), self.watch.swarm());
        let verdict = policy.judge(view, swarm, now);
        let kinds = [
            (NoticeKind::Evict, verdict.evict),
            (NoticeKind::Shadow, verdict.shadow),
            (NoticeKind::Spare, verdict.spare),
        ];
        let notice = kinds.into_iter().find_map(|(kind, eviction)| {
            let eviction = eviction?;
            let evidence = policy.explain(view, swarm, &eviction);
            Some(Notice { kind, eviction, evidence })
        });
        PeerStatus { view: view.clone(), has_slot: self.has_slot(key), notice }
    }

    fn nobody_has(&self) -> Vec<Range<u32>> {
        let has_all = |view: &PeerView| view.availability == Availability::All;
        if self.watch.iter().any(|(_, view)| has_all(view)) {
            return Vec::new();
        }
        let mut runs: Vec<Range<u32>> = Vec::new();
        let missing =
            self.settled.iter_zeros().filter(|piece| self.picker.rarity.count(*piece) == 0);
        for PieceIndex(piece) in missing {
            match runs.last_mut() {
                Some(run) if run.end == piece => run.end += 1,
                _ => runs.push(piece..piece + 1),
            }
        }
        runs
    }
}
