//! Rules about peers that do harm. They have no wait: the fault is a fact.

use super::*;
use crate::Cooldown;

#[test]
fn fifty_rejects_in_a_row_are_too_many() {
    let rejecting = |rejects| {
        peer().with(|p| {
            p.set_peer_choking(s(2), false);
            p.consecutive_rejects = rejects;
            p.last_block_at = Some(s(9));
        })
    };
    assert_evicts_at(Rejecter::default(), &rejecting(50), &leeching(), s(9), Reason::REJECTER);
    assert_keeps(&Rejecter::default(), &rejecting(49), &leeching());
    let choking = rejecting(50).with(|p| p.set_peer_choking(s(10), true));
    assert_keeps(&Rejecter::default(), &choking, &leeching());
}

#[test]
fn six_wasted_blocks_are_too_many_if_fewer_were_useful() {
    let wasting = |wasted, useful| {
        peer().with(|p| {
            (p.wasted_blocks, p.useful_blocks) = (wasted, useful);
            p.last_block_at = Some(s(9));
        })
    };
    let rule = Waster::default();
    assert_evicts_at(rule, &wasting(6, 5), &leeching(), s(9), Reason::WASTER);
    for (wasted, useful) in [(5, 0), (6, 6), (100, 100)] {
        assert_keeps(&rule, &wasting(wasted, useful), &leeching());
    }
    assert_keeps(&rule, &wasting(6, 5), &leeching().with(|swarm| swarm.endgame = true));
}

#[test]
fn a_proven_liar_is_banned_for_a_day() {
    let liar = peer().with(|p| p.proven_liar = true);
    assert_evicts_at(Liar::default(), &liar, &leeching(), s(1), Reason::BAD_DATA);
    let cooldown = Liar::default().judge(&liar, &leeching(), s(1)).evict.unwrap().cooldown;
    assert_eq!(cooldown, Cooldown::BAN);
    assert_eq!([1, 2, 9].map(|n| cooldown.wait(n).as_secs()), [86_400; 3]);
}

#[test]
fn trust_is_lost_at_seven_below_zero() {
    let with_trust = |trust| peer().with(|p| p.trust = trust);
    assert_keeps(&Liar::default(), &with_trust(-6), &leeching());
    assert_evicts_at(Liar::default(), &with_trust(-7), &leeching(), s(1), Reason::BAD_DATA);
    assert_evicts_at(Liar::default(), &with_trust(i8::MIN), &leeching(), s(1), Reason::BAD_DATA);
    assert_keeps(&Liar::default(), &with_trust(8), &leeching());
}

#[test]
fn who_floods_goes_at_once() {
    let flooding = peer().with(|p| (p.flood, p.last_message_at) = (true, Some(s(7))));
    assert_evicts_at(Flood, &flooding, &leeching(), s(7), Reason::FLOOD);
    assert_keeps(&Flood, &peer(), &leeching());
}

#[test]
fn a_threshold_of_nothing_is_one() {
    let unchoked = peer().with(|p| p.set_peer_choking(s(2), false));
    assert_keeps(&Rejecter::new(0), &unchoked, &leeching());
    assert_keeps(&Liar::new(0), &peer(), &leeching());
    assert_keeps(&Waster::new(0), &peer(), &leeching());
}
