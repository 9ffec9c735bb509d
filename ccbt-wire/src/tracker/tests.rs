use super::*;
use crate::{InfoHash, PeerId};
use std::net::SocketAddr;

fn announce() -> Announce {
    Announce {
        info_hash: InfoHash(
            *b"\x12\x34\x56\x78\x9a\xbc\xde\xf1\x23\x45\x67\x89\xab\xcd\xef\x12\x34\x56\x78\x9a",
        ),
        peer_id: PeerId(*b"-CC0100-abcdefghij/+"),
        port: 6881,
        uploaded: 1,
        downloaded: 2,
        left: u64::MAX,
        event: None,
        numwant: None,
        key: None,
        tracker_id: None,
    }
}

#[test]
fn raw_bytes_are_percent_encoded() {
    assert_eq!(
        announce().query(),
        "info_hash=%124Vx%9a%bc%de%f1%23Eg%89%ab%cd%ef%124Vx%9a&peer_id=-CC0100-abcdefghij%2f%2b\
         &port=6881&uploaded=1&downloaded=2&left=18446744073709551615&compact=1"
    );
}

#[test]
fn optional_parameters_follow() {
    let announce = Announce {
        event: Some(AnnounceEvent::Started),
        numwant: Some(50),
        key: Some(0xbeef),
        tracker_id: Some(b"a&b".to_vec()),
        ..announce()
    };
    assert!(
        announce
            .query()
            .ends_with("&compact=1&event=started&numwant=50&key=0000beef&trackerid=a%26b")
    );
}

#[test]
fn the_query_joins_any_tracker_url() {
    for (tracker, start) in [
        ("http://t/a", "http://t/a?info_hash="),
        ("http://t/a?", "http://t/a?info_hash="),
        ("http://t/a?k=1", "http://t/a?k=1&info_hash="),
        ("http://t/a?k=1&", "http://t/a?k=1&info_hash="),
        ("http://t/a#x?y", "http://t/a?info_hash="),
    ] {
        let url = announce().url(tracker);
        assert!(url.starts_with(start), "{url}");
    }
}

#[test]
fn a_compact_reply_survives_the_wire() {
    let reply = AnnounceReply {
        interval: Some(1800),
        min_interval: Some(60),
        tracker_id: Some(b"id".to_vec()),
        complete: Some(3),
        incomplete: Some(4),
        warning: Some("slow down".into()),
        peers: ["10.0.0.1:6881", "[2001:db8::1]:6882"].map(|peer| peer.parse().unwrap()).into(),
    };
    assert_eq!(AnnounceReply::parse(&reply.encode()), Ok(reply));
}

#[test]
fn compact_peers_have_6_and_18_bytes() {
    assert_eq!(compact_v4(["1.2.3.4:258".parse().unwrap()]), [1, 2, 3, 4, 1, 2]);
    let v6 = compact_v6(["[::1]:258".parse().unwrap()]);
    assert_eq!(v6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
}

#[test]
fn a_dictionary_list_is_read_and_its_bad_entries_left_out() {
    let body = b"d5:peersl\
        d2:ip8:10.0.0.17:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti6881ee\
        d2:ip3:::14:porti6882ee\
        d2:ip9:localhost4:porti1ee\
        d2:ip8:10.0.0.24:porti0ee\
        d2:ip8:10.0.0.24:porti65536ee\
        d2:ip8:10.0.0.2e\
        i5e\
        ee";
    let expected: Vec<SocketAddr> =
        ["10.0.0.1:6881", "[::1]:6882"].map(|peer| peer.parse().unwrap()).into();
    assert_eq!(AnnounceReply::parse(body).map(|reply| reply.peers), Ok(expected));
}

#[test]
fn port_0_and_a_torn_last_entry_are_left_out() {
    let body = b"d5:peers15:\x0a\0\0\x01\x1a\xe1\x0a\0\0\x02\0\0\x0a\0\0e";
    let peers = AnnounceReply::parse(body).unwrap().peers;
    assert_eq!(peers, ["10.0.0.1:6881".parse().unwrap()]);
}

#[test]
fn no_more_than_200_peers_are_taken() {
    let v4 = [10, 0, 0, 1, 1, 2].repeat(150);
    let v6 = [1; 18].repeat(150);
    let mut body = b"d5:peers900:".to_vec();
    body.extend(v4);
    body.extend(b"6:peers62700:");
    body.extend(v6);
    body.push(b'e');
    let peers = AnnounceReply::parse(&body).unwrap().peers;
    assert_eq!(peers.len(), MAX_PEERS);
    assert_eq!(peers.iter().filter(|peer| peer.is_ipv6()).count(), 50);
}

#[test]
fn a_refusal_is_an_error_with_printable_words() {
    let error =
        AnnounceReply::parse(b"d14:failure reason8:go\x1b[2J\n!8:retry ini30ee").unwrap_err();
    assert_eq!(error, TrackerError::Refused { reason: "go[2J!".into(), retry_in: Some(30) });
    assert_eq!(error.to_string(), "the tracker refused: go[2J!");
    let error = AnnounceReply::parse(b"d14:failure reasoni1ee").unwrap_err();
    assert_eq!(error, TrackerError::Refused { reason: "no reason given".into(), retry_in: None });
}

#[test]
fn what_is_no_dictionary_is_no_reply() {
    assert_eq!(AnnounceReply::parse(b"le"), Err(TrackerError::NotADictionary));
    assert!(matches!(AnnounceReply::parse(b"<html>"), Err(TrackerError::Bencode(_))));
    let ill_typed = b"d8:interval2:xy10:tracker idi1e5:peersi1e6:peers6lee";
    assert_eq!(AnnounceReply::parse(ill_typed), Ok(AnnounceReply::default()));
    let negative = b"d8:intervali-5ee";
    assert_eq!(AnnounceReply::parse(negative).map(|reply| reply.interval), Ok(None));
}
