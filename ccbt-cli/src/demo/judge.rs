//! What became of each peer, beside what should have become of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::policy::Evidence;
use ccbt_peer::{Event, EventKind};

use super::cast::{Actor, Role};
use crate::events::canonical;
use crate::report::units;

const DROPPED: &str = "dropped";
const KEPT: &str = "kept";

/// Follows the peers of the demo to their ends.
#[derive(Debug)]
pub(super) struct Judge {
    cast: Vec<Actor>,
    ends: BTreeMap<SocketAddr, End>,
}

#[derive(Debug)]
struct End {
    /// Who dropped it and why; none if it stayed until we left.
    evidence: Option<Evidence>,
    reason: String,
    connected: Duration,
    downloaded: u64,
}

impl Judge {
    pub(super) fn new(cast: Vec<Actor>) -> Self {
        Self { cast, ends: BTreeMap::new() }
    }

    /// Takes down how a connection ended; a line if a rule ended it.
    pub(super) fn hear(&mut self, event: &Event) -> Option<String> {
        let EventKind::PeerClosed { peer, reason, connected, downloaded, .. } = &event.kind else {
            return None;
        };
        let actor = *self.cast.iter().find(|actor| actor.addr == canonical(*peer))?;
        let evidence = reason.evidence().cloned();
        let line = evidence.as_ref().map(|Evidence { policy, text, .. }| {
            row(actor, &format!("{policy}: {text}"), *connected, DROPPED)
        });
        let end = End {
            evidence,
            reason: reason.to_string(),
            connected: *connected,
            downloaded: *downloaded,
        };
        self.ends.insert(actor.addr, end);
        line
    }

    /// Whether every dead weight has been dropped.
    pub(super) fn all_dropped(&self) -> bool {
        self.cast
            .iter()
            .filter(|actor| actor.role.rule().is_some())
            .all(|actor| self.ends.contains_key(&actor.addr))
    }

    /// A line for each peer that stayed to the end.
    pub(super) fn kept(&self) -> Vec<String> {
        let stayed =
            |actor: &&Actor| self.ends.get(&actor.addr).is_some_and(|end| end.evidence.is_none());
        let line = |actor: &Actor| {
            let end = &self.ends[&actor.addr];
            let sent = match (actor.role, end.downloaded) {
                (Role::Choking, 0) => "has what we need".to_owned(),
                (_, sent) => format!("gave us {}", units::bytes(sent)),
            };
            row(*actor, &sent, end.connected, KEPT)
        };
        self.cast.iter().filter(stayed).map(line).collect()
    }

    /// What should have been otherwise; nothing if all is well.
    pub(super) fn broken(&self) -> Vec<String> {
        self.cast.iter().filter_map(|actor| self.fault(actor)).collect()
    }

    /// How many each rule dropped.
    pub(super) fn by_rule(&self) -> String {
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for evidence in self.ends.values().filter_map(|end| end.evidence.as_ref()) {
            *rules.entry(&evidence.policy).or_default() += 1;
        }
        let rules: Vec<String> =
            rules.iter().map(|(rule, count)| format!("{rule} dropped {count}")).collect();
        rules.join(", ")
    }

    fn fault(&self, actor: &Actor) -> Option<String> {
        let who = format!("{} {}", actor.role.name(), actor.addr);
        let Some(end) = self.ends.get(&actor.addr) else {
            return Some(format!("{who} never met us"));
        };
        let dropped_by = end.evidence.as_ref().map(|evidence| evidence.policy.as_str());
        match (actor.role.rule(), dropped_by) {
            (expected, seen) if expected == seen => {}
            (Some(rule), _) => {
                return Some(format!(
                    "{who} should have been dropped by {rule}, but: {}",
                    end.reason
                ));
            }
            (None, _) => return Some(format!("{who} should have been kept, but: {}", end.reason)),
        }
        let served = matches!(actor.role, Role::Seed | Role::Spent { .. });
        (served && end.downloaded == 0).then(|| format!("{who} gave us nothing"))
    }
}

fn row(Actor { role, addr }: Actor, why: &str, connected: Duration, end: &str) -> String {
    let (name, after) = (role.name(), units::passed(connected));
    let preposition = if end == KEPT { "for" } else { "after" };
    format!("{end:7}  {name:7}  {addr:15}  {preposition:5} {after:>5}  {why}")
}

#[cfg(test)]
mod tests {
    use ccbt_peer::CloseReason;
    use ccbt_peer::policy::Time;

    use super::*;

    fn actor(role: Role, port: u16) -> Actor {
        Actor { role, addr: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn closed(actor: Actor, reason: CloseReason, downloaded: u64) -> Event {
        let connected = Duration::from_secs(3);
        let kind =
            EventKind::PeerClosed { peer: actor.addr, reason, connected, downloaded, uploaded: 0 };
        Event { at: Time::from_secs(3), kind }
    }

    fn evicted(policy: &str) -> CloseReason {
        CloseReason::Evicted { reason: "x", evidence: Evidence::new(policy, "seen") }
    }

    #[test]
    fn a_peer_that_its_rule_dropped_is_as_it_should_be() {
        let mute = actor(Role::Mute, 1);
        let mut judge = Judge::new(vec![mute]);
        assert!(!judge.all_dropped());
        assert!(judge.hear(&closed(mute, evicted("bitfield-timeout"), 0)).is_some());
        assert!(judge.all_dropped());
        assert!(judge.broken().is_empty());
        assert_eq!(judge.by_rule(), "bitfield-timeout dropped 1");
    }

    #[test]
    fn the_wrong_rule_is_a_fault() {
        let mute = actor(Role::Mute, 1);
        let mut judge = Judge::new(vec![mute]);
        judge.hear(&closed(mute, evicted("health"), 0));
        assert_eq!(
            judge.broken(),
            ["mute 127.0.0.1:1 should have been dropped by bitfield-timeout, but: health: seen"]
        );
    }

    #[test]
    fn a_choking_peer_that_was_dropped_is_a_fault() {
        let choking = actor(Role::Choking, 1);
        let mut judge = Judge::new(vec![choking]);
        assert_eq!(judge.broken(), ["choking 127.0.0.1:1 never met us"]);
        judge.hear(&closed(choking, evicted("health"), 0));
        assert_eq!(
            judge.broken(),
            ["choking 127.0.0.1:1 should have been kept, but: health: seen"]
        );
    }

    #[test]
    fn a_seed_that_gave_nothing_is_a_fault() {
        let seed = actor(Role::Seed, 1);
        let mut judge = Judge::new(vec![seed]);
        judge.hear(&closed(seed, CloseReason::ClosedByUs, 0));
        assert_eq!(judge.broken(), ["seed 127.0.0.1:1 gave us nothing"]);
        judge.hear(&closed(seed, CloseReason::ClosedByUs, 1));
        assert!(judge.broken().is_empty());
        assert_eq!(judge.kept().len(), 1);
    }
}
