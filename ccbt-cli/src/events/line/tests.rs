use ccbt_peer::Progress;
use ccbt_peer::close::Refusal;
use ccbt_peer::policy::Evidence;
use ccbt_peer::wire::InfoHash;

use super::*;

fn about(info_hash: Option<InfoHash>) -> About {
    About { pieces: 192, info_hash, name: None }
}

fn json(kind: EventKind) -> String {
    let event = Event { at: Time::from_millis(61_007), kind };
    serde_json::to_string(&Line::new(&about(None), &event).expect("a name")).expect("JSON")
}

fn peer() -> SocketAddr {
    "192.0.2.7:6881".parse().expect("an address")
}

fn evidence() -> Evidence {
    Evidence { policy: "health".into(), text: "nothing \"new\"".into() }
}

#[test]
fn the_start_names_port_and_pieces() {
    let listen = "[::]:6881".parse().ok();
    assert_eq!(
        json(EventKind::Started { listen, have: 3, need: 180, pieces: 192 }),
        r#"{"time_ms":61007,"event":"started","listen":"[::]:6881","have":3,"need":180,"pieces":192}"#
    );
}

#[test]
fn an_ipv4_peer_on_an_ipv6_socket_is_written_as_ipv4() {
    let peer = "[::ffff:192.0.2.7]:6881".parse().expect("an address");
    assert_eq!(
        json(EventKind::PeerConnected {
            peer,
            direction: Direction::Incoming,
            source: Source::Incoming
        }),
        r#"{"time_ms":61007,"event":"peer_connected","peer":"192.0.2.7:6881","direction":"incoming","source":"incoming"}"#
    );
}

#[test]
fn readiness_tells_client_and_availability() {
    let ready =
        |have| EventKind::PeerReady { peer: peer(), client: Some("x 1".into()), have, wanted: 2 };
    assert_eq!(
        json(ready(192)),
        r#"{"time_ms":61007,"event":"peer_ready","peer":"192.0.2.7:6881","client":"x 1","availability":"all","have":192,"wanted":2}"#
    );
    assert!(json(ready(0)).contains(r#""availability":"none""#));
    assert!(json(ready(191)).contains(r#""availability":"some""#));
}

#[test]
fn interest_is_a_flag() {
    assert_eq!(
        json(EventKind::Interest { peer: peer(), am_interested: false }),
        r#"{"time_ms":61007,"event":"interest","peer":"192.0.2.7:6881","am_interested":false}"#
    );
}

#[test]
fn a_notice_tells_policy_reason_and_deadline() {
    let evict_at = Time::from_secs(90);
    let scheduled = EventKind::EvictScheduled {
        peer: peer(),
        reason: "became-useless",
        evidence: evidence(),
        evict_at,
    };
    assert_eq!(
        json(scheduled),
        r#"{"time_ms":61007,"event":"evict_scheduled","peer":"192.0.2.7:6881","policy":"health","reason":"became-useless","evidence":"nothing \"new\"","at_ms":90000}"#
    );
    let pardoned =
        EventKind::EvictPardoned { peer: peer(), reason: "became-useless", evidence: evidence() };
    assert_eq!(
        json(pardoned),
        r#"{"time_ms":61007,"event":"evict_pardoned","peer":"192.0.2.7:6881","policy":"health","reason":"became-useless","evidence":"nothing \"new\""}"#
    );
}

#[test]
fn a_closed_peer_carries_its_evidence() {
    let closed = |reason| EventKind::PeerClosed {
        peer: peer(),
        reason,
        connected: Duration::from_millis(60_000),
        downloaded: 262_144,
        uploaded: 0,
    };
    assert_eq!(
        json(closed(CloseReason::Evicted { reason: "became-useless", evidence: evidence() })),
        r#"{"time_ms":61007,"event":"peer_closed","peer":"192.0.2.7:6881","reason":"evicted","cause":"became-useless","policy":"health","evidence":"nothing \"new\"","connected_ms":60000,"downloaded":262144,"uploaded":0}"#
    );
    assert_eq!(
        json(closed(CloseReason::Refused(Refusal::Duplicate))),
        r#"{"time_ms":61007,"event":"peer_closed","peer":"192.0.2.7:6881","reason":"refused","cause":null,"policy":null,"evidence":"connected already","connected_ms":60000,"downloaded":262144,"uploaded":0}"#
    );
}

#[test]
fn pieces_and_failures_are_short() {
    assert_eq!(
        json(EventKind::Piece { piece: 7, have: 9 }),
        r#"{"time_ms":61007,"event":"piece","piece":7,"have":9}"#
    );
    assert_eq!(
        json(EventKind::PieceFailed { piece: 7, from: vec![peer()] }),
        r#"{"time_ms":61007,"event":"piece_failed","piece":7,"from":["192.0.2.7:6881"]}"#
    );
    assert_eq!(
        json(EventKind::DialFailed { peer: peer(), error: "connection refused".into() }),
        r#"{"time_ms":61007,"event":"dial_failed","peer":"192.0.2.7:6881","error":"connection refused"}"#
    );
    assert_eq!(
        json(EventKind::SourceReplied { source: "http://t/a".into(), peers: 50, warning: None }),
        r#"{"time_ms":61007,"event":"source_replied","source":"http://t/a","peers":50,"warning":null}"#
    );
    assert_eq!(json(EventKind::Stopped), r#"{"time_ms":61007,"event":"stopped"}"#);
}

#[test]
fn progress_is_numbers_only() {
    let text = json(EventKind::Progress(Progress::default()));
    assert_eq!(
        text,
        r#"{"time_ms":61007,"event":"progress","verified":0,"total":0,"have":0,"need":0,"pieces":0,"download_rate":0,"upload_rate":0,"downloaded":0,"uploaded":0,"peers":0,"useful":0,"choking":0,"dropped":0,"candidates":0,"dialing":0,"blocked":0}"#
    );
}

#[test]
fn where_there_can_be_several_torrents_the_info_hash_tells_them_apart() {
    let event = Event { at: Time::from_millis(7), kind: EventKind::Stopped };
    let about = about(Some(InfoHash([0xab; 20])));
    assert_eq!(
        serde_json::to_string(&Line::new(&about, &event).expect("a name")).expect("JSON"),
        format!(r#"{{"time_ms":7,"info_hash":"{}","event":"stopped"}}"#, "ab".repeat(20))
    );
}
