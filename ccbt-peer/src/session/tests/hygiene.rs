//! Messages that do not become whole, messages without end, and keep-alives.

use super::*;

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// A session in which a message has begun at second 1, and which has sent something just now.
fn begun(now: Time) -> Session {
    let mut session = plain();
    session.on_bytes(at(1_000), 3, true);
    session.on_sent(now, false);
    session
}

fn frame(bytes: u64) -> Result<(), CloseReason> {
    Err(CloseReason::TimedOut(Timeout::Frame { bytes }))
}

mod frames {
    use super::*;

    #[test]
    fn a_message_that_stands_still_is_the_end_after_60_seconds() {
        let mut session = begun(at(60_000));
        assert_eq!(session.deadline(), at(61_000));
        assert_eq!(session.on_deadline(at(60_999)), Ok(()));
        let dead = session.on_deadline(at(61_000));
        assert_eq!(dead, frame(0));
        let words = dead.unwrap_err().to_string();
        assert_eq!(words, "a message that does not become whole: 0 bytes in 60 s");
    }

    #[test]
    fn less_than_256_bytes_a_second_is_too_slow() {
        for (rate, verdict) in [(255, frame(60 * 255)), (256, Ok(()))] {
            let mut session = begun(at(60_000));
            for second in 2..=61 {
                session.on_bytes(Time::from_secs(second), rate, true);
            }
            assert_eq!(session.deadline(), at(61_000));
            assert_eq!(session.on_deadline(at(61_000)), verdict);
        }
    }

    #[test]
    fn each_minute_of_a_long_message_counts_by_itself_and_a_halt_from_its_last_byte() {
        let mut session = begun(at(60_000));
        session.on_bytes(at(31_000), 1 << 20, true);
        assert_eq!(session.on_deadline(at(61_000)), Ok(()));
        session.on_sent(at(61_000), false);
        assert_eq!(session.deadline(), at(91_000), "60 s behind its last byte");
        session.on_bytes(at(70_000), 1, true);
        assert_eq!(session.on_deadline(at(91_000)), Ok(()));
        session.on_sent(at(91_000), false);
        assert_eq!(session.deadline(), at(121_000));
        assert_eq!(session.on_deadline(at(121_000)), frame(1));
    }

    #[test]
    fn what_becomes_whole_ends_the_wait() {
        let mut whole = [begun(at(60_000)), begun(at(60_000)), begun(at(60_000))];
        whole[0].on_bytes(at(50_000), 2, false);
        let mut events = Vec::new();
        whole[1].on_message(at(50_000), Message::Choke, &|_| false, &mut events).unwrap();
        whole[2].on_piece_end();
        for session in &mut whole {
            assert_eq!(session.on_deadline(at(61_000)), Ok(()));
        }
        // The next message has 60 s of its own, also if it came in the same read.
        whole[1].on_bytes(at(50_000), 20, true);
        assert_eq!(whole[1].deadline(), at(110_000));
    }

    #[test]
    fn a_block_that_drips_is_a_message_that_drips() {
        let mut session = asked(plain(), &[block(1, 0)]);
        session.on_bytes(at(0), 13, true);
        session.on_piece_header(at(1_000), block(1, 0)).unwrap();
        session.on_bytes(at(1_000), 0, true);
        for second in 2..=60 {
            session.on_bytes(Time::from_secs(second), 50, true);
        }
        session.on_sent(at(60_000), false);
        assert_eq!(session.deadline(), at(61_000));
        assert_eq!(session.on_deadline(at(61_000)), frame(59 * 50));
    }

    #[test]
    fn while_we_do_not_read_no_message_is_late_and_no_peer_is_silent() {
        let mut session = begun(at(200_000));
        session.on_held(at(11_000), true);
        session.on_held(at(12_000), true);
        assert!(session.is_held());
        assert_eq!(session.on_deadline(at(199_000)), Ok(()));
        assert_eq!(session.deadline(), at(290_000), "the next keep-alive");
        session.on_held(at(201_000), false);
        assert_eq!(session.deadline(), at(251_000), "10 of its 60 seconds had passed");
        assert_eq!(session.on_deadline(at(250_999)), Ok(()));
        assert_eq!(session.on_deadline(at(251_000)), frame(0));
    }
}

mod floods {
    use super::*;

    /// Whether so many of these messages at once are a flood.
    fn is_flood(mut session: Session, message: &Message, count: u32) -> bool {
        let told = (0..count).map(|_| {
            let events = hear(&mut session, message.clone()).unwrap();
            events.iter().filter(|event| matches!(event, SessionEvent::Flooding)).count()
        });
        let told: usize = told.sum();
        assert!(told <= 1, "it is said once");
        told == 1
    }

