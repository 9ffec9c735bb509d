//! Swarms that begin with nothing but an info hash.

use bytes::Bytes;
use ccbt_peer::close::{CloseReason, Violation};
use ccbt_peer::core::{Metadata as Unknown, SwarmConfig};
use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::wire::{
    BLOCK_LEN, Bitfield, EXTENDED_HANDSHAKE, ExtensionHandshake, InfoHash, Message, PieceIndex,
    UT_METADATA,
};
use ccbt_peer::{EventKind, Geometry};
use sha1::{Digest, Sha1};

use super::host::{Greeting, Host, Line, Metadata};
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

/// As long as so many blocks, and a bit of one more.
fn info(blocks: u32) -> Bytes {
    (0..blocks * BLOCK_LEN + 100).map(|n| u8::try_from(n % 241).unwrap()).collect()
}

/// A swarm that knows no more than the hash of this.
fn world(info: &Bytes) -> World {
    let config = SwarmConfig::magnet(InfoHash(Sha1::digest(info).into()));
    let nothing = Bitfield::new(0);
    World::begun(pieces(PIECES), Unknown::unknown(), config, nothing, PolicySet::standard())
}

fn seed(info: &Bytes) -> Host {
    let metadata = Some(Metadata::Gives(info.clone(), ms(20)));
    Host { metadata, ..kinds::seed(PIECES, ms(5)) }
}

fn known_at(world: &World) -> Time {
    world.core.swarm_view().metadata_at.expect("the metadata is known")
}

#[test]
fn a_link_and_a_seed_are_enough() {
    let info = info(6);
    let mut world = world(&info);
    let addr = world.add(seed(&info));
    world.finish(Time::from_secs(5));
    assert!(known_at(&world) < Time::from_millis(200), "{}", known_at(&world));
    let (_, why) = world.close(addr);
    assert!(why.starts_with("redundant"), "{why}");
    let size = u32::try_from(info.len()).unwrap();
    let told = world.log.iter().rev().find_map(|(_, event)| match event {
        EventKind::MetadataProgress { have, size, peers } => Some((*have, *size, *peers)),
        _ => None,
    });
    assert_eq!(told, Some((size, size, 1)));
    world.stop();
}

/// Four slots, all taken by peers that have nothing, and as many more of them before one who has.
#[test]
fn peers_without_metadata_do_not_keep_out_the_one_that_has_it() {
    let info = info(3);
    let mut config = SwarmConfig::magnet(InfoHash(Sha1::digest(&info).into()));
    config.max_peers = 4;
    let nothing = Bitfield::new(0);
    let unknown = Unknown::unknown();
    let mut world = World::begun(pieces(PIECES), unknown, config, nothing, PolicySet::standard());
    let poor = || Host { metadata: Some(Metadata::Lacks), ..kinds::mute(PIECES) };
    let first = world.add_all((0..4).map(|_| poor()));
    world.run_until(Time::from_secs(1));
    world.add_all((0..4).map(|_| poor()));
    world.add(seed(&info));
    world.run_until(Time::from_secs(15));
    assert!(known_at(&world) < Time::from_secs(11), "{}", known_at(&world));
    // It gave while it still waited for a slot.
    let mut closes = first.iter().flat_map(|addr| world.closes(*addr));
    assert!(closes.all(|(at, _)| at > known_at(&world)));
    world.stop();
}

#[test]
fn what_was_said_of_pieces_before_counts_when_they_can_be_counted() {
    let info = info(2);
    let mut world = world(&info);
    let with = |host: Host| Host { metadata: Some(Metadata::Lacks), ..host };
    // A bitfield, and a HAVE for it later; HAVEs alone; no word.
    let bits = world.add(with(Host {
        script: vec![(ms(30), Line::Gain(9))],
        ..kinds::partial(PIECES, [1, 2, 3], secs(100))
    }));
    let haves = world.add(with(Host {
        script: vec![(ms(20), Line::Gain(4)), (ms(40), Line::Gain(5))],
        ..kinds::mute(PIECES)
    }));
    let mute = world.add(with(kinds::mute(PIECES)));
    world.run_until(Time::from_secs(10));
    assert!(world.told(bits, &Message::Interested).is_empty());
    world.add(seed(&info));
    world.run_until(Time::from_secs(11));
    let have = |addr| {
        let view = world.core.views().find(|(_, view)| view.addr == addr).unwrap().1;
        (view.have, view.availability.is_known())
    };
    assert_eq!(have(bits), (4, true));
    assert_eq!(have(haves), (2, true));
    assert_eq!(have(mute), (0, false));
    assert_eq!(world.told(bits, &Message::Interested).len(), 1);
    world.stop();
}

