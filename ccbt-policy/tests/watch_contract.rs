//! When `Watch` asks its policy, and `Turnover` its ranking, and when they do not.

use std::sync::Arc;

use ccbt_policy::{
    Candidate, Eviction, Evidence, MockPolicy, MockRanking, Outcome, PeerView, Reason, Source,
    SwarmView, Time, Turnover, Verdict, Watch, Worth,
};
use mockall::predicate::{always, eq};

const NOW: Time = Time::from_secs(5);
const LATER: Time = Time::from_secs(65);

fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
}

fn eviction() -> Eviction {
    Eviction::new(LATER, Reason::new("test"))
}

fn watch(policy: MockPolicy) -> Watch<u8> {
    Watch::new(Arc::new(policy), SwarmView::new())
}

#[test]
fn it_asks_once_per_change_of_a_fact_and_not_for_a_note() {
    let mut policy = MockPolicy::new();
    policy.expect_judge().times(3).return_const(Verdict::keep());
    let mut watch = watch(policy);
    watch.insert(1, peer(), NOW);
    watch.insert(2, peer(), NOW);
    watch.update(1, NOW, |p| p.set_offered(NOW, 1));
    watch.note(1, |p| p.download_rate = 9);
    assert_eq!(watch.poll(LATER), None);
}

#[test]
fn it_asks_about_everybody_only_when_the_swarms_mode_changes() {
    let mut policy = MockPolicy::new();
    policy.expect_judge().with(always(), always(), eq(NOW)).times(2).return_const(Verdict::keep());
    policy
        .expect_judge()
        .with(always(), always(), eq(LATER))
        .times(2 * 5)
        .return_const(Verdict::keep());
    let mut watch = watch(policy);
    watch.insert(1, peer(), NOW);
    watch.insert(2, peer(), NOW);
    watch.update_swarm(LATER, |swarm| {
        (swarm.have, swarm.need, swarm.peers, swarm.limit, swarm.free_slots) = (1, 2, 3, 4, 5);
        (swarm.newcomers, swarm.endgame, swarm.median_worth) = (6, true, Some(7));
    });
    watch.update_swarm(LATER, |swarm| swarm.metadata_at = None);
    watch.update_swarm(LATER, |swarm| swarm.checked_at = None);
    watch.update_swarm(LATER, |swarm| swarm.upload_only_since = Some(NOW));
    watch.update_swarm(LATER, |swarm| swarm.private = true);
    watch.update_swarm(LATER, |swarm| swarm.crowded = true);
}

#[test]
fn it_asks_again_at_the_deadline_and_takes_that_answer() {
    let mut policy = MockPolicy::new();
    policy.expect_judge().withf(|_, _, now| *now < LATER).return_const(Verdict::evict(eviction()));
    policy
        .expect_judge()
        .with(always(), always(), eq(LATER))
        .times(1)
        .return_const(Verdict::keep());
    policy.expect_explain().times(1).returning(|_, _, _| Evidence::new("mock", "on notice"));
    let mut watch = watch(policy);
    watch.insert(1, peer(), NOW);
    assert!(matches!(watch.poll(NOW), Some(Outcome::Scheduled { .. })));
    let pardoned = Outcome::Pardoned {
        key: 1,
        eviction: eviction(),
        evidence: Evidence::new("mock", "on notice"),
    };
    assert_eq!(watch.poll(LATER), Some(pardoned));
    assert_eq!(watch.poll(LATER), None);
}

#[test]
fn it_wants_words_only_for_what_it_reports() {
    let mut policy = MockPolicy::new();
    policy
        .expect_judge()
        .return_const(Verdict { spare: Some(eviction()), ..Verdict::evict(eviction()) });
    policy
        .expect_explain()
        .with(always(), always(), eq(eviction()))
        .times(2)
        .returning(|_, _, _| Evidence::new("mock", "so"));
    let mut watch = watch(policy);
    watch.insert(1, peer(), NOW);
    for _ in 0..10 {
        watch.update(1, NOW, |p| p.in_flight += 1);
    }
    assert!(matches!(watch.poll(NOW), Some(Outcome::Scheduled { .. })));
    assert!(matches!(watch.poll(LATER), Some(Outcome::Evict { .. })));
    assert_eq!(watch.earliest_spare(LATER, |_, _| false), None);
}

#[test]
fn it_asks_no_more_about_a_peer_that_is_to_go() {
    let mut policy = MockPolicy::new();
    policy.expect_judge().times(2).return_const(Verdict::evict(eviction()));
    policy.expect_explain().returning(|_, _, _| Evidence::new("mock", "so"));
    let mut watch = watch(policy);
    watch.insert(1, peer(), LATER);
    assert!(matches!(watch.poll(LATER), Some(Outcome::Evict { .. })));
    watch.update(1, LATER, |p| p.in_flight = 1);
    watch.update_swarm(LATER, |swarm| swarm.crowded = true);
    watch.sweep(LATER);
    assert_eq!(watch.poll(LATER), None);
}

#[test]
fn a_turn_asks_once_about_each_peer_that_is_not_immune_and_each_candidate() {
    let mut ranking = MockRanking::new();
    ranking.expect_worth().times(2).returning(|peer, _, _| Worth::new(peer.download_rate));
    ranking.expect_promise().times(3).return_const(Worth::new(100));
    let peers = [20, 90, 0].map(|rate| peer().with(|p| p.download_rate = rate));
    let pinned = peers[2].clone().with(|p| p.pinned = true);
    let peers = [(1, &peers[0]), (2, &peers[1]), (3, &pinned)];
    let candidate = Candidate::new(([198, 51, 100, 1], 6881).into(), Source::Tracker);
    let swarm = SwarmView::new().with(|swarm| (swarm.peers, swarm.limit) = (50, 50));
    let candidates = vec![candidate; 3];
    let displaced = Turnover::default().choose(peers, &candidates, &swarm, LATER, &ranking);
    assert_eq!(displaced.iter().map(|displaced| displaced.key).collect::<Vec<_>>(), [1]);
}

#[test]
fn without_a_turn_no_ranking_is_asked() {
    let ranking = MockRanking::new();
    let candidate = Candidate::new(([198, 51, 100, 1], 6881).into(), Source::Tracker);
    let roomy = SwarmView::new().with(|swarm| (swarm.peers, swarm.limit) = (44, 50));
    let peer = peer();
    let choose = |candidates: &[Candidate], swarm: &SwarmView| {
        Turnover::default().choose([(1, &peer)], candidates, swarm, LATER, &ranking)
    };
    assert!(choose(&[candidate], &roomy).is_empty());
    assert!(choose(&[], &roomy.with(|swarm| swarm.peers = 50)).is_empty());
}
