//! While the metadata is unknown: who goes for somebody that has it.

use std::time::Duration;

use ccbt_policy::{Evidence, Time};

use super::super::memory::NO_METADATA;
use super::super::{PeerKey, SwarmCore};
use crate::CloseReason;

/// A peer that has given no metadata for so long may be taken for one that has it.
const PATIENCE: Duration = Duration::from_secs(10);

impl SwarmCore {
    /// Whether somebody with a slot has given no metadata for so long that others are worth a try.
    pub(in crate::swarm) fn lacks_givers(&self, now: Time) -> bool {
        self.without_metadata(now).is_some()
    }

    /// The one with a slot who has given none for the longest, and since when; nobody yet if that is not long.
    fn without_metadata(&self, now: Time) -> Option<(Time, PeerKey)> {
        let fetch = self.metadata.fetch.as_ref()?;
        let in_slots = self.watch.iter().filter(|(key, view)| !view.pinned && self.has_slot(*key));
        let in_vain = in_slots
            .filter_map(|(key, view)| Some((fetch.in_vain_since(key, view.connected_at)?, key)));
        in_vain.min().filter(|(since, _)| *since + PATIENCE <= now)
    }

    /// Closes the peer that has given no metadata for the longest, if the newcomer says that it has it; false
    /// if there is none that may be taken.
    pub(in crate::swarm) fn displace_for_metadata(&mut self, now: Time, newcomer: PeerKey) -> bool {
        let has = self.metadata.fetch.as_ref().is_some_and(|fetch| fetch.has(newcomer));
        let Some((since, key)) = self.without_metadata(now).filter(|_| has) else { return false };
        let waited = now.saturating_since(since).as_secs_f64();
        let text = format!("no metadata for {waited:.1} s, and a newcomer has it");
        let evidence = Evidence::new("metadata", text);
        let reason = CloseReason::Displaced { reason: NO_METADATA.reason, evidence };
        self.close_for(now, key, reason, Some(NO_METADATA.cooldown));
        true
    }
}
