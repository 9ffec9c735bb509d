use std::sync::Arc;

use bytes::Bytes;
use ccbt_wire::{BLOCK_LEN, Limits, MessageDecoder};

use super::*;
use crate::Geometry;
use crate::close::{Timeout, Violation};

mod hygiene;
mod metadata;

const PIECES: u32 = 10;

fn config() -> Arc<SessionConfig> {
    Arc::new(SessionConfig {
        info_hash: InfoHash([1; 20]),
        peer_id: PeerId(*b"-CC0100-000000000000"),
        metadata: Geometry::new(u64::from(PIECES) * 32768, 32768).into(),
        listen_port: Some(6881),
        pex: true,
        dht_port: None,
    })
}

fn theirs(reserved: Reserved) -> Handshake {
    let peer_id = PeerId(*b"-XX0100-111111111111");
    Handshake { reserved, info_hash: InfoHash([1; 20]), peer_id }
}

/// An open connection at second 0, with nothing to be sent.
fn open(reserved: Reserved) -> Session {
    let mut session = Session::new(config(), Direction::Outgoing, Time::ZERO);
    session.on_handshake(Time::ZERO, &theirs(reserved), &Bitfield::new(PIECES)).unwrap();
    sent(&mut session);
    session
}

fn fast() -> Session {
    open(Reserved::NONE.with_fast())
}

fn plain() -> Session {
    open(Reserved::NONE)
}

/// What the session wants to send behind the handshake.
fn sent(session: &mut Session) -> Vec<Message> {
    let mut decoder = MessageDecoder::new(Limits::for_pieces(PIECES));
    decoder.push(&session.outgoing().split());
    std::iter::from_fn(|| decoder.next().unwrap()).collect()
}

fn hear(session: &mut Session, message: Message) -> Result<Vec<SessionEvent>, CloseReason> {
    let mut events = Vec::new();
    session.on_message(Time::ZERO, message, &|piece| piece.0 < 5, &mut events)?;
    Ok(events)
}

/// The rule that the peer breaks with this message.
#[track_caller]
fn violation(session: &mut Session, message: Message) -> Violation {
    match hear(session, message) {
        Err(CloseReason::PeerBrokeProtocol(violation)) => violation,
        other => panic!("{other:?}"),
    }
}

fn block(piece: u32, n: u32) -> Block {
    Block { piece: PieceIndex(piece), begin: n * BLOCK_LEN, length: BLOCK_LEN }
}

/// A session that was unchoked and has asked for these blocks.
fn asked(mut session: Session, blocks: &[Block]) -> Session {
    hear(&mut session, Message::Unchoke).unwrap();
    session.tell(Tell::Request(blocks.to_vec()));
    sent(&mut session);
    session
}

mod handshake {
    use super::*;

    #[test]
    fn the_initiator_sends_its_handshake_and_nothing_behind_it() {
        let mut session = Session::new(config(), Direction::Outgoing, Time::ZERO);
        session.send_handshake();
        assert_eq!(session.queued(), config().handshake().to_bytes());
        assert_eq!(session.direction(), Direction::Outgoing);
    }

    fn greeting(reserved: Reserved, ours: &Bitfield) -> Vec<Message> {
        let mut session = Session::new(config(), Direction::Incoming, Time::ZERO);
        session.on_handshake(Time::ZERO, &theirs(reserved), ours).unwrap();
        sent(&mut session)
    }

    #[test]
    fn the_greeting_tells_what_we_have_in_the_shortest_words_that_the_peer_knows() {
        let (none, all) = (Bitfield::new(PIECES), Bitfield::full(PIECES));
        let mut some = none.clone();
        some.set(PieceIndex(0), true);
        let bitfield = |bytes: &'static [u8]| [Message::Bitfield(Bytes::from_static(bytes))];
        let fast = Reserved::NONE.with_fast();
        assert_eq!(greeting(fast, &none), [Message::HaveNone]);
        assert_eq!(greeting(fast, &all), [Message::HaveAll]);
        assert_eq!(greeting(fast, &some), bitfield(&[0x80, 0]));
        assert_eq!(greeting(Reserved::NONE, &none), []);
        assert_eq!(greeting(Reserved::NONE, &all), bitfield(&[0xff, 0xc0]));
        assert_eq!(greeting(Reserved::NONE, &some), bitfield(&[0x80, 0]));
    }

