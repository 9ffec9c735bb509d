//! What it costs to judge 1,000,000 peers: the presets, each rule, and the bare walk over the views.

use std::hint::black_box;
use std::time::Duration;

use ccbt_policy::registry::{PRESETS, RULES, Selection};
use ccbt_policy::rules::{BitfieldTimeout, Health, NoInterest, Redundant};
use ccbt_policy::{Availability, EvictionPolicy, PeerView, PolicySet, SwarmView, Time};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PEERS: u32 = 1_000_000;

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
    let mut group = c.benchmark_group("judge 1,000,000 peers");
    group.throughput(Throughput::Elements(PEERS.into())).sample_size(10);

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
    let chosen = |spec: &str| {
        let mut selection = Selection::standard();
        selection.apply("all=off").expect("every rule can be turned off");
        selection.apply(spec).expect("the registry tells what it takes");
        selection.build()
    };
    for preset in PRESETS {
        bench(preset.name, chosen(&format!("preset={}", preset.name)));
    }
    for rule in RULES {
        bench(rule.name, chosen(&rule.default_spec()));
    }
    // The price of the rule itself, without a set around it.
    let founding: [&dyn EvictionPolicy; 4] = [
        &BitfieldTimeout::default(),
        &NoInterest::default(),
        &Health::default(),
        &Redundant::default(),
    ];
    for rule in founding {
        group.bench_function(format!("{} alone", rule.name()), |b| {
            b.iter(|| {
                peers.iter().filter(|peer| rule.judge(peer, &swarm, now).evict.is_some()).count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
