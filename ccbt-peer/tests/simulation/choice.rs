//! Some pieces are wanted and others are not, and that changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use ccbt_peer::core::PieceChoice;
use ccbt_peer::policy::rules::Redundant;
use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::wire::{ExtensionHandshake, Message};
use ccbt_peer::{EventKind, Priority};

use super::host::Host;
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

/// These pieces and no others.
fn only(wanted: impl IntoIterator<Item = u32>) -> PieceChoice {
    let wanted: BTreeSet<u32> = wanted.into_iter().collect();
    let priority = |piece| if wanted.contains(&piece) { Priority::Normal } else { Priority::Skip };
    PieceChoice::of((0..PIECES).map(priority))
}

fn choosing(choice: PieceChoice) -> World {
    World::with(pieces(PIECES), PolicySet::standard(), |config| config.choice = Arc::new(choice))
}

fn finishes(world: &World) -> Vec<Time> {
    let finished = world.log.iter().filter(|(_, event)| matches!(event, EventKind::Finished));
    finished.map(|(at, _)| *at).collect()
}

/// The pieces in the order in which they were asked for first.
fn asked(world: &World) -> Vec<u32> {
    let mut asked = Vec::new();
    for (_, _, message) in &world.said {
        if let Message::Request(block) = message
            && !asked.contains(&block.piece.0)
        {
            asked.push(block.piece.0);
        }
    }
    asked
}

/// When we told the peer that we take nothing, or that we do.
fn upload_only(world: &World, peer: std::net::SocketAddr) -> Vec<(Time, bool)> {
    let said = world.said.iter().filter(|(_, to, _)| *to == peer);
    said.filter_map(|(at, _, message)| {
        let Message::Extended { id: 0, payload } = message else { return None };
        Some((*at, ExtensionHandshake::parse(payload).ok()?.upload_only?))
    })
    .collect()
}

#[test]
fn only_wanted_pieces_are_asked_for_and_the_last_of_them_is_the_end() {
    let mut world = choosing(only(3..7));
    let seed = world.add(kinds::seed(PIECES, ms(20)));
    world.run_until(Time::from_secs(60));
    assert_eq!(asked(&world).into_iter().collect::<BTreeSet<_>>(), (3..7).collect());
    let finished = world.finished();
    let progress = world.core.progress();
    assert_eq!((progress.have, progress.need, progress.pieces), (4, 0, PIECES));
    assert_eq!((progress.verified, progress.total), (4 * 32_768, 4 * 32_768));
    assert_eq!(world.interest(seed, false), [finished]);
    assert_eq!(world.close(seed), (finished, "redundant: redundant".into()));
    world.stop();
}

#[test]
fn what_is_no_longer_wanted_is_withdrawn_at_once() {
    let mut world = World::new(pieces(PIECES));
    let slow = world.add(kinds::seed(PIECES, secs(1)));
    let partial = world.add(kinds::partial(PIECES, 8..16, secs(1)));
    world.run_until(Time::from_secs(3));
    world.choose(only(0..2));
    let chosen_at = world.now;
    assert_eq!(world.interest(partial, false), [chosen_at]);
    world.run_for(secs(60));
    let late = world.said.iter().filter(|(at, ..)| *at > chosen_at);
    for (_, _, message) in late {
        assert!(!matches!(message, Message::Request(block) if block.piece.0 >= 2), "{message:?}");
    }
    assert_eq!(world.told(partial, &Message::NotInterested), [chosen_at]);
    assert_eq!(world.interest(slow, false), finishes(&world));
    world.stop();
}

