use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ccbt_policy::rules::NoInterest;
use ccbt_policy::{
    Availability, EvictionPolicy, Outcome, PeerView, PolicySet, SwarmView, Time, Verdict, Watch,
};
use proptest::prelude::*;

use crate::facts::{
    Change, SwarmChange, changes, newcomer, policies, start_of_swarm, swarm_changes, waits,
};

const KEYS: u8 = 5;

#[derive(Clone, Debug)]
enum Event {
    Insert { key: u8, fast: bool },
    Remove { key: u8 },
    Update { key: u8, change: Change },
    Swarm(SwarmChange),
    Policy(PolicySet),
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..KEYS, any::<bool>()).prop_map(|(key, fast)| Event::Insert { key, fast }),
        1 => (0..KEYS).prop_map(|key| Event::Remove { key }),
        12 => (0..KEYS, changes()).prop_map(|(key, change)| Event::Update { key, change }),
        2 => swarm_changes().prop_map(Event::Swarm),
        1 => policies().prop_map(Event::Policy),
    ]
}

/// What `Watch` should do, done the long way: everybody is judged after every event and every wait.
struct Model {
    policy: PolicySet,
    swarm: SwarmView,
    peers: BTreeMap<u8, Modeled>,
}

struct Modeled {
    view: PeerView,
    told_not_interested: bool,
    on_notice: bool,
    evicted: bool,
}

impl Model {
    fn apply(&mut self, event: &Event, now: Time) {
        match event {
            Event::Insert { key, fast } => {
                let view = newcomer(*fast, now);
                let fresh =
                    Modeled { view, told_not_interested: false, on_notice: false, evicted: false };
                self.peers.insert(*key, fresh);
            }
            Event::Remove { key } => drop(self.peers.remove(key)),
            Event::Update { key, change } => {
                if let Some(peer) = self.peers.get_mut(key) {
                    change.apply(&mut peer.view, now);
                }
            }
            Event::Swarm(change) => change.apply(&mut self.swarm, now),
            Event::Policy(policy) => self.policy = policy.clone(),
        }
    }

    fn standing(&self) -> impl Iterator<Item = (u8, Verdict)> {
        let judge = |peer: &Modeled| self.policy.judge(&peer.view, &self.swarm, Time::ZERO);
        self.peers
            .iter()
            .filter(|(_, peer)| !peer.evicted)
            .map(move |(&key, peer)| (key, judge(peer)))
    }

    /// Checks the outcomes of one instant against everybody's verdict.
    fn check(&mut self, now: Time, outcomes: &[Outcome<u8>]) -> Result<(), TestCaseError> {
        let verdicts: BTreeMap<u8, Verdict> = self.standing().collect();
        let mut evicted = BTreeSet::new();
        let mut lost = BTreeSet::new();
        for outcome in outcomes {
            let key = outcome.key();
            let verdict = verdicts.get(&key).copied().unwrap_or_default();
            let peer = self.peers.get_mut(&key).expect("outcomes are about peers that are there");
            match outcome {
                Outcome::LoseInterest { .. } => {
                    prop_assert!(lost.insert(key), "told twice at once")
                }
                Outcome::Scheduled { eviction, .. } => {
                    prop_assert_eq!(Some(*eviction), verdict.evict);
                    peer.on_notice = true;
                }
                Outcome::Pardoned { .. } => {
                    prop_assert!(peer.on_notice, "pardoned without notice");
                    prop_assert_eq!(verdict.evict, None);
                    peer.on_notice = false;
                }
                Outcome::Evict { eviction, .. } => {
                    prop_assert_eq!(Some(*eviction), verdict.evict);
                    prop_assert!(evicted.insert(key), "evicted twice");
                    peer.evicted = true;
                }
                Outcome::Shadow { eviction, .. } => {
                    prop_assert_eq!(Some(*eviction), verdict.shadow)
                }
            }
        }
        for (key, verdict) in verdicts {
            let peer = self.peers.get_mut(&key).expect("it was just judged");
            let due = verdict.evict.is_some_and(|eviction| eviction.at <= now);
            prop_assert_eq!(evicted.contains(&key), due, "evicted exactly when due: {}", key);
            prop_assert_eq!(
                lost.contains(&key),
                verdict.lose_interest && !peer.told_not_interested
            );
            peer.told_not_interested = verdict.lose_interest;
            prop_assert!(
                due || peer.on_notice == verdict.evict.is_some(),
                "on notice while it stands: {}",
                key
            );
        }
        Ok(())
    }
}

