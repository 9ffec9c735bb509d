//! Metadata: asked for, given, and what is said before it is known.

use ccbt_wire::{ExtensionHandshake, MetadataMessage, PexMessage, UT_METADATA};

use super::*;

/// The id under which the peer wants `ut_metadata`.
const THEIRS: u8 = 7;

fn with(metadata: Metadata) -> Session {
    let mut config = SessionConfig::clone(&config());
    config.metadata = metadata;
    with_config(Arc::new(config))
}

fn with_config(config: Arc<SessionConfig>) -> Session {
    let mut session = Session::new(config, Direction::Outgoing, Time::ZERO);
    let theirs = theirs(Reserved::NONE.with_fast().with_extended());
    session.on_handshake(Time::ZERO, &theirs, &Bitfield::new(0)).unwrap();
    let m = vec![("ut_pex".to_owned(), 2), (UT_METADATA.to_owned(), THEIRS)];
    let hello = ExtensionHandshake { m, ..Default::default() };
    hear(&mut session, Message::Extended { id: 0, payload: hello.encode().into() }).unwrap();
    sent(&mut session);
    session
}

/// A connection of a magnet link, and what it will learn.
fn unknown() -> (Session, Arc<SessionConfig>) {
    let session = with(Metadata::unknown());
    let config = session.config.clone();
    (session, config)
}

fn learn(session: &mut Session, config: &SessionConfig) -> Result<Vec<SessionEvent>, CloseReason> {
    let geometry = Geometry::new(u64::from(PIECES) * 32768, 32768);
    config.metadata.learn(Known {
        geometry,
        info: Bytes::from_static(b"d1:a1:be"),
        private: false,
    });
    let mut events = Vec::new();
    session.learn_metadata(&mut events).map(|()| events)
}

fn known(blocks: u32) -> Session {
    let info = vec![5; (blocks * BLOCK_LEN) as usize].into();
    with(Known { geometry: Geometry::new(1 << 20, 1 << 15), info, private: false }.into())
}

fn say(session: &mut Session, message: &MetadataMessage) -> Result<Vec<SessionEvent>, CloseReason> {
    hear(session, Message::Extended { id: 1, payload: message.encode().into() })
}

/// The session gives what the peer waits for, as long as little waits to be sent.
fn give(session: &mut Session) {
    while session.wants_metadata() {
        session.give_metadata(Time::ZERO, None);
    }
}

/// What the session sends of `ut_metadata`, when it has given all that is wanted.
fn answers(session: &mut Session) -> Vec<MetadataMessage> {
    give(session);
    queued(session)
}

/// What the session has queued of `ut_metadata`.
fn queued(session: &mut Session) -> Vec<MetadataMessage> {
    let messages = sent(session).into_iter().map(|message| match message {
        Message::Extended { id: THEIRS, payload } => {
            MetadataMessage::parse(&payload).unwrap().unwrap()
        }
        other => panic!("{other:?}"),
    });
    messages.collect()
}

#[test]
fn our_handshake_names_the_extension_and_the_size_once_it_is_known() {
    let hello = |session: &mut Session| {
        let messages = sent(session);
        let Some(Message::Extended { id: 0, payload }) = messages.first() else {
            panic!("{messages:?}")
        };
        ExtensionHandshake::parse(payload).unwrap()
    };
    let (mut session, config) = unknown();
    learn(&mut session, &config).unwrap();
    let told = hello(&mut session);
    let names = vec![(UT_METADATA.to_owned(), 1), ("ut_pex".to_owned(), 2)];
    assert_eq!((told.metadata_size, told.m), (Some(8), names));
    assert!(learn(&mut session, &config).unwrap().is_empty());
    assert!(sent(&mut session).is_empty(), "once is enough");
}

