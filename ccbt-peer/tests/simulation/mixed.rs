//! 200 peers of all kinds in one swarm.

use std::net::SocketAddr;

use ccbt_peer::EventKind;
use ccbt_peer::policy::Time;
use ccbt_peer::wire::Message;

use super::host::Host;
use super::world::World;
use super::{first_check, kinds, ms, pieces, secs};

const PIECES: u32 = 256;

struct Cast {
    mute: Vec<SocketAddr>,
    chatter: Vec<SocketAddr>,
    empty: Vec<SocketAddr>,
    have_none: Vec<SocketAddr>,
    partial: Vec<SocketAddr>,
    late_bloomer: Vec<SocketAddr>,
    choker: Vec<SocketAddr>,
    super_seed: Vec<SocketAddr>,
    leecher: Vec<SocketAddr>,
    snubber: Vec<SocketAddr>,
    slow_seed: Vec<SocketAddr>,
    liar: Vec<SocketAddr>,
    resetter: Vec<SocketAddr>,
    breaker: Vec<SocketAddr>,
    refuser: Vec<SocketAddr>,
    silent: Vec<SocketAddr>,
}

impl Cast {
    fn place(world: &mut World) -> Self {
        let mut all = |count, host: &dyn Fn(u32) -> Host| -> Vec<SocketAddr> {
            (0..count).map(|n| world.place(host(n))).collect()
        };
        Self {
            mute: all(40, &|_| kinds::mute(PIECES)),
            chatter: all(20, &|_| kinds::chatter(PIECES)),
            empty: all(30, &|_| kinds::empty(PIECES)),
            have_none: all(20, &|_| kinds::have_none(PIECES)),
            partial: all(15, &|n| kinds::partial(PIECES, 4 * n..4 * n + 4, ms(500))),
            late_bloomer: all(10, &|n| kinds::late_bloomer(PIECES, 200 + n, secs(5))),
            choker: all(15, &|_| kinds::choker(PIECES)),
            super_seed: all(2, &|_| kinds::super_seed(PIECES, secs(2))),
            leecher: all(10, &|n| kinds::leecher(PIECES, n % 2 == 0)),
            snubber: all(6, &|_| kinds::snubber(PIECES)),
            slow_seed: all(3, &|_| kinds::seed(PIECES, secs(4))),
            liar: all(1, &|_| kinds::liar(PIECES, 0..PIECES, ms(300))),
            resetter: all(8, &|n| kinds::resetter(PIECES, secs(15 + u64::from(n)))),
            breaker: all(8, &|n| kinds::breaker(PIECES, secs(20 + u64::from(n)))),
            refuser: all(6, &|_| kinds::refuser(PIECES)),
            silent: all(6, &|_| kinds::silent(PIECES)),
        }
    }

    fn useless(&self) -> impl Iterator<Item = SocketAddr> {
        self.empty.iter().chain(&self.have_none).copied()
    }

    fn everybody(&self) -> Vec<SocketAddr> {
        let all = [
            &self.mute,
            &self.chatter,
            &self.empty,
            &self.have_none,
            &self.partial,
            &self.late_bloomer,
            &self.choker,
            &self.super_seed,
            &self.leecher,
            &self.snubber,
            &self.slow_seed,
            &self.liar,
            &self.resetter,
            &self.breaker,
            &self.refuser,
            &self.silent,
        ];
        all.into_iter().flatten().copied().collect()
    }
}

#[test]
fn each_of_200_peers_leaves_when_and_why_it_should() {
    let mut world = World::new(pieces(PIECES));
    let cast = Cast::place(&mut world);
    let mut everybody = cast.everybody();
    assert_eq!(everybody.len(), 200);
    fastrand::Rng::with_seed(200).shuffle(&mut everybody);
    world.found(everybody);
    world.finish(Time::from_secs(600));
    let finished = world.finished();
    assert!(finished > Time::from_secs(150), "too soon for the slow ends: {finished}");
    world.run_for(secs(1));

    dead_weight_is_gone(&world, &cast);
    what_became_useless_is_gone(&world, &cast);
    ends_of_their_own(&world, &cast);
    useful_peers_stayed_to_the_end(&world, &cast, finished);
    world.stop();
}

