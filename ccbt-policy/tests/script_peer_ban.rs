//! The ready file of examples: each of its rules is for whom it says, and for nobody else.
#![cfg(feature = "script")]

use std::collections::BTreeSet;

use ccbt_policy::script::{Action, Rules};
use ccbt_policy::{Availability, EvictionPolicy, Past, PeerView, SwarmView, Time};

const FILE: &str = include_str!("../rules/peer-ban.toml");
const DAY: u64 = 24 * 60 * 60;

fn swarm() -> SwarmView {
    SwarmView::new().with(|s| (s.have, s.need) = (400, 600))
}

/// An honest leecher to whom we give.
fn honest() -> PeerView {
    PeerView::new(([203, 0, 113, 5], 6881).into(), Time::ZERO).with(|p| {
        p.peer_id = *b"-qB4520-abcdefghijkl";
        p.client = Some("qBittorrent 4.5.2".into());
        p.set_availability(Time::ZERO, Availability::Some);
        p.have = 40;
        p.uploaded = 30 << 20;
        p.last_upload_at = Some(Time::from_secs(1_000));
    })
}

/// The names of the rules that are for `peer` at `secs`.
fn whose(peer: &PeerView, swarm: &SwarmView, secs: u64) -> BTreeSet<String> {
    let now = Time::from_secs(secs);
    let rules = Rules::parse("peer-ban.toml", FILE).unwrap_or_else(|error| panic!("{error}"));
    let found = rules
        .iter()
        .filter(|rule| {
            let verdict = rule.judge(peer, swarm, now);
            verdict.evict.or(verdict.spare).is_some_and(|eviction| eviction.at <= now)
        })
        .map(|rule| rule.name().to_owned())
        .collect();
    assert_eq!(rules.new_troubles().count(), 0);
    found
}

#[track_caller]
fn assert_whose(change: impl FnOnce(&mut PeerView), secs: u64, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(whose(&honest().with(change), &swarm(), secs), expected);
}

#[test]
fn an_honest_peer_is_left_alone() {
    for secs in [0, 60, 600, 1_800] {
        assert_whose(|_| (), secs, &[]);
    }
}

#[test]
fn a_peer_id_of_the_list_is_known_at_once() {
    assert_whose(|p| p.peer_id = *b"-SD0100-abcdefghijkl", 0, &["peer-id-list"]);
    let xunlei = |p: &mut PeerView| {
        p.peer_id = *b"-XL0019-abcdefghijkl";
        p.client = Some("Xunlei 0.0.1.9".into());
    };
    assert_whose(xunlei, 120, &["client-name-list", "peer-id-list"]);
    assert_whose(xunlei, 121, &["client-name-list", "peer-id-list", "takes-and-never-gives"]);
    assert_whose(|p| p.peer_id = *b"-qB45-XLabcdefghijkl", 600, &[]);
}

#[test]
fn a_client_name_of_the_list_is_known_in_any_case() {
    for name in ["dt/torrent v1.0", "QQDownload 4", "Super THUNDER"] {
        assert_whose(|p| p.client = Some(name.into()), 0, &["client-name-list"]);
    }
    assert_whose(|p| p.client = Some("my dt/torrent".into()), 0, &[]);
}

#[test]
fn an_address_of_the_list_is_known_in_its_ranges() {
    for (address, listed) in [
        ("192.0.2.66:1", true),
        ("192.0.2.67:1", false),
        ("198.51.100.255:1", true),
        ("198.51.101.0:1", false),
        ("[::ffff:198.51.100.7]:1", true),
        ("[2001:db8:bad:ffff::1]:1", true),
        ("[2001:db8:bae::1]:1", false),
    ] {
        let expected: &[&str] = if listed { &["address-list"] } else { &[] };
        assert_whose(|p| p.addr = address.parse().unwrap(), 0, expected);
    }
}

#[test]
fn many_of_one_network_are_known_but_not_at_home() {
    assert_whose(|p| p.same_prefix = 3, 600, &[]);
    assert_whose(|p| p.same_prefix = 4, 600, &["one-network"]);
    let gives = |p: &mut PeerView| (p.same_prefix, p.downloaded) = (9, 1 << 20);
    assert_whose(gives, 600, &[]);
    for home in ["192.168.1.9:1", "127.0.0.1:1", "[fe80::1]:1", "[::1]:1"] {
        let at_home = |p: &mut PeerView| (p.same_prefix, p.addr) = (9, home.parse().unwrap());
        assert_whose(at_home, 600, &[]);
    }
}

