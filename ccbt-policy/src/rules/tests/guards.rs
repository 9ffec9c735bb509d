//! The nine guards: no peer that keeps to the BEPs and is of use to either side is lost.

use super::*;
use crate::Clears;

fn complete_since(at: Time) -> SwarmView {
    leeching().with(|swarm| swarm.upload_only_since = Some(at))
}

/// Interested since 2 s in the 9 pieces that we offer it.
fn interested(p: &mut PeerView) {
    p.set_offered(s(2), 9);
    p.set_peer_interested(s(2), true);
}

#[test]
fn guard_1_have_all_have_none_and_have_are_availability() {
    for availability in [Availability::All, Availability::None, Availability::Some] {
        let peer = peer().with(|p| {
            p.fast = true;
            p.set_availability(ms(60_999), availability);
        });
        assert_keeps(&BitfieldTimeout::default(), &peer, &leeching());
    }
    let with_one_have = peer().with(|p| p.new_have(ms(60_999)));
    assert_keeps(&BitfieldTimeout::default(), &with_one_have, &leeching());
}

#[test]
fn guard_2_a_peer_that_takes_from_us_stays() {
    for peer in [without_needed_piece().with(interested), useless_from(s(20)).with(interested)] {
        assert_keeps(&PolicySet::standard(), &peer, &leeching());
        assert!(PolicySet::standard().judge(&peer, &leeching(), s(30)).lose_interest);
    }
}

#[test]
fn guard_2_one_interested_does_not_buy_a_slot_for_ever() {
    let unchoked = without_needed_piece().with(|p| {
        interested(p);
        p.set_am_choking(s(100), false);
    });
    // 60 s to request something, then the grace.
    assert_evicts_at(NoInterest::default(), &unchoked, &leeching(), s(170), Reason::NO_INTEREST);
    let requesting = unchoked.with(|p| p.last_request_at = Some(s(100)));
    assert_keeps(&NoInterest::default(), &requesting, &leeching());
}

#[test]
fn guard_2_interest_in_nothing_does_not_count() {
    let peer = without_needed_piece().with(|p| p.set_peer_interested(s(2), true));
    assert_evicts_at(NoInterest::default(), &peer, &leeching(), s(12), Reason::NO_INTEREST);
    let served = without_needed_piece().with(|p| {
        interested(p);
        p.set_offered(s(40), 0);
    });
    assert_evicts_at(NoInterest::default(), &served, &leeching(), s(50), Reason::NO_INTEREST);
}

#[test]
fn guard_2_the_clock_starts_when_the_last_of_both_lost_interest() {
    let peer = without_needed_piece().with(|p| {
        interested(p);
        p.set_peer_interested(s(40), false);
    });
    assert_evicts_at(NoInterest::default(), &peer, &leeching(), s(50), Reason::NO_INTEREST);
    let peer = useless_from(s(20)).with(|p| {
        interested(p);
        p.set_peer_interested(s(40), false);
    });
    assert_evicts_at(Health::default(), &peer, &leeching(), s(91), Reason::BECAME_USELESS);
}

#[test]
fn guard_3_a_complete_client_keeps_its_leechers() {
    for peer in
        [without_needed_piece(), useless_from(s(20)), without_needed_piece().with(interested)]
    {
        assert_keeps(&PolicySet::standard(), &peer, &complete_since(s(30)));
        assert!(!PolicySet::standard().judge(&peer, &complete_since(s(30)), s(31)).lose_interest);
    }
}

#[test]
fn guard_3_a_complete_client_closes_who_is_upload_only_too() {
    let seed = peer().with(|p| p.set_availability(s(2), Availability::All));
    assert_evicts_at(
        PolicySet::standard(),
        &seed,
        &complete_since(s(50)),
        s(50),
        Reason::REDUNDANT,
    );
    let partial_seed = without_needed_piece().with(|p| p.upload_only_since = Some(s(40)));
    assert_evicts_at(
        PolicySet::standard(),
        &partial_seed,
        &complete_since(s(30)),
        s(40),
        Reason::REDUNDANT,
    );
    let eviction = Redundant::default().judge(&seed, &complete_since(s(50)), s(50)).evict.unwrap();
    assert_eq!(eviction.cooldown.clears, Clears::ModeChanged);
}

