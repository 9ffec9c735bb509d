//! How many peers have gone, and why: counts alone, so it stays small however long it takes.

use std::collections::BTreeMap;

use ccbt_peer::CloseReason;
use ccbt_peer::close::Refusal;

use super::units;

/// Peers that have gone, by reason.
#[derive(Clone, Debug, Default)]
pub(crate) struct Departures {
    counts: BTreeMap<&'static str, usize>,
    /// By torrent: how often the blocklist stood in the way.
    blocked: BTreeMap<String, u32>,
}

impl Departures {
    /// Takes down the end of a connection, unless we wanted it for ourselves.
    pub(crate) fn add(&mut self, reason: &CloseReason) {
        if let Some(word) = word(reason) {
            self.count(word);
        }
    }

    /// Takes down one for a reason.
    pub(crate) fn count(&mut self, reason: &'static str) {
        *self.counts.entry(reason).or_default() += 1;
    }

    /// How often the blocklist stood between this torrent and a peer so far. The swarm counts that itself:
    /// of an address that is not even dialed nobody else hears.
    pub(crate) fn blocked(&mut self, torrent: Option<&str>, times: u32) {
        if times > 0 {
            self.blocked.insert(torrent.unwrap_or_default().to_owned(), times);
        }
    }

    /// Reasons with their counts, the most frequent first.
    pub(crate) fn ranked(&self) -> Vec<(&'static str, usize)> {
        let blocked: u32 = self.blocked.values().sum();
        let blocked = (blocked > 0).then_some(("blocked", blocked as usize));
        let counts = self.counts.iter().map(|(reason, count)| (*reason, *count));
        let mut ranked: Vec<_> = counts.chain(blocked).collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked
    }

    /// All of it behind `verb`, such as `3 peers gone: no-interest 2, lost 1`; `None` if there is nothing.
    pub(crate) fn line(&self, verb: &str) -> Option<String> {
        let ranked = self.ranked();
        let all: usize = ranked.iter().map(|(_, count)| count).sum();
        let peers = units::count(all, "peer", "peers");
        (all > 0).then(|| format!("{peers} {verb}: {}", list(&ranked)))
    }
}

/// `no-interest 2, lost 1`.
pub(crate) fn list<T: AsRef<str>>(ranked: &[(T, usize)]) -> String {
    let parts = ranked.iter().map(|(reason, count)| format!("{} {count}", reason.as_ref()));
    parts.collect::<Vec<_>>().join(", ")
}

fn word(reason: &CloseReason) -> Option<&'static str> {
    match reason {
        CloseReason::Evicted { reason, .. } | CloseReason::Displaced { reason, .. } => Some(reason),
        CloseReason::PeerLeft => Some("left by itself"),
        CloseReason::TimedOut(_) | CloseReason::Failed(_) => Some("lost"),
        // The blocklist counts by itself; of the others nobody was there whom we had not already.
        CloseReason::Refused(Refusal::Blocked | Refusal::Ourselves | Refusal::Duplicate)
        | CloseReason::ClosedByUs => None,
        other => Some(other.code()),
    }
}

#[cfg(test)]
mod tests {
    use ccbt_peer::close::Timeout;
    use ccbt_peer::policy::Evidence;

    use super::*;

    #[test]
    fn the_most_frequent_reason_comes_first() {
        let mut gone = Departures::default();
        assert_eq!(gone.line("gone"), None);
        let evidence = Evidence { policy: "no-interest".into(), text: "x".into() };
        let evicted = CloseReason::Evicted { reason: "useless", evidence };
        for reason in [
            CloseReason::TimedOut(Timeout::Idle),
            evicted.clone(),
            evicted,
            CloseReason::Refused(Refusal::Full),
            CloseReason::Refused(Refusal::Blocked),
            CloseReason::Refused(Refusal::Ourselves),
            CloseReason::Refused(Refusal::Duplicate),
            CloseReason::ClosedByUs,
            CloseReason::Failed(std::io::ErrorKind::ConnectionReset),
            CloseReason::PeerLeft,
        ] {
            gone.add(&reason);
        }
        (0..2).for_each(|times| gone.blocked(Some("a"), times));
        (0..3).for_each(|times| gone.blocked(Some("b"), times));
        assert_eq!(
            gone.line("gone").unwrap(),
            "9 peers gone: blocked 3, lost 2, useless 2, left by itself 1, refused 1"
        );
    }
}
