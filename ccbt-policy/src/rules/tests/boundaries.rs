//! Each rule alone, at each of its numbers.

use super::*;

#[test]
fn a_mute_peer_goes_60_s_after_its_handshake() {
    let mute = peer().with(|p| p.fast = true);
    assert_evicts_at(
        BitfieldTimeout::default(),
        &mute,
        &leeching(),
        s(61),
        Reason::NO_AVAILABILITY,
    );
    assert_spares_at(&BitfieldTimeout::default(), &mute, &leeching(), s(3));
    let without_fast = peer();
    assert_evicts_at(
        BitfieldTimeout::default(),
        &without_fast,
        &leeching(),
        s(61),
        Reason::NO_AVAILABILITY,
    );
}

#[test]
fn the_bitfield_timeout_is_whatever_it_was_told() {
    for (timeout, at) in [(0, 1), (5, 6), (3_600, 3_601)] {
        let rule = BitfieldTimeout::new(Duration::from_secs(timeout));
        assert_evicts_at(rule, &peer(), &leeching(), s(at), Reason::NO_AVAILABILITY);
    }
    assert_eq!(BitfieldTimeout::new(Duration::MAX).judge(&peer(), &leeching(), s(9)).evict, None);
}

#[test]
fn chatter_moves_nothing() {
    let chatting = peer().with(|p| {
        p.extended = true;
        p.last_message_at = Some(s(59));
        p.set_peer_choking(s(30), false);
        p.set_am_interested(s(31), true);
    });
    assert_evicts_at(
        BitfieldTimeout::default(),
        &chatting,
        &leeching(),
        s(61),
        Reason::NO_AVAILABILITY,
    );
}

#[test]
fn a_peer_without_needed_pieces_goes_10_s_after_it_said_so() {
    let peer = without_needed_piece();
    assert_evicts_at(NoInterest::default(), &peer, &leeching(), s(12), Reason::NO_INTEREST);
    assert_spares_at(&NoInterest::default(), &peer, &leeching(), s(4));
    assert!(NoInterest::default().judge(&peer, &leeching(), s(2)).lose_interest);
}

#[test]
fn a_needed_piece_keeps_the_peer() {
    let peer = without_needed_piece().with(|p| p.set_wanted(s(5), 1));
    assert_keeps(&PolicySet::standard(), &peer, &leeching());
    assert!(!PolicySet::standard().judge(&peer, &leeching(), s(5)).lose_interest);
}

#[test]
fn no_interest_leaves_those_that_once_were_wanted_to_health() {
    let peer = useless_from(s(20));
    assert_keeps(&NoInterest::default(), &peer, &leeching());
    assert_keeps(&Health::default(), &without_needed_piece(), &leeching());
    assert!(Health::default().judge(&peer, &leeching(), s(20)).lose_interest);
}

#[test]
fn health_closes_at_the_first_check_after_the_grace() {
    // Checks are at 31, 61, 91, ... s.
    for (useless_at, check) in
        [(3_000, 61), (30_999, 61), (31_000, 61), (31_001, 91), (61_000, 91), (61_001, 121)]
    {
        let peer = useless_from(ms(useless_at));
        assert_evicts_at(Health::default(), &peer, &leeching(), s(check), Reason::BECAME_USELESS);
        assert_spares_at(&Health::default(), &peer, &leeching(), ms(useless_at + 2_000));
    }
}

#[test]
fn a_check_is_hit_to_the_microsecond() {
    let rule = Health::default();
    let evict_at =
        |useless_at| rule.judge(&useless_from(useless_at), &leeching(), s(0)).evict.unwrap().at;
    assert_eq!(evict_at(Time::from_micros(31_000_000)), s(61));
    assert_eq!(evict_at(Time::from_micros(31_000_001)), s(91));
}

#[test]
fn health_without_grace_still_waits_for_its_first_check() {
    let rule = Health::new(Duration::from_secs(30), Duration::ZERO).unwrap();
    assert_evicts_at(rule, &useless_from(s(2)), &leeching(), s(31), Reason::BECAME_USELESS);
    assert_evicts_at(rule, &useless_from(s(31)), &leeching(), s(31), Reason::BECAME_USELESS);
}

#[test]
fn health_needs_a_period() {
    let grace = Duration::from_secs(1);
    assert_eq!(Health::new(Duration::ZERO, grace), Err(ZeroPeriod));
    assert_eq!(Health::new(Duration::from_nanos(999), grace), Err(ZeroPeriod));
    assert!(Health::new(Duration::from_micros(1), grace).is_ok());
}

#[test]
fn a_deadline_beyond_the_end_of_time_never_comes() {
    let rules: [&dyn EvictionPolicy; 4] = [
        &NoInterest::new(Duration::MAX),
        &Health::new(Duration::from_secs(1), Duration::MAX).unwrap(),
        &Health::new(Duration::MAX, Duration::ZERO).unwrap(),
        &Redundant::new(Duration::MAX),
    ];
    let complete = leeching().with(|swarm| swarm.upload_only_since = Some(s(5)));
    let seed = peer().with(|p| p.set_availability(s(2), Availability::All));
    for rule in rules {
        for peer in [without_needed_piece(), useless_from(s(20)), seed.clone()] {
            assert_eq!(rule.judge(&peer, &leeching(), s(9)).evict, None);
            assert_eq!(rule.judge(&peer, &complete, s(9)).evict, None);
        }
    }
}

#[test]
fn one_sided_rules_ask_nothing_of_the_peers_interest() {
    let interested = |p: &mut PeerView| {
        p.set_offered(s(2), 9);
        p.set_peer_interested(s(2), true);
    };
    let never_wanted = without_needed_piece().with(interested);
    assert_keeps(&NoInterest::default(), &never_wanted, &leeching());
    assert_evicts_at(
        NoInterest::default().one_sided(),
        &never_wanted,
        &leeching(),
        s(12),
        Reason::NO_INTEREST,
    );
    let was_wanted = useless_from(s(20)).with(interested);
    assert_keeps(&Health::default(), &was_wanted, &leeching());
    assert_evicts_at(
        Health::default().one_sided(),
        &was_wanted,
        &leeching(),
        s(61),
        Reason::BECAME_USELESS,
    );
}

#[test]
fn a_delay_gives_redundant_peers_time() {
    let complete = leeching().with(|swarm| swarm.upload_only_since = Some(s(50)));
    let seed = peer().with(|p| p.set_availability(s(2), Availability::All));
    assert_evicts_at(Redundant::default(), &seed, &complete, s(50), Reason::REDUNDANT);
    assert_evicts_at(
        Redundant::new(Duration::from_secs(30)),
        &seed,
        &complete,
        s(80),
        Reason::REDUNDANT,
    );
}
