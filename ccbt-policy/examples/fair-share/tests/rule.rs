//! The rule by itself, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use ccbt_policy::{MockPolicy, PeerView, PolicySet, SwarmView, Time, Verdict, Watch};
use fair_share::FairShare;

/// A peer that took `uploaded` bytes, gave one MiB and chokes us since second 10.
fn taker(uploaded: u64) -> PeerView {
    PeerView::new(([192, 0, 2, 7], 6881).into(), Time::ZERO).with(|peer| {
        peer.wanted = 5;
        (peer.uploaded, peer.downloaded) = (uploaded, 1 << 20);
        peer.peer_choking_since = Time::from_secs(10);
    })
}

fn watch(policies: PolicySet) -> Watch<&'static str> {
    Watch::new(Arc::new(policies), SwarmView::new())
}

fn spare_at(watch: &Watch<&'static str>, now: Time) -> Option<&'static str> {
    watch.earliest_spare(now, |_, _| false).map(|(key, _)| key)
}

#[test]
fn who_took_too_much_may_be_replaced_after_120_seconds_of_choking() {
    let mut watch = watch(PolicySet::new().with(FairShare::default()));
    watch.insert("fair", taker(17 << 20), Time::from_secs(20));
    watch.insert("greedy", taker((17 << 20) + 1), Time::from_secs(20));
    assert_eq!(spare_at(&watch, Time::from_millis(129_999)), None);
    assert_eq!(spare_at(&watch, Time::from_secs(130)), Some("greedy"));
    // Nobody is closed for it.
    assert_eq!(watch.poll(Time::from_secs(3_600)), None);
}

#[test]
fn an_unchoke_settles_the_debt() {
    let mut watch = watch(PolicySet::new().with(FairShare::default()));
    watch.insert("greedy", taker(100 << 20), Time::from_secs(20));
    let now = Time::from_secs(200);
    assert!(spare_at(&watch, now).is_some());
    watch.update("greedy", now, |peer| peer.set_peer_choking(now, false));
    assert_eq!(spare_at(&watch, now), None);
}

#[test]
fn it_is_asked_beside_other_rules_and_the_earlier_one_wins() {
    let mut other = MockPolicy::new();
    other.expect_name().return_const("other".to_owned());
    other.expect_judge().times(1..).returning(|_, _, _| Verdict::keep());
    let set = PolicySet::new()
        .with(other)
        .with(FairShare { allowance: 0, grace: Duration::from_secs(1) });
    let mut watch = watch(set);
    watch.insert("greedy", taker(2 << 20), Time::from_secs(20));
    let (_, eviction) = watch.earliest_spare(Time::from_secs(20), |_, _| false).unwrap();
    let evidence = watch.explain("greedy", &eviction).unwrap();
    assert_eq!(evidence.policy, "fair-share");
    assert_eq!(evidence.text, "took 2097152 bytes, gave 1048576, chokes us since 10.000s");
}
