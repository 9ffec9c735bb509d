use super::*;
use crate::{Availability, Source};

const NOW: Time = Time::from_secs(1_000);

fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
}

fn candidate() -> Candidate {
    Candidate::new(([192, 0, 2, 2], 6881).into(), Source::Tracker)
}

fn crowded(peers: u32) -> SwarmView {
    SwarmView::new().with(|s| (s.peers, s.limit, s.need) = (peers, peers, 100))
}

fn complete() -> SwarmView {
    crowded(100).with(|s| s.upload_only_since = Some(Time::ZERO))
}

fn worth(swarm: &SwarmView, change: impl FnOnce(&mut PeerView)) -> u64 {
    ByExchange.worth(&peer().with(change), swarm, NOW).get()
}

fn promise(swarm: &SwarmView, change: impl FnOnce(&mut Candidate)) -> u64 {
    ByExchange.promise(&candidate().with(change), swarm).get()
}

/// Old peers of that worth each, by place.
fn with_rates(rates: impl IntoIterator<Item = u64>) -> Vec<PeerView> {
    rates.into_iter().map(|rate| peer().with(|p| p.download_rate = rate)).collect()
}

fn chosen(
    turnover: Turnover,
    peers: &[PeerView],
    candidates: &[Candidate],
    swarm: &SwarmView,
) -> Vec<usize> {
    let median = median_worth(peers, swarm, NOW, &ByExchange).map(Worth::get);
    let swarm = swarm.clone().with(|s| s.median_worth = median);
    let displaced = turnover.choose(peers.iter().enumerate(), candidates, &swarm, NOW, &ByExchange);
    displaced.into_iter().map(|d| d.key).collect()
}

#[test]
fn what_goes_back_and_forth_counts_by_what_we_are_after() {
    let both = |p: &mut PeerView| (p.download_rate, p.upload_rate) = (1_000, 400);
    assert_eq!((worth(&crowded(9), both), worth(&complete(), both)), (1_100, 400));
}

#[test]
fn a_pause_does_not_undo_what_was_given_and_a_snub_does() {
    let gave = |p: &mut PeerView| p.downloaded = 2_000_000;
    assert_eq!(worth(&crowded(9), gave), 1_000);
    assert_eq!(worth(&crowded(9), |p| (p.downloaded, p.snubbed_since) = (2_000_000, Some(NOW))), 0);
}

#[test]
fn needed_pieces_count_by_share_choke_and_rarity() {
    let has = |wanted, choking, sole_holder| {
        worth(&crowded(9), |p| {
            (p.wanted, p.peer_choking, p.sole_holder) = (wanted, choking, sole_holder)
        })
    };
    assert_eq!((has(100, true, false), has(100, false, false)), (1_024, 4_096));
    assert_eq!((has(50, false, false), has(50, false, true)), (2_048, 8_192));
    assert_eq!(has(u32::MAX, false, false), 4_096, "whatever the swarm believes to need");
}

#[test]
fn distrust_halves_and_harm_voids() {
    let rate = |p: &mut PeerView| p.download_rate = 1_000;
    assert_eq!(
        worth(&crowded(9), |p| {
            rate(p);
            p.trust = -1
        }),
        500
    );
    assert_eq!(
        worth(&crowded(9), |p| {
            rate(p);
            p.proven_liar = true
        }),
        0
    );
    assert_eq!(
        worth(&crowded(9), |p| {
            rate(p);
            p.flood = true
        }),
        0
    );
}

#[test]
fn who_takes_from_us_is_worth_more_than_who_does_not() {
    let takes =
        |p: &mut PeerView| (p.offered, p.unoffered_since, p.peer_interested) = (5, None, true);
    assert!(worth(&crowded(9), takes) > worth(&crowded(9), |_| ()));
}