    #[test]
    fn every_message_that_makes_no_sense_by_the_hundred_floods() {
        let hello: Bytes = ExtensionHandshake::default().encode().into();
        let messages = [
            (Message::Choke, 63),
            (Message::Unchoke, 63),
            (Message::Interested, 63),
            (Message::NotInterested, 63),
            (Message::KeepAlive, 93),
            (Message::Have(PieceIndex(1)), 63),
            (Message::Port(6881), 183),
            (Message::Suggest(PieceIndex(1)), 183),
            (Message::HaveNone, 184),
            (Message::HaveAll, 184),
            (Message::Bitfield(Bytes::from_static(&[0, 0])), 184),
            (Message::AllowedFast(PieceIndex(1)), 184),
            (Message::Extended { id: 0, payload: hello }, 183),
            (Message::Extended { id: 9, payload: Bytes::new() }, 183),
            (Message::Unknown { id: 99, payload: Bytes::new() }, 183),
            (Message::Cancel(block(0, 0)), 6003),
            (Message::Reject(block(0, 0)), 6003),
            (Message::Request(block(0, 0)), 6003),
            (Message::Request(block(PIECES, 0)), 6003),
        ];
        for (message, count) in messages {
            assert!(!is_flood(fast(), &message, count - 1), "{message:?}");
            assert!(is_flood(fast(), &message, count), "{message:?}");
        }
    }

    #[test]
    fn a_leecher_whose_interest_follows_our_pieces_is_none() {
        let mut session = fast();
        for _ in 0..1000 {
            session.announce(&[PieceIndex(1)]);
            for message in [Message::Interested, Message::NotInterested] {
                assert_eq!(hear(&mut session, message).unwrap().len(), 1);
            }
        }
        assert!(is_flood(session, &Message::Interested, 63));
    }

    #[test]
    fn a_seed_that_chokes_whoever_is_not_interested_is_none() {
        let mut session = fast();
        for interested in [true, false].into_iter().cycle().take(1000) {
            session.tell(Tell::Interested(interested));
            let answer = if interested { Message::Unchoke } else { Message::Choke };
            assert_eq!(hear(&mut session, answer).unwrap().len(), 1);
        }
    }

    #[test]
    fn a_leecher_that_asks_for_everything_and_takes_it_is_none() {
        let mut session = fast();
        session.tell(Tell::Choke(false));
        for n in 0..20_000 {
            let ask = Message::Request(block(n % 5, n % 2));
            assert!(matches!(hear(&mut session, ask).unwrap()[..], [SessionEvent::Requested]));
            assert!(session.next_upload(BLOCK_LEN).is_some());
            sent(&mut session);
        }
    }

    #[test]
    fn one_that_cancels_what_it_waits_for_is_none() {
        let mut session = plain();
        session.tell(Tell::Choke(false));
        for _ in 0..20_000 {
            hear(&mut session, Message::Request(block(0, 0))).unwrap();
            assert!(hear(&mut session, Message::Cancel(block(0, 0))).unwrap().is_empty());
        }
    }

    #[test]
    fn a_seed_that_names_its_pieces_one_by_one_is_none() {
        let mut config = SessionConfig::clone(&config());
        config.metadata = Geometry::new(5000 * 32768, 32768).into();
        let mut session = Session::new(Arc::new(config), Direction::Outgoing, Time::ZERO);
        let nothing = Bitfield::new(5000);
        session.on_handshake(Time::ZERO, &theirs(Reserved::NONE), &nothing).unwrap();
        for piece in 0..5000 {
            assert_eq!(hear(&mut session, Message::Have(PieceIndex(piece))).unwrap().len(), 1);
        }
    }
}

#[test]
fn what_a_peer_has_may_be_told_late_and_again() {
    let mut session = fast();
    hear(&mut session, Message::Have(PieceIndex(1))).unwrap();
    for message in [Message::HaveNone, Message::HaveAll] {
        let events = hear(&mut session, message).unwrap();
        assert!(matches!(events[..], [SessionEvent::Has(_)]));
    }
}

#[test]
fn rqbit_hears_from_us_every_8_seconds() {
    for (client, every) in [(b"-rQ", 8), (b"-qB", 90)] {
        let mut session = Session::new(config(), Direction::Outgoing, Time::ZERO);
        let mut theirs = theirs(Reserved::NONE);
        theirs.peer_id.0[..3].copy_from_slice(client);
        session.on_handshake(Time::ZERO, &theirs, &Bitfield::new(PIECES)).unwrap();
        assert_eq!(session.deadline(), Time::from_secs(every));
        session.on_deadline(Time::from_secs(every)).unwrap();
        assert_eq!(sent(&mut session), [Message::KeepAlive]);
    }
}
