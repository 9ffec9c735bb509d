//! What each kind of trouble is called, and that nothing is said of those that are not there.

use super::*;
use crate::doctor::facts::{NoticeFacts, PeerFacts, SourceFacts, Totals};
use crate::verify::Ranges;

fn codes(facts: &Facts) -> Vec<&'static str> {
    of(facts).iter().map(|finding| finding.code).collect()
}

fn text(facts: &Facts, code: &str) -> String {
    let found = of(facts);
    found.iter().find(|finding| finding.code == code).map(|f| f.text.clone()).unwrap_or_default()
}

/// A tracker that named so many addresses.
fn tracker(addresses: usize) -> SourceFacts {
    SourceFacts { source: "http://t/".into(), replies: 1, addresses, ..SourceFacts::default() }
}

fn facts(totals: Totals) -> Facts {
    let totals = Totals { slots: 256, free_slots: 200, ..totals };
    Facts { pieces: 19, need: 19, sources: vec![tracker(3)], totals, ..Facts::default() }
}

#[test]
fn who_needs_nothing_is_told_so_alone() {
    let facts = Facts { pieces: 19, ..Facts::default() };
    assert_eq!(codes(&facts), ["complete"]);
}

#[test]
fn without_any_source_there_is_nobody_to_ask() {
    let facts = Facts { need: 1, ..Facts::default() };
    assert_eq!(codes(&facts), ["no-source"]);
}

#[test]
fn a_tracker_that_fails_is_named_with_its_error() {
    let mut facts = facts(Totals::default());
    facts.sources =
        vec![SourceFacts { source: "http://t/".into(), error: Some("x".into()), ..tracker(0) }];
    facts.sources[0].replies = 0;
    assert_eq!(codes(&facts), ["source-failed"]);
    assert_eq!(text(&facts, "source-failed"), "http://t/ gave no answer: x");
}

#[test]
fn a_tracker_that_knows_nobody_is_no_failure() {
    let mut facts = facts(Totals::default());
    facts.sources = vec![tracker(0)];
    assert_eq!(codes(&facts), ["no-addresses"]);
}

#[test]
fn dials_that_all_fail_are_told_by_error() {
    let mut facts = facts(Totals { half_open: 1, ..Totals::default() });
    facts.not_reached = vec![("refused".into(), 2), ("too slow".into(), 1)];
    facts.gone = vec![("lost", 1)];
    assert_eq!(codes(&facts), ["nobody-reached"]);
    assert_eq!(
        text(&facts, "nobody-reached"),
        "nobody could be reached; 3 dials failed: refused 2, too slow 1; connections ended before a handshake: \
         lost 1; 1 dial without an answer yet"
    );
}

#[test]
fn addresses_that_we_do_not_want_are_told() {
    let mut facts = facts(Totals { blocked: 2, met: 1, ..Totals::default() });
    facts.waiting = vec![("no-interest".into(), 4), ("lost".into(), 3), ("blocked".into(), 2)];
    facts.gone = vec![("left by itself", 1)];
    assert_eq!(codes(&facts), ["blocked", "waiting", "all-gone"]);
    let expected = "1 peer came and went, and nobody is left: left by itself 1";
    assert_eq!(text(&facts, "all-gone"), expected);
    assert!(text(&facts, "waiting").ends_with("for what they did: no-interest 4"));
}

#[test]
fn choking_peers_and_mute_ones_are_told_apart() {
    let peers = vec![
        PeerFacts { wanted: 3, peer_choking: true, has_slot: true, ..PeerFacts::default() },
        PeerFacts { peer_choking: true, has_slot: true, ..PeerFacts::default() },
    ];
    let totals =
        Totals { peers: 2, peers_with_bitfield: 1, useful: 1, met: 2, ..Totals::default() };
    let mut facts = facts(totals);
    facts.peers = peers;
    assert_eq!(codes(&facts), ["mute", "all-choke"]);
    assert_eq!(text(&facts, "mute"), "1 of 2 peers said nothing of what it has so far");
    facts.peers[0].peer_choking = false;
    facts.peers[0].has_slot = false;
    assert_eq!(codes(&facts), ["mute", "no-slot"]);
    assert_eq!(text(&facts, "no-slot"), "waiting for a slot: 1 peer with something needed");
    facts.totals.can_request = 1;
    assert_eq!(codes(&facts), ["mute", "ready"]);
}

#[test]
fn peers_of_no_use_on_notice_in_a_full_swarm() {
    let notice = |policy: &str| NoticeFacts {
        policy: policy.into(),
        reason: "x",
        evidence: "y".into(),
        in_ms: 0,
    };
    let peer = PeerFacts { notice: Some(notice("health")), ..PeerFacts::default() };
    let totals =
        Totals { peers: 2, peers_with_bitfield: 2, met: 2, would_drop: 2, ..Totals::default() };
    let mut facts = facts(totals);
    facts.totals.free_slots = 0;
    facts.peers = vec![peer.clone(), peer];
    assert_eq!(codes(&facts), ["nothing-needed", "full", "would-drop"]);
    let expected = "none of the 2 connected peers has anything that is needed";
    assert_eq!(text(&facts, "nothing-needed"), expected);
    assert!(text(&facts, "would-drop").contains("2 peers unless something changes: health 2"));
}

#[test]
fn pieces_that_nobody_has_are_told_as_runs_if_anybody_is_there() {
    let mut facts = facts(Totals::default());
    facts.nobody_has = Ranges::of([3, 7, 8, 9]);
    assert_eq!(text(&facts, "nobody-has"), "");
    facts.totals.peers = 1;
    assert_eq!(
        text(&facts, "nobody-has"),
        "nobody who is connected has pieces 3, 7-9 (4 of 19 needed)"
    );
}

#[test]
fn nobody_dials_in_is_said_after_a_while_and_if_a_tracker_knows_of_us() {
    let mut facts = facts(Totals {
        can_request: 1,
        peers: 1,
        peers_with_bitfield: 1,
        useful: 1,
        met: 1,
        ..Totals::default()
    });
    facts.listen = Some("[::]:6881".into());
    facts.looked_ms = EXPECT;
    assert_eq!(codes(&facts), ["ready", "nobody-dials-in"]);
    facts.looked_ms -= 1;
    assert_eq!(codes(&facts), ["ready"]);
    facts.looked_ms = EXPECT;
    facts.sources[0].source = "--peer".into();
    assert_eq!(codes(&facts), ["ready"]);
}

#[test]
fn what_stands_in_the_way_on_the_disk_comes_first() {
    let mut facts = facts(Totals::default());
    facts.in_the_way = vec!["no file    x: it is a folder".into()];
    facts.troubles = vec!["rule x fails".into()];
    let codes = codes(&facts);
    assert_eq!((codes.first(), codes.last()), (Some(&"disk"), Some(&"rule-fails")));
}