#[test]
fn who_said_of_pieces_what_cannot_be_is_closed_when_that_is_known() {
    let info = info(1);
    let mut world = world(&info);
    let with = |host: Host| Host { metadata: Some(Metadata::Lacks), ..host };
    let spare = Bytes::from_static(&[0xff, 0xff, 0x80]);
    let long = world.add(with(Host {
        script: vec![(ms(10), Line::Say(Message::Bitfield(spare)))],
        ..kinds::mute(PIECES)
    }));
    let beyond = world.add(with(Host {
        script: vec![(ms(10), Line::Say(Message::Have(PieceIndex(PIECES))))],
        ..kinds::mute(PIECES)
    }));
    let impossible = world.add(with(Host {
        script: vec![(ms(10), Line::Say(Message::Have(PieceIndex(2_000_000))))],
        ..kinds::mute(PIECES)
    }));
    world.run_until(Time::from_secs(5));
    assert!(world.is_open(long) && world.is_open(beyond));
    assert_eq!(world.close(impossible).1, "broke-protocol");
    world.add(seed(&info));
    world.run_until(Time::from_secs(6));
    let violation = |addr| match &world.closes(addr)[..] {
        [(at, CloseReason::PeerBrokeProtocol(violation))] => {
            assert_eq!(*at, known_at(&world));
            violation.clone()
        }
        other => panic!("{other:?}"),
    };
    assert!(matches!(violation(long), Violation::Bitfield(_)));
    let expected = Violation::PieceOutOfRange { message: "HAVE", piece: PIECES, pieces: PIECES };
    assert_eq!(violation(beyond), expected);
    world.stop();
}

#[test]
fn liars_and_mutes_cost_an_honest_peer_less_than_5_seconds_and_liars_are_banned() {
    let info = info(5);
    let size = u32::try_from(info.len()).unwrap();
    let alone = {
        let mut world = world(&info);
        world.add(seed(&info));
        world.finish(Time::from_secs(10));
        known_at(&world)
    };
    let mut world = world(&info);
    let wrong: Bytes = vec![1; info.len()].into();
    let liars = world.add_all((0..3).map(|_| Host {
        metadata: Some(Metadata::Gives(wrong.clone(), ms(5))),
        ..kinds::mute(PIECES)
    }));
    let mutes =
        (0..20).map(|_| Host { metadata: Some(Metadata::Mute(size)), ..kinds::mute(PIECES) });
    world.add_all(mutes);
    let honest = world.add(seed(&info));
    world.run_until(Time::from_secs(10));
    let late = known_at(&world).saturating_since(alone);
    assert!(late < secs(5), "{late:?} later than without them");
    let (_, why) = world.close(honest);
    assert!(why.starts_with("redundant"), "{why}");
    for liar in liars {
        let closes = world.closes(liar);
        assert!(matches!(closes[..], [(_, CloseReason::SentBadMetadata)]), "{closes:?}");
    }
    world.stop();
}

/// Scenario 16, with real messages.
#[test]
fn before_the_metadata_nobody_goes_and_a_mute_peer_goes_60_seconds_after_it() {
    let info = info(0);
    let mut world = world(&info);
    let metadata = |metadata| Some(metadata);
    let late = world.add(Host {
        metadata: metadata(Metadata::Gives(info.clone(), secs(300))),
        ..kinds::mute(PIECES)
    });
    let size = u32::try_from(info.len()).unwrap();
    let empty =
        world.add(Host { metadata: metadata(Metadata::Mute(size)), ..kinds::empty(PIECES) });
    world.run_until(Time::from_secs(300));
    assert!(world.is_open(late) && world.is_open(empty));
    assert!(world.core.swarm_view().metadata_at.is_none());
    world.run_until(Time::from_secs(365));
    let known = known_at(&world);
    assert!(known > Time::from_secs(300) && known < Time::from_secs(301), "{known}");
    let no_availability = (known + secs(60), "bitfield-timeout: no-availability".to_owned());
    assert_eq!(world.close(late), no_availability);
    // The clock of the one that has nothing begins when the files are checked.
    let checked = world.core.swarm_view().checked_at.unwrap();
    assert_eq!(world.close(empty), (checked + secs(10), "no-interest: no-interest".to_owned()));
    world.stop();
}

/// Scenario 17, with real messages.
#[test]
fn a_peer_without_the_metadata_stays_with_a_seed_until_it_has_it() {
    let say = |hello: ExtensionHandshake| {
        let payload = hello.encode().into();
        Line::Say(Message::Extended { id: EXTENDED_HANDSHAKE, payload })
    };
    let m = vec![(UT_METADATA.to_owned(), 3)];
    let needs_nothing =
        ExtensionHandshake { m: m.clone(), upload_only: Some(true), ..Default::default() };
    let has = ExtensionHandshake { m, metadata_size: Some(100), ..Default::default() };
    let host = Host {
        greeting: Greeting::HaveNone,
        metadata: Some(Metadata::Lacks),
        script: vec![(secs(1), say(needs_nothing)), (secs(29), say(has))],
        ..kinds::mute(PIECES)
    };
    let geometry: Geometry = pieces(PIECES);
    let full = Bitfield::full(PIECES);
    let mut world = World::resumed(geometry, full, PolicySet::standard(), |_| {});
    let peer = world.add(host);
    world.run_until(world.now + secs(28));
    assert!(world.is_open(peer));
    world.run_until(world.now + secs(32));
    let (at, why) = world.close(peer);
    let connected = world.connect(peer);
    assert!(why.starts_with("redundant"), "{why}");
    assert!(at >= connected + secs(29) && at < connected + secs(60), "{at}");
    world.stop();
}