#[test]
fn false_progress_is_known_by_what_we_sent() {
    let sent = |mib: u64| move |p: &mut PeerView| p.uploaded = mib << 20;
    assert_whose(sent(16 * 48), 600, &[]);
    assert_whose(sent(16 * 48 + 1), 600, &["progress-too-small"]);
    let mute = |mib: u64| {
        move |p: &mut PeerView| {
            p.set_availability(Time::ZERO, Availability::None);
            (p.have, p.uploaded) = (0, mib << 20);
        }
    };
    assert_whose(mute(128), 600, &[]);
    assert_whose(mute(129), 600, &["progress-never-told", "progress-too-small"]);
}

#[test]
fn progress_that_went_back_is_known_at_the_next_meeting() {
    let before = |have: u32| {
        move |p: &mut PeerView| {
            p.past = Past { connections: 1, uploaded: 1 << 20, ..Past::default() };
            p.past.highest_have = have;
        }
    };
    assert_whose(before(140), 600, &[]);
    assert_whose(before(141), 30, &[]);
    assert_whose(before(141), 31, &["progress-went-back"]);
}

#[test]
fn who_was_sent_everything_twice_has_had_enough() {
    let past = |uploaded| {
        move |p: &mut PeerView| {
            p.have = 1_000;
            p.past.uploaded = uploaded;
        }
    };
    let all_twice = 2 * (16 << 20) * 1_000 - (30 << 20);
    assert_whose(past(all_twice), 600, &[]);
    assert_whose(past(all_twice + 1), 600, &["took-more-than-there-is"]);
}

#[test]
fn a_connection_is_idle_after_15_minutes_of_nothing() {
    let nothing = |p: &mut PeerView| (p.uploaded, p.last_upload_at) = (0, None);
    assert_whose(nothing, 900, &[]);
    assert_whose(nothing, 901, &["idle-connection"]);
    let lately = |p: &mut PeerView| p.last_block_at = Some(Time::from_secs(500));
    assert_whose(
        |p| {
            nothing(p);
            lately(p);
            p.downloaded = 1;
        },
        1_400,
        &[],
    );
    assert_whose(|_| (), 1_900, &[]);
    assert_whose(|_| (), 1_901, &["idle-connection"]);
    let asks = |p: &mut PeerView| {
        p.set_offered(Time::ZERO, 1);
        p.set_peer_interested(Time::ZERO, true);
    };
    assert_whose(asks, 1_901, &[]);
}

#[test]
fn slow_ones_are_spare_only_while_others_wait() {
    let slow = honest().with(|p| {
        p.set_peer_choking(Time::ZERO, false);
        p.set_am_interested(Time::ZERO, true);
        (p.in_flight, p.download_rate) = (4, 1_023);
        p.downloaded = 1;
        p.last_block_at = Some(Time::from_secs(100));
    });
    let crowded = swarm().with(|s| (s.crowded, s.newcomers) = (true, 1));
    let expected = BTreeSet::from(["slow-while-crowded".to_owned()]);
    assert_eq!(whose(&slow, &crowded, 181), expected);
    assert!(whose(&slow, &crowded, 180).is_empty());
    assert!(whose(&slow, &swarm(), 181).is_empty());
    let fast = slow.with(|p| p.download_rate = 1_024);
    assert!(whose(&fast, &crowded, 181).is_empty());
}

#[test]
fn who_cheats_waits_a_day_and_who_idles_is_only_spare() {
    let rules = Rules::parse("peer-ban.toml", FILE).unwrap();
    for rule in rules.iter() {
        let spare = ["idle-connection", "slow-while-crowded"].contains(&rule.name());
        assert_eq!(rule.action() == Action::Spare, spare, "{}", rule.name());
    }
    let liar = honest().with(|p| p.peer_id = *b"-XL0019-abcdefghijkl");
    let rule = rules.iter().find(|rule| rule.name() == "peer-id-list").unwrap();
    let eviction = rule.judge(&liar, &swarm(), Time::ZERO).evict.unwrap();
    assert_eq!(eviction.cooldown.wait(1).as_secs(), DAY);
}
