use super::*;
use crate::{DryRun, PolicySet, Reason, Verdict, policy_fn};

const RATE: Reason = Reason::new("rate");
const TRUST: Reason = Reason::new("trust");

const fn s(secs: u64) -> Time {
    Time::from_secs(secs)
}

/// Evicts a peer with a negative trust at the second of that number, one with a download rate at
/// that second for another reason; a peer with uploads is spare from that second on; a flooding one
/// makes us lose interest.
fn by_numbers() -> Arc<dyn EvictionPolicy> {
    let at = |secs: u64, reason| (secs > 0).then(|| Eviction::new(s(secs), reason));
    let set = PolicySet::new()
        .with(policy_fn("by-rate", move |p: &PeerView, _: &SwarmView, _: Time| Verdict {
            evict: at(p.download_rate, RATE),
            spare: at(p.uploaded, RATE),
            lose_interest: p.flood,
            ..Verdict::keep()
        }))
        .with(policy_fn("by-trust", move |p: &PeerView, _: &SwarmView, _: Time| Verdict {
            evict: at(p.trust.min(0).unsigned_abs().into(), TRUST),
            ..Verdict::keep()
        }));
    Arc::new(set)
}

fn watch() -> Watch<u8> {
    Watch::new(by_numbers(), SwarmView::new())
}

fn peer() -> PeerView {
    PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
}

fn due_at(secs: u64) -> PeerView {
    peer().with(|p| p.download_rate = secs)
}

/// Everything that is due, in short.
fn polled(watch: &mut Watch<u8>, now: Time) -> Vec<(&'static str, u8, u64)> {
    let mut found = Vec::new();
    while let Some(outcome) = watch.poll(now) {
        let (what, eviction, evidence) = match &outcome {
            Outcome::LoseInterest { key } => {
                found.push(("lose interest", *key, 0));
                continue;
            }
            Outcome::Pardoned { eviction, evidence, .. } => ("pardoned", eviction, evidence),
            Outcome::Scheduled { eviction, evidence, .. } => ("scheduled", eviction, evidence),
            Outcome::Shadow { eviction, evidence, .. } => ("shadow", eviction, evidence),
            Outcome::Evict { eviction, evidence, .. } => ("evict", eviction, evidence),
        };
        assert_eq!(evidence.policy, format!("by-{}", eviction.reason), "the winner explains");
        found.push((what, outcome.key(), eviction.at.as_millis() / 1_000));
    }
    found
}

#[test]
fn an_eviction_is_scheduled_once_and_done_once() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    assert_eq!(polled(&mut watch, s(0)), [("scheduled", 1, 10)]);
    watch.update(1, s(5), |p| p.in_flight = 1);
    assert_eq!(polled(&mut watch, s(5)), []);
    assert_eq!(watch.next_deadline(), Some(s(10)));
    assert_eq!(polled(&mut watch, s(10)), [("evict", 1, 10)]);
    watch.update(1, s(11), |p| p.trust = -5);
    watch.sweep(s(12));
    assert_eq!((polled(&mut watch, s(99)), watch.next_deadline()), (vec![], None));
    assert_eq!(watch.remove(1).map(|p| p.trust), Some(-5));
    assert!(watch.is_empty());
}

#[test]
fn an_eviction_that_is_due_at_once_is_not_scheduled_before() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(10));
    watch.insert(2, due_at(12), s(10));
    assert_eq!(polled(&mut watch, s(13)), [("evict", 1, 10), ("evict", 2, 12)]);
}

#[test]
fn a_cause_that_goes_pardons_the_peer() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    polled(&mut watch, s(0));
    watch.update(1, s(9), |p| p.download_rate = 0);
    assert_eq!(polled(&mut watch, s(9)), [("pardoned", 1, 10)]);
    assert_eq!(watch.next_deadline(), None);
    watch.update(1, s(20), |p| p.download_rate = 30);
    assert_eq!(polled(&mut watch, s(20)), [("scheduled", 1, 30)]);
}

#[test]
fn a_note_pardons_at_the_deadline() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    polled(&mut watch, s(0));
    watch.note(1, |p| p.download_rate = 0);
    assert_eq!(polled(&mut watch, s(9)), []);
    assert_eq!(polled(&mut watch, s(10)), [("pardoned", 1, 10)]);
}

#[test]
fn a_shift_of_the_deadline_is_not_reported() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    polled(&mut watch, s(0));
    watch.update(1, s(9), |p| p.download_rate = 20);
    assert_eq!(polled(&mut watch, s(10)), []);
    assert_eq!(polled(&mut watch, s(20)), [("evict", 1, 20)]);
}

