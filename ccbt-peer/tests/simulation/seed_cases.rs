//! The four cases that the rules come from, to the millisecond.

use ccbt_peer::EventKind;
use ccbt_peer::policy::Time;
use ccbt_peer::wire::Message;

use super::world::World;
use super::{first_check, kinds, ms, pieces, secs};

const PIECES: u32 = 16;

#[test]
fn a_mute_peer_is_gone_60_seconds_after_its_handshake() {
    let mut world = World::new(pieces(PIECES));
    let mute = world.add(kinds::mute(PIECES));
    let chatter = world.add(kinds::chatter(PIECES));
    world.run_until(Time::from_secs(70));
    for addr in [mute, chatter] {
        let expected = (world.connect(addr) + secs(60), "bitfield-timeout: no-availability".into());
        assert_eq!(world.close(addr), expected);
    }
    world.stop();
}

#[test]
fn a_peer_with_nothing_needed_is_told_not_interested_at_once_and_is_gone_10_seconds_later() {
    let mut world = World::new(pieces(PIECES));
    let peers = world.add_all([kinds::empty(PIECES), kinds::have_none(PIECES)]);
    world.run_until(Time::from_secs(15));
    for addr in peers {
        let announced = world.connect(addr);
        assert_eq!(world.told(addr, &Message::NotInterested), [announced]);
        assert_eq!(world.close(addr), (announced + secs(10), "no-interest: no-interest".into()));
    }
    world.stop();
}

#[test]
fn a_peer_that_became_useless_is_gone_at_the_first_check_30_seconds_or_more_later() {
    let mut world = World::new(pieces(PIECES));
    let partial = world.add(kinds::partial(PIECES, [3, 4, 5], secs(4)));
    world.run_until(Time::from_secs(100));
    let useless = [3, 4, 5].map(|piece| world.stored(piece)).into_iter().max().unwrap();
    assert!(useless > world.connect(partial) + secs(20));
    assert_eq!(world.interest(partial, false), [useless]);
    assert_eq!(world.told(partial, &Message::NotInterested), [useless]);
    let check = first_check(world.connect(partial), useless + secs(30));
    assert_eq!(world.close(partial), (check, "health: became-useless".into()));
    world.stop();
}

#[test]
fn a_have_within_the_grace_keeps_the_peer_and_its_piece_is_fetched() {
    let mut world = World::new(pieces(PIECES));
    let late = world.add(kinds::late_bloomer(PIECES, 7, ms(9_999)));
    let too_late = world.add(kinds::late_bloomer(PIECES, 8, ms(10_001)));
    world.run_until(Time::from_secs(30));
    assert!(world.is_open(late));
    let have = world.connect(late) + ms(9_999);
    assert_eq!(world.told(late, &Message::Interested), [have]);
    assert!(world.stored(7) < have + secs(1));
    let pardoned =
        |event: &EventKind| matches!(event, EventKind::EvictPardoned { peer, .. } if *peer == late);
    assert_eq!(world.first(pardoned), Some(have));
    let gone = world.connect(too_late) + secs(10);
    assert_eq!(world.close(too_late), (gone, "no-interest: no-interest".into()));
    world.stop();
}

#[test]
fn a_have_at_the_very_deadline_is_heard_first() {
    let mut world = World::new(pieces(PIECES));
    let late = world.add(kinds::late_bloomer(PIECES, 7, secs(10)));
    world.run_until(Time::from_secs(20));
    assert!(world.is_open(late));
    world.stop();
}

#[test]
fn an_evicted_address_is_dialed_again_after_60_and_then_120_seconds() {
    let mut world = World::new(pieces(PIECES));
    let empty = world.add(kinds::empty(PIECES));
    world.run_until(Time::from_secs(70));
    // A tracker that names it again changes nothing.
    world.found([empty]);
    world.run_until(Time::from_secs(300));
    let (connects, closes) = (world.connects(empty), world.closes(empty));
    let dialed = world.pace.dial * 2;
    assert_eq!(connects[1], closes[0].0 + secs(60) + dialed);
    assert_eq!(connects[2], closes[1].0 + secs(120) + dialed);
    world.stop();
}
