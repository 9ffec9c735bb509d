//! Random swarms: what holds in all of them is checked by the audit.

use ccbt_peer::policy::{PolicySet, Time};
use ccbt_peer::wire::Message;

use super::host::{Host, Line};
use super::world::World;
use super::{kinds, ms, pieces, secs};

const PIECES: u32 = 12;

fn any_host(rng: &mut fastrand::Rng) -> Host {
    let every = ms(rng.u64(5..5_000));
    let some: Vec<u32> = (0..PIECES).filter(|_| rng.bool()).collect();
    let mut host = match rng.u32(..19) {
        0 => kinds::mute(PIECES),
        1 => kinds::chatter(PIECES),
        2 => kinds::empty(PIECES),
        3 => kinds::have_none(PIECES),
        4 => kinds::seed(PIECES, every),
        5 => kinds::late_bloomer(PIECES, rng.u32(..PIECES), ms(rng.u64(..20_000))),
        6 => kinds::choker(PIECES),
        7 => kinds::snubber(PIECES),
        8 => kinds::super_seed(PIECES, every),
        9 => kinds::leecher(PIECES, rng.bool()),
        10 => kinds::idler(PIECES),
        11 => kinds::liar(PIECES, some, every),
        12 => kinds::breaker(PIECES, ms(rng.u64(..40_000))),
        13 => kinds::resetter(PIECES, ms(rng.u64(..40_000))),
        14 => kinds::muting_liar(PIECES, rng.usize(1..30), every),
        15 => kinds::trickler(PIECES),
        16 => kinds::dripper(PIECES, rng.u32(1..600)),
        17 => kinds::flooder(PIECES, rng.u32(1..200), ms(rng.u64(1..1_000))),
        _ => kinds::partial(PIECES, some, every),
    };
    for _ in 0..rng.u32(..12) {
        let line = match rng.u32(..5) {
            0 | 1 => Line::Say(Message::Choke),
            2 | 3 => Line::Say(Message::Unchoke),
            _ => Line::Gain(rng.u32(..PIECES)),
        };
        host.script.push((ms(rng.u64(..60_000)), line));
    }
    if rng.u32(..4) == 0 {
        host.queue = rng.usize(1..20);
    }
    if host.fast && rng.bool() {
        host.allows = (0..PIECES).filter(|_| rng.u32(..4) == 0).collect();
    }
    host
}

fn run(seed: u64) {
    // With few slots all may be held by peers that choke us, which are useful.
    let room_for_all = seed.is_multiple_of(2);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut world = World::with(pieces(PIECES), PolicySet::standard(), |config| {
        config.seed = seed;
        config.max_peers = if room_for_all { 25 } else { rng.u32(1..12) };
        config.lobby = rng.u32(1..8);
        config.half_open = rng.u32(1..8);
    });
    world.pace.lag = ms(if rng.bool() { rng.u64(..100) } else { 0 });
    for _ in 0..rng.u32(2..15) {
        let host = any_host(&mut rng);
        if rng.bool() {
            world.add(host)
        } else {
            world.come(host)
        };
    }
    world.run_until(Time::from_millis(rng.u64(..30_000)));
    world.add(kinds::seed(PIECES, ms(rng.u64(5..200))));
    for _ in 0..rng.u32(..10) {
        world.run_for(ms(rng.u64(..10_000)));
        let host = any_host(&mut rng);
        if rng.bool() {
            world.add(host)
        } else {
            world.come(host)
        };
    }
    world.run_until(Time::from_secs(400));
    if room_for_all {
        world.finish(world.now + secs(1800));
    } else {
        world.run_for(secs(300));
    }
    world.run_for(secs(5));
    world.stop();
}

#[test]
fn every_swarm_with_an_honest_seed_completes_and_every_swarm_keeps_the_promises() {
    for seed in 0..150 {
        let result = std::panic::catch_unwind(|| run(seed));
        assert!(result.is_ok(), "the swarm of seed {seed}");
    }
}
