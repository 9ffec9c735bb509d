use std::time::Duration;

use super::*;
use crate::script::cel;
use crate::{Availability, Direction, Past, Source};

fn peer() -> PeerView {
    let at = Time::from_secs;
    let mut peer = PeerView::new(([192, 0, 2, 7], 6889).into(), at(1)).with(|p| {
        p.direction = Direction::Incoming;
        p.source = Source::Pex;
        p.peer_id = *b"-XL0019-abcdefghijkl";
        p.client = Some("Xunlei 0.0.1.9".into());
        p.same_prefix = 2;
        p.upload_only_since = Some(at(3));
        p.have = 25;
        p.offered = 7;
        p.last_request_at = Some(at(61));
        p.last_block_at = Some(at(62));
        p.last_upload_at = Some(at(63));
        p.last_message_at = Some(at(64));
        p.in_flight = 8;
        p.snubbed_since = Some(at(65));
        p.consecutive_rejects = 9;
        p.useful_blocks = 10;
        p.wasted_blocks = 11;
        p.download_rate = 12;
        p.upload_rate = 13;
        p.downloaded = 14;
        p.uploaded = 15;
        p.trust = -3;
        p.past = Past { connections: 1, evictions: 2, downloaded: 3, uploaded: 4, highest_have: 5 };
    });
    peer.set_availability(at(4), Availability::Some);
    peer.last_new_have_at = Some(at(6));
    peer.set_am_choking(at(7), false);
    peer.set_am_interested(at(8), true);
    peer.set_peer_choking(at(9), false);
    peer.set_peer_interested(at(10), true);
    peer
}

fn swarm() -> SwarmView {
    SwarmView::new().with(|s| {
        s.metadata_at = Some(Time::from_secs(20));
        s.checked_at = Some(Time::from_secs(30));
        s.have = 60;
        s.need = 40;
        s.peers = 50;
        s.limit = 55;
        s.free_slots = 5;
        s.newcomers = 4;
        s.median_worth = Some(99);
    })
}

#[test]
fn every_fact_reads_what_its_view_holds() {
    let expected = "client \"Xunlei 0.0.1.9\", peer_id \"-XL0019-abcdefghijkl\", address 192.0.2.7, \
        port 6889, direction \"incoming\", source \"pex\", age 99.000s, fast no, extended no, dht no, \
        pex no, pinned no, same_prefix 2, upload_only yes, upload_only_age 97.000s, \
        metadata_done yes, availability \"some\", availability_age 96.000s, have 25, \
        progress 0.25, wanted 0, sole_holder no, was_wanted no, offered 7, unwanted_age 96.000s, \
        unoffered_age 99.000s, have_age 94.000s, am_choking no, am_choking_age 93.000s, \
        am_interested yes, am_interested_age 92.000s, optimistic no, peer_choking no, \
        peer_choking_age 91.000s, peer_interested yes, peer_interested_age 90.000s, \
        interest_counts yes, useful yes, request_age 39.000s, block_age 38.000s, \
        upload_age 37.000s, message_age 36.000s, in_flight 8, snubbed yes, snubbed_age 35.000s, \
        consecutive_rejects 9, useful_blocks 10, wasted_blocks 11, download_rate 12, \
        upload_rate 13, downloaded 14, uploaded 15, trust -3, proven_liar no, flood no, \
        past_connections 1, past_evictions 2, past_downloaded 3, past_uploaded 4, \
        past_highest_have 5, downloading yes, complete_age never, metadata_age 80.000s, \
        checked_age 70.000s, pieces 100, we_have 60, we_need 40, peers 50, peer_limit 55, \
        free_slots 5, newcomers 4, crowded no, private no, endgame no, median_worth 99";
    let now = Time::from_secs(100);
    let shown: Vec<String> = FACTS
        .iter()
        .map(|fact| format!("{} {}", fact.name, fact.show(&peer(), &swarm(), now)))
        .collect();
    assert_eq!(shown.join(", "), expected);
}

