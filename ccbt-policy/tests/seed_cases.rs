//! The four cases that the three founding rules were written for, to the millisecond, with the
//! numbers that are the default.

use std::sync::Arc;

use ccbt_policy::{Availability, Outcome, PeerView, PolicySet, Reason, SwarmView, Time, Watch};

const HANDSHAKE: Time = Time::from_millis(250);

const fn after_handshake(millis: u64) -> Time {
    Time::from_millis(250 + millis)
}

/// A swarm with one peer, whose handshake was just complete.
fn watch() -> Watch<&'static str> {
    let mut watch = Watch::new(Arc::new(PolicySet::standard()), SwarmView::new());
    watch.insert("peer", PeerView::new(([192, 0, 2, 1], 6881).into(), HANDSHAKE), HANDSHAKE);
    watch
}

fn polled(watch: &mut Watch<&'static str>, now: Time) -> Vec<Outcome<&'static str>> {
    std::iter::from_fn(|| watch.poll(now)).collect()
}

fn evicted(watch: &mut Watch<&'static str>, now: Time) -> Option<(Reason, String)> {
    polled(watch, now).into_iter().find_map(|outcome| match outcome {
        Outcome::Evict { eviction, evidence, .. } => Some((eviction.reason, evidence.policy)),
        _ => None,
    })
}

fn loses_interest(watch: &mut Watch<&'static str>, now: Time) -> bool {
    polled(watch, now).contains(&Outcome::LoseInterest { key: "peer" })
}

/// Keep-alives and other chatter.
fn chatter(watch: &mut Watch<&'static str>, now: Time) {
    watch.update("peer", now, |p| p.last_message_at = Some(now));
}

/// One piece that we need, from `from` until `until`.
fn had_a_needed_piece(watch: &mut Watch<&'static str>, from: Time, until: Time) {
    watch.update("peer", from, |p| {
        p.set_availability(from, Availability::Some);
        p.set_wanted(from, 1);
    });
    watch.update("peer", until, |p| p.set_wanted(until, 0));
}

#[test]
fn a_mute_peer_is_gone_at_60_s() {
    let mut watch = watch();
    chatter(&mut watch, after_handshake(30_000));
    assert_eq!(evicted(&mut watch, after_handshake(59_999)), None);
    let gone = Some((Reason::NO_AVAILABILITY, "bitfield-timeout".into()));
    assert_eq!(evicted(&mut watch, after_handshake(60_000)), gone);
    assert_eq!(evicted(&mut watch, after_handshake(60_001)), None, "exactly once");
}

#[test]
fn a_peer_with_nothing_needed_is_told_at_once_and_gone_at_10_s() {
    let mut watch = watch();
    let announced = after_handshake(1_000);
    watch.update("peer", announced, |p| p.set_availability(announced, Availability::Some));
    assert!(loses_interest(&mut watch, announced));
    chatter(&mut watch, after_handshake(9_000));
    assert!(!loses_interest(&mut watch, after_handshake(9_000)), "once is enough");
    assert_eq!(evicted(&mut watch, after_handshake(10_999)), None);
    assert_eq!(
        evicted(&mut watch, after_handshake(11_000)),
        Some((Reason::NO_INTEREST, "no-interest".into()))
    );
    assert_eq!(evicted(&mut watch, after_handshake(11_001)), None, "exactly once");
}

#[test]
fn a_peer_that_became_useless_is_gone_at_the_first_check_30_s_later() {
    let mut watch = watch();
    let useless = after_handshake(30_001);
    had_a_needed_piece(&mut watch, after_handshake(1_000), useless);
    assert!(loses_interest(&mut watch, useless));
    for keep_alive in [40_000, 55_000, 75_000] {
        chatter(&mut watch, after_handshake(keep_alive));
    }
    // The check at 60 s comes 1 ms too early.
    assert_eq!(evicted(&mut watch, after_handshake(60_001)), None);
    assert_eq!(evicted(&mut watch, after_handshake(89_999)), None);
    assert_eq!(
        evicted(&mut watch, after_handshake(90_000)),
        Some((Reason::BECAME_USELESS, "health".into()))
    );
    assert_eq!(evicted(&mut watch, after_handshake(90_001)), None, "exactly once");
}

#[test]
fn a_have_within_the_grace_pardons_the_peer() {
    let mut watch = watch();
    had_a_needed_piece(&mut watch, after_handshake(1_000), after_handshake(30_000));
    let scheduled = polled(&mut watch, after_handshake(30_000));
    assert!(scheduled.iter().any(|outcome| matches!(outcome, Outcome::Scheduled { .. })));

    let have = after_handshake(59_999);
    watch.update("peer", have, |p| {
        p.new_have(have);
        p.set_wanted(have, 1);
    });
    assert!(matches!(polled(&mut watch, have)[..], [Outcome::Pardoned { key: "peer", .. }]));
    assert_eq!(polled(&mut watch, after_handshake(1_000_000)), []);
    assert_eq!(watch.next_deadline(), None);
}