#[test]
fn another_reason_takes_the_place_of_the_first() {
    let mut watch = watch();
    watch.insert(1, due_at(50), s(0));
    assert_eq!(polled(&mut watch, s(0)), [("scheduled", 1, 50)]);
    watch.update(1, s(1), |p| p.trust = -20);
    assert_eq!(polled(&mut watch, s(1)), [("scheduled", 1, 20)]);
    watch.update(1, s(2), |p| (p.trust, p.download_rate) = (0, 0));
    assert_eq!(polled(&mut watch, s(2)), [("pardoned", 1, 20)]);
}

#[test]
fn what_was_never_reported_is_never_pardoned() {
    let mut watch = watch().with_notice(Duration::from_secs(2));
    watch.insert(1, due_at(10), s(0));
    assert_eq!(watch.next_deadline(), Some(s(2)));
    assert_eq!(polled(&mut watch, Time::from_millis(1_999)), []);
    watch.update(1, Time::from_millis(1_999), |p| p.download_rate = 0);
    assert_eq!(polled(&mut watch, s(10)), []);
}

#[test]
fn a_notice_delays_the_report_and_nothing_else() {
    let mut watch = watch().with_notice(Duration::from_secs(2));
    watch.insert(1, due_at(20), s(5));
    watch.insert(2, due_at(6), s(5));
    assert_eq!(polled(&mut watch, s(6)), [("evict", 2, 6)]);
    watch.update(1, s(6), |p| p.download_rate = 22);
    assert_eq!(polled(&mut watch, Time::from_millis(6_999)), []);
    assert_eq!(polled(&mut watch, s(7)), [("scheduled", 1, 22)]);
    watch.update(1, s(8), |p| p.download_rate = 0);
    assert_eq!(polled(&mut watch, s(8)), [("pardoned", 1, 22)]);
}

#[test]
fn interest_is_lost_once_per_change() {
    let mut watch = watch();
    watch.insert(1, peer().with(|p| p.flood = true), s(0));
    assert_eq!(polled(&mut watch, s(0)), [("lose interest", 1, 0)]);
    watch.update(1, s(1), |p| p.in_flight = 1);
    assert_eq!(polled(&mut watch, s(1)), []);
    watch.update(1, s(2), |p| p.flood = false);
    watch.update(1, s(2), |p| p.flood = true);
    assert_eq!(polled(&mut watch, s(2)), [("lose interest", 1, 0)]);
    watch.update(1, s(3), |p| p.flood = false);
    watch.update(1, s(3), |p| p.flood = true);
    watch.update(1, s(3), |p| p.flood = false);
    assert_eq!((polled(&mut watch, s(3)), watch.next_deadline()), (vec![], None));
}

#[test]
fn interest_is_lost_before_the_peer_goes() {
    let mut watch = watch();
    watch.insert(1, due_at(10).with(|p| p.flood = true), s(0));
    assert_eq!(polled(&mut watch, s(10)), [("lose interest", 1, 0), ("evict", 1, 10)]);
}

#[test]
fn a_shadow_is_reported_once_as_long_as_it_stands() {
    let mut watch: Watch<u8> = Watch::new(Arc::new(DryRun::new(by_numbers())), SwarmView::new());
    watch.insert(1, due_at(10), s(0));
    assert_eq!((polled(&mut watch, s(9)), watch.next_deadline()), (vec![], Some(s(10))));
    assert_eq!(polled(&mut watch, s(10)), [("shadow", 1, 10)]);
    watch.update(1, s(11), |p| p.in_flight = 1);
    assert_eq!((polled(&mut watch, s(11)), watch.next_deadline()), (vec![], None));
    watch.update(1, s(12), |p| p.download_rate = 0);
    watch.update(1, s(13), |p| p.download_rate = 20);
    assert_eq!(polled(&mut watch, s(30)), [("shadow", 1, 20)]);
}

#[test]
fn the_longest_spare_is_taken_first() {
    let mut watch = watch();
    for (key, spare_at) in [(1, 9), (2, 4), (3, 6), (4, 0)] {
        watch.insert(key, peer().with(|p| p.uploaded = spare_at), s(0));
    }
    let taken = |watch: &Watch<u8>, now, immune: &[u8]| {
        watch.earliest_spare(now, |key, _| immune.contains(&key)).map(|(key, _)| key)
    };
    assert_eq!(taken(&watch, Time::from_millis(3_999), &[]), None);
    assert_eq!(taken(&watch, s(4), &[]), Some(2));
    assert_eq!(taken(&watch, s(9), &[2]), Some(3));
    assert_eq!(taken(&watch, s(9), &[2, 3, 1]), None);
    assert_eq!((watch.next_spare_after(s(4)), watch.next_spare_after(s(9))), (Some(s(6)), None));
    watch.remove(2);
    watch.update(3, s(9), |p| p.download_rate = 9);
    assert_eq!(polled(&mut watch, s(9)), [("evict", 3, 9)]);
    let (key, eviction) = watch.earliest_spare(s(9), |_, _| false).unwrap();
    assert_eq!((key, eviction.at), (1, s(9)));
    assert_eq!(
        watch.explain(key, &eviction).map(|evidence| evidence.policy),
        Some("by-rate".into())
    );
    assert_eq!(watch.explain(77, &eviction), None);
}