fn dead_weight_is_gone(world: &World, cast: &Cast) {
    for addr in cast.mute.iter().chain(&cast.chatter) {
        let gone = world.connect(*addr) + secs(60);
        assert_eq!(world.close(*addr), (gone, "bitfield-timeout: no-availability".into()));
        assert_eq!(world.told(*addr, &Message::Interested), []);
    }
    for addr in cast.useless() {
        let announced = world.connect(addr);
        assert_eq!(world.close(addr), (announced + secs(10), "no-interest: no-interest".into()));
        assert_eq!(world.told(addr, &Message::NotInterested)[0], announced);
    }
}

fn what_became_useless_is_gone(world: &World, cast: &Cast) {
    for addr in &cast.partial {
        let useless = world.interest(*addr, false)[0];
        assert_eq!(world.told(*addr, &Message::NotInterested)[0], useless);
        let check = first_check(world.connect(*addr), useless + secs(30));
        assert_eq!(world.close(*addr), (check, "health: became-useless".into()));
    }
    for addr in &cast.late_bloomer {
        let have = world.connect(*addr) + secs(5);
        assert_eq!(world.told(*addr, &Message::Interested)[0], have);
        // The NOT_INTERESTED of the beginning, and the one of the end.
        let useless = world.interest(*addr, false)[1];
        let growing_until = have + secs(60);
        let earliest = growing_until.max(useless + secs(30));
        let check = first_check(world.connect(*addr), earliest);
        assert_eq!(world.close(*addr), (check, "health: became-useless".into()));
    }
}

fn ends_of_their_own(world: &World, cast: &Cast) {
    for (addr, after) in cast.resetter.iter().zip(15..) {
        let left = world.connect(*addr) + secs(after);
        assert_eq!(world.close(*addr), (left, "peer-left".into()));
    }
    for (addr, after) in cast.breaker.iter().zip(20..) {
        let broke = world.connect(*addr) + secs(after);
        assert_eq!(world.close(*addr), (broke, "broke-protocol".into()));
    }
    for addr in &cast.silent {
        let (stood, _) = world.stood.iter().find(|(_, who)| who == addr).unwrap();
        assert_eq!(world.close(*addr), (*stood + secs(10), "timed-out".into()));
        assert_eq!(world.connects(*addr), []);
    }
    for addr in &cast.refuser {
        let failed =
            |event: &EventKind| matches!(event, EventKind::DialFailed { peer, .. } if peer == addr);
        assert!(world.first(failed).is_some());
        assert!(world.closes(*addr).is_empty(), "what never stood is not closed");
    }
    assert_eq!(world.close(cast.liar[0]).1, "sent-bad-piece");
    for addr in cast.everybody().iter().filter(|addr| !cast.liar.contains(addr)) {
        assert!(world.closes(*addr).iter().all(|(_, reason)| reason.code() != "sent-bad-piece"));
    }
}

fn useful_peers_stayed_to_the_end(world: &World, cast: &Cast, finished: Time) {
    for addr in &cast.super_seed {
        // Its last piece it names when it sees our last one.
        let named = finished + world.pace.wire;
        assert_eq!(world.closes(*addr).len(), 1);
        assert_eq!(world.close(*addr), (named, "redundant: redundant".into()));
    }
    let complete = [&cast.choker, &cast.snubber, &cast.slow_seed];
    for addr in complete.into_iter().flatten() {
        assert_eq!(world.closes(*addr).len(), 1);
        assert_eq!(world.close(*addr), (finished, "redundant: redundant".into()), "{addr}");
    }
    for addr in &cast.leecher {
        let early = world.closes(*addr).into_iter().find(|(at, _)| *at <= finished);
        assert!(early.is_none(), "{addr} took from us: {early:?}");
    }
}