#[test]
fn a_candidate_promises_what_is_ordinary_and_its_past_counts() {
    let swarm = crowded(9).with(|s| s.median_worth = Some(8_000));
    assert_eq!(promise(&swarm, |_| ()), 8_000);
    assert_eq!(promise(&swarm, |c| c.past.downloaded = 1), 16_000);
    assert_eq!(promise(&swarm, |c| c.seed = true), 10_000);
    assert_eq!(promise(&swarm, |c| (c.failures, c.past.evictions) = (1, 2)), 1_000);
    assert_eq!(promise(&swarm, |c| c.failures = u32::MAX), 0);
    assert_eq!(promise(&complete(), |c| c.seed = true), 0);
    assert_eq!(promise(&crowded(9).with(|s| s.median_worth = Some(0)), |_| ()), 4_096);
    assert_eq!(promise(&crowded(9), |_| ()), 4_096);
}

#[test]
fn no_number_overflows() {
    let most = |p: &mut PeerView| {
        (p.download_rate, p.upload_rate, p.downloaded, p.uploaded) =
            (u64::MAX, u64::MAX, u64::MAX, u64::MAX);
        (p.wanted, p.sole_holder, p.peer_choking) = (u32::MAX, true, false);
    };
    assert_eq!(worth(&crowded(9), most), u64::MAX);
    let swarm = crowded(9).with(|s| s.median_worth = Some(u64::MAX));
    assert_eq!(promise(&swarm, |c| (c.seed, c.past.downloaded) = (true, 1)), u64::MAX);
    assert!(!Worth::MAX.exceeds(u32::MAX, Worth::MAX) && Worth::MAX.exceeds(u32::MAX, Worth::ZERO));
    assert!(LikeLibtorrent.worth(&peer().with(most), &swarm, NOW) < Worth::MAX);
}

#[test]
fn only_a_clear_gain_displaces() {
    let rule = Turnover { share: 100, ..Turnover::default() };
    let peers = with_rates([1_999, 2_000, 8_000, 8_000, 8_000, 8_000, 9_000, 9_000]);
    let candidates = vec![candidate(); 8];
    assert_eq!(chosen(rule, &peers, &candidates, &crowded(8)), [0]);
}

#[test]
fn the_most_promising_candidate_comes_for_the_worst_peer() {
    let rule = Turnover { share: 100, ..Turnover::default() };
    let peers = with_rates([1_500, 2_500, 8_000, 8_000, 8_000, 8_000, 8_000]);
    let hopeless = candidate().with(|c| c.failures = 9);
    let known = candidate().with(|c| c.past.downloaded = 1);
    let candidates = [hopeless.clone(), candidate(), hopeless, known];
    let swarm = crowded(7).with(|s| s.median_worth = Some(8_000));
    let displaced = rule.choose(peers.iter().enumerate(), &candidates, &swarm, NOW, &ByExchange);
    let pairs: Vec<_> = displaced.iter().map(|d| (d.key, d.promise.get())).collect();
    assert_eq!(pairs, [(0, 16_000)], "8,000 for 2,500 would be no clear gain");
}

#[test]
fn equal_peers_and_candidates_never_churn() {
    for rate in [1, 8_000, u64::MAX] {
        let peers = with_rates([rate; 20]);
        assert_eq!(chosen(Turnover::default(), &peers, &[candidate()], &crowded(20)), [], "{rate}");
    }
}

#[test]
fn where_all_are_worth_nothing_anybody_promises_more() {
    let peers = with_rates([0; 20]);
    assert_eq!(chosen(Turnover::default(), &peers, &[candidate()], &crowded(20)), [0]);
}

#[test]
fn a_turn_takes_no_more_than_its_share_and_always_one() {
    let peers = |n| with_rates((0..n).map(|nth| if nth < n / 2 { nth } else { 1_000_000 }));
    let candidates = vec![candidate(); 60];
    for (n, gone) in [(100, 4), (24, 1), (26, 1), (50, 2), (200, 8)] {
        let displaced = chosen(Turnover::default(), &peers(n.into()), &candidates, &crowded(n));
        assert_eq!(displaced, (0..gone).collect::<Vec<_>>(), "of {n}, the worst first");
    }
    let two = &candidates[..2];
    assert_eq!(chosen(Turnover::default(), &peers(100), two, &crowded(100)).len(), 2);
    assert_eq!(
        chosen(Turnover { share: 0, ..Turnover::default() }, &peers(100), two, &crowded(100)),
        []
    );
}

