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

#[test]
fn the_rules_about_exchange_tell_for_how_long() {
    let choking = peer().with(|p| {
        p.set_availability(s(2), Availability::All);
        p.set_wanted(s(2), 100);
        p.set_am_interested(s(2), true);
    });
    let text = "choked us for 180.0 s with 100 pieces that we need, and gave nothing";
    assert_says(Starved::default(), &choking, &leeching(), "starved", text);
    let served = choking.clone().with(|p| (p.downloaded, p.last_block_at) = (9, Some(s(2))));
    let text = "has choked us for 600.0 s with 100 pieces that we need";
    assert_says(Starved::default(), &served, &leeching(), "starved", text);
    let owing = choking.clone().with(|p| (p.snubbed_since, p.in_flight) = (Some(s(9)), 3));
    let text = "has snubbed us for 120.0 s, owes 3 blocks";
    assert_says(Snubbed::default(), &owing, &leeching(), "snubbed", text);
    let text = "neither requested nor sent a block for 60.0 s; we are interested";
    assert_says(Inactive::default(), &choking, &leeching(), "inactive", text);
    let filled = leeching().with(|swarm| (swarm.peers, swarm.limit) = (45, 50));
    let text = "no block either way for 60.0 s; 45 of 50 slots taken";
    assert_says(Idle::default(), &choking, &filled, "idle", text);
    let text = "neither side interested in the other for 60.0 s";
    let silent = without_needed_piece();
    assert_says(NoMutualInterest::default(), &silent, &leeching(), "no-mutual-interest", text);
    let complete = leeching().with(|swarm| swarm.upload_only_since = Some(s(5)));
    let allowed = peer().with(|p| {
        p.set_am_choking(s(10), false);
        p.set_peer_interested(s(3), true);
    });
    let text = "interested and unchoked, no request for 60.0 s";
    assert_says(NoRequest::default(), &allowed, &complete, "no-request", text);
}

#[test]
fn the_rules_about_conduct_tell_how_much() {
    let bad = peer().with(|p| {
        p.set_peer_choking(s(2), false);
        (p.consecutive_rejects, p.wasted_blocks, p.useful_blocks) = (50, 7, 2);
        (p.trust, p.flood) = (-8, true);
    });
    let text = "rejected 50 requests in a row though unchoked";
    assert_says(Rejecter::default(), &bad, &leeching(), "rejecter", text);
    let text = "7 of its blocks were wasted, 2 were useful";
    assert_says(Waster::default(), &bad, &leeching(), "waster", text);
    let text = "had a part in bad pieces; its trust is -8";
    assert_says(Liar::default(), &bad, &leeching(), "liar", text);
    assert_says(Flood, &bad, &leeching(), "flood", "sends more messages than makes sense");
    let proven = bad.with(|p| p.proven_liar = true);
    assert_says(Liar::default(), &proven, &leeching(), "liar", "a bad piece was its work");
}

#[test]
fn who_only_takes_is_told_what_it_took() {
    let taker = without_needed_piece().with(|p| {
        p.set_offered(s(2), 9);
        p.set_peer_interested(s(2), true);
        p.uploaded = 5_000;
    });
    let spare = TakesOnly::default().judge(&taker, &leeching(), s(2)).spare.unwrap();
    let evidence = TakesOnly::default().explain(&taker, &leeching(), &spare);
    assert_eq!(evidence.text, "took 5000 bytes and had nothing that we need for 600.0 s");
}

#[test]
fn redundant_tells_that_an_upload_only_peer_has_nothing() {
    let partial = without_needed_piece().with(|p| {
        p.metadata_done = true;
        p.upload_only_since = Some(s(5));
    });
    let rule = Redundant::default().uninteresting();
    let text = "the peer is upload-only and has nothing that we need";
    assert_says(rule, &partial, &leeching(), "redundant", text);
}
