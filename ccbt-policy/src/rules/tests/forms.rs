//! The forms of the rules about pieces that presets other than the standard use.

use super::*;
use crate::Clears;

fn upload_only(p: &mut PeerView) {
    p.metadata_done = true;
    p.upload_only_since = Some(s(5));
}

fn interested(p: &mut PeerView) {
    p.set_offered(s(2), 9);
    p.set_peer_interested(s(2), true);
}

#[test]
fn literal_rules_ask_neither_for_interest_nor_for_growth() {
    let change = |p: &mut PeerView| {
        interested(p);
        p.last_new_have_at = Some(s(8));
    };
    let never_wanted = without_needed_piece().with(change);
    let rule = NoInterest::default().literal();
    assert_evicts_at(rule, &never_wanted, &leeching(), s(12), Reason::NO_INTEREST);
    let was_wanted = useless_from(s(20)).with(change);
    let rule = Health::default().literal();
    assert_evicts_at(rule, &was_wanted, &leeching(), s(61), Reason::BECAME_USELESS);
}

#[test]
fn literal_rules_leave_who_announced_nothing_to_the_bitfield_timeout() {
    let leecher = peer().with(|p| {
        interested(p);
        p.last_request_at = Some(s(5));
    });
    assert_keeps(&NoInterest::default().literal(), &leecher, &leeching());
    let rule = BitfieldTimeout::default().literal();
    assert_evicts_at(rule, &leecher, &leeching(), s(61), Reason::NO_AVAILABILITY);
}

#[test]
fn the_mute_form_waits_for_the_whole_timeout_without_the_fast_extension() {
    let rule = BitfieldTimeout::default().mute();
    assert_evicts_at(rule, &peer(), &leeching(), s(61), Reason::NO_AVAILABILITY);
    assert_spares_at(&rule, &peer(), &leeching(), s(61));
    let fast = peer().with(|p| p.fast = true);
    assert_evicts_at(rule, &fast, &leeching(), s(61), Reason::NO_AVAILABILITY);
    assert_spares_at(&rule, &fast, &leeching(), s(3));
    let eviction = rule.judge(&fast, &leeching(), s(1)).evict.unwrap();
    assert_eq!(eviction.cooldown.wait(2), Duration::from_secs(30 * 60));
}

#[test]
fn any_word_of_bep_3_spares_a_peer_the_mute_form() {
    let words: [fn(&mut PeerView); 4] = [
        |p| p.set_peer_choking(s(3), false),
        |p| p.set_peer_interested(s(3), true),
        |p| p.last_request_at = Some(s(3)),
        |p| {
            p.set_peer_interested(s(3), true);
            p.set_peer_interested(s(4), false);
        },
    ];
    for word in words {
        let rule = BitfieldTimeout::default().mute();
        assert_keeps(&rule, &peer().with(word), &leeching());
        assert!(
            rule.judge(&peer().with(|p| p.fast = true).with(word), &leeching(), s(1))
                .evict
                .is_some()
        );
    }
}

#[test]
fn the_mute_form_looks_again_while_we_have_nothing_to_talk_about() {
    let rule = BitfieldTimeout::default().mute();
    let empty = leeching().with(|swarm| swarm.have = 0);
    assert_keeps(&rule, &peer(), &empty);
    let again = |now| rule.judge(&peer(), &empty, now).look_again;
    assert_eq!([s(1), ms(60_999), s(61)].map(again), [Some(s(61)), Some(s(61)), Some(s(121))]);
}

#[test]
fn an_uninteresting_upload_only_peer_is_redundant_while_we_download() {
    let peer = without_needed_piece().with(upload_only);
    assert_keeps(&Redundant::default(), &peer, &leeching());
    let rule = Redundant::default().uninteresting();
    assert_evicts_at(rule, &peer, &leeching(), s(5), Reason::REDUNDANT);
    let verdict = rule.judge(&peer, &leeching(), s(5));
    assert!(verdict.lose_interest);
    assert_eq!(verdict.evict.unwrap().cooldown.clears, Clears::WantedGrew);
    let useful = peer.clone().with(|p| p.set_wanted(s(6), 1));
    assert_keeps(&rule, &useful, &leeching());
    let downloads = without_needed_piece();
    assert_keeps(&rule, &downloads, &leeching());
    let silent = self::peer().with(upload_only);
    assert_keeps(&rule, &silent, &leeching());
    let still_takes = peer.with(interested);
    assert_keeps(&rule, &still_takes, &leeching());
}

