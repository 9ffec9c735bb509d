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

criterion_group!(benches, events);
criterion_main!(benches);