#[test]
fn what_all_pieces_were_said_to_be_is_told_when_it_can_be_measured() {
    let (mut session, config) = unknown();
    for message in [
        Message::Have(PieceIndex(9)),
        Message::Bitfield(Bytes::from_static(&[0b1010_0000, 0])),
        Message::Have(PieceIndex(7)),
    ] {
        assert!(hear(&mut session, message).unwrap().is_empty());
    }
    hear(&mut session, Message::AllowedFast(PieceIndex(3))).unwrap();
    let events = learn(&mut session, &config).unwrap();
    let [SessionEvent::Has(Announced::Some(bits)), SessionEvent::AllowedFast(PieceIndex(3))] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    let has: Vec<u32> = bits.iter_ones().map(|piece| piece.0).collect();
    assert_eq!(has, [0, 2, 7], "a bitfield replaces what was said before");
    assert_eq!(hear(&mut session, Message::Have(PieceIndex(1))).unwrap().len(), 1);
}

#[test]
fn everything_and_nothing_count_at_once() {
    let (mut session, config) = unknown();
    let events = hear(&mut session, Message::HaveNone).unwrap();
    assert!(matches!(events[..], [SessionEvent::Has(Announced::None)]));
    let events = hear(&mut session, Message::HaveAll).unwrap();
    assert!(matches!(events[..], [SessionEvent::Has(Announced::All)]));
    let events = learn(&mut session, &config).unwrap();
    assert!(matches!(events[..], [SessionEvent::Has(Announced::All)]));
    let (mut silent, config) = unknown();
    assert!(learn(&mut silent, &config).unwrap().is_empty());
}

#[test]
fn what_no_torrent_has_ends_it_at_once_and_what_this_one_does_not_have_later() {
    let most = ccbt_wire::metainfo::MAX_PIECES;
    let impossible = [
        Message::Have(PieceIndex(most)),
        Message::AllowedFast(PieceIndex(most)),
        Message::Suggest(PieceIndex(u32::MAX)),
        Message::Bitfield(vec![0; most as usize / 8 + 1].into()),
    ];
    for message in impossible {
        let (mut session, _) = unknown();
        assert!(hear(&mut session, message).is_err());
    }
    let too_many = [
        Message::Have(PieceIndex(PIECES)),
        Message::AllowedFast(PieceIndex(PIECES)),
        Message::Bitfield(Bytes::from_static(&[0, 1])),
        Message::Bitfield(Bytes::from_static(&[0, 0, 0])),
    ];
    for message in too_many {
        let (mut session, config) = unknown();
        hear(&mut session, message.clone()).unwrap();
        assert!(learn(&mut session, &config).is_err(), "{message:?}");
    }
}

#[test]
fn blocks_are_asked_for_under_the_peers_id_and_only_those_are_taken() {
    let (mut session, _) = unknown();
    session.tell(Tell::AskMetadata(vec![0, 4]));
    let asked = [0, 4].map(|piece| MetadataMessage::Request { piece });
    assert_eq!(answers(&mut session), asked);
    let data =
        |piece| MetadataMessage::Data { piece, total_size: 9, data: Bytes::from_static(b"x") };
    assert!(say(&mut session, &data(1)).unwrap().is_empty(), "nobody asked for it");
    assert!(matches!(say(&mut session, &data(4)).unwrap()[..], [SessionEvent::Metadata(_)]));
    assert!(say(&mut session, &data(4)).unwrap().is_empty(), "once");
    let reject = MetadataMessage::Reject { piece: 0 };
    assert!(matches!(say(&mut session, &reject).unwrap()[..], [SessionEvent::Metadata(_)]));
}

#[test]
fn who_switched_it_off_is_asked_for_nothing() {
    let (mut session, _) = unknown();
    let off = ExtensionHandshake { m: vec![(UT_METADATA.to_owned(), 0)], ..Default::default() };
    hear(&mut session, Message::Extended { id: 0, payload: off.encode().into() }).unwrap();
    session.tell(Tell::AskMetadata(vec![0]));
    assert!(sent(&mut session).is_empty());
}

#[test]
fn what_is_no_message_of_it_ends_the_connection() {
    let (mut session, _) = unknown();
    let message = Message::Extended { id: 1, payload: Bytes::from_static(b"i1e") };
    assert!(matches!(violation(&mut session, message), Violation::Metadata(_)));
}

