//! How long a metainfo file takes, large and hostile ones included.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use ccbt_wire::Metainfo;
use ccbt_wire::bencode::Value;
use ccbt_wire::metainfo::build::Builder;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("metainfo");
    let pieces = 100_000u32;
    let large = Builder::single("large.bin", 1 << 20, u64::from(pieces) << 20)
        .pieces((0..pieces).map(|_| [7; 20]))
        .encode();
    let names = (0..50_000u64).map(|index| (format!("folder {}/file {index}", index % 100), 1000));
    let many = Builder::multi("many", 1 << 20, names).pieces((0..48).map(|_| [7; 20])).encode();
    for (name, bytes) in [("100,000 pieces", &large), ("50,000 files", &many)] {
        assert!(Metainfo::parse(bytes).is_ok());
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| Metainfo::parse(black_box(bytes))));
    }
    let list = ["l", &"i7e".repeat(1_000_000), "e"].concat();
    group.throughput(Throughput::Bytes(list.len() as u64));
    group.bench_function("bencode, a list of a million", |b| {
        b.iter(|| Value::parse(black_box(list.as_bytes())).map(|value| value.raw().len()));
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
