//! The first seed shows each peer one piece at a time (BEP 16).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::wire::{Bitfield, Message, PieceIndex};

use super::host::{Host, Line};
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

fn super_seed() -> World {
    let have = Bitfield::full(PIECES);
    World::resumed(pieces(PIECES), have, PolicySet::standard(), |config| config.super_seed = true)
}

/// Which pieces a peer was shown, and when.
fn shown(world: &World, peer: SocketAddr) -> Vec<(Time, u32)> {
    let said = world.said.iter().filter(|(_, to, _)| *to == peer);
    said.filter_map(|(at, _, message)| match message {
        Message::Have(piece) => Some((*at, piece.0)),
        _ => None,
    })
    .collect()
}

fn sent(world: &World) -> Vec<u32> {
    let said = world.said.iter();
    said.filter_map(|(_, _, message)| match message {
        Message::Piece { piece, .. } => Some(piece.0),
        _ => None,
    })
    .collect()
}

#[test]
fn each_peer_is_greeted_with_nothing_and_shown_a_piece_of_its_own() {
    let mut world = super_seed();
    let leechers = world.add_all((0..3).map(|_| kinds::leecher(PIECES, true)));
    world.run_until(Time::from_secs(5));
    let mut all = BTreeSet::new();
    for leecher in leechers {
        assert_eq!(world.told(leecher, &Message::HaveNone).len(), 1);
        assert!(world.told(leecher, &Message::HaveAll).is_empty());
        let shown = shown(&world, leecher);
        assert_eq!(shown.len(), 1);
        all.extend(shown.into_iter().map(|(_, piece)| piece));
    }
    assert_eq!(all.len(), 3);
    let sent = sent(&world);
    assert_eq!(sent.len(), 3, "{sent:?}");
    world.stop();
}

#[test]
fn a_piece_that_is_seen_at_another_peer_brings_the_next_one_at_once() {
    let mut world = super_seed();
    world.add(kinds::idler(PIECES));
    let giver = world.add(kinds::leecher(PIECES, true));
    world.run_until(Time::from_secs(1));
    let first = shown(&world, giver);
    assert_eq!(first.len(), 1);
    let script = vec![(secs(4), Line::Gain(first[0].1))];
    let taker = world.add(Host { script, ..kinds::leecher(PIECES, true) });
    world.run_until(Time::from_secs(6));
    let gained = world.connect(taker) + secs(4);
    let shown = shown(&world, giver);
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1].0, gained);
    world.stop();
}

#[test]
fn whoever_waits_for_others_is_shown_another_after_10_seconds() {
    let mut world = super_seed();
    let leechers = world.add_all([kinds::leecher(PIECES, true), kinds::leecher(PIECES, true)]);
    // This one wants nothing that it is shown.
    let idle = world.add(kinds::have_none(PIECES));
    world.run_until(Time::from_secs(25));
    for peer in leechers.into_iter().chain([idle]) {
        let times: Vec<Time> = shown(&world, peer).into_iter().map(|(at, _)| at).collect();
        assert_eq!(times.len(), 3, "{peer}: {times:?}");
        let waits = times.windows(2).map(|pair| pair[1].saturating_since(pair[0]));
        assert!(waits.into_iter().all(|wait| wait >= secs(10) && wait < secs(12)));
    }
    world.stop();
}

#[test]
fn a_peer_that_is_alone_gets_everything_without_a_wait() {
    let mut world = super_seed();
    let leecher = world.add(kinds::leecher(PIECES, true));
    world.run_until(Time::from_secs(5));
    let sent = sent(&world);
    assert_eq!(sent.len(), PIECES as usize);
    assert_eq!(sent.into_iter().collect::<BTreeSet<_>>().len(), PIECES as usize);
    assert_eq!(world.close(leecher).1, "redundant: redundant");
    world.stop();
}

#[test]
fn when_all_is_with_two_others_everybody_sees_everything() {
    let mut world = super_seed();
    let mut others = world
        .add_all([kinds::partial(PIECES, 0..15, ms(20)), kinds::partial(PIECES, 1..16, ms(20))]);
    world.run_until(Time::from_secs(5));
    assert!(others.iter().all(|peer| shown(&world, *peer).len() < 3));
    others.push(world.add(kinds::partial(PIECES, [0, 15], ms(20))));
    world.run_for(secs(2));
    for peer in others {
        for piece in (0..PIECES).map(PieceIndex) {
            assert!(!world.told(peer, &Message::Have(piece)).is_empty(), "{peer} {piece:?}");
        }
    }
    let late = world.add(kinds::leecher(PIECES, true));
    world.run_for(secs(1));
    assert_eq!(world.told(late, &Message::HaveAll).len(), 1);
    world.stop();
}

#[test]
fn who_is_not_complete_at_the_start_hides_nothing() {
    let mut world = World::with(pieces(PIECES), PolicySet::standard(), |config| {
        config.super_seed = true;
    });
    world.add(kinds::seed(PIECES, ms(20)));
    let leecher = world.add(kinds::leecher(PIECES, true));
    world.finish(Time::from_secs(60));
    assert_eq!(shown(&world, leecher).len(), PIECES as usize);
    world.stop();
}
