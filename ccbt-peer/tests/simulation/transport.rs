//! Peers that keep to the letter of the protocol and hold us up: they drip, they trickle, they flood.

use std::time::Duration;

use ccbt_peer::CloseReason;
use ccbt_peer::close::Timeout;
use ccbt_peer::policy::{PolicySet, Time};

use super::host::Host;
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 16;

/// How long a download takes from one honest seed that comes when these have been asked for everything.
fn behind(hosts: Vec<Host>) -> Duration {
    let mut world = World::new(pieces(PIECES));
    world.add_all(hosts);
    world.run_until(Time::from_secs(1));
    world.add(kinds::seed(PIECES, ms(50)));
    world.finish(Time::from_secs(100));
    world.finished() - Time::ZERO
}

#[test]
fn who_trickles_or_answers_nothing_costs_no_five_seconds_even_with_the_last_piece_in_hand() {
    let alone = behind(Vec::new());
    for host in [kinds::trickler(PIECES), kinds::snubber(PIECES)] {
        for count in [1, 5] {
            let cost = behind(vec![host.clone(); count]) - alone;
            assert!(cost < secs(5), "{count} cost {cost:?}");
        }
    }
}

#[test]
fn who_falls_to_a_trickle_costs_no_five_seconds() {
    // They deliver at first, so that much is asked of them, and no more when it is the end that lacks.
    let fading = |blocks| Host { mute_after: Some(blocks), ..kinds::seed(PIECES, ms(50)) };
    let alone = behind(Vec::new());
    for blocks in [1, 10, 20, 31] {
        let cost = behind(vec![fading(blocks)]).saturating_sub(alone);
        assert!(cost < secs(5), "after {blocks} blocks: {cost:?}");
    }
}

#[test]
fn a_block_that_trickles_ends_the_connection_after_a_minute() {
    let mut world = World::new(pieces(PIECES));
    let trickler = world.add(kinds::trickler(PIECES));
    world.run_until(Time::from_secs(100));
    let (at, reason) = world.closes(trickler)[0].clone();
    let began = world.connect(trickler) + ms(50) + 2 * world.pace.wire + secs(1);
    assert_eq!(reason, CloseReason::TimedOut(Timeout::Frame { bytes: 60 * 50 }));
    assert_eq!(at, began + secs(60));
    world.stop();
}

#[test]
fn a_message_that_drips_ends_the_connection_after_a_minute_and_a_slow_one_does_not() {
    let mut world = World::with(pieces(PIECES), PolicySet::new(), |_| {});
    let dripper = world.add(kinds::dripper(PIECES, 100));
    let slow = world.add(kinds::dripper(PIECES, 300));
    world.run_until(Time::from_secs(100));
    // Its HAVE_ALL was whole; the endless message began a second later.
    let began = world.connect(dripper) + secs(1);
    let expected = CloseReason::TimedOut(Timeout::Frame { bytes: 60 * 100 });
    assert_eq!(world.closes(dripper), [(began + secs(60), expected)]);
    assert!(world.is_open(slow));
    world.stop();
}

#[test]
fn a_peer_that_changes_its_mind_all_the_time_is_a_flood() {
    let mut world = World::new(pieces(PIECES));
    let flooder = world.add(kinds::flooder(PIECES, 1000, ms(100)));
    let moody = world.add(kinds::flooder(PIECES, 40, secs(3)));
    world.run_until(Time::from_secs(120));
    let (at, why) = world.close(flooder);
    assert_eq!(why, "flood: flood");
    let flooded = world.connect(flooder) + ms(7_600);
    assert!(at <= flooded, "{at}: three times 20, and what came back of them");
    assert!(world.is_open(moody));
    world.stop();
}
