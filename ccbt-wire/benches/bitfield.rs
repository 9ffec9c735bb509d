//! Whole-field questions on 100,000 pieces, in their worst case.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use ccbt_wire::{Bitfield, PieceIndex};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const PIECES: u32 = 100_000;

/// Every third piece, or the others.
fn third(value: bool) -> Bitfield {
    let mut field = Bitfield::new(PIECES);
    for index in 0..PIECES {
        field.set(PieceIndex(index), index.is_multiple_of(3) == value);
    }
    field
}

fn questions(c: &mut Criterion) {
    let mut group = c.benchmark_group("bitfield of 100,000");
    let (ours, theirs) = (third(true), third(true));
    group.bench_function("any_and_not, none", |b| {
        b.iter(|| black_box(&theirs).any_and_not(black_box(&ours)));
    });
    group.bench_function("count_and_not", |b| {
        b.iter(|| black_box(&theirs).count_and_not(black_box(&ours)));
    });
    group.bench_function("count_ones", |b| b.iter(|| black_box(&theirs).count_ones()));
    group.bench_function("iter_ones, a third", |b| {
        b.iter(|| black_box(&theirs).iter_ones().fold(0, |sum, piece| sum ^ piece.0));
    });
    group.bench_function("from_wire", |b| {
        b.iter(|| Bitfield::from_wire(black_box(theirs.as_bytes()), PIECES));
    });
    let mut field = third(false);
    group.bench_function("set and clear", |b| {
        b.iter(|| {
            let piece = PieceIndex(black_box(99_999));
            field.set(piece, true) | field.set(piece, false)
        });
    });
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