#[test]
fn there_are_turns_only_from_90_percent_on_and_with_more_than_five_slots() {
    let peers = with_rates((0..90).map(|nth| if nth < 40 { 0 } else { 9_000 }));
    let swarm = |peers, limit| crowded(100).with(|s| (s.peers, s.limit) = (peers, limit));
    let any = |swarm| !chosen(Turnover::default(), &peers, &[candidate()], &swarm).is_empty();
    assert_eq!([any(swarm(89, 100)), any(swarm(90, 100))], [false, true]);
    assert_eq!([any(swarm(5, 5)), any(swarm(6, 6))], [false, true]);
    assert!(chosen(Turnover::default(), &peers, &[], &swarm(100, 100)).is_empty());
}

#[test]
fn a_displacement_says_what_it_was_for() {
    let displaced = Displaced { key: 7, worth: Worth::new(20), promise: Worth::new(9_000) };
    let evidence = displaced.evidence(&ByExchange);
    assert_eq!(evidence.policy, "by-exchange");
    assert_eq!(evidence.text, "worth 20, a candidate promises 9000");
    let eviction = displaced.eviction(NOW);
    assert_eq!((eviction.at, eviction.reason), (NOW, crate::Reason::OUTRANKED));
    assert_eq!(eviction.cooldown.wait(1).as_secs(), 300);
}

#[test]
fn the_immune_go_last_when_a_limit_is_lowered() {
    let mut peers = with_rates([5, 1, 3, 0]);
    peers[3].pinned = true;
    let gone = |count| worst_first(peers.iter().enumerate(), count, &crowded(4), NOW, &ByExchange);
    assert_eq!((gone(2), gone(9)), (vec![1, 2], vec![1, 2, 0, 3]));
}

#[test]
fn the_median_is_the_lesser_of_two_in_the_middle() {
    let median = |rates: &[u64]| {
        let peers = with_rates(rates.iter().copied());
        median_worth(&peers, &crowded(9), NOW, &ByExchange).map(Worth::get)
    };
    assert_eq!(
        [median(&[]), median(&[7]), median(&[9, 1]), median(&[3, 1, 2])],
        [None, Some(7), Some(1), Some(2)]
    );
}

#[test]
fn libtorrents_order_is_kept() {
    let from_worst: [fn(&mut PeerView); 7] = [
        |p| (p.downloaded, p.peer_choking) = (9_000_000, false),
        |p| p.wanted = 1,
        |p| (p.wanted, p.last_message_at) = (1, Some(Time::from_secs(990))),
        |p| (p.wanted, p.peer_choking) = (1, false),
        |p| (p.wanted, p.downloaded) = (1, 5_000),
        |p| (p.wanted, p.availability, p.trust) = (1, Availability::All, -1),
        |p| (p.wanted, p.availability) = (1, Availability::All),
    ];
    let worths =
        from_worst.map(|change| LikeLibtorrent.worth(&peer().with(change), &crowded(9), NOW));
    assert!(worths.is_sorted() && worths.windows(2).all(|pair| pair[0] < pair[1]), "{worths:?}");
    assert_eq!(LikeLibtorrent.promise(&candidate(), &crowded(9)), Worth::MAX);
}

#[test]
fn pointers_to_a_ranking_are_rankings() {
    let boxed: Box<dyn Ranking> = Box::new(&ByExchange);
    let shared: Arc<dyn Ranking> = Arc::new(boxed);
    let rate = peer().with(|p| p.download_rate = 9);
    assert_eq!(Ranking::worth(&shared, &rate, &crowded(9), NOW), Worth::new(9));
    assert_eq!(Ranking::promise(&shared, &candidate(), &crowded(9)), Worth::new(4_096));
    assert_eq!(Ranking::name(&shared), "by-exchange");
}
