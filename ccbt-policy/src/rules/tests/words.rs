//! What the rules say for themselves.

use super::*;

#[track_caller]
fn assert_says(
    policy: impl EvictionPolicy + 'static,
    peer: &PeerView,
    swarm: &SwarmView,
    policy_name: &str,
    text: &str,
) {
    let set = PolicySet::new().with(policy);
    let eviction = set.judge(peer, swarm, Time::ZERO).evict.unwrap();
    let evidence = set.explain(peer, swarm, &eviction);
    assert_eq!((evidence.policy.as_str(), evidence.text.as_str()), (policy_name, text));
}

#[test]
fn the_bitfield_timeout_tells_how_long_and_whether_fast() {
    let rule = BitfieldTimeout::default();
    let without = "no availability for 60.0 s since handshake; no fast extension";
    assert_says(rule, &peer(), &leeching(), "bitfield-timeout", without);
    let fast = peer().with(|p| p.fast = true);
    let magnet = leeching().with(|swarm| swarm.metadata_at = Some(s(9)));
    let with = "no availability for 60.0 s since the metadata came; fast extension negotiated";
    assert_says(rule, &fast, &magnet, "bitfield-timeout", with);
}

#[test]
fn no_interest_tells_what_the_peer_has() {
    let text = "has 5 of 120 pieces, none that we need, for 10.0 s; not interested in us";
    assert_says(NoInterest::default(), &without_needed_piece(), &leeching(), "no-interest", text);
    let interested_in_nothing = without_needed_piece().with(|p| p.set_peer_interested(s(2), true));
    let text = "has 5 of 120 pieces, none that we need, for 10.0 s; interested, but lacks nothing that we have";
    assert_says(NoInterest::default(), &interested_in_nothing, &leeching(), "no-interest", text);
}

#[test]
fn health_tells_that_the_peer_was_wanted() {
    let text = "has 0 of 120 pieces, none that we still need, for 41.0 s; not interested in us";
    assert_says(Health::default(), &useless_from(s(20)), &leeching(), "health", text);
    let idle = useless_from(s(20)).with(|p| {
        p.set_offered(s(20), 3);
        p.set_peer_interested(s(20), true);
        p.set_am_choking(s(25), false);
    });
    let text = "has 0 of 120 pieces, none that we still need, for 36.0 s; \
                interested, but requests nothing though unchoked";
    assert_says(Health::default(), &idle, &leeching(), "health", text);
}

#[test]
fn one_sided_rules_tell_that_the_peer_was_interested() {
    let leecher = peer().with(|p| {
        p.set_offered(s(2), 3);
        p.set_peer_interested(s(2), true);
    });
    let text = "has announced no piece, for 10.0 s; interested in us";
    assert_says(NoInterest::default().one_sided(), &leecher, &leeching(), "no-interest", text);
}

#[test]
fn redundant_tells_why_the_peer_downloads_nothing() {
    let complete = leeching().with(|swarm| swarm.upload_only_since = Some(s(5)));
    let seed = peer().with(|p| p.set_availability(s(2), Availability::All));
    assert_says(
        Redundant::default(),
        &seed,
        &complete,
        "redundant",
        "we are complete and so is the peer",
    );
    let partial = without_needed_piece().with(|p| p.upload_only_since = Some(s(2)));
    assert_says(
        Redundant::default(),
        &partial,
        &complete,
        "redundant",
        "we are complete and the peer is upload-only",
    );
}
