//! Many useless peers and one good seed that comes last.

use std::time::Duration;

use ccbt_peer::policy::{PolicySet, Time};

use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 256;

/// How long a download takes with `max_peers`, of a seed that comes behind so many mute and so many empty
/// peers.
fn download(max_peers: u32, mute: usize, empty: usize) -> Duration {
    let change = |config: &mut ccbt_peer::core::SwarmConfig| config.max_peers = max_peers;
    let mut world = World::with(pieces(PIECES), PolicySet::standard(), change);
    let mut hosts = vec![kinds::mute(PIECES); mute];
    hosts.extend(vec![kinds::empty(PIECES); empty]);
    hosts.push(kinds::seed(PIECES, ms(10)));
    world.add_all(hosts);
    world.finish(Time::from_secs(100));
    let time = world.finished() - Time::ZERO;
    world.stop();
    time
}

#[test]
fn with_room_for_all_the_crowd_costs_less_than_2_seconds() {
    assert!(download(256, 100, 100) < download(256, 0, 0) + secs(2));
}

#[test]
fn with_room_for_half_the_crowd_costs_less_than_8_seconds() {
    assert!(download(100, 100, 100) < download(100, 0, 0) + secs(8));
}

#[test]
fn with_room_for_five_the_seed_is_found_too() {
    assert!(download(5, 100, 100) < download(5, 0, 0) + secs(20));
}