#[test]
fn blocks_are_given_and_what_is_none_is_refused() {
    let mut session = known(2);
    for piece in [1, 2, u32::MAX] {
        say(&mut session, &MetadataMessage::Request { piece }).unwrap();
    }
    let told = answers(&mut session);
    let [refused @ .., MetadataMessage::Data { piece: 1, total_size, data }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((*total_size, data.len()), (2 * BLOCK_LEN, BLOCK_LEN as usize));
    assert_eq!(*refused, [2, u32::MAX].map(|piece| MetadataMessage::Reject { piece }));
    let (mut poor, _) = unknown();
    say(&mut poor, &MetadataMessage::Request { piece: 0 }).unwrap();
    assert_eq!(answers(&mut poor), [MetadataMessage::Reject { piece: 0 }]);
}

#[test]
fn a_peer_that_asks_without_end_gets_three_copies_and_fills_no_memory() {
    let mut session = known(4);
    let (mut given, mut most) = (0, 0);
    for round in 0..100 {
        (0..4).for_each(|piece| {
            say(&mut session, &MetadataMessage::Request { piece }).unwrap();
        });
        give(&mut session);
        most = most.max(session.queued().len());
        // What it reads makes room for more.
        loop {
            let told = answers(&mut session);
            given += told.iter().filter(|m| matches!(m, MetadataMessage::Data { .. })).count();
            session.on_sent(Time::from_secs(round), false);
            if told.is_empty() {
                break;
            }
        }
    }
    assert_eq!(given, 3 * 4 + 16);
    assert!(most <= 4 * BLOCK_LEN as usize, "{most} bytes");
}

#[test]
fn one_that_reads_nothing_has_few_blocks_made_for_it() {
    let mut session = known(500);
    for piece in 0..500 {
        say(&mut session, &MetadataMessage::Request { piece }).unwrap();
    }
    give(&mut session);
    // Two blocks and the one that crosses the line; the rest waits, or is refused.
    assert!(session.queued().len() <= 3 * BLOCK_LEN as usize + 500 * 64);
}

#[test]
fn what_a_host_got_counts_in_its_next_connection() {
    let config = known(4).config;
    let [greedy, other] = ["192.0.2.1", "192.0.2.2"].map(|host| host.parse().ok());
    let fetch = |host| {
        let mut session = with_config(config.clone());
        for piece in 0..4 {
            say(&mut session, &MetadataMessage::Request { piece }).unwrap();
        }
        let mut told = Vec::new();
        while session.wants_metadata() {
            session.give_metadata(Time::from_secs(9), host);
            told.extend(queued(&mut session));
        }
        let refused =
            |message: &&MetadataMessage| matches!(message, MetadataMessage::Reject { .. });
        (told.len(), told.iter().filter(refused).count())
    };
    // Five copies and 16 blocks.
    for _ in 0..9 {
        assert_eq!(fetch(greedy), (4, 0));
    }
    assert_eq!(fetch(greedy), (4, 4));
    assert_eq!(fetch(other), (4, 0));
}

#[test]
fn peers_are_exchanged_until_the_torrent_turns_out_to_be_private() {
    let (mut session, config) = unknown();
    let peers = || Message::Extended { id: 2, payload: Bytes::from_static(b"de") };
    assert!(matches!(hear(&mut session, peers()).unwrap()[..], [SessionEvent::Pex(_)]));
    session.tell(Tell::Pex(PexMessage::default()));
    assert!(matches!(sent(&mut session)[..], [Message::Extended { id: 2, .. }]));
    let geometry = Geometry::new(u64::from(PIECES) * 32768, 32768);
    config.metadata.learn(Known { geometry, info: Bytes::new(), private: true });
    session.learn_metadata(&mut Vec::new()).unwrap();
    let messages = sent(&mut session);
    let [Message::Extended { id: 0, payload }] = &messages[..] else { panic!("{messages:?}") };
    let hello = ExtensionHandshake::parse(payload).unwrap();
    assert_eq!(hello.m[1], ("ut_pex".to_owned(), 0), "switched off");
    assert!(hear(&mut session, peers()).unwrap().is_empty());
    session.tell(Tell::Pex(PexMessage::default()));
    assert!(sent(&mut session).is_empty());
}

#[test]
fn what_is_no_list_of_peers_ends_the_connection() {
    let (mut session, _) = unknown();
    let message = Message::Extended { id: 2, payload: Bytes::from_static(b"?") };
    assert!(matches!(violation(&mut session, message), Violation::Pex(_)));
}