#[test]
fn whoever_wants_more_is_interested_again_and_says_that_it_takes() {
    let mut world = choosing(only(0..4));
    let other = kinds::partial_seed(PIECES, 0..12, ms(20));
    let other = world.add(Host { wants: true, ..other });
    let leecher = world.add(kinds::leecher(PIECES, true));
    world.run_until(Time::from_secs(10));
    let first = world.finished();
    assert!(world.is_open(leecher), "who takes from us is kept");
    world.choose(only(0..12));
    let grown = world.now;
    world.run_for(secs(60));
    let ends = finishes(&world);
    assert_eq!((ends.len(), ends[0]), (2, first));
    assert!(ends[1] > grown);
    assert_eq!(world.core.have().count_ones(), 12);
    // It was redundant, and is wanted again: its wait ends at once.
    assert_eq!(world.close(other).1, "redundant: redundant");
    assert!(world.connects(other)[1] < grown + secs(1));
    assert_eq!(upload_only(&world, other)[0], (first, true));
    world.stop();
}

#[test]
fn nothing_more_to_fetch_is_an_end_too() {
    let mut world = World::new(pieces(PIECES));
    let seed = world.add(kinds::seed(PIECES, secs(1)));
    world.run_until(Time::from_secs(5));
    let have: Vec<u32> = world.core.have().iter_ones().map(|piece| piece.0).collect();
    assert!(!have.is_empty() && finishes(&world).is_empty());
    world.choose(only(have));
    assert_eq!(finishes(&world), [world.now]);
    assert_eq!(world.told(seed, &Message::NotInterested), [world.now]);
    world.stop();
}

#[test]
fn what_is_wanted_most_comes_first_and_then_in_order() {
    let levels = (0..PIECES).map(|piece| match piece {
        4 | 9 => Priority::High,
        0 | 15 => Priority::Low,
        1 => Priority::Skip,
        _ => Priority::Normal,
    });
    let mut world = choosing(PieceChoice::of(levels).sequential());
    world.add(kinds::seed(PIECES, ms(20)));
    world.run_until(Time::from_secs(60));
    let _ = world.finished();
    assert_eq!(asked(&world), [4, 9, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 14, 0, 15]);
    world.stop();
}

#[test]
fn pieces_in_order_come_from_several_peers() {
    let mut world = choosing(PieceChoice::default().sequential());
    let seeds = world.add_all([kinds::seed(PIECES, ms(100)), kinds::seed(PIECES, ms(100))]);
    world.finish(Time::from_secs(60));
    for seed in seeds {
        let asked = world
            .said
            .iter()
            .filter(|(_, to, message)| *to == seed && matches!(message, Message::Request(_)));
        assert!(asked.count() >= 10);
    }
    world.stop();
}

#[test]
fn s23_who_has_all_that_it_wants_drops_the_seeds_and_no_leecher() {
    let mut world = choosing(only(0..6));
    let seeds = world.add_all((0..4).map(|_| kinds::seed(PIECES, secs(2))));
    let leechers = world.add_all((0..10).map(|_| kinds::leecher(PIECES, true)));
    world.run_until(Time::from_secs(120));
    let finished = world.finished();
    for seed in seeds {
        assert_eq!(world.close(seed), (finished, "redundant: redundant".into()));
    }
    for leecher in leechers {
        assert!(world.is_open(leecher), "a partial seed has what leechers want");
    }
    world.stop();
}

#[test]
fn s25_a_partial_seed_is_kept_if_a_file_of_its_is_chosen_within_the_delay() {
    let rule = || PolicySet::new().with(Redundant::new(secs(30)).uninteresting());
    for chosen_at in [None, Some(10)] {
        let start = |config: &mut ccbt_peer::core::SwarmConfig| {
            config.choice = Arc::new(only(0..8));
        };
        let mut world = World::with(pieces(PIECES), rule(), start);
        let partial = world.add(kinds::partial_seed(PIECES, 8..16, ms(20)));
        world.run_until(Time::from_secs(1));
        let connected = world.connect(partial);
        if let Some(at) = chosen_at {
            world.run_until(connected + secs(at));
            world.choose(only(0..12));
            assert_eq!(world.interest(partial, true), [connected + secs(at)]);
        }
        world.run_until(Time::from_secs(35));
        if chosen_at.is_some() {
            assert!(world.is_open(partial));
            assert_eq!(world.core.have().count_ones(), 4);
        } else {
            let gone = (connected + secs(30), "redundant: redundant".to_owned());
            assert_eq!(world.close(partial), gone);
        }
        world.stop();
    }
}
