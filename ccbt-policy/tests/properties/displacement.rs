use std::collections::BTreeSet;

use ccbt_policy::{
    ByExchange, Candidate, LikeLibtorrent, PeerView, Ranking, Source, SwarmView, Time, Turnover,
    Worth, median_worth, worst_first,
};
use proptest::prelude::*;

use crate::facts::views;

fn rankings() -> impl Strategy<Value = &'static dyn Ranking> {
    let ranking: [&'static dyn Ranking; 2] = [&ByExchange, &LikeLibtorrent];
    prop::sample::select(ranking.to_vec())
}

fn peers() -> impl Strategy<Value = Vec<PeerView>> {
    let rate = prop_oneof![Just(0), 0..100_000_u64, Just(u64::MAX)];
    let marks = any::<(bool, bool, bool)>().prop_map(|(a, b, c)| (a && b, b && c, a && c));
    let peer = (views(), rate.clone(), rate, marks).prop_map(|((peer, _), down, up, marks)| {
        peer.with(|peer| {
            (peer.download_rate, peer.upload_rate) = (down, up);
            (peer.pinned, peer.optimistic, peer.sole_holder) = marks;
        })
    });
    prop::collection::vec(peer, 0..16)
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let candidate = (any::<(bool, u64)>(), 0..4_u32, 0..4_u32).prop_map(
        |((seed, downloaded), failures, evictions)| {
            Candidate::new(([198, 51, 100, 1], 6881).into(), Source::Dht).with(|candidate| {
                (candidate.seed, candidate.failures) = (seed, failures);
                (candidate.past.downloaded, candidate.past.evictions) = (downloaded, evictions);
            })
        },
    );
    prop::collection::vec(candidate, 0..10)
}

fn turnovers() -> impl Strategy<Value = Turnover> {
    (0..120_u32, 0..110_u32, prop_oneof![Just(0), 100..1_000_u32]).prop_map(
        |(share, threshold, gain)| Turnover { share, threshold, gain, ..Turnover::default() },
    )
}

/// A swarm of as many peers, at any time of the first half hour.
fn swarm_of(peers: &[PeerView], limit: u32, now: Time, ranking: &dyn Ranking) -> SwarmView {
    SwarmView::new().with(|swarm| {
        (swarm.peers, swarm.limit, swarm.need) =
            (u32::try_from(peers.len()).unwrap_or(u32::MAX), limit, 9);
        swarm.median_worth = median_worth(peers, swarm, now, ranking).map(Worth::get);
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nobody_immune_is_displaced_and_never_more_than_candidates_or_the_share(
        peers in peers(),
        candidates in candidates(),
        turnover in turnovers(),
        ranking in rankings(),
        limit in 0..50_u32,
        now in 0..2_000_000_000_u64,
    ) {
        let now = Time::from_micros(now);
        let swarm = swarm_of(&peers, limit, now, ranking);
        let chosen = turnover.choose(peers.iter().enumerate(), &candidates, &swarm, now, ranking);
        prop_assert!(chosen.len() <= candidates.len());
        let share = peers.len() * usize::try_from(turnover.share).unwrap_or(usize::MAX) / 100;
        prop_assert!(chosen.len() <= share.max(1));
        let keys: BTreeSet<usize> = chosen.iter().map(|displaced| displaced.key).collect();
        prop_assert_eq!(keys.len(), chosen.len(), "each once");
        let least_kept = peers.iter().enumerate()
            .filter(|(key, peer)| !keys.contains(key) && !peer.is_immune(now, None))
            .map(|(_, peer)| ranking.worth(peer, &swarm, now))
            .min();
        for displaced in &chosen {
            let peer = &peers[displaced.key];
            prop_assert!(!peer.is_immune(now, None), "{:?}", peer);
            prop_assert_eq!(displaced.worth, ranking.worth(peer, &swarm, now));
            prop_assert!(displaced.promise.exceeds(turnover.gain, displaced.worth), "a clear gain");
            prop_assert!(least_kept.is_none_or(|kept| displaced.worth <= kept), "the worst go");
        }
    }

    #[test]
    fn whom_it_displaces_does_not_depend_on_the_order_of_peers_and_candidates(
        (peers, shuffled) in peers().prop_flat_map(|p| {
            let numbered: Vec<_> = p.into_iter().enumerate().collect();
            (Just(numbered.clone()), Just(numbered).prop_shuffle())
        }),
        (candidates, others) in candidates().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
        ranking in rankings(),
    ) {
        let now = Time::from_secs(1_000);
        let views: Vec<_> = peers.iter().map(|(_, peer)| peer.clone()).collect();
        let swarm = swarm_of(&views, 6, now, ranking);
        let choose = |peers: &[(usize, PeerView)], candidates: &[Candidate]| {
            let peers = peers.iter().map(|(key, peer)| (*key, peer));
            Turnover::default().choose(peers, candidates, &swarm, now, ranking)
        };
        prop_assert_eq!(choose(&peers, &candidates), choose(&shuffled, &others));
    }

    #[test]
    fn equal_peers_never_churn_for_unknown_candidates(
        (peer, _) in views(),
        rate in 1..u64::MAX,
        count in 6..20_usize,
        minutes in 1..600_u64,
    ) {
        let now = peer.connected_at + std::time::Duration::from_secs(60 * minutes);
        let peers = vec![peer.with(|peer| peer.download_rate = rate); count];
        let swarm = swarm_of(&peers, 6, now, &ByExchange);
        let worth = ByExchange.worth(&peers[0], &swarm, now);
        let candidate = Candidate::new(([198, 51, 100, 1], 6881).into(), Source::Tracker);
        let chosen = Turnover::default().choose(peers.iter().enumerate(), &[candidate], &swarm, now, &ByExchange);
        // One whose trust is halved to nothing is worth nothing, and anybody promises more.
        prop_assert!(worth == Worth::ZERO || chosen.is_empty());
    }

    #[test]
    fn as_many_go_as_are_too_many_and_no_immune_before_another(
        peers in peers(),
        count in 0..20_usize,
        ranking in rankings(),
    ) {
        let now = Time::from_secs(600);
        let swarm = swarm_of(&peers, 6, now, ranking);
        let gone = worst_first(peers.iter().enumerate(), count, &swarm, now, ranking);
        prop_assert_eq!(gone.len(), count.min(peers.len()));
        let immune: Vec<bool> = gone.iter().map(|&key| peers[key].is_immune(now, None)).collect();
        prop_assert!(immune.is_sorted());
        let fair = peers.iter().filter(|peer| !peer.is_immune(now, None)).count();
        prop_assert!(!immune.contains(&true) || count > fair);
    }
}
