//! What a rule of a file costs beside the same rule in Rust, and what reading rules costs.

use std::hint::black_box;
use std::time::Duration;

use ccbt_policy::script::Rules;
use ccbt_policy::{
    Eviction, EvictionPolicy, PeerView, Reason, SwarmView, Time, Verdict, policy_fn,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PEERS: u32 = 100_000;
const EXAMPLE: &str = "client starts_with \"-XL\" && downloaded == 0 && age > 2m";

/// One in five is a taker that the example is for.
fn peers() -> Vec<PeerView> {
    (0..PEERS)
        .map(|n| {
            let now = Time::from_millis(n.into());
            PeerView::new((n.to_be_bytes(), 6881).into(), now).with(|peer| {
                let client = if n % 5 == 0 { "-XL0019-" } else { "qBittorrent 4.5.2" };
                peer.client = Some(client.into());
                peer.downloaded = u64::from(n % 2) << 20;
            })
        })
        .collect()
}

fn native() -> impl EvictionPolicy {
    policy_fn("native", |peer, _, _| {
        let starts_so = |text: &[u8]| text.starts_with(b"-XL");
        let is_so = starts_so(&peer.peer_id)
            || peer.client.as_deref().is_some_and(|client| starts_so(client.as_bytes()));
        let due = peer.connected_at.checked_add(Duration::from_micros(120_000_001));
        match due {
            Some(at) if is_so && peer.downloaded == 0 => {
                Verdict::evict(Eviction::new(at, Reason::new("native")))
            }
            _ => Verdict::keep(),
        }
    })
}

fn judge(c: &mut Criterion) {
    let (peers, swarm, now) = (peers(), SwarmView::new(), Time::from_secs(150));
    let example = format!("[[rule]]\nname = 'example'\nwhen = '{EXAMPLE}'");
    let mut group = c.benchmark_group("judge 100,000 peers");
    group.throughput(Throughput::Elements(PEERS.into()));
    let mut bench = |name: &str, policies: Vec<Box<dyn EvictionPolicy>>| {
        group.bench_function(name, |b| {
            b.iter(|| {
                let goes = |peer: &&PeerView| {
                    policies.iter().any(|policy| policy.judge(peer, &swarm, now).evict.is_some())
                };
                peers.iter().filter(goes).count()
            });
        });
    };
    let of = |text: &str| -> Vec<Box<dyn EvictionPolicy>> {
        let rules = Rules::parse("bench.toml", text).expect("the rules of the bench are right");
        rules.iter().cloned().map(|rule| Box::new(rule) as _).collect()
    };
    bench("the example in Rust", vec![Box::new(native())]);
    bench("the example as a script", of(&example));
    bench("peer-ban.toml", of(include_str!("../rules/peer-ban.toml")));
    group.finish();
}

fn read(c: &mut Criterion) {
    let text = include_str!("../rules/peer-ban.toml");
    c.bench_function("read peer-ban.toml", |b| {
        b.iter(|| Rules::parse("peer-ban.toml", black_box(text)));
    });
}

criterion_group!(benches, judge, read);
criterion_main!(benches);
