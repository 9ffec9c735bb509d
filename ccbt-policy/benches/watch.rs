//! What an event costs in swarms of growing size: it should grow with the logarithm of it.

use std::sync::Arc;
use std::time::Duration;

use ccbt_policy::{Availability, PeerView, PolicySet, SwarmView, Time, Watch};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};

/// Peers that have nothing for us, each with a deadline of its own.
fn watch(peers: u32) -> Watch<u32> {
    let mut watch = Watch::new(Arc::new(PolicySet::standard()), SwarmView::new());
    for key in 0..peers {
        let now = Time::from_millis(key.into());
        let peer = PeerView::new((key.to_be_bytes(), 6881).into(), now);
        watch.insert(key, peer.with(|p| p.set_availability(now, Availability::None)), now);
    }
    while watch.poll(Time::ZERO).is_some() {}
    watch
}

fn events(c: &mut Criterion) {
    let mut group = c.benchmark_group("watch");
    for peers in [100, 10_000, 100_000] {
        let mut watch = watch(peers);
        let mut key = 0;
        let mut now = Time::from_secs(1);
        group.bench_function(BenchmarkId::new("a have moves the deadline", peers), |b| {
            b.iter(|| {
                key = (key + 7_919) % peers;
                now = now + Duration::from_micros(1);
                watch.update(key, now, |p| p.new_have(now));
            });
        });
        group.bench_function(BenchmarkId::new("a fact that moves nothing", peers), |b| {
            b.iter(|| {
                key = (key + 7_919) % peers;
                watch.update(key, now, |p| p.set_peer_choking(now, true));
            });
        });
        group.bench_function(BenchmarkId::new("come and go", peers), |b| {
            let newcomer = PeerView::new(([192, 0, 2, 1], 6881).into(), now);
            b.iter_batched(
                || newcomer.clone(),
                |newcomer| {
                    watch.insert(peers, newcomer, now);
                    watch.remove(peers)
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// A piece is verified: half of the peers have it and are wanted for one piece less, the others are
/// offered one more.
fn finished_piece(c: &mut Criterion) {
    let peers = 10_000;
    for (name, wanted) in [("and all stay useful", u32::MAX), ("and half become useless", 1)] {
        let mut watch = watch(peers);
        let mut now = Time::from_secs(20);
        c.bench_function(&format!("watch/a piece is finished, 10,000 peers {name}"), |b| {
            b.iter(|| {
                now = now + Duration::from_micros(1);
                for key in 0..peers {
                    watch.update(key, now, |peer| match key % 2 {
                        0 if peer.wanted == 0 => peer.set_wanted(now, wanted),
                        0 => peer.set_wanted(now, peer.wanted - 1),
                        _ => peer.set_offered(now, peer.offered + 1),
                    });
                }
            });
        });
    }
}

criterion_group!(benches, events, finished_piece);
criterion_main!(benches);
