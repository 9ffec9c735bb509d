//! Who was dropped or sent away, and why, in bounded memory however long it takes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::CloseReason;
use ccbt_peer::policy::Evidence;

use super::units;
use crate::events::{canonical, cause};

/// So many peers are listed one by one; more than that are grouped.
const LISTED: usize = 10;

/// The peers that we did not want any longer.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    listed: Vec<Dropped>,
    groups: BTreeMap<(String, &'static str), Group>,
    count: usize,
}

#[derive(Debug)]
struct Dropped {
    peer: SocketAddr,
    evidence: Evidence,
    connected: Duration,
}

#[derive(Debug)]
struct Group {
    count: usize,
    example: Evidence,
}

impl Tally {
    /// Takes down one whom a policy dropped, or who was sent away for what it did.
    pub(crate) fn add(&mut self, peer: SocketAddr, reason: &CloseReason, connected: Duration) {
        self.count += 1;
        let evidence = reason.evidence().cloned();
        let evidence = evidence
            .unwrap_or_else(|| Evidence { policy: reason.code().into(), text: reason.to_string() });
        let reason = cause(reason).unwrap_or(reason.code());
        if self.listed.len() < LISTED {
            let evidence = evidence.clone();
            self.listed.push(Dropped { peer: canonical(peer), evidence, connected });
        }
        self.groups
            .entry((evidence.policy.to_string(), reason))
            .and_modify(|group| group.count += 1)
            .or_insert_with(|| Group { count: 1, example: evidence });
    }

    /// The list, or the groups if the list would be long; nothing if nobody was dropped.
    pub(crate) fn lines(&self) -> Vec<String> {
        if self.count == 0 {
            return Vec::new();
        }
        let mut lines = vec![format!("dropped {}:", units::count(self.count, "peer", "peers"))];
        if self.count <= LISTED {
            let peers: Vec<String> =
                self.listed.iter().map(|dropped| dropped.peer.to_string()).collect();
            let (peer, policy) =
                (longest(&peers), longest(self.listed.iter().map(|d| &d.evidence.policy)));
            lines.extend(self.listed.iter().zip(&peers).map(|(dropped, addr)| {
                let Evidence { policy: name, text, .. } = &dropped.evidence;
                let after = units::passed(dropped.connected);
                format!("  {addr:peer$}  {name:policy$}  after {after}: {text}")
            }));
        } else {
            let policy = longest(self.groups.keys().map(|(policy, _)| policy));
            lines.extend(self.groups.iter().map(|((name, reason), group)| {
                format!(
                    "  {:>6}  {name:policy$}  {reason}, such as: {}",
                    group.count, group.example.text
                )
            }));
        }
        lines
    }
}

fn longest<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> usize {
    texts.into_iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(peers: u16) -> Tally {
        let mut tally = Tally::default();
        for port in 1..=peers {
            let (policy, reason) = if port % 2 == 0 {
                ("health", "became-useless")
            } else {
                ("no-interest", "no-interest")
            };
            let evidence = Evidence { policy: policy.into(), text: format!("seen {port}") };
            let peer = SocketAddr::from(([192, 0, 2, 1], port));
            let reason = CloseReason::Evicted { reason, evidence };
            tally.add(peer, &reason, Duration::from_secs(10));
        }
        tally
    }

    #[test]
    fn nobody_dropped_is_no_line() {
        assert!(tally(0).lines().is_empty());
    }

    #[test]
    fn few_peers_are_listed_one_by_one() {
        let expected = [
            "dropped 2 peers:",
            "  192.0.2.1:1  no-interest  after 10.0 s: seen 1",
            "  192.0.2.1:2  health       after 10.0 s: seen 2",
        ];
        assert_eq!(tally(2).lines(), expected);
    }

    #[test]
    fn who_was_sent_away_for_what_it_did_is_listed_as_well() {
        let mut tally = tally(1);
        let reason = CloseReason::SentBadPiece { piece: 7 };
        tally.add(([192, 0, 2, 2], 9).into(), &reason, Duration::from_secs(1));
        let expected = "  192.0.2.2:9  sent-bad-piece  after 1.0 s: sent piece 7 with a wrong hash";
        assert_eq!(tally.lines()[2], expected);
    }

    #[test]
    fn many_peers_are_grouped_by_policy_and_reason() {
        let expected = [
            "dropped 11 peers:",
            "       5  health       became-useless, such as: seen 2",
            "       6  no-interest  no-interest, such as: seen 1",
        ];
        assert_eq!(tally(11).lines(), expected);
    }
}