    #[test]
    fn the_extension_handshake_comes_first_and_names_port_queue_and_version() {
        let reserved = Reserved::NONE.with_extended().with_fast();
        let greeting = greeting(reserved, &Bitfield::new(PIECES));
        let [Message::Extended { id: 0, payload }, Message::HaveNone] = &greeting[..] else {
            panic!("{greeting:?}")
        };
        let hello = ExtensionHandshake::parse(payload).unwrap();
        assert_eq!((hello.p, hello.reqq), (Some(6881), Some(250)));
        assert!(hello.v.unwrap().starts_with("ccbt "));
    }

    #[test]
    fn the_swarm_hears_what_both_sides_speak() {
        let mut session = Session::new(config(), Direction::Incoming, Time::ZERO);
        let reserved = Reserved::NONE.with_fast().with_dht();
        let opened =
            session.on_handshake(Time::ZERO, &theirs(reserved), &Bitfield::new(PIECES)).unwrap();
        let SessionEvent::Opened { direction, fast, extended, dht, .. } = opened else { panic!() };
        assert_eq!((direction, fast, extended, dht), (Direction::Incoming, true, false, true));
    }

    #[test]
    fn ourselves_and_another_torrent_are_refused() {
        let nothing = Bitfield::new(PIECES);
        let mut session = Session::new(config(), Direction::Outgoing, Time::ZERO);
        let mut other = theirs(Reserved::NONE);
        other.info_hash = InfoHash([2; 20]);
        let refused = session.on_handshake(Time::ZERO, &other, &nothing).unwrap_err();
        assert_eq!(refused, CloseReason::Refused(Refusal::WrongInfoHash));
        let ours = config().handshake();
        let refused = session.on_handshake(Time::ZERO, &ours, &nothing).unwrap_err();
        assert_eq!(refused, CloseReason::Refused(Refusal::Ourselves));
    }
}

mod time {
    use super::*;

    #[test]
    fn bytes_do_not_extend_the_10_seconds_of_the_handshake() {
        let mut session = Session::new(config(), Direction::Outgoing, Time::from_secs(5));
        session.on_bytes(Time::from_secs(14), 1, false);
        assert_eq!(session.deadline(), Time::from_secs(15));
        assert_eq!(session.on_deadline(Time::from_millis(14_999)), Ok(()));
        let late = session.on_deadline(Time::from_secs(15));
        assert_eq!(late, Err(CloseReason::TimedOut(Timeout::Handshake)));
    }

    #[test]
    fn a_keep_alive_goes_out_after_90_seconds_in_which_we_sent_nothing() {
        let mut session = plain();
        session.on_sent(Time::from_secs(7), false);
        assert_eq!(session.deadline(), Time::from_secs(97));
        session.on_deadline(Time::from_secs(97)).unwrap();
        assert_eq!(sent(&mut session), [Message::KeepAlive]);
    }

    #[test]
    fn keep_alives_of_connections_that_began_together_are_due_together() {
        let due = |millis| {
            let mut session = plain();
            session.on_sent(Time::from_millis(millis), false);
            session.deadline()
        };
        assert_eq!(
            (due(7_200), due(7_299)),
            (Time::from_millis(97_200), Time::from_millis(97_200))
        );
        assert_eq!(due(7_300), Time::from_millis(97_300));
    }

    #[test]
    fn a_peer_that_is_silent_for_150_seconds_is_dead_and_any_message_keeps_it() {
        let mut session = plain();
        let mut events = Vec::new();
        let at = Time::from_secs(100);
        session.on_message(at, Message::KeepAlive, &|_| false, &mut events).unwrap();
        session.on_sent(Time::from_secs(240), false);
        assert_eq!(session.deadline(), Time::from_secs(250));
        assert_eq!(session.on_deadline(Time::from_millis(249_999)), Ok(()));
        let dead = session.on_deadline(Time::from_secs(250));
        assert_eq!(dead, Err(CloseReason::TimedOut(Timeout::Idle)));
    }

    #[test]
    fn the_silence_of_a_peer_that_we_did_not_read_is_not_its_own() {
        let mut session = plain();
        session.on_held(Time::from_secs(100), true);
        session.on_held(Time::from_secs(149), false);
        session.on_sent(Time::from_secs(149), false);
        assert_eq!(session.on_deadline(Time::from_secs(150)), Ok(()));
    }

