use std::fmt;
use std::time::Duration;

use crate::verdict::earliest;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, SwarmView, Time, Verdict};

/// Passes on what a wrapper does not change, so that events name the policy inside.
macro_rules! of_the_policy_inside {
    () => {
        fn name(&self) -> &str {
            self.policy.name()
        }

        fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
            self.policy.explain(peer, swarm, eviction)
        }
    };
}

/// Keeps peers of a certain kind out of the reach of a policy.
///
/// ```
/// use ccbt_policy::{Exempt, rules::NoInterest};
///
/// let policy = Exempt::new(NoInterest::default(), |peer| peer.pinned);
/// ```
#[derive(Clone)]
pub struct Exempt<P, F> {
    policy: P,
    exempt: F,
}

impl<P, F: Fn(&PeerView) -> bool + Send + Sync> Exempt<P, F> {
    /// `policy`, but peers for which `exempt` holds are never touched.
    pub const fn new(policy: P, exempt: F) -> Self {
        Self { policy, exempt }
    }
}

impl<P: EvictionPolicy, F: Fn(&PeerView) -> bool + Send + Sync> EvictionPolicy for Exempt<P, F> {
    of_the_policy_inside!();

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        if (self.exempt)(peer) { Verdict::keep() } else { self.policy.judge(peer, swarm, now) }
    }
}

impl<P: fmt::Debug, F> fmt::Debug for Exempt<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exempt").field(&self.policy).finish_non_exhaustive()
    }
}

/// Lets a policy act only while something holds for the swarm.
///
/// The condition should rest on the swarm's modes (see [`SwarmView`]): only their change causes a
/// new question.
///
/// ```
/// use ccbt_policy::{OnlyWhile, SwarmView, rules::NoInterest};
///
/// let policy = OnlyWhile::new(NoInterest::default(), |swarm: &SwarmView| swarm.crowded);
/// ```
#[derive(Clone)]
pub struct OnlyWhile<P, F> {
    policy: P,
    condition: F,
}

impl<P, F: Fn(&SwarmView) -> bool + Send + Sync> OnlyWhile<P, F> {
    /// `policy`, while `condition` holds; otherwise everybody is kept.
    pub const fn new(policy: P, condition: F) -> Self {
        Self { policy, condition }
    }
}

impl<P> OnlyWhile<P, fn(&SwarmView) -> bool> {
    /// `policy`, while we download.
    pub const fn leeching(policy: P) -> Self {
        Self { policy, condition: SwarmView::leeching }
    }
}

impl<P: EvictionPolicy, F: Fn(&SwarmView) -> bool + Send + Sync> EvictionPolicy
    for OnlyWhile<P, F>
{
    of_the_policy_inside!();

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        if (self.condition)(swarm) { self.policy.judge(peer, swarm, now) } else { Verdict::keep() }
    }
}

impl<P: fmt::Debug, F> fmt::Debug for OnlyWhile<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnlyWhile").field(&self.policy).finish_non_exhaustive()
    }
}

/// Makes a policy give way to free slots: nobody is closed by it, but while the swarm is crowded
/// those it would evict may be taken for a newcomer from that instant on.
#[derive(Clone, Copy, Debug)]
pub struct WhenCrowded<P> {
    policy: P,
}

impl<P> WhenCrowded<P> {
    /// `policy` with every `evict` turned into `spare`, and neither while the swarm is not crowded.
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

impl<P: EvictionPolicy> EvictionPolicy for WhenCrowded<P> {
    of_the_policy_inside!();

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        let verdict = self.policy.judge(peer, swarm, now);
        let spare = earliest(verdict.evict, verdict.spare).filter(|_| swarm.crowded);
        Verdict { evict: None, spare, ..verdict }
    }
}

/// The slots that are left when a swarm is nearly full.
const NEARLY_FULL: u32 = 5;

/// How often a policy that waits for a swarm to fill is asked again.
const LOOK: Duration = Duration::from_secs(10);

/// Lets a policy close and spare peers only while at most five slots are free.
///
/// Free slots are no mode of the swarm, so what was due meanwhile is done up to 10 s after the
/// swarm has filled. So libtorrent does it; [`WhenCrowded`] is gentler.
#[derive(Clone, Copy, Debug)]
pub struct NearLimit<P> {
    policy: P,
}

impl<P> NearLimit<P> {
    /// `policy`, with neither `evict` nor `spare` while more than five slots are free.
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

impl<P: EvictionPolicy> EvictionPolicy for NearLimit<P> {
    of_the_policy_inside!();

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        let verdict = self.policy.judge(peer, swarm, now);
        let Some(first) = earliest(verdict.evict, verdict.spare) else { return verdict };
        if swarm.free_slots <= NEARLY_FULL {
            return verdict;
        }
        let look = if now < first.at { Some(first.at) } else { now.checked_add(LOOK) };
        Verdict {
            evict: None,
            spare: None,
            look_again: earliest(verdict.look_again, look),
            ..verdict
        }
    }
}