#[test]
fn the_delay_of_the_pex_form_is_for_those_who_exchange_peers() {
    let rule = Redundant::new(Duration::from_secs(30)).uninteresting().pex();
    let complete = leeching().with(|swarm| swarm.upload_only_since = Some(s(50)));
    let partial = without_needed_piece().with(upload_only);
    let exchanging = partial.clone().with(|p| p.pex = true);
    for (peer, swarm, at) in [
        (&partial, &leeching(), s(7)),
        (&exchanging, &leeching(), s(35)),
        (&exchanging, &leeching().with(|swarm| swarm.crowded = true), s(7)),
        (&exchanging, &leeching().with(|swarm| swarm.private = true), s(7)),
        (&partial, &complete, s(50)),
        (&exchanging, &complete, s(80)),
    ] {
        assert_evicts_at(rule, peer, swarm, at, Reason::REDUNDANT);
    }
}

#[test]
fn a_mutual_lack_of_interest_counts_from_the_later_of_both() {
    let rule = NoMutualInterest::default();
    let ours_later = without_needed_piece();
    assert_evicts_at(rule, &ours_later, &leeching(), s(62), Reason::NO_MUTUAL_INTEREST);
    let its_later = without_needed_piece().with(|p| {
        p.set_peer_interested(s(3), true);
        p.set_peer_interested(s(40), false);
        p.set_peer_interested(s(55), false);
    });
    assert_evicts_at(rule, &its_later, &leeching(), s(100), Reason::NO_MUTUAL_INTEREST);
    assert!(rule.judge(&its_later, &leeching(), s(50)).lose_interest);
    let silent = peer();
    assert_evicts_at(rule, &silent, &leeching(), s(61), Reason::NO_MUTUAL_INTEREST);
    assert!(!rule.judge(&silent, &leeching(), s(50)).lose_interest);
}

#[test]
fn interest_on_either_side_is_enough_to_be_kept() {
    let rule = NoMutualInterest::default();
    assert_keeps(&rule, &without_needed_piece().with(interested), &leeching());
    assert_keeps(&rule, &without_needed_piece().with(|p| p.set_wanted(s(3), 1)), &leeching());
}

#[test]
fn a_growing_peer_may_be_of_no_interest_four_times_as_long() {
    let growing = without_needed_piece().with(|p| p.new_have(s(30)));
    let rule = NoMutualInterest::default();
    assert_evicts_at(rule, &growing, &leeching(), s(62), Reason::NO_MUTUAL_INTEREST);
    assert_evicts_at(rule.growing(), &growing, &leeching(), s(270), Reason::NO_MUTUAL_INTEREST);
    let not_growing = without_needed_piece();
    assert_evicts_at(rule.growing(), &not_growing, &leeching(), s(62), Reason::NO_MUTUAL_INTEREST);
}

#[test]
fn no_mutual_interest_waits_for_the_metadata() {
    let magnet = leeching().with(|swarm| swarm.metadata_at = None);
    assert_keeps(&NoMutualInterest::default(), &without_needed_piece(), &magnet);
    let late = leeching().with(|swarm| swarm.metadata_at = Some(s(300)));
    let rule = NoMutualInterest::default();
    assert_evicts_at(rule, &without_needed_piece(), &late, s(360), Reason::NO_MUTUAL_INTEREST);
}

#[test]
fn who_only_takes_is_spare_and_never_closed() {
    let rule = TakesOnly::default();
    let taker = without_needed_piece().with(interested);
    assert_spares_at(&rule, &taker, &leeching(), s(602));
    assert_eq!(rule.judge(&taker, &leeching(), s(602)).evict, None);
    let growing = taker.clone().with(|p| p.new_have(s(580)));
    assert_spares_at(&rule, &growing, &leeching(), s(640));
    assert_keeps(&rule, &without_needed_piece(), &leeching());
    assert_keeps(&rule, &taker.clone().with(|p| p.set_wanted(s(3), 1)), &leeching());
    let complete = leeching().with(|swarm| swarm.upload_only_since = Some(s(3)));
    assert_keeps(&rule, &taker, &complete);
}