    #[test]
    fn a_peer_that_takes_no_byte_for_60_seconds_is_dead() {
        let mut session = plain();
        session.on_blocked(Time::from_secs(10));
        session.on_blocked(Time::from_secs(20));
        assert_eq!(session.deadline(), Time::from_secs(70));
        // One byte that moves starts the wait anew.
        session.on_sent(Time::from_secs(69), true);
        assert_eq!(session.on_deadline(Time::from_secs(70)), Ok(()));
        session.on_bytes(Time::from_secs(128), 1, false);
        let dead = session.on_deadline(Time::from_secs(129));
        assert_eq!(dead, Err(CloseReason::TimedOut(Timeout::Write)));
    }

    #[test]
    fn what_is_written_whole_is_stuck_no_more() {
        let mut session = plain();
        session.on_blocked(Time::from_secs(10));
        session.on_sent(Time::from_secs(11), false);
        assert_eq!(session.deadline(), Time::from_secs(101));
    }
}

mod pieces {
    use super::*;

    #[test]
    fn a_have_beyond_the_last_piece_breaks_the_protocol() {
        assert!(hear(&mut plain(), Message::Have(PieceIndex(PIECES - 1))).is_ok());
        let broken = violation(&mut plain(), Message::Have(PieceIndex(PIECES)));
        let expected =
            Violation::PieceOutOfRange { message: "HAVE", piece: PIECES, pieces: PIECES };
        assert_eq!(broken, expected);
        assert_eq!(broken.to_string(), "HAVE of piece 10, but the torrent has 10 pieces");
    }

    #[test]
    fn a_bitfield_has_the_torrents_size_and_no_spare_bit() {
        for bytes in [&[0xff][..], &[0xff, 0xc0, 0], &[], &[0, 0x20]] {
            let message = Message::Bitfield(Bytes::copy_from_slice(bytes));
            assert!(matches!(violation(&mut plain(), message), Violation::Bitfield(_)));
        }
    }

    #[test]
    fn every_way_to_tell_of_all_or_nothing_is_the_same() {
        let has = |session: &mut Session, message| match &hear(session, message).unwrap()[..] {
            [SessionEvent::Has(announced)] => announced.clone(),
            other => panic!("{other:?}"),
        };
        let bitfield = |bytes: &'static [u8]| Message::Bitfield(Bytes::from_static(bytes));
        assert_eq!(has(&mut plain(), bitfield(&[0xff, 0xc0])), Announced::All);
        assert_eq!(has(&mut fast(), Message::HaveAll), Announced::All);
        assert_eq!(has(&mut plain(), bitfield(&[0, 0])), Announced::None);
        assert_eq!(has(&mut fast(), Message::HaveNone), Announced::None);
        assert!(matches!(has(&mut plain(), bitfield(&[0, 0x40])), Announced::Some(_)));
    }

    #[test]
    fn messages_of_the_fast_extension_need_the_fast_extension() {
        let messages = [
            (Message::HaveAll, "HAVE_ALL"),
            (Message::HaveNone, "HAVE_NONE"),
            (Message::Reject(block(0, 0)), "REJECT"),
            (Message::Suggest(PieceIndex(0)), "SUGGEST"),
            (Message::AllowedFast(PieceIndex(0)), "ALLOWED_FAST"),
        ];
        for (message, name) in messages {
            let broken = violation(&mut plain(), message.clone());
            assert_eq!(broken, Violation::FastNotNegotiated(name));
            assert!(hear(&mut fast(), message).is_ok(), "{name}");
        }
        let far = Message::AllowedFast(PieceIndex(PIECES));
        assert!(matches!(violation(&mut fast(), far), Violation::PieceOutOfRange { .. }));
    }

    #[test]
    fn what_says_nothing_to_us_is_no_event_and_no_error() {
        let noise = [
            Message::KeepAlive,
            Message::Port(6881),
            Message::Unknown { id: 99, payload: Bytes::from_static(b"x") },
            Message::Extended { id: 7, payload: Bytes::from_static(b"x") },
        ];
        for message in noise {
            assert!(hear(&mut plain(), message).unwrap().is_empty());
        }
    }

