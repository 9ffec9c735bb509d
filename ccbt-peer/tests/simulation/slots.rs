//! Who gets a slot when all are taken.

use ccbt_peer::policy::{PolicySet, Time};

use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

fn world(max_peers: u32) -> World {
    World::with(pieces(PIECES), PolicySet::standard(), |config| config.max_peers = max_peers)
}

const DISPLACED_MUTE: &str = "displaced by bitfield-timeout: no-availability";
const DISPLACED_EMPTY: &str = "displaced by no-interest: no-interest";

#[test]
fn a_useful_newcomer_takes_the_slot_of_the_longest_useless_peer() {
    let mut world = world(3);
    let choker = world.come(kinds::choker(PIECES));
    world.run_until(Time::from_secs(1));
    let empty = world.come(kinds::empty(PIECES));
    world.run_until(Time::from_secs(2));
    let mute = world.come(kinds::mute(PIECES));
    world.run_until(Time::from_secs(6));
    let first = world.come(kinds::seed(PIECES, secs(1)));
    world.run_until(Time::from_secs(7));
    let second = world.come(kinds::seed(PIECES, secs(1)));
    world.run_until(Time::from_secs(8));
    assert_eq!(world.close(empty), (world.connect(first), DISPLACED_EMPTY.into()));
    assert_eq!(world.close(mute), (world.connect(second), DISPLACED_MUTE.into()));
    assert!([choker, first, second].iter().all(|addr| world.is_open(*addr)));
    world.stop();
}

#[test]
fn a_peer_gets_2_seconds_to_become_useful_before_it_is_displaced() {
    let mut world = world(1);
    let mute = world.come(kinds::mute(PIECES));
    world.run_until(Time::from_millis(1_500));
    let seed = world.come(kinds::seed(PIECES, ms(100)));
    world.run_until(Time::from_secs(20));
    let (at, why) = world.close(mute);
    assert_eq!(why, DISPLACED_MUTE);
    let spare = world.connect(mute) + secs(2);
    assert!(spare <= at && at <= spare + ms(250), "{at}");
    assert!(world.core.have().all() || world.is_open(seed));
    world.stop();
}

#[test]
fn a_newcomer_that_shows_nothing_waits_2_seconds_and_a_useless_one_goes_at_once() {
    let mut world = world(1);
    world.come(kinds::choker(PIECES));
    world.run_until(Time::from_secs(1));
    let mute = world.come(kinds::mute(PIECES));
    let empty = world.come(kinds::empty(PIECES));
    world.run_until(Time::from_secs(5));
    assert_eq!(world.close(mute), (world.connect(mute) + secs(2), "no-slot".into()));
    assert_eq!(world.close(empty), (world.connect(empty), "no-slot".into()));
    world.stop();
}

#[test]
fn a_useful_peer_is_not_displaced() {
    let mut world = world(2);
    let chokers = [kinds::choker(PIECES), kinds::choker(PIECES)].map(|host| world.come(host));
    world.run_until(Time::from_secs(100));
    let seed = world.come(kinds::seed(PIECES, ms(100)));
    world.run_until(Time::from_secs(110));
    assert!(chokers.iter().all(|addr| world.is_open(*addr)));
    assert_eq!(world.close(seed), (world.connect(seed) + secs(2), "no-slot".into()));
    world.stop();
}

#[test]
fn a_newcomer_in_the_lobby_gets_the_slot_that_becomes_free() {
    let mut world = world(1);
    let leaver = world.come(kinds::resetter(PIECES, secs(10)));
    world.run_until(Time::from_secs(9));
    let seed = world.come(kinds::seed(PIECES, ms(100)));
    world.finish(Time::from_secs(20));
    let left = world.close(leaver).0;
    assert_eq!(world.interest(seed, true), [world.connect(seed)]);
    assert!(world.finished() > left && world.finished() < left + secs(6));
    world.stop();
}

#[test]
fn a_leecher_that_takes_from_us_is_worth_a_slot_too() {
    let mut have = ccbt_peer::wire::Bitfield::new(PIECES);
    have.set(ccbt_peer::wire::PieceIndex(0), true);
    let limit = |config: &mut ccbt_peer::core::SwarmConfig| config.max_peers = 1;
    let mut world = World::resumed(pieces(PIECES), have, PolicySet::standard(), limit);
    let mute = world.come(kinds::mute(PIECES));
    world.run_until(Time::from_secs(5));
    let leecher = world.come(kinds::leecher(PIECES, true));
    world.run_until(Time::from_secs(6));
    assert_eq!(world.close(mute), (world.connect(leecher), DISPLACED_MUTE.into()));
    assert!(world.is_open(leecher));
    world.stop();
}

#[test]
fn an_address_that_cools_down_may_come_in_but_displaces_nobody() {
    let mut world = world(2);
    let evicted = world.come(kinds::empty(PIECES));
    let mute = world.come(kinds::mute(PIECES));
    world.run_until(Time::from_secs(12));
    assert_eq!(world.close(evicted).1, "no-interest: no-interest");
    let other = world.come(kinds::mute(PIECES));
    world.run_until(Time::from_secs(20));
    world.come_back(evicted, kinds::seed(PIECES, ms(100)));
    world.run_until(Time::from_secs(30));
    let again = world.connects(evicted)[1];
    assert_eq!((world.closes(evicted)[1].0, world.is_open(mute)), (again + secs(2), true));
    // The wait is over 60 s after the eviction; then it is as good as any other.
    world.run_until(Time::from_secs(61));
    world.come(kinds::mute(PIECES));
    world.run_until(Time::from_secs(71));
    world.come_back(evicted, kinds::seed(PIECES, ms(100)));
    world.run_until(Time::from_secs(72));
    assert_eq!(world.close(other), (world.connects(evicted)[2], DISPLACED_MUTE.into()));
    world.stop();
}
