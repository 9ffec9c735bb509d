//! Peers that are worth their slot, though it does not look like it.

use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::wire::{Bitfield, Message, PieceIndex};

use super::host::{Host, Line};
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

#[test]
fn a_useful_peer_that_chokes_us_for_minutes_is_kept_and_serves_us_then() {
    let mut world = World::new(pieces(PIECES));
    let host = Host { unchokes: Some(secs(600)), ..kinds::seed(PIECES, ms(100)) };
    let choker = world.add(host);
    world.run_until(Time::from_secs(600));
    assert_eq!(world.closes(choker), []);
    world.finish(Time::from_secs(610));
    world.stop();
}

#[test]
fn a_super_seeding_peer_is_served_to_the_end() {
    let mut world = World::new(pieces(PIECES));
    let seed = world.add(kinds::super_seed(PIECES, secs(3)));
    world.finish(Time::from_secs(300));
    assert_eq!(world.close(seed), (world.finished(), "redundant: redundant".into()));
    assert_eq!(world.closes(seed).len(), 1);
    world.stop();
}

#[test]
fn a_swarm_of_leechers_that_stands_still_for_20_seconds_loses_nobody_who_announced_a_piece() {
    let mut world = World::new(pieces(PIECES));
    // Each leecher gets one of the seed's pieces, gives it to us, and then nothing comes for long.
    let leechers: Vec<_> = (0..12)
        .map(|n| {
            let gains = [(1, n), (25, (n + 1) % 12)]
                .map(|(at, piece)| (secs(at) + ms(10 * u64::from(n)), Line::Gain(piece)));
            let script = gains.into_iter().collect();
            Host { script, wants: true, requests: true, ..kinds::partial(PIECES, [], ms(50)) }
        })
        .collect();
    let leechers = world.add_all(leechers);
    let seed = world.add(kinds::seed(PIECES, secs(25)));
    world.run_until(Time::from_secs(80));
    for addr in leechers.iter().chain([&seed]) {
        assert_eq!(world.closes(*addr), []);
    }
    world.stop();
}

#[test]
fn a_new_leecher_without_bitfield_and_fast_extension_is_kept_while_it_takes() {
    let mut have = Bitfield::full(PIECES);
    have.set(PieceIndex(3), false);
    let mut world = World::resumed(pieces(PIECES), have, PolicySet::standard(), |_| {});
    let leecher = world.come(kinds::leecher(PIECES, false));
    world.run_until(Time::from_secs(300));
    assert_eq!(world.core.progress().uploaded, u64::from(PIECES - 1) * 32768);
    // It has all that we have and nothing that we need; but it grew until then.
    let last =
        world.said.iter().rfind(|(_, _, what)| matches!(what, Message::Piece { .. })).unwrap();
    let gone = last.0 + world.pace.wire + secs(60);
    assert_eq!(world.close(leecher), (gone, "no-interest: no-interest".into()));
    world.stop();
}

#[test]
fn interest_without_a_request_buys_60_seconds_and_the_grace() {
    let mut have = Bitfield::new(PIECES);
    have.set(PieceIndex(3), true);
    let mut world = World::resumed(pieces(PIECES), have, PolicySet::standard(), |_| {});
    let idler = world.come(kinds::idler(PIECES));
    world.run_until(Time::from_secs(100));
    let unchoked = world.told(idler, &Message::Unchoke)[0];
    assert_eq!(unchoked, world.connect(idler));
    assert_eq!(world.close(idler), (unchoked + secs(70), "no-interest: no-interest".into()));
    world.stop();
}

#[test]
fn blocks_that_a_peer_leaves_out_are_fetched_elsewhere() {
    let mut world = World::new(pieces(PIECES));
    let snubber = world.add(kinds::snubber(PIECES));
    world.run_until(Time::from_secs(1));
    let seed = world.add(kinds::seed(PIECES, ms(10)));
    world.finish(Time::from_secs(5));
    assert_eq!(world.close(snubber), (world.finished(), "redundant: redundant".into()));
    let cancelled = |(_, to, message): &(Time, _, Message)| {
        *to == snubber && matches!(message, Message::Cancel(_))
    };
    assert!(world.said.iter().any(cancelled), "what came from {seed} need not come again");
    world.stop();
}

#[test]
fn a_peer_that_loses_requests_without_a_word_is_asked_again() {
    let mut world = World::new(pieces(PIECES));
    world.add(Host { queue: 3, fast: false, ..kinds::partial(PIECES, 0..PIECES, ms(10)) });
    world.finish(Time::from_secs(600));
    world.stop();
}

#[test]
fn a_peer_that_refuses_some_requests_is_asked_again_by_and_by() {
    let mut world = World::new(pieces(PIECES));
    world.add(Host { queue: 3, ..kinds::seed(PIECES, ms(10)) });
    world.finish(Time::from_secs(60));
    world.stop();
}

#[test]
fn a_peer_that_chokes_and_unchokes_all_the_time_is_served_by() {
    let mut world = World::new(pieces(PIECES));
    let flips = [Message::Unchoke, Message::Choke].into_iter().cycle().map(Line::Say);
    let script = flips.zip(1..400).map(|(line, n)| (ms(500 * n), line)).collect();
    world.add(Host { script, unchokes: None, ..kinds::seed(PIECES, ms(200)) });
    world.finish(Time::from_secs(120));
    world.stop();
}