    #[test]
    fn nodes_of_the_dht_are_told_where_both_have_one_and_the_torrent_is_not_private() {
        let story = |ours: Option<u16>, theirs_too: bool, private: bool| {
            let geometry = Geometry::new(u64::from(PIECES) * 32768, 32768);
            let metadata = Known { geometry, info: Bytes::new(), private }.into();
            let config =
                SessionConfig { dht_port: ours, metadata, ..SessionConfig::clone(&config()) };
            let says_so = config.handshake().reserved.dht();
            let mut session = Session::new(Arc::new(config), Direction::Outgoing, Time::ZERO);
            let reserved = if theirs_too { Reserved::NONE.with_dht() } else { Reserved::NONE };
            let nothing = Bitfield::new(PIECES);
            session.on_handshake(Time::ZERO, &theirs(reserved), &nothing).unwrap();
            let told = sent(&mut session).contains(&Message::Port(6882));
            let heard = hear(&mut session, Message::Port(7000)).unwrap();
            assert!(hear(&mut session, Message::Port(0)).unwrap().is_empty());
            (says_so, told, matches!(heard[..], [SessionEvent::DhtPort(7000)]))
        };
        assert_eq!(story(Some(6882), true, false), (true, true, true));
        assert_eq!(story(Some(6882), false, false), (true, false, true));
        assert_eq!(story(None, true, false), (false, false, false));
        assert_eq!(story(Some(6882), true, true), (false, false, false));
    }

    #[test]
    fn an_extension_handshake_that_is_none_breaks_the_protocol() {
        let message = Message::Extended { id: 0, payload: Bytes::from_static(b"x") };
        assert!(matches!(violation(&mut plain(), message), Violation::Extension(_)));
    }

    #[test]
    fn finished_pieces_are_announced_in_order() {
        let mut session = plain();
        session.announce(&[PieceIndex(4), PieceIndex(2)]);
        let haves = [4, 2].map(|piece| Message::Have(PieceIndex(piece)));
        assert_eq!(sent(&mut session), haves);
    }
}

mod requests {
    use super::*;

    #[test]
    fn a_block_that_we_asked_for_is_expected_once() {
        let mut session = asked(plain(), &[block(1, 0), block(1, 1)]);
        assert_eq!(session.expected().collect::<Vec<_>>(), [block(1, 0), block(1, 1)]);
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 1)), Ok(true));
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 0)), Ok(true));
        assert!(session.on_piece_header(Time::ZERO, block(1, 0)).is_err());
    }

    #[test]
    fn a_block_that_we_never_asked_for_breaks_the_protocol() {
        let mut session = asked(plain(), &[block(1, 0)]);
        let odd = Block { length: BLOCK_LEN - 1, ..block(1, 0) };
        let broken = Violation::Unrequested { piece: 1, begin: 0, length: BLOCK_LEN - 1 };
        assert_eq!(session.on_piece_header(Time::ZERO, odd), Err(broken.into()));
    }

    #[test]
    fn a_block_that_crosses_our_cancel_or_its_choke_is_late_and_no_crime() {
        let mut session = asked(plain(), &[block(1, 0), block(1, 1)]);
        session.tell(Tell::Cancel(vec![block(1, 0), block(9, 0)]));
        assert_eq!(sent(&mut session), [Message::Cancel(block(1, 0))], "the other is not ours");
        hear(&mut session, Message::Choke).unwrap();
        assert_eq!(session.expected().count(), 0);
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 0)), Ok(false));
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 1)), Ok(false));
        assert!(session.on_piece_header(Time::ZERO, block(1, 1)).is_err(), "once is enough");
    }

    #[test]
    fn a_block_that_was_cancelled_and_asked_again_may_come_twice() {
        let mut session = asked(plain(), &[block(1, 0)]);
        session.tell(Tell::Cancel(vec![block(1, 0)]));
        session.tell(Tell::Request(vec![block(1, 0)]));
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 0)), Ok(true));
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 0)), Ok(false));
    }

    #[test]
    fn a_refusal_of_what_was_cancelled_does_not_touch_the_new_request() {
        let mut session = asked(fast(), &[block(1, 0)]);
        session.tell(Tell::Cancel(vec![block(1, 0)]));
        session.tell(Tell::Request(vec![block(1, 0)]));
        assert!(hear(&mut session, Message::Reject(block(1, 0))).unwrap().is_empty());
        assert_eq!(session.on_piece_header(Time::ZERO, block(1, 0)), Ok(true));
    }

    #[test]
    fn a_refusal_is_told_once_and_of_our_requests_alone() {
        let mut session = asked(fast(), &[block(1, 0)]);
        assert!(hear(&mut session, Message::Reject(block(2, 0))).unwrap().is_empty());
        let events = hear(&mut session, Message::Reject(block(1, 0))).unwrap();
        assert!(matches!(events[..], [SessionEvent::Rejected(b)] if b == block(1, 0)));
        assert!(hear(&mut session, Message::Reject(block(1, 0))).unwrap().is_empty());
    }

    #[test]
    fn a_request_that_the_choke_overtook_is_not_sent() {
        let mut session = asked(plain(), &[]);
        hear(&mut session, Message::Choke).unwrap();
        session.tell(Tell::Request(vec![block(1, 0)]));
        assert_eq!((sent(&mut session), session.expected().count()), (vec![], 0));
    }

    #[test]
    fn interest_is_told_as_the_swarm_says() {
        let mut session = plain();
        session.tell(Tell::Interested(true));
        session.tell(Tell::Interested(false));
        assert_eq!(sent(&mut session), [Message::Interested, Message::NotInterested]);
    }
}

