//! Rules about what goes back and forth, or does not.

use super::*;

/// A seed that we are interested in since 2 s and that chokes us.
fn choking_seed() -> PeerView {
    peer().with(|p| {
        p.set_availability(s(2), Availability::All);
        p.set_wanted(s(2), 100);
        p.set_am_interested(s(2), true);
    })
}

fn complete() -> SwarmView {
    leeching().with(|swarm| swarm.upload_only_since = Some(s(5)))
}

#[test]
fn who_starves_us_goes_after_180_s() {
    let rule = Starved::default();
    assert_evicts_at(rule, &choking_seed(), &leeching(), s(182), Reason::STARVED);
    let choked_again = choking_seed().with(|p| {
        p.set_peer_choking(s(20), false);
        p.set_peer_choking(s(30), true);
    });
    assert_evicts_at(rule, &choked_again, &leeching(), s(210), Reason::STARVED);
}

#[test]
fn who_served_us_may_starve_us_for_600_s() {
    let rule = Starved::default();
    let served = choking_seed().with(|p| (p.downloaded, p.last_block_at) = (1, Some(s(50))));
    assert_evicts_at(rule, &served, &leeching(), s(650), Reason::STARVED);
    let served_before = choking_seed().with(|p| p.past.downloaded = 1);
    assert_evicts_at(rule, &served_before, &leeching(), s(602), Reason::STARVED);
}

#[test]
fn nobody_starves_us_who_does_not_choke_us_or_has_nothing() {
    let rule = Starved::default();
    assert_keeps(&rule, &choking_seed().with(|p| p.set_peer_choking(s(9), false)), &leeching());
    assert_keeps(&rule, &choking_seed().with(|p| p.set_wanted(s(9), 0)), &leeching());
    assert_keeps(&rule, &choking_seed().with(|p| p.set_am_interested(s(9), false)), &leeching());
}

#[test]
fn a_snub_of_120_s_is_enough() {
    let snubbing = choking_seed().with(|p| p.snubbed_since = Some(s(40)));
    assert_evicts_at(Snubbed::default(), &snubbing, &leeching(), s(160), Reason::SNUBBED);
    assert_keeps(&Snubbed::default(), &choking_seed(), &leeching());
}

#[test]
fn an_unchoked_peer_that_requests_nothing_goes_60_s_after_the_last_of_its_chances() {
    let allowed = peer().with(|p| {
        p.set_am_choking(s(10), false);
        p.set_peer_interested(s(3), true);
    });
    let rule = NoRequest::default();
    assert_evicts_at(rule, &allowed, &complete(), s(70), Reason::NO_REQUEST);
    for (change, at) in [
        ((|p| p.last_request_at = Some(s(30))) as fn(&mut PeerView), s(90)),
        (|p| p.last_upload_at = Some(s(43)), s(103)),
        (|p| p.set_peer_interested(s(1), true), s(70)),
        (|p| p.last_request_at = Some(s(4)), s(70)),
    ] {
        let peer = allowed.clone().with(change);
        assert_evicts_at(rule, &peer, &complete(), at, Reason::NO_REQUEST);
    }
    let late = leeching().with(|swarm| swarm.upload_only_since = Some(s(100)));
    assert_evicts_at(rule, &allowed, &late, s(160), Reason::NO_REQUEST);
}

#[test]
fn no_request_is_about_unchoked_interested_peers_of_a_complete_client() {
    let allowed = peer().with(|p| {
        p.set_am_choking(s(10), false);
        p.set_peer_interested(s(3), true);
    });
    let rule = NoRequest::default();
    assert_keeps(&rule, &allowed, &leeching());
    assert_keeps(&rule, &allowed.clone().with(|p| p.set_am_choking(s(11), true)), &complete());
    assert_keeps(&rule, &allowed.with(|p| p.set_peer_interested(s(11), false)), &complete());
}

#[test]
fn idle_waits_the_shorter_the_more_slots_are_taken() {
    let rule = Idle::default();
    for (peers, limit, wait) in
        [(0, 50, 300), (9, 50, 252), (45, 50, 60), (50, 50, 60), (99, 50, 60), (3, 0, 300)]
    {
        let swarm = leeching().with(|swarm| (swarm.peers, swarm.limit) = (peers, limit));
        assert_evicts_at(rule, &choking_seed(), &swarm, s(1 + wait), Reason::IDLE);
    }
    let full = leeching().with(|swarm| (swarm.peers, swarm.limit) = (50, 50));
    let busy = choking_seed().with(|p| {
        p.last_block_at = Some(s(20));
        p.last_upload_at = Some(s(25));
    });
    assert_evicts_at(rule, &busy, &full, s(85), Reason::IDLE);
    let strange = Idle::new(Duration::from_secs(5), Duration::from_secs(50));
    assert_evicts_at(strange, &peer(), &full, s(6), Reason::IDLE);
}

#[test]
fn idle_looks_again_while_slots_may_fill() {
    let rule = Idle::default();
    let again = |now| rule.judge(&peer(), &leeching(), now).look_again;
    assert_eq!(
        [s(1), s(61), s(100), s(290)].map(again),
        [Some(s(71)), Some(s(71)), Some(s(110)), Some(s(300))]
    );
    assert_eq!(again(s(291)), None);
    let full = leeching().with(|swarm| (swarm.peers, swarm.limit) = (50, 50));
    assert_eq!(rule.judge(&peer(), &full, s(1)).look_again, None);
}

#[test]
fn inactive_takes_30_s_without_any_interest_and_60_s_with() {
    let rule = Inactive::default();
    assert_evicts_at(rule, &without_needed_piece(), &leeching(), s(31), Reason::INACTIVE);
    assert!(rule.judge(&without_needed_piece(), &leeching(), s(2)).lose_interest);
    assert_evicts_at(rule, &choking_seed(), &leeching(), s(61), Reason::INACTIVE);
    let requesting = peer().with(|p| {
        p.set_peer_interested(s(2), true);
        p.last_request_at = Some(s(9));
    });
    assert_evicts_at(rule, &requesting, &complete(), s(69), Reason::INACTIVE);
    let giving = choking_seed().with(|p| p.last_block_at = Some(s(9)));
    assert_evicts_at(rule, &giving, &leeching(), s(69), Reason::INACTIVE);
    let taking = choking_seed().with(|p| p.last_upload_at = Some(s(9)));
    assert_evicts_at(rule, &taking, &leeching(), s(61), Reason::INACTIVE);
    let magnet = leeching().with(|swarm| swarm.metadata_at = None);
    assert_keeps(&rule, &peer(), &magnet);
}

#[test]
fn a_rule_about_exchange_may_wait_for_ever() {
    let rules: [&dyn EvictionPolicy; 7] = [
        &Starved::new(Duration::MAX, Duration::MAX),
        &Snubbed::new(Duration::MAX),
        &NoRequest::new(Duration::MAX),
        &Idle::new(Duration::MAX, Duration::MAX),
        &Inactive::new(Duration::MAX, Duration::MAX),
        &NoMutualInterest::new(Duration::MAX).growing(),
        &TakesOnly::new(Duration::MAX),
    ];
    let allowed = choking_seed().with(|p| {
        p.set_am_choking(s(10), false);
        p.set_peer_interested(s(3), true);
        p.snubbed_since = Some(s(3));
    });
    let taker = without_needed_piece().with(|p| p.set_peer_interested(s(2), true));
    for rule in rules {
        for peer in [&allowed, &choking_seed(), &without_needed_piece(), &taker] {
            assert_keeps(rule, peer, &complete());
            assert_keeps(rule, peer, &leeching());
        }
    }
}
