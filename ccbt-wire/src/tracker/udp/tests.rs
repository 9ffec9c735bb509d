use super::*;
use crate::tracker::{Announce, AnnounceEvent, AnnounceReply, MAX_PEERS, ScrapeCounts};
use crate::{InfoHash, PeerId};
use proptest::prelude::*;

fn announce() -> Announce {
    Announce {
        info_hash: InfoHash([0xaa; 20]),
        peer_id: PeerId(*b"-CC0100-abcdefghijkl"),
        port: 6881,
        uploaded: 3,
        downloaded: 1,
        left: 2,
        event: Some(AnnounceEvent::Started),
        numwant: Some(200),
        key: Some(0xdead_beef),
        tracker_id: None,
    }
}

fn asking(url_data: &[u8]) -> Request {
    Request::Announce { connection: 7, announce: announce(), url_data: url_data.to_vec() }
}

#[test]
fn a_connect_has_the_bytes_of_bep_15() {
    let bytes = Request::Connect.encode(0x0102_0304);
    assert_eq!(bytes, [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0, 1, 2, 3, 4]);
    let reply = [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 1, 0];
    let parsed = Reply::parse(&reply, Family::V4);
    assert_eq!(parsed, Ok((0x0102_0304, Reply::Connect { connection: 256 })));
}

#[test]
fn an_announce_has_the_offsets_of_bep_15() {
    let bytes = asking(b"").encode(9);
    assert_eq!(bytes.len(), 98);
    for (at, field) in [
        (0, &[0, 0, 0, 0, 0, 0, 0, 7][..]),
        (8, &[0, 0, 0, 1]),
        (12, &[0, 0, 0, 9]),
        (16, &[0xaa; 20]),
        (36, b"-CC0100-abcdefghijkl"),
        (56, &[0, 0, 0, 0, 0, 0, 0, 1]),
        (64, &[0, 0, 0, 0, 0, 0, 0, 2]),
        (72, &[0, 0, 0, 0, 0, 0, 0, 3]),
        (80, &[0, 0, 0, 2]),
        (84, &[0, 0, 0, 0]),
        (88, &[0xde, 0xad, 0xbe, 0xef]),
        (92, &[0, 0, 0, 200]),
        (96, &[0x1a, 0xe1]),
    ] {
        assert_eq!(&bytes[at..at + field.len()], field, "at {at}");
    }
}

#[test]
fn each_event_has_its_number_and_any_number_of_peers_is_minus_one() {
    for (event, number) in [
        (None, 0),
        (Some(AnnounceEvent::Completed), 1),
        (Some(AnnounceEvent::Started), 2),
        (Some(AnnounceEvent::Stopped), 3),
    ] {
        let announce = Announce { event, numwant: None, key: Some(0), ..announce() };
        let ask = Request::Announce { connection: 7, announce, url_data: Vec::new() };
        let bytes = ask.encode(1);
        assert_eq!((bytes[83], &bytes[92..96]), (number, &[0xff; 4][..]));
        assert_eq!(Request::parse(&bytes), Ok((1, ask)));
    }
}

#[test]
fn counts_that_no_signed_number_holds_are_told_as_the_largest() {
    let announce = Announce { left: u64::MAX, ..announce() };
    let bytes = Request::Announce { connection: 7, announce, url_data: Vec::new() }.encode(1);
    assert_eq!(bytes[64..72], i64::MAX.to_be_bytes());
}

#[test]
fn the_rest_of_the_url_follows_in_options_of_255_bytes() {
    let short = asking(b"/announce?pass=1").encode(1);
    assert_eq!(short[98..100], [2, 16]);
    assert_eq!(&short[100..], b"/announce?pass=1\0");
    for length in [1, 255, 256, 510, MAX_URL_DATA] {
        let ask = asking(&vec![b'x'; length]);
        assert_eq!(Request::parse(&ask.encode(1)), Ok((1, ask)), "{length}");
    }
    let long = asking(&[b'x'; MAX_URL_DATA + 1]).encode(1);
    assert_eq!(Request::parse(&long), Ok((1, asking(&[b'x'; MAX_URL_DATA]))));
}