mod uploads {
    use super::*;

    /// A session whose peer we do not choke.
    fn serving(mut session: Session) -> Session {
        session.tell(Tell::Choke(false));
        assert_eq!(sent(&mut session), [Message::Unchoke]);
        session
    }

    fn request(session: &mut Session, block: Block) {
        let events = hear(session, Message::Request(block)).unwrap();
        assert!(matches!(events[..], [SessionEvent::Requested]));
    }

    #[test]
    fn a_request_while_choked_is_refused_with_fast_and_ignored_without() {
        let mut session = fast();
        request(&mut session, block(0, 0));
        assert_eq!(sent(&mut session), [Message::Reject(block(0, 0))]);
        let mut session = plain();
        request(&mut session, block(0, 0));
        assert_eq!((sent(&mut session), session.has_uploads()), (vec![], false));
    }

    #[test]
    fn a_request_of_what_we_lack_or_of_no_block_is_refused() {
        let long = Block { piece: PieceIndex(0), begin: 0, length: 32769 };
        let empty = Block { length: 0, ..long };
        let beyond = Block { begin: u32::MAX, length: u32::MAX, ..long };
        for block in [block(5, 0), long, empty, beyond, block(PIECES, 0)] {
            let mut session = serving(fast());
            request(&mut session, block);
            assert_eq!(sent(&mut session), [Message::Reject(block)]);
            assert!(!session.has_uploads());
        }
    }

    #[test]
    fn the_queue_holds_250_requests() {
        let mut session = serving(fast());
        (0..UPLOAD_QUEUE).for_each(|_| request(&mut session, block(0, 0)));
        assert_eq!(sent(&mut session), []);
        request(&mut session, block(1, 0));
        assert_eq!(sent(&mut session), [Message::Reject(block(1, 0))]);
    }

    #[test]
    fn a_peer_that_asks_for_what_we_cannot_give_hears_so_if_it_can_take_it() {
        let mut session = open(Reserved::NONE.with_fast().with_extended());
        session.tell(Tell::Choke(false));
        sent(&mut session);
        hear(&mut session, Message::Request(block(7, 0))).unwrap();
        assert_eq!(sent(&mut session), [Message::Reject(block(7, 0))]);
        let hello = Bytes::from_static(b"d1:md11:lt_donthavei9eee");
        hear(&mut session, Message::Extended { id: 0, payload: hello }).unwrap();
        hear(&mut session, Message::Request(block(7, 0))).unwrap();
        let taken_back = Message::Extended { id: 9, payload: Bytes::from_static(&[0, 0, 0, 7]) };
        assert_eq!(sent(&mut session), [taken_back, Message::Reject(block(7, 0))]);
        // One that it may have is no matter for it, whatever becomes of the request.
        hear(&mut session, Message::Request(block(1, 0))).unwrap();
        assert_eq!(sent(&mut session), []);
    }

    #[test]
    fn a_cancelled_request_is_answered_by_a_refusal_with_fast() {
        for (session, answer) in [(fast(), vec![Message::Reject(block(0, 0))]), (plain(), vec![])] {
            let mut session = serving(session);
            request(&mut session, block(0, 0));
            hear(&mut session, Message::Cancel(block(0, 0))).unwrap();
            assert_eq!((sent(&mut session), session.has_uploads()), (answer, false));
            hear(&mut session, Message::Cancel(block(0, 0))).unwrap();
            assert_eq!(sent(&mut session), [], "what is not in the queue was answered before");
        }
    }