#[test]
fn guard_3_a_peer_without_the_metadata_may_still_ask_us_for_it() {
    let peer = peer().with(|p| {
        p.set_availability(s(2), Availability::None);
        p.upload_only_since = Some(s(2));
    });
    assert_keeps(&Redundant::default(), &peer, &complete_since(s(30)));
    let done = peer.with(|p| p.metadata_done = true);
    assert_evicts_at(Redundant::default(), &done, &complete_since(s(30)), s(30), Reason::REDUNDANT);
}

#[test]
fn guard_4_nobody_is_judged_by_pieces_before_the_metadata_is_known() {
    let before = leeching().with(|swarm| swarm.metadata_at = None);
    let at_300 = leeching().with(|swarm| swarm.metadata_at = Some(s(300)));
    for (peer, at, why) in [
        (peer(), s(360), Reason::NO_AVAILABILITY),
        (without_needed_piece(), s(310), Reason::NO_INTEREST),
        (useless_from(s(20)), s(331), Reason::BECAME_USELESS),
    ] {
        assert_keeps(&PolicySet::standard(), &peer, &before);
        assert!(!PolicySet::standard().judge(&peer, &before, s(99)).lose_interest);
        assert_evicts_at(PolicySet::standard(), &peer, &at_300, at, why);
    }
}

#[test]
fn guard_4_nobody_is_judged_by_pieces_before_the_files_are_checked() {
    let before = leeching().with(|swarm| swarm.checked_at = None);
    assert_keeps(&PolicySet::standard(), &without_needed_piece(), &before);
    let at_300 = leeching().with(|swarm| swarm.checked_at = Some(s(300)));
    assert_evicts_at(
        PolicySet::standard(),
        &without_needed_piece(),
        &at_300,
        s(310),
        Reason::NO_INTEREST,
    );
    let complete_unchecked = complete_since(s(5)).with(|swarm| swarm.checked_at = None);
    let seed = peer().with(|p| p.set_availability(s(2), Availability::All));
    assert_keeps(&Redundant::default(), &seed, &complete_unchecked);
}

#[test]
fn guard_5_activity_does_not_move_the_clock() {
    let busy = |p: &mut PeerView| {
        p.last_message_at = Some(s(60));
        p.last_block_at = Some(s(60));
        p.last_upload_at = Some(s(60));
        p.set_peer_choking(s(59), false);
        p.set_wanted(s(60), 0);
    };
    assert_evicts_at(
        NoInterest::default(),
        &without_needed_piece().with(busy),
        &leeching(),
        s(12),
        Reason::NO_INTEREST,
    );
    assert_evicts_at(
        Health::default(),
        &useless_from(s(20)).with(busy),
        &leeching(),
        s(61),
        Reason::BECAME_USELESS,
    );
}

#[test]
fn guard_6_a_new_leecher_may_skip_the_bitfield() {
    assert_keeps(&PolicySet::standard(), &peer().with(interested), &leeching());
    let requested = peer().with(|p| {
        interested(p);
        p.last_request_at = Some(s(5));
    });
    assert_keeps(&PolicySet::standard(), &requested, &leeching());
    // It counts as having none: once it takes nothing more, it is judged as such.
    let lost_interest = requested.with(|p| p.set_peer_interested(s(40), false));
    assert_evicts_at(
        PolicySet::standard(),
        &lost_interest,
        &leeching(),
        s(50),
        Reason::NO_INTEREST,
    );
}

#[test]
fn guard_6_does_not_excuse_a_peer_with_the_fast_extension() {
    let peer = peer().with(|p| {
        p.fast = true;
        interested(p);
        p.last_request_at = Some(s(5));
    });
    assert_evicts_at(PolicySet::standard(), &peer, &leeching(), s(61), Reason::NO_AVAILABILITY);
}