/// Puts a policy on trial: what it would do is reported when it is due, nothing is done.
///
/// What is reported is the eviction. A peer that the policy would only spare is reported when it
/// becomes spare.
#[derive(Clone, Copy, Debug)]
pub struct DryRun<P> {
    policy: P,
}

impl<P> DryRun<P> {
    /// `policy` with its verdicts turned into `shadow`.
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

impl<P: EvictionPolicy> EvictionPolicy for DryRun<P> {
    of_the_policy_inside!();

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        let verdict = self.policy.judge(peer, swarm, now);
        // Not the earlier of the two: most peers that become spare are never taken, and would be
        // counted as losses.
        let would = verdict.evict.or(verdict.spare);
        Verdict {
            shadow: earliest(verdict.shadow, would),
            look_again: verdict.look_again,
            ..Verdict::keep()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reason, policy_fn};

    fn at(secs: u64) -> Eviction {
        Eviction::new(Time::from_secs(secs), Reason::new("test"))
    }

    const AGAIN: Option<Time> = Some(Time::from_secs(3));

    fn harsh() -> impl EvictionPolicy {
        policy_fn("harsh", |_, _, _| Verdict {
            spare: Some(at(2)),
            lose_interest: true,
            look_again: AGAIN,
            ..Verdict::evict(at(60))
        })
    }

    fn peer() -> PeerView {
        PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
    }

    fn judge(policy: impl EvictionPolicy, swarm: &SwarmView) -> Verdict {
        assert_eq!(policy.name(), "harsh");
        assert_eq!(policy.explain(&peer(), swarm, &at(60)).policy, "harsh");
        policy.judge(&peer(), swarm, Time::ZERO)
    }

    #[test]
    fn the_exempt_are_never_touched() {
        let swarm = SwarmView::new();
        assert_eq!(
            judge(Exempt::new(harsh(), |peer| peer.addr.port() == 6881), &swarm),
            Verdict::keep()
        );
        assert_eq!(judge(Exempt::new(harsh(), |peer| peer.pinned), &swarm), judge(harsh(), &swarm));
    }

    #[test]
    fn only_while_leeching_ends_when_complete() {
        let swarm = SwarmView::new();
        assert_eq!(judge(OnlyWhile::leeching(harsh()), &swarm), judge(harsh(), &swarm));
        let complete = swarm.with(|swarm| swarm.upload_only_since = Some(Time::ZERO));
        assert_eq!(judge(OnlyWhile::leeching(harsh()), &complete), Verdict::keep());
    }

    #[test]
    fn only_while_takes_any_condition() {
        let private = |swarm: &SwarmView| swarm.private;
        assert_eq!(judge(OnlyWhile::new(harsh(), private), &SwarmView::new()), Verdict::keep());
        let swarm = SwarmView::new().with(|swarm| swarm.private = true);
        assert_eq!(judge(OnlyWhile::new(harsh(), private), &swarm), judge(harsh(), &swarm));
    }

    #[test]
    fn when_crowded_an_eviction_only_makes_spare() {
        let calm = judge(WhenCrowded::new(harsh()), &SwarmView::new());
        assert_eq!(calm, Verdict { lose_interest: true, look_again: AGAIN, ..Verdict::keep() });
        let crowded = SwarmView::new().with(|swarm| swarm.crowded = true);
        assert_eq!(
            judge(WhenCrowded::new(harsh()), &crowded),
            Verdict { spare: Some(at(2)), ..calm }
        );
        let without_spare = WhenCrowded::new(policy_fn("harsh", |_, _, _| Verdict::evict(at(60))));
        assert_eq!(judge(without_spare, &crowded), Verdict::spare(at(60)));
    }

    #[test]
    fn near_the_limit_is_at_most_five_free_slots() {
        let with_free = |free| SwarmView::new().with(|swarm| swarm.free_slots = free);
        assert_eq!(judge(NearLimit::new(harsh()), &with_free(5)), judge(harsh(), &with_free(5)));
        assert_eq!(
            judge(NearLimit::new(harsh()), &with_free(6)),
            Verdict {
                lose_interest: true,
                look_again: Some(Time::from_secs(2)),
                ..Verdict::keep()
            }
        );
        let late = NearLimit::new(policy_fn("harsh", |_, _, _| Verdict::evict(at(60))));
        let again = |now| late.judge(&peer(), &with_free(6), Time::from_secs(now)).look_again;
        assert_eq!((again(59), again(60)), (Some(Time::from_secs(60)), Some(Time::from_secs(70))));
    }

    #[test]
    fn a_dry_run_only_reports() {
        let verdict = judge(DryRun::new(harsh()), &SwarmView::new());
        assert_eq!(verdict, Verdict { shadow: Some(at(60)), look_again: AGAIN, ..Verdict::keep() });
        let spares = DryRun::new(policy_fn("harsh", |_, _, _| Verdict::spare(at(2))));
        assert_eq!(judge(spares, &SwarmView::new()).shadow, Some(at(2)));
    }
}
