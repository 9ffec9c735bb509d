//! Peers that tell of peers (BEP 11).

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_peer::close::{CloseReason, Violation};
use ccbt_peer::policy::{PolicySet, Source, Time};
use ccbt_peer::wire::{
    EXTENDED_HANDSHAKE, ExtensionHandshake, Message, PexMessage, PexPeer, UT_PEX,
};
use ccbt_peer::{EventKind, Geometry};

use super::host::{Host, Line, Metadata};
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;
/// The id under which the peer wants `ut_pex`.
const THEIRS: u8 = 9;

/// Wants to hear of peers, and says these at these times.
fn talker(says: Vec<(Duration, Vec<SocketAddr>)>) -> Host {
    let m = vec![(UT_PEX.to_owned(), THEIRS)];
    let hello = ExtensionHandshake { m, ..Default::default() };
    let hello = Message::Extended { id: EXTENDED_HANDSHAKE, payload: hello.encode().into() };
    let mut script = vec![(ms(1), Line::Say(hello))];
    script.extend(says.into_iter().map(|(at, addrs)| {
        let added = addrs.into_iter().map(|addr| PexPeer { addr, flags: 0 }).collect();
        let payload = PexMessage { added, dropped: Vec::new() }.encode().into();
        // Our id, as it stands in our handshake.
        (at, Line::Say(Message::Extended { id: 2, payload }))
    }));
    Host { script, metadata: Some(Metadata::Lacks), ..kinds::choker(PIECES) }
}

/// What we told a peer of others, and when.
fn told(world: &World, peer: SocketAddr) -> Vec<(Time, PexMessage)> {
    let to = world.said.iter().filter(|(_, addr, _)| *addr == peer);
    to.filter_map(|(at, _, message)| match message {
        Message::Extended { id: THEIRS, payload } => {
            Some((*at, PexMessage::parse(payload).unwrap()))
        }
        _ => None,
    })
    .collect()
}

#[test]
fn who_is_told_of_is_dialed() {
    let mut world = World::new(pieces(PIECES));
    let other = world.place(kinds::seed(PIECES, ms(5)));
    world.add(talker(vec![(secs(1), vec![other])]));
    world.run_until(Time::from_secs(2));
    let sources = world.log.iter().filter_map(|(_, event)| match event {
        EventKind::PeerConnected { peer, source, .. } if *peer == other => Some(*source),
        _ => None,
    });
    assert_eq!(sources.collect::<Vec<_>>(), [Source::Pex]);
    world.stop();
}

/// Scenario 51.
#[test]
fn twice_in_30_seconds_is_once_and_thrice_is_the_end() {
    let mut world = World::new(pieces(PIECES));
    let others: Vec<_> = (0..4).map(|_| world.place(kinds::choker(PIECES))).collect();
    let says = |at: [u64; 3]| {
        at.into_iter().map(secs).zip(others.iter().map(|addr| vec![*addr])).collect::<Vec<_>>()
    };
    let hasty = world.add(talker(says([1, 10, 29])));
    world.run_until(Time::from_secs(28));
    let met = |world: &World| others.iter().map(|o| world.connects(*o).len()).collect::<Vec<_>>();
    assert_eq!(met(&world), [1, 0, 0, 0]);
    assert!(world.is_open(hasty));
    world.run_until(Time::from_secs(30));
    let closes = world.closes(hasty);
    let [(at, CloseReason::PeerBrokeProtocol(Violation::Pex(_)))] = &closes[..] else {
        panic!("{closes:?}")
    };
    assert_eq!(*at, world.connect(hasty) + secs(29));
    assert_eq!(met(&world), [1, 0, 0, 0]);
    let patient = world.add(talker(says([1, 61, 121])));
    world.run_until(Time::from_secs(160));
    assert!(world.is_open(patient));
    assert_eq!(met(&world), [1, 1, 1, 0]);
    world.stop();
}

#[test]
fn a_peer_is_told_of_the_others_at_once_and_then_once_a_minute() {
    let mut world = World::new(pieces(PIECES));
    let talker = world.add(talker(Vec::new()));
    let leaves = vec![(secs(20), Line::Leave)];
    let first = world.add(Host { script: leaves, ..kinds::choker(PIECES) });
    world.run_until(Time::from_secs(10));
    let second = world.add(kinds::choker(PIECES));
    world.run_until(Time::from_secs(120));
    let told = told(&world, talker);
    let [(began, one), (later, two)] = &told[..] else { panic!("{told:?}") };
    assert!(*began < Time::from_secs(7), "{began}");
    assert!(*later >= *began + secs(60) && *later < *began + secs(66), "{later}");
    let flags = PexPeer::SEED | PexPeer::REACHABLE;
    assert_eq!(one.added, [PexPeer { addr: first, flags }]);
    assert_eq!(two.added, [PexPeer { addr: second, flags }]);
    assert_eq!((&one.dropped, &two.dropped), (&vec![], &vec![first]));
    world.stop();
}

#[test]
fn of_web_seeds_nobody_is_told() {
    let mut world = World::new(pieces(PIECES));
    let talker = world.add(talker(Vec::new()));
    let web = world.place(kinds::choker(PIECES));
    world.found_by(Source::Other, [web]);
    let peer = world.add(kinds::choker(PIECES));
    world.run_until(Time::from_secs(70));
    assert_eq!(world.connects(web).len(), 1);
    let told = told(&world, talker);
    let named: Vec<_> = told.iter().flat_map(|(_, message)| &message.added).collect();
    assert_eq!(named.iter().map(|peer| peer.addr).collect::<Vec<_>>(), [peer]);
    world.stop();
}

#[test]
fn of_a_private_torrent_nothing_is_told_and_nothing_is_heard() {
    let geometry: Geometry = pieces(PIECES);
    let silent = |change: fn(&mut ccbt_peer::core::SwarmConfig)| {
        let mut world = World::with(geometry, PolicySet::standard(), change);
        let other = world.place(kinds::choker(PIECES));
        let talker = world.add(talker(vec![(secs(1), vec![other])]));
        world.add(kinds::choker(PIECES));
        world.run_until(Time::from_secs(90));
        assert!(world.is_open(talker));
        assert!(world.connects(other).is_empty());
        assert!(told(&world, talker).is_empty());
        world.stop();
    };
    silent(|config| config.private = true);
    silent(|config| config.pex = false);
}
