//! One connection.

use std::sync::Arc;

use bytes::Bytes;
use ccbt_peer::close::{Timeout, Violation};
use ccbt_peer::core::{Announced, HANDSHAKE_LIMIT, Session, SessionConfig, SessionEvent, Tell};
use ccbt_peer::policy::{Direction, Time};
use ccbt_peer::wire::{
    BLOCK_LEN, Bitfield, Block, Decoder, Handshake, HandshakeDecoder, InfoHash, Limits, Message,
    PeerId, PieceIndex, Reserved,
};
use ccbt_peer::{CloseReason, Geometry};

use super::{at, secs};

const PIECES: u32 = 10;

fn config() -> Arc<SessionConfig> {
    Arc::new(SessionConfig {
        info_hash: InfoHash([1; 20]),
        peer_id: PeerId(*b"-CC0100-000000000000"),
        metadata: Geometry::new(u64::from(PIECES) * u64::from(BLOCK_LEN), BLOCK_LEN).into(),
        listen_port: None,
        pex: true,
        dht_port: None,
    })
}

fn handshake(peer_id: [u8; 20], reserved: Reserved) -> Handshake {
    Handshake { reserved, info_hash: InfoHash([1; 20]), peer_id: PeerId(peer_id) }
}

fn open_as(peer_id: [u8; 20], reserved: Reserved) -> Session {
    let mut session = Session::new(config(), Direction::Incoming, Time::ZERO);
    let ours = Bitfield::full(PIECES);
    session.on_handshake(Time::ZERO, &handshake(peer_id, reserved), &ours).unwrap();
    session.outgoing().clear();
    session
}

fn open(reserved: Reserved) -> Session {
    open_as([7; 20], reserved)
}

fn fast() -> Reserved {
    Reserved::NONE.with_fast()
}

fn hear(session: &mut Session, message: Message) -> Result<Vec<SessionEvent>, CloseReason> {
    let mut events = Vec::new();
    session.on_message(Time::ZERO, message, &|_| true, &mut events)?;
    Ok(events)
}

fn breaks(result: Result<Vec<SessionEvent>, CloseReason>) -> Violation {
    match result {
        Err(CloseReason::PeerBrokeProtocol(violation)) => violation,
        other => panic!("{other:?}"),
    }
}

fn block(piece: u32) -> Block {
    Block { piece: PieceIndex(piece), begin: 0, length: BLOCK_LEN }
}

#[test]
fn s11_a_bitfield_behind_a_have_replaces_what_was_known() {
    let mut session = open(fast());
    hear(&mut session, Message::Have(PieceIndex(3))).unwrap();
    let events = hear(&mut session, Message::Bitfield(Bytes::from_static(&[0x80, 0]))).unwrap();
    let [SessionEvent::Has(Announced::Some(bits))] = &events[..] else { panic!("{events:?}") };
    assert!(bits.get(PieceIndex(0)) && !bits.get(PieceIndex(3)));
}

#[test]
fn s14_a_bitfield_of_the_wrong_size_or_with_spare_bits_ends_the_connection_at_once() {
    for bytes in [&[0xff][..], &[0xff, 0xc0, 0], &[0xff, 0xe0]] {
        let broken = hear(&mut open(fast()), Message::Bitfield(Bytes::from_static(bytes)));
        assert!(matches!(breaks(broken), Violation::Bitfield(_)), "{bytes:?}");
    }
}

#[test]
fn s15_have_all_without_the_fast_extension_ends_the_connection() {
    for message in [Message::HaveAll, Message::HaveNone] {
        let broken = hear(&mut open(Reserved::NONE), message);
        assert!(matches!(breaks(broken), Violation::FastNotNegotiated(_)));
    }
}

#[test]
fn s36_a_handshake_in_two_parts_three_seconds_apart_is_a_handshake() {
    let mut session = Session::new(config(), Direction::Incoming, Time::ZERO);
    let bytes = handshake([7; 20], fast()).to_bytes();
    let mut decoder = HandshakeDecoder::new();
    assert_eq!(decoder.feed(&mut &bytes[..30]), Ok(None));
    session.on_bytes(at(0), 30, true);
    assert_eq!(session.on_deadline(at(3_000)), Ok(()));
    let theirs = decoder.feed(&mut &bytes[30..]).unwrap().unwrap();
    assert!(session.on_handshake(at(3_000), &theirs, &Bitfield::new(PIECES)).is_ok());
}

#[test]
fn s37_a_handshake_that_drips_is_over_after_ten_seconds_whatever_it_has_sent() {
    let mut session = Session::new(config(), Direction::Incoming, at(500));
    session.on_bytes(at(9_500), 1, true);
    assert_eq!(session.deadline(), at(500) + HANDSHAKE_LIMIT);
    assert_eq!(session.on_deadline(at(10_499)), Ok(()));
    let late = session.on_deadline(at(10_500));
    assert_eq!(late, Err(CloseReason::TimedOut(Timeout::Handshake)));
}

