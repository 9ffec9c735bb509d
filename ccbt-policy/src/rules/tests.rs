//! Tables: facts in, deadline and reason out. Every deadline is checked 1 ms before, at and 1 ms
//! after, both as a verdict, which may not depend on when it is asked for, and as an act of the
//! scheduler.

mod boundaries;
mod conduct;
mod exchange;
mod forms;
mod guards;
mod words;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::{
    Availability, EvictionPolicy, Outcome, PeerView, PolicySet, Reason, SwarmView, Time, Watch,
};

const fn s(secs: u64) -> Time {
    Time::from_secs(secs)
}

const fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// Its handshake was complete at 1 s.
fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), s(1))
}

/// Has announced at 2 s that it has 5 pieces, none of which we need.
fn without_needed_piece() -> PeerView {
    peer().with(|p| {
        p.have = 5;
        p.set_availability(s(2), Availability::Some);
        p.set_wanted(s(2), 0);
    })
}

/// Had a piece that we needed from 2 s until `useless_at`.
fn useless_from(useless_at: Time) -> PeerView {
    peer().with(|p| {
        p.set_availability(s(2), Availability::Some);
        p.set_wanted(s(2), 1);
        p.set_wanted(useless_at, 0);
    })
}

fn leeching() -> SwarmView {
    SwarmView::new().with(|swarm| {
        swarm.have = 20;
        swarm.need = 100;
    })
}

fn around(at: Time) -> [Time; 3] {
    let millis = at.as_millis();
    [ms(millis.saturating_sub(1)), ms(millis), ms(millis + 1)]
}

/// `policy` gives the peer until `at` and not a millisecond more, at whatever time it is asked.
#[track_caller]
fn assert_evicts_at(
    policy: impl EvictionPolicy + Clone + 'static,
    peer: &PeerView,
    swarm: &SwarmView,
    at: Time,
    why: Reason,
) {
    let asked_at = [s(0), s(1_000_000)].into_iter().chain(around(at));
    for now in asked_at {
        let eviction = policy.judge(peer, swarm, now).evict.expect("it should evict");
        assert_eq!((eviction.at, eviction.reason), (at, why), "asked at {now}");
    }
    let [before, due, _] = around(at);
    assert_eq!(evicted_by_scheduler(policy.clone(), peer, swarm, before), None);
    assert_eq!(evicted_by_scheduler(policy.clone(), peer, swarm, due), Some(why));
}

fn evicted_by_scheduler(
    policy: impl EvictionPolicy + 'static,
    peer: &PeerView,
    swarm: &SwarmView,
    now: Time,
) -> Option<Reason> {
    let mut watch = Watch::new(Arc::new(policy), swarm.clone());
    watch.insert((), peer.clone(), Time::ZERO);
    std::iter::from_fn(|| watch.poll(now)).find_map(|outcome| match outcome {
        Outcome::Evict { eviction, .. } => Some(eviction.reason),
        _ => None,
    })
}

#[track_caller]
fn assert_spares_at(policy: &dyn EvictionPolicy, peer: &PeerView, swarm: &SwarmView, at: Time) {
    for now in around(at) {
        assert_eq!(
            policy.judge(peer, swarm, now).spare.map(|spare| spare.at),
            Some(at),
            "asked at {now}"
        );
    }
}

#[track_caller]
fn assert_keeps(policy: &dyn EvictionPolicy, peer: &PeerView, swarm: &SwarmView) {
    for now in [s(0), s(60), s(61), s(1_000_000)] {
        let verdict = policy.judge(peer, swarm, now);
        assert_eq!((verdict.evict, verdict.spare), (None, None), "asked at {now}");
    }
}
