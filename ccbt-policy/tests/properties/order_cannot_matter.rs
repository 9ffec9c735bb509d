use ccbt_policy::{
    Clears, Cooldown, Eviction, EvictionPolicy, PolicySet, Reason, Time, Verdict, policy_fn,
};
use proptest::prelude::*;

use crate::facts::{members, views, with_member};

fn evictions() -> impl Strategy<Value = Option<Eviction>> {
    let reasons = prop_oneof![Just("a"), Just("b")].prop_map(Reason::new);
    let clears = prop_oneof![Just(Clears::Never), Just(Clears::WantedGrew)];
    prop::option::of((0..3_u64, reasons, clears).prop_map(|(at, reason, clears)| {
        Eviction::new(Time::from_secs(at), reason)
            .with_cooldown(Cooldown::USELESS.cleared_by(clears))
    }))
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    (evictions(), evictions(), evictions(), any::<bool>(), prop::option::of(0..3_u64)).prop_map(
        |(evict, spare, shadow, lose_interest, look_again)| Verdict {
            evict,
            spare,
            shadow,
            lose_interest,
            look_again: look_again.map(Time::from_secs),
        },
    )
}

fn parts(verdict: &Verdict) -> impl Iterator<Item = Eviction> {
    [verdict.evict, verdict.spare, verdict.shadow].into_iter().flatten()
}

proptest! {
    #[test]
    fn joining_is_commutative_associative_and_idempotent(a in verdicts(), b in verdicts(), c in verdicts()) {
        prop_assert_eq!(a.join(b), b.join(a));
        prop_assert_eq!(a.join(b).join(c), a.join(b.join(c)));
        prop_assert_eq!(a.join(a), a);
        prop_assert_eq!(a.join(Verdict::keep()), a);
    }

    #[test]
    fn neither_verdict_nor_evidence_depends_on_the_order_of_the_members(
        members in prop::collection::vec(members(), 0..7).prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        (peer, swarm) in views(),
        now in 0..500_u64,
    ) {
        let (members, shuffled) = members;
        let [set, other] = [members, shuffled].map(|members| members.into_iter().fold(PolicySet::new(), with_member));
        let verdict = set.judge(&peer, &swarm, Time::from_secs(now));
        prop_assert_eq!(verdict, other.judge(&peer, &swarm, Time::from_secs(now)));
        for eviction in parts(&verdict) {
            prop_assert_eq!(set.explain(&peer, &swarm, &eviction), other.explain(&peer, &swarm, &eviction));
        }
    }

    #[test]
    fn evidence_comes_from_a_member_that_gave_the_answer(
        answers in prop::collection::vec(verdicts(), 1..5),
        (peer, swarm) in views(),
    ) {
        let set = answers.iter().enumerate().fold(PolicySet::new(), |set, (nth, &verdict)| {
            set.with(policy_fn(nth.to_string(), move |_, _, _| verdict))
        });
        for eviction in parts(&set.judge(&peer, &swarm, Time::ZERO)) {
            let winner: usize = set.explain(&peer, &swarm, &eviction).policy.parse().unwrap();
            prop_assert!(parts(&answers[winner]).any(|given| given == eviction));
        }
    }
}