#[test]
fn guard_6_ends_with_the_interest_that_it_rests_on() {
    let went_away = peer().with(|p| {
        interested(p);
        p.set_peer_interested(s(90), false);
    });
    assert_evicts_at(
        PolicySet::standard(),
        &went_away,
        &leeching(),
        s(90),
        Reason::NO_AVAILABILITY,
    );
    let asks_for_nothing = peer().with(|p| {
        interested(p);
        p.set_am_choking(s(100), false);
    });
    assert_evicts_at(
        PolicySet::standard(),
        &asks_for_nothing,
        &leeching(),
        s(160),
        Reason::NO_AVAILABILITY,
    );
}

#[test]
fn guard_6_leaves_a_leecher_that_never_requested_to_the_bitfield_timeout() {
    let asks_for_nothing = peer().with(|p| {
        interested(p);
        p.set_am_choking(s(10), false);
    });
    assert_keeps(&NoInterest::default(), &asks_for_nothing, &leeching());
    // The metadata comes when the interest has long ceased to count: 60 s from then, not 10 s.
    let magnet = leeching().with(|swarm| swarm.metadata_at = Some(s(300)));
    assert_evicts_at(
        PolicySet::standard(),
        &asks_for_nothing,
        &magnet,
        s(360),
        Reason::NO_AVAILABILITY,
    );
}

#[test]
fn guard_6_one_sided_treats_a_new_leecher_as_having_none() {
    let rule = NoInterest::default().one_sided();
    assert_evicts_at(rule, &peer().with(interested), &leeching(), s(11), Reason::NO_INTEREST);
    assert_keeps(&rule, &peer(), &leeching());
}

#[test]
fn guard_7_choking_us_is_no_reason() {
    let choking_seed = peer().with(|p| {
        p.set_availability(s(2), Availability::All);
        p.set_wanted(s(2), 100);
        p.set_am_interested(s(2), true);
    });
    assert!(choking_seed.peer_choking);
    assert_keeps(&PolicySet::standard(), &choking_seed, &leeching());
}

#[test]
fn guard_8_a_have_keeps_a_growing_peer_for_60_s() {
    let growing = without_needed_piece().with(|p| p.new_have(s(11)));
    assert_evicts_at(NoInterest::default(), &growing, &leeching(), s(71), Reason::NO_INTEREST);
    assert_spares_at(&NoInterest::default(), &growing, &leeching(), s(71));
    let growing = useless_from(s(20)).with(|p| p.new_have(s(60)));
    assert_evicts_at(Health::default(), &growing, &leeching(), s(121), Reason::BECAME_USELESS);
    assert_spares_at(&Health::default(), &growing, &leeching(), s(120));
    let long_ago = useless_from(s(200)).with(|p| p.last_new_have_at = Some(s(100)));
    assert_evicts_at(Health::default(), &long_ago, &leeching(), s(241), Reason::BECAME_USELESS);
}

#[test]
fn guard_8_a_super_seeder_that_goes_on_is_never_lost() {
    let mut p = peer().with(|p| p.fast = true);
    p.set_availability(s(2), Availability::None);
    for at in (3..2_000).step_by(59) {
        p.new_have(s(at));
        p.set_wanted(s(at), 1);
        p.set_wanted(s(at + 1), 0);
        let eviction = PolicySet::standard().judge(&p, &leeching(), s(at + 1)).evict;
        assert!(
            eviction.is_some_and(|eviction| eviction.at >= s(at + 60)),
            "after the HAVE at {at} s"
        );
    }
}

#[test]
fn guard_9_a_change_of_interest_changes_the_next_verdict() {
    let mut watch = Watch::new(Arc::new(PolicySet::standard()), leeching());
    watch.insert(1, without_needed_piece(), s(2));
    while watch.poll(s(2)).is_some() {}
    // Nobody reports the change but by a note: the question at the deadline sees it.
    watch.note(1, |p| p.set_wanted(ms(11_999), 1));
    assert!(matches!(watch.poll(s(12)), Some(Outcome::Pardoned { .. })));
    assert_eq!((watch.poll(s(12)), watch.next_deadline()), (None, None));
}