#[test]
fn s38_a_message_that_comes_a_byte_a_second_is_over_after_sixty() {
    let mut session = open(fast());
    session.on_bytes(at(0), 4, true);
    for second in 1..60 {
        session.on_bytes(Time::from_secs(second), 1, true);
        assert_eq!(session.on_deadline(Time::from_secs(second)), Ok(()));
    }
    session.on_sent(at(59_000), false);
    let late = session.on_deadline(at(60_000));
    assert_eq!(late, Err(CloseReason::TimedOut(Timeout::Frame { bytes: 59 })));
}

#[test]
fn s39_a_length_of_four_gigabytes_is_refused_from_its_four_bytes() {
    let mut decoder = Decoder::new(Limits::for_pieces(PIECES));
    let mut prefix: &[u8] = &[0xff; 4];
    assert!(decoder.next(&mut prefix).is_err());
    // One that could be a message has to show what it is before anything is kept of it.
    let mut decoder = Decoder::new(Limits::for_pieces(PIECES));
    let mut unchoke: &[u8] = &[0, 1, 0, 0, 1];
    assert!(decoder.next(&mut unchoke).is_err());
}

#[test]
fn s40_a_keep_alive_every_two_minutes_is_enough_and_silence_ends_it_at_150_seconds() {
    let mut session = open(fast());
    for minute in (2..=60).step_by(2) {
        let now = Time::from_secs(minute * 60);
        session.on_sent(now, false);
        assert_eq!(session.on_deadline(now), Ok(()), "minute {minute}");
        session.on_message(now, Message::KeepAlive, &|_| true, &mut Vec::new()).unwrap();
    }
    let silent_since = Time::from_secs(3_600);
    session.on_sent(silent_since + secs(149), false);
    assert_eq!(session.on_deadline(silent_since + secs(149)), Ok(()));
    let late = session.on_deadline(silent_since + secs(150));
    assert_eq!(late, Err(CloseReason::TimedOut(Timeout::Idle)));
}

#[test]
fn s41_a_peer_that_we_do_not_read_for_300_seconds_is_not_silent() {
    let mut session = open(fast());
    session.on_held(at(1_000), true);
    session.on_sent(at(300_000), false);
    assert_eq!(session.on_deadline(at(300_000)), Ok(()));
    session.on_held(at(301_000), false);
    session.on_sent(at(400_000), false);
    assert_eq!(session.on_deadline(at(400_000)), Ok(()));
    // Its silence counts from then on.
    let silent = (301..=460).find(|second| session.on_deadline(Time::from_secs(*second)).is_err());
    assert!((449..=451).contains(&silent.unwrap()), "{silent:?}");
}

#[test]
fn s42_a_peer_that_takes_nothing_of_what_we_send_goes_after_60_seconds() {
    let mut session = open(fast());
    session.announce(&[PieceIndex(1)]);
    session.on_sent(at(5_000), true);
    session.on_bytes(at(64_000), 1, false);
    assert_eq!(session.on_deadline(at(64_999)), Ok(()));
    let late = session.on_deadline(at(65_000));
    assert_eq!(late, Err(CloseReason::TimedOut(Timeout::Write)));
}

#[test]
fn s43_rqbit_hears_from_us_every_8_seconds_and_others_every_90() {
    for (peer_id, every) in [(*b"-rQ8000-000000000000", 8), (*b"-LT2000-000000000000", 90)] {
        let mut session = open_as(peer_id, fast());
        for n in 1..=7 {
            let due = Time::from_secs(every * n);
            assert_eq!(session.deadline(), due);
            session.on_bytes(due, 1, false);
            assert_eq!(session.on_deadline(due), Ok(()));
            assert_eq!(session.queued(), [0; 4], "a keep-alive");
            session.outgoing().clear();
            session.on_sent(due, false);
        }
    }
}

/// A session that has asked for block 1 and cancelled block 2.
fn asked(reserved: Reserved) -> Session {
    let mut session = open(reserved);
    hear(&mut session, Message::Unchoke).unwrap();
    session.tell(Tell::Request(vec![block(1), block(2)]));
    session.tell(Tell::Cancel(vec![block(2)]));
    session
}

#[test]
fn s48_a_piece_that_was_never_requested_is_a_violation_and_a_cancelled_one_is_waste() {
    for reserved in [fast(), Reserved::NONE] {
        let mut session = asked(reserved);
        assert_eq!(session.on_piece_header(Time::ZERO, block(1)), Ok(true));
        assert_eq!(session.on_piece_header(Time::ZERO, block(2)), Ok(false));
        let broken = session.on_piece_header(Time::ZERO, block(3)).map(|_| Vec::new());
        assert!(matches!(breaks(broken), Violation::Unrequested { piece: 3, .. }));
    }
}

#[test]
fn s49_requests_behind_our_choke_are_refused_and_two_thousand_of_them_are_a_flood() {
    let mut session = open(fast());
    let mut floods = 0;
    for _ in 0..7_000 {
        let events = hear(&mut session, Message::Request(block(1))).unwrap();
        floods += events.iter().filter(|event| matches!(event, SessionEvent::Flooding)).count();
    }
    assert_eq!(floods, 1);
    assert!(!session.has_uploads());
}
