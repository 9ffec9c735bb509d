use std::sync::Arc;

use crate::rules::{BitfieldTimeout, Flood, Health, Liar, NoInterest, Redundant, Rejecter};
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, SwarmView, Time, Verdict};

/// Policies that are all asked, their verdicts [joined](Verdict::join). An empty set keeps
/// everybody.
///
/// The order of the members cannot matter, neither for the verdict nor for whose evidence is given.
/// A [pinned](PeerView::pinned) peer is kept, whatever they say.
///
/// ```
/// use ccbt_policy::{PolicySet, policy_fn, Verdict};
///
/// let set = PolicySet::standard().with(policy_fn("everyone-is-welcome", |_, _, _| Verdict::keep()));
/// assert_eq!(set.len(), 8);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    members: Vec<Arc<dyn EvictionPolicy>>,
}

impl PolicySet {
    /// A set that keeps everybody.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// The rules that are on by default, with their default numbers: [`BitfieldTimeout`],
    /// [`NoInterest`], [`Health`] while we download, [`Redundant`] when we are complete, and
    /// [`Rejecter`], [`Liar`] and [`Flood`] against those who do harm. It is the preset `standard`
    /// of the [`registry`](crate::registry).
    pub fn standard() -> Self {
        Self::new()
            .with(BitfieldTimeout::default())
            .with(NoInterest::default())
            .with(Health::default())
            .with(Redundant::default())
            .with(Rejecter::default())
            .with(Liar::default())
            .with(Flood)
    }

    /// The same set and `policy`.
    #[must_use]
    pub fn with(mut self, policy: impl EvictionPolicy + 'static) -> Self {
        self.members.push(Arc::new(policy));
        self
    }

    /// The same set and a policy that others may hold, too.
    #[must_use]
    pub(crate) fn with_shared(mut self, policy: Arc<dyn EvictionPolicy>) -> Self {
        self.members.push(policy);
        self
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Its members.
    pub fn iter(&self) -> impl Iterator<Item = &dyn EvictionPolicy> {
        self.members.iter().map(|member| &**member)
    }
}

impl EvictionPolicy for PolicySet {
    fn name(&self) -> &str {
        "set"
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        let mut verdict = Verdict::keep();
        for member in &self.members {
            verdict.merge(&member.judge(peer, swarm, now));
        }
        if peer.pinned { Verdict { evict: None, spare: None, ..verdict } } else { verdict }
    }

    /// The evidence of the member that gave `eviction`; of several the least, so that their order
    /// cannot matter.
    ///
    /// An eviction that differs from every answer in its instant alone is explained by those who
    /// gave its reason: who takes a peer later than it was due may say so.
    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let of_those_who_gave = |gave: &dyn Fn(Eviction) -> bool| {
            self.iter()
                .filter(|member| member.judge(peer, swarm, eviction.at).evictions().any(gave))
                .map(|member| member.explain(peer, swarm, eviction))
                .min()
        };
        of_those_who_gave(&|given| given == *eviction)
            .or_else(|| of_those_who_gave(&|given| given.reason == eviction.reason))
            .unwrap_or_else(|| {
                Evidence::new(self.name(), format!("{} at {}", eviction.reason, eviction.at))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reason, policy_fn};

    fn at(secs: u64, reason: &'static str) -> Eviction {
        Eviction::new(Time::from_secs(secs), Reason::new(reason))
    }

    fn fixed(name: &str, verdict: Verdict) -> impl EvictionPolicy + use<> {
        policy_fn(name, move |_, _, _| verdict)
    }

    fn peer() -> PeerView {
        PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
    }

    fn who_explains(set: &PolicySet, eviction: Eviction) -> String {
        set.explain(&peer(), &SwarmView::new(), &eviction).policy
    }

    #[test]
    fn a_pinned_peer_is_kept_and_still_told_that_we_are_not_interested() {
        let set = PolicySet::new().with(fixed(
            "a",
            Verdict { spare: Some(at(2, "a")), lose_interest: true, ..Verdict::evict(at(30, "a")) },
        ));
        let pinned = peer().with(|p| p.pinned = true);
        let verdict = set.judge(&pinned, &SwarmView::new(), Time::ZERO);
        assert_eq!(verdict, Verdict { lose_interest: true, ..Verdict::keep() });
    }

    #[test]
    fn an_empty_set_keeps_everybody() {
        assert_eq!(
            PolicySet::new().judge(&peer(), &SwarmView::new(), Time::from_secs(900)),
            Verdict::keep()
        );
    }

    #[test]
    fn each_part_is_the_earliest_of_its_kind() {
        let set = PolicySet::new()
            .with(fixed(
                "a",
                Verdict {
                    spare: Some(at(9, "a")),
                    lose_interest: true,
                    ..Verdict::evict(at(30, "a"))
                },
            ))
            .with(fixed(
                "b",
                Verdict { look_again: Some(Time::from_secs(5)), ..Verdict::evict(at(20, "b")) },
            ))
            .with(fixed("c", Verdict::spare(at(2, "c"))));
        let verdict = set.judge(&peer(), &SwarmView::new(), Time::ZERO);
        assert_eq!((verdict.evict, verdict.spare), (Some(at(20, "b")), Some(at(2, "c"))));
        assert_eq!((verdict.lose_interest, verdict.look_again), (true, Some(Time::from_secs(5))));
        assert_eq!(
            (who_explains(&set, at(20, "b")), who_explains(&set, at(2, "c"))),
            ("b".into(), "c".into())
        );
    }

    #[test]
    fn of_equal_answers_the_first_by_name_explains() {
        let [a, b] = ["a", "b"].map(|name| fixed(name, Verdict::evict(at(20, "x"))));
        assert_eq!(who_explains(&PolicySet::new().with(b).with(a), at(20, "x")), "a");
    }

    #[test]
    fn an_eviction_done_later_is_explained_by_its_reason() {
        let set = PolicySet::new()
            .with(fixed("a", Verdict::evict(at(20, "a"))))
            .with(fixed("b", Verdict::evict(at(20, "b"))));
        assert_eq!(who_explains(&set, at(25, "b")), "b");
        assert_eq!(who_explains(&set, at(25, "c")), "set");
    }

    #[test]
    fn a_set_may_hold_sets() {
        let inner = PolicySet::new().with(fixed("inner", Verdict::evict(at(20, "x"))));
        assert_eq!(who_explains(&PolicySet::new().with(inner), at(20, "x")), "inner");
    }
}
