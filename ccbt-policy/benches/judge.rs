//! What it costs to judge 100,000 peers: the standard set, each of its rules, and the bare walk
//! over the views.

use std::hint::black_box;
use std::time::Duration;

use ccbt_policy::registry::{RULES, Selection};
use ccbt_policy::{Availability, EvictionPolicy, PeerView, PolicySet, SwarmView, Time};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PEERS: u32 = 100_000;

/// All kinds in equal parts: mute, seed, useless, useless after a while, leecher that takes from
/// us.
fn peers() -> Vec<PeerView> {
    (0..PEERS)
        .map(|n| {
            let now = Time::from_millis(n.into());
            PeerView::new((n.to_be_bytes(), 6881).into(), now).with(|p| match n % 5 {
                0 => p.fast = true,
                1 => {
                    p.set_availability(now, Availability::All);
                    p.set_wanted(now, 100);
                }
                2 => p.set_availability(now, Availability::None),
                3 => {
                    p.set_availability(now, Availability::Some);
                    p.set_wanted(now, 1);
                    p.set_wanted(now + Duration::from_secs(7), 0);
                }
                _ => {
                    p.set_availability(now, Availability::Some);
                    p.set_offered(now, 5);
                    p.set_peer_interested(now, true);
                }
            })
        })
        .collect()
}

fn judge(c: &mut Criterion) {
    let peers = peers();
    let swarm = SwarmView::new();
    let now = Time::from_secs(50);
    let mut group = c.benchmark_group("judge 100,000 peers");
    group.throughput(Throughput::Elements(PEERS.into()));

    group.bench_function("bare walk", |b| {
        b.iter(|| peers.iter().map(|peer| black_box(peer).connected_at).max());
    });
    let mut bench = |name: &str, policy: PolicySet| {
        group.bench_function(name, |b| {
            b.iter(|| {
                peers.iter().filter(|peer| policy.judge(peer, &swarm, now).evict.is_some()).count()
            });
        });
    };
    bench("standard", PolicySet::standard());
    for rule in RULES {
        let mut selection = Selection::standard();
        for other in RULES.iter().filter(|other| other.name != rule.name) {
            selection.apply(&format!("{}=off", other.name)).expect("every rule can be turned off");
        }
        bench(rule.name, selection.build());
    }
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