fn apply(watch: &mut Watch<u8>, event: &Event, now: Time) {
    match event {
        Event::Insert { key, fast } => watch.insert(*key, newcomer(*fast, now), now),
        Event::Remove { key } => drop(watch.remove(*key)),
        Event::Update { key, change } => watch.update(*key, now, |peer| change.apply(peer, now)),
        Event::Swarm(change) => watch.update_swarm(now, |swarm| change.apply(swarm, now)),
        Event::Policy(policy) => watch.set_policy(Arc::new(policy.clone()), now),
    }
}

fn polled(watch: &mut Watch<u8>, now: Time) -> Vec<Outcome<u8>> {
    std::iter::from_fn(|| watch.poll(now)).collect()
}

proptest! {
    #[test]
    fn its_outcomes_are_those_of_judging_everybody_all_the_time(
        policy in policies(),
        swarm in start_of_swarm(),
        steps in prop::collection::vec((waits(), events()), 1..60),
    ) {
        let mut watch = Watch::new(Arc::new(policy.clone()), swarm.clone());
        let mut model = Model { policy, swarm, peers: BTreeMap::new() };
        let mut now = Time::ZERO;
        for (wait, event) in steps {
            now = now + wait;
            let outcomes = polled(&mut watch, now);
            model.check(now, &outcomes)?;
            apply(&mut watch, &event, now);
            model.apply(&event, now);
            let outcomes = polled(&mut watch, now);
            model.check(now, &outcomes)?;

            let next_eviction = model.standing().filter_map(|(_, verdict)| verdict.evict).map(|eviction| eviction.at).min();
            prop_assert!(watch.next_deadline().is_none_or(|at| at > now));
            prop_assert!(next_eviction.is_none_or(|at| watch.next_deadline().is_some_and(|deadline| deadline <= at)));
            let spare = model.standing().filter_map(|(key, verdict)| Some((verdict.spare?, key)))
                .filter(|(spare, _)| spare.at <= now)
                .min_by_key(|&(spare, key)| (spare.at, key));
            prop_assert_eq!(watch.earliest_spare(now, |_, _| false), spare.map(|(spare, key)| (key, spare)));
        }
    }

    #[test]
    fn a_needed_piece_within_the_grace_pardons(grace in 1..100_000_u64, within in 0.0..1.0_f64) {
        let grace = Duration::from_millis(grace);
        let policy = PolicySet::new().with(NoInterest::new(grace));
        let mut watch = Watch::new(Arc::new(policy), SwarmView::new());
        let start = Time::from_secs(1);
        let empty = newcomer(true, start).with(|p| p.set_availability(start, Availability::None));
        watch.insert(0, empty, start);
        let reported = polled(&mut watch, start);
        prop_assert!(
            matches!(reported[..], [Outcome::LoseInterest { .. }, Outcome::Scheduled { .. }]),
            "{:?}", reported
        );

        let have_at = start + grace.mul_f64(within);
        watch.update(0, have_at, |p| {
            p.new_have(have_at);
            p.set_wanted(have_at, 1);
        });
        let reported = polled(&mut watch, have_at);
        prop_assert!(matches!(reported[..], [Outcome::Pardoned { .. }]), "{:?}", reported);
        prop_assert_eq!(polled(&mut watch, Time::from_secs(1_000_000)), vec![]);
    }
}