    #[test]
    fn a_choke_refuses_all_that_waits() {
        let mut session = serving(fast());
        request(&mut session, block(0, 0));
        request(&mut session, block(3, 1));
        session.tell(Tell::Choke(true));
        let refused = [block(0, 0), block(3, 1)].map(Message::Reject);
        assert_eq!(sent(&mut session), [&[Message::Choke], &refused[..]].concat());
        assert_eq!(session.next_upload(u32::MAX), None);
    }

    #[test]
    fn adjacent_blocks_are_served_in_one_run_up_to_the_limit() {
        let mut session = serving(plain());
        let queue = [block(0, 0), block(0, 1), block(1, 0), block(1, 0), block(1, 1)];
        queue.into_iter().for_each(|block| request(&mut session, block));
        let runs: Vec<Run> = std::iter::from_fn(|| session.next_upload(2 * BLOCK_LEN)).collect();
        let lengths: Vec<u32> = runs.iter().map(Run::len).collect();
        assert_eq!(lengths, [2 * BLOCK_LEN, BLOCK_LEN, 2 * BLOCK_LEN]);
        assert!(runs.iter().all(|run| !run.is_empty()));
        request(&mut session, block(0, 0));
        request(&mut session, block(0, 1));
        assert_eq!(session.next_upload(1).map(|run| run.len()), Some(BLOCK_LEN), "one at least");
    }
}

mod allowed_fast {
    use super::*;

    fn allow(session: &mut Session, piece: u32) -> usize {
        let events = hear(session, Message::AllowedFast(PieceIndex(piece))).unwrap();
        events.iter().filter(|event| matches!(event, SessionEvent::AllowedFast(_))).count()
    }

    #[test]
    fn a_choked_session_asks_for_allowed_pieces_alone() {
        let mut session = fast();
        assert_eq!((allow(&mut session, 3), allow(&mut session, 3)), (1, 0), "news once");
        session.tell(Tell::Request(vec![block(2, 0), block(3, 0)]));
        assert_eq!(sent(&mut session), [Message::Request(block(3, 0))]);
    }

    #[test]
    fn a_choke_leaves_the_requests_for_allowed_pieces() {
        let mut session = asked(fast(), &[block(2, 0), block(3, 0)]);
        allow(&mut session, 3);
        hear(&mut session, Message::Choke).unwrap();
        assert_eq!(session.expected().collect::<Vec<_>>(), [block(3, 0)]);
    }

    #[test]
    fn what_a_peer_allows_without_end_is_not_remembered_without_end() {
        let mut config = SessionConfig::clone(&config());
        config.metadata = Geometry::new(1000 * 32768, 32768).into();
        let mut session = Session::new(Arc::new(config), Direction::Outgoing, Time::ZERO);
        let theirs = theirs(Reserved::NONE.with_fast());
        session.on_handshake(Time::ZERO, &theirs, &Bitfield::new(1000)).unwrap();
        let news: usize = (0..1000).map(|piece| allow(&mut session, piece)).sum();
        assert_eq!(news, 64);
    }

    /// A session whose peer is choked and may have piece 3.
    fn generous() -> Session {
        let mut session = fast();
        session.tell(Tell::AllowFast(vec![PieceIndex(3)]));
        assert_eq!(sent(&mut session), [Message::AllowedFast(PieceIndex(3))]);
        session
    }

    #[test]
    fn a_choked_peer_gets_an_allowed_piece_once_and_nothing_else() {
        let mut session = generous();
        for n in [block(3, 0), block(3, 1), block(2, 0)] {
            hear(&mut session, Message::Request(n)).unwrap();
        }
        assert_eq!(sent(&mut session), [Message::Reject(block(2, 0))]);
        assert_eq!(session.next_upload(u32::MAX).unwrap().blocks, [block(3, 0), block(3, 1)]);
        hear(&mut session, Message::Request(block(3, 0))).unwrap();
        assert_eq!(sent(&mut session), [Message::Reject(block(3, 0))]);
    }

    #[test]
    fn a_choke_takes_back_all_but_the_allowed_pieces() {
        let mut session = generous();
        session.tell(Tell::Choke(false));
        hear(&mut session, Message::Request(block(2, 0))).unwrap();
        hear(&mut session, Message::Request(block(3, 0))).unwrap();
        sent(&mut session);
        session.tell(Tell::Choke(true));
        assert_eq!(sent(&mut session), [Message::Choke, Message::Reject(block(2, 0))]);
        assert_eq!(session.next_upload(u32::MAX).unwrap().blocks, [block(3, 0)]);
    }
}