/// Each yes-or-no fact follows its own field and no other.
#[test]
fn every_flag_follows_its_field() {
    type Change = fn(&mut PeerView);
    let set: [(&str, Change); 14] = [
        ("fast", |p| p.fast = true),
        ("extended", |p| p.extended = true),
        ("dht", |p| p.dht = true),
        ("pex", |p| p.pex = true),
        ("pinned", |p| p.pinned = true),
        ("upload_only", |p| p.upload_only_since = Some(Time::ZERO)),
        ("metadata_done", |p| p.metadata_done = true),
        ("sole_holder", |p| p.sole_holder = true),
        ("was_wanted", |p| p.was_wanted = true),
        ("am_interested", |p| p.am_interested = true),
        ("optimistic", |p| p.optimistic = true),
        ("snubbed", |p| p.snubbed_since = Some(Time::ZERO)),
        ("proven_liar", |p| p.proven_liar = true),
        ("flood", |p| p.flood = true),
    ];
    let bare = PeerView::new(([192, 0, 2, 7], 6889).into(), Time::ZERO);
    let yes = |peer: &PeerView| -> Vec<&str> {
        let yes = |fact: &&&Fact| fact.show(peer, &SwarmView::new(), Time::ZERO) == "yes";
        FACTS.iter().filter(yes).map(|fact| fact.name).collect()
    };
    assert_eq!(yes(&bare), ["am_choking", "peer_choking", "downloading"]);
    for (name, change) in set {
        let mut expected = yes(&bare);
        expected.push(name);
        let mut found = yes(&bare.clone().with(change));
        found.sort_by_key(|name| expected.iter().position(|known| known == name));
        assert_eq!(found, expected);
    }
    let swarm = SwarmView::new().with(|s| (s.crowded, s.private, s.endgame) = (true, true, true));
    for name in ["crowded", "private", "endgame"] {
        let fact = FACTS.iter().find(|fact| fact.name == name).unwrap();
        assert_eq!(fact.show(&bare, &swarm, Time::ZERO), "yes");
    }
}

#[test]
fn what_has_not_happened_has_no_age_and_no_number() {
    let bare = PeerView::new(([192, 0, 2, 7], 6889).into(), Time::ZERO);
    let now = Time::from_secs(9);
    let shows = |shown: &str| -> Vec<&str> {
        let is = |fact: &&&Fact| fact.show(&bare, &SwarmView::new(), now) == shown;
        FACTS.iter().filter(is).map(|fact| fact.name).collect()
    };
    assert_eq!(
        shows("never"),
        [
            "upload_only_age",
            "availability_age",
            "unwanted_age",
            "have_age",
            "request_age",
            "block_age",
            "upload_age",
            "message_age",
            "snubbed_age",
            "complete_age"
        ]
    );
    assert_eq!(shows("unknown"), ["progress", "median_worth"]);
}

#[test]
fn every_fact_can_stand_in_an_expression() {
    for fact in FACTS.iter() {
        let expression = match fact.read {
            Read::Flag(_) | Read::Until(_) => fact.name.to_owned(),
            Read::Number(_) => format!("{} > 1", fact.name),
            Read::Age(_) => format!("{} > 1s", fact.name),
            Read::Text(_, []) => format!("{} == \"x\"", fact.name),
            Read::Text(_, [value, ..]) => format!("{} == \"{value}\"", fact.name),
            Read::Address(_) => format!("{} in \"10.0.0.0/8\"", fact.name),
        };
        let compiled = cel::compile(&expression).unwrap();
        assert_eq!(compiled.facts.len(), 1, "{expression}");
        assert_eq!(compiled.facts[0].name, fact.name);
    }
}

/// Names of the fields, as `Debug` shows them.
fn fields(shown: &str) -> impl Iterator<Item = &str> {
    shown.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("    ")?.split_once(": ")?;
        (!name.starts_with(' ')).then_some(name)
    })
}

#[test]
fn every_field_of_the_views_has_a_fact() {
    let (peer, swarm) = (format!("{:#?}", peer()), format!("{:#?}", swarm()));
    let swarm = fields(&swarm).map(|field| format!("swarm.{field}"));
    let fields: Vec<String> = fields(&peer).map(str::to_owned).chain(swarm).collect();
    assert!(fields.len() > 50, "{fields:?}");
    for field in &fields {
        assert!(FACTS.iter().any(|fact| fact.field == field), "{field} has no fact");
    }
    for fact in FACTS.iter() {
        assert!(fields.iter().any(|field| field == fact.field), "{} is no field", fact.field);
    }
}

#[test]
fn no_name_means_two_things() {
    for (n, fact) in FACTS.iter().enumerate() {
        assert!(FACTS[..n].iter().all(|before| before.name != fact.name), "{}", fact.name);
        assert!(fact.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", fact.name);
    }
}

#[test]
fn an_interest_that_stops_to_count_shows_it() {
    let mut peer = peer();
    peer.last_request_at = None;
    let fact = FACTS.iter().find(|fact| fact.name == "interest_counts").unwrap();
    let unchoked = peer.am_choking_since;
    let shown = |wait| fact.show(&peer, &swarm(), unchoked + Duration::from_secs(wait));
    assert_eq!((shown(59), shown(60)), ("yes".to_owned(), "no".to_owned()));
}