#[test]
fn options_of_others_are_passed_over_and_torn_ones_end_them() {
    let with = |options: &[u8]| {
        let mut bytes = asking(b"").encode(1);
        bytes.extend(options);
        Request::parse(&bytes).unwrap().1
    };
    assert_eq!(with(&[1, 1, 9, 2, 0, 0, 2, 1, b'/', 0, 2, 1, b'x']), asking(b"/"));
    assert_eq!(with(&[2, 1, b'/', 2, 9, b'x']), asking(b"/"));
    assert_eq!(with(&[2]), asking(b""));
}

#[test]
fn peers_have_6_bytes_each_over_ipv4_and_18_over_ipv6() {
    let mut reply = AnnounceReply::default();
    (reply.interval, reply.incomplete, reply.complete) = (Some(1800), Some(2), Some(3));
    let mixed = ["10.0.0.1:6881", "[2001:db8::1]:6882", "10.0.0.2:6883"];
    for (family, length) in [(Family::V4, 20 + 12), (Family::V6, 20 + 18)] {
        reply.peers = mixed.map(|peer| peer.parse().unwrap()).to_vec();
        let bytes = Reply::Announce(reply.clone()).encode(5, family);
        assert_eq!(bytes.len(), length);
        reply.peers.retain(|peer| Family::of(*peer) == family);
        assert_eq!(Reply::parse(&bytes, family), Ok((5, Reply::Announce(reply.clone()))));
    }
}

#[test]
fn no_more_than_200_peers_are_taken_and_none_with_port_0() {
    let mut bytes = Reply::Announce(AnnounceReply::default()).encode(5, Family::V4);
    bytes.extend([10, 0, 0, 1, 0, 0]);
    bytes.extend([10, 0, 0, 1, 1, 2].repeat(300));
    bytes.extend([1, 2, 3]);
    let Ok((5, Reply::Announce(reply))) = Reply::parse(&bytes, Family::V4) else { panic!() };
    assert_eq!(reply.peers, ["10.0.0.1:258".parse().unwrap(); MAX_PEERS]);
}

#[test]
fn sizes_come_in_the_order_of_the_question() {
    let counts = |complete, downloaded, incomplete| ScrapeCounts {
        complete: Some(complete),
        downloaded: Some(downloaded),
        incomplete: Some(incomplete),
    };
    let reply = Reply::Scrape(vec![counts(1, 2, 3), counts(4, 5, u32::MAX)]);
    let mut bytes = reply.encode(5, Family::V4);
    assert_eq!(bytes[..12], [0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 1]);
    bytes.extend([0; 11]);
    assert_eq!(Reply::parse(&bytes, Family::V6), Ok((5, reply)));
}

#[test]
fn the_words_of_a_refusal_are_made_fit_to_show() {
    let bytes = b"\0\0\0\x03\0\0\0\x05go\x1b[2J away\n";
    assert_eq!(Reply::parse(bytes, Family::V4), Ok((5, Reply::Error("go[2J away".into()))));
}

#[test]
fn what_is_cut_short_or_unknown_is_an_error() {
    let short = |length, needed| DatagramError::TooShort { length, needed };
    for (bytes, error) in [
        (&[0; 7][..], short(7, 8)),
        (&[0; 15], short(15, 16)),
        (&[0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], short(19, 20)),
        (&[0, 0, 0, 9, 0, 0, 0, 5], DatagramError::Action(9)),
    ] {
        assert_eq!(Reply::parse(bytes, Family::V4), Err(error));
    }
    assert_eq!(Request::parse(&[0; 15]), Err(short(15, 16)));
    assert_eq!(Request::parse(&[0; 16]), Err(DatagramError::Magic));
    assert_eq!(Request::parse(&asking(b"").encode(1)[..97]), Err(short(97, 98)));
    let mut unknown = Request::Connect.encode(1);
    unknown[11] = 4;
    assert_eq!(Request::parse(&unknown), Err(DatagramError::Action(4)));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), action in 0_u8..5) {
        let mut bytes = bytes;
        let _ = Request::parse(&bytes);
        if let Some(start) = bytes.get_mut(..4) {
            start.copy_from_slice(&[0, 0, 0, action]);
        }
        let _ = (Reply::parse(&bytes, Family::V4), Reply::parse(&bytes, Family::V6));
        if let Some(start) = bytes.get_mut(8..12) {
            start.copy_from_slice(&[0, 0, 0, action]);
        }
        let _ = Request::parse(&bytes);
    }
}
