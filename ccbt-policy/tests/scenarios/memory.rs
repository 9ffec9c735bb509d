//! 53 to 58: what is remembered, what is only tried, and that the same is done twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use ccbt_policy::{
    Availability, Clears, DryRun, EvictionPolicy, Outcome, PeerView, Reason, SwarmView, Time, Watch,
};

use crate::scene::{Scene, s, under};

#[test]
fn s53_a_redundant_peer_waits_30_minutes_or_until_the_cause_is_gone() {
    under(&["standard", "balanced", "libtorrent", "transmission", "aria2"], |scene| {
        scene.swarm(s(0), |swarm| swarm.upload_only_since = Some(s(0)));
        scene.connect(1, s(0), |peer| peer.set_availability(s(0), Availability::All));
        scene.until(s(30));
        let cooldown = scene.gone[0].cooldown;
        assert_eq!(cooldown.clears, Clears::ModeChanged);
        assert_eq!([1, 2, 9].map(|times| cooldown.wait(times).as_secs()), [1_800; 3]);
    });
    under(&["balanced", "libtorrent"], |scene| {
        scene.connect(1, s(0), |peer| {
            peer.metadata_done = true;
            peer.set_availability(s(0), Availability::Some);
            peer.upload_only_since = Some(s(0));
        });
        scene.until(s(30));
        let cooldown = scene.gone[0].cooldown;
        assert_eq!((cooldown.clears, cooldown.wait(1).as_secs()), (Clears::WantedGrew, 1_800));
    });
}

#[test]
fn s54_a_peer_of_no_interest_waits_2_minutes_and_at_most_15_until_we_want_more() {
    under(&["strict", "libtorrent"], |scene| {
        scene.swarm(s(0), |swarm| swarm.free_slots = 0);
        scene.connect(1, s(0), |peer| peer.set_availability(s(0), Availability::None));
        scene.until(s(600));
        let cooldown = scene.gone[0].cooldown;
        assert_eq!(cooldown.clears, Clears::WantedGrew);
        let waits = [1, 2, 3, 4, 40].map(|times| cooldown.wait(times).as_secs() / 60);
        assert_eq!(waits, [2, 4, 8, 15, 15]);
    });
    under(&["standard", "seed"], |scene| {
        scene.connect(1, s(0), |peer| peer.set_availability(s(0), Availability::None));
        scene.until(s(600));
        let cooldown = scene.gone[0].cooldown;
        assert_eq!(cooldown.clears, Clears::WantedGrew);
        let waits = [1, 2, 3, 7, 40].map(|times| cooldown.wait(times).as_secs());
        assert_eq!(waits, [60, 120, 240, 3_600, 3_600]);
    });
}

/// A busy swarm of 60 peers of all kinds, told as changes of facts; `change` is called with the
/// peer, the time and what to do.
fn trace(mut change: impl FnMut(u32, Time, &dyn Fn(&mut PeerView))) {
    for at in 1..400 {
        let (key, now) = (at * 7 % 60, s(at.into()));
        change(key, now, &|peer| match (at * 13 + key) % 8 {
            0 => peer.set_availability(now, Availability::None),
            1 => {
                peer.set_availability(now, Availability::Some);
                peer.set_wanted(now, 2);
            }
            2 if peer.availability.is_known() => peer.set_wanted(now, 0),
            3 => peer.set_peer_interested(now, at % 2 == 0),
            4 => peer.set_offered(now, at % 3),
            5 => peer.set_peer_choking(now, at % 2 == 0),
            6 => peer.consecutive_rejects += 30,
            _ => peer.last_request_at = Some(now),
        });
    }
}

/// Who went, or would have: when and why.
type Losses = Vec<(Time, Reason)>;

fn counters(outcomes: &[(Time, Reason)]) -> BTreeMap<&'static str, usize> {
    outcomes.iter().fold(BTreeMap::new(), |mut counters, (_, reason)| {
        *counters.entry(reason.as_str()).or_default() += 1;
        counters
    })
}

/// What becomes of the trace under `policy`: who was closed, and who would have been. A peer that
/// would have been closed is watched no longer, so that both forms see the same.
fn played(policy: Arc<dyn EvictionPolicy>) -> (Losses, Losses) {
    let mut watch =
        Watch::new(policy, SwarmView::new().with(|swarm| (swarm.have, swarm.need) = (9, 9)));
    for key in 0..60 {
        let fast = key % 2 == 0;
        let peer = PeerView::new(([192, 0, 2, 1], 6881).into(), s(0)).with(|peer| peer.fast = fast);
        watch.insert(key, peer, s(0));
    }
    let (mut closed, mut shadows) = (Vec::new(), Vec::new());
    let mut start = s(0);
    let mut catch_up = |watch: &mut Watch<u32>, now| {
        while let Some(at) = watch.next_deadline().filter(|&at| at <= now) {
            let at = at.max(start);
            while let Some(outcome) = watch.poll(at) {
                let (list, eviction) = match &outcome {
                    Outcome::Evict { eviction, .. } => (&mut closed, eviction),
                    Outcome::Shadow { eviction, .. } => (&mut shadows, eviction),
                    _ => continue,
                };
                list.push((at, eviction.reason));
                watch.remove(outcome.key());
            }
        }
        start = now;
    };
    trace(|key, now, change| {
        catch_up(&mut watch, now);
        watch.update(key, now, change);
    });
    catch_up(&mut watch, s(10_000));
    (closed, shadows)
}

#[test]
fn s56_a_dry_run_closes_nobody_and_counts_the_same_reasons() {
    under(
        &["standard", "seed", "balanced", "strict", "libtorrent", "transmission", "aria2"],
        |scene| {
            let (closed, none) = played(Arc::new(scene.selection.build()));
            let (nobody, shadows) = played(Arc::new(DryRun::new(scene.selection.build())));
            assert_eq!((nobody, none), (vec![], vec![]));
            assert!(!closed.is_empty());
            assert_eq!(counters(&shadows), counters(&closed));
            assert_eq!(shadows, closed);
        },
    );
}

#[test]
fn s57_the_same_trace_gives_the_same_decisions() {
    under(&["standard", "balanced", "strict"], |scene| {
        let policy: Arc<dyn EvictionPolicy> = Arc::new(scene.selection.build());
        assert_eq!(played(policy.clone()), played(policy));
        assert_eq!(played(Arc::new(Scene::new("off").selection.build())), (vec![], vec![]));
    });
}