#[test]
fn another_policy_judges_everybody_anew() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    watch.insert(2, due_at(0), s(0));
    polled(&mut watch, s(0));
    watch.set_policy(Arc::new(PolicySet::new()), s(1));
    assert_eq!(polled(&mut watch, s(1)), [("pardoned", 1, 10)]);
    assert_eq!(watch.policy().name(), "set");
    watch.set_policy(by_numbers(), s(2));
    assert_eq!(polled(&mut watch, s(20)), [("evict", 1, 10)]);
}

#[test]
fn the_same_key_may_come_again() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    assert_eq!(polled(&mut watch, s(10)), [("evict", 1, 10)]);
    watch.insert(1, due_at(30).with(|p| p.uploaded = 12), s(11));
    assert_eq!(polled(&mut watch, s(11)), [("scheduled", 1, 30)]);
    assert_eq!(watch.remove(1).map(|p| p.download_rate), Some(30));
    assert_eq!(watch.remove(1), None);
    assert_eq!((watch.next_deadline(), watch.next_spare_after(s(0)), watch.len()), (None, None, 0));
}

#[test]
fn unknown_keys_are_no_matter() {
    let mut watch = watch();
    watch.update(9, s(1), |_| panic!("there is no such peer"));
    watch.note(9, |_| panic!("there is no such peer"));
    assert_eq!(watch.get(9), None);
    assert_eq!(watch.poll(s(1)), None);
}

#[test]
fn peers_come_by_key() {
    let mut watch = watch();
    for key in [3, 1, 2] {
        watch.insert(key, due_at(key.into()), s(0));
    }
    assert_eq!(
        watch.iter().map(|(key, p)| (key, p.download_rate)).collect::<Vec<_>>(),
        [(1, 1), (2, 2), (3, 3)]
    );
}

#[test]
fn a_policy_is_asked_again_when_it_said_so() {
    // Evicts a peer whose snub is 5 s old, and finds that out only by looking again every second.
    let looking =
        policy_fn("by-rate", |p: &PeerView, _: &SwarmView, now: Time| match p.snubbed_since {
            Some(since) if now - since >= Duration::from_secs(5) => {
                Verdict::evict(Eviction::new(since, RATE))
            }
            _ => Verdict { look_again: Some(now + Duration::from_secs(1)), ..Verdict::keep() },
        });
    let mut watch = Watch::new(Arc::new(looking), SwarmView::new());
    watch.insert(1, peer(), s(0));
    watch.note(1, |p| p.snubbed_since = Some(s(1)));
    let mut now = s(0);
    while polled(&mut watch, now).is_empty() {
        now = watch.next_deadline().unwrap();
    }
    assert_eq!(now, s(6));
}

#[test]
fn a_policy_that_looks_again_in_the_past_is_asked_once() {
    let eager =
        policy_fn("by-rate", |_, _, _| Verdict { look_again: Some(Time::ZERO), ..Verdict::keep() });
    let mut watch: Watch<u8> = Watch::new(Arc::new(eager), SwarmView::new());
    watch.insert(1, peer(), s(5));
    assert_eq!((watch.next_deadline(), watch.poll(s(5))), (None, None));
}

#[test]
fn an_entry_stays_compact() {
    assert!(size_of::<Entry>() <= 560, "{} bytes", size_of::<Entry>());
}

#[test]
fn news_tell_a_pardon_between_two_reasons_and_never_evict() {
    let mut watch = watch();
    watch.insert(1, due_at(10), s(0));
    assert_eq!(polled(&mut watch, s(0)), [("scheduled", 1, 10)]);
    watch.update(1, s(5), |p| p.download_rate = 0);
    assert!(matches!(watch.news(1), Some(Outcome::Pardoned { key: 1, .. })));
    watch.update(1, s(5), |p| (p.download_rate, p.flood) = (4, true));
    assert_eq!(watch.news(1), Some(Outcome::LoseInterest { key: 1 }));
    assert_eq!((watch.news(1), watch.news(2)), (None, None));
    assert_eq!(polled(&mut watch, s(5)), [("evict", 1, 4)]);
}
