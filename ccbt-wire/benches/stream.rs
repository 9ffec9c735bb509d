//! How fast messages are cut out of a stream, and written.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use bytes::Bytes;
use ccbt_wire::{
    BLOCK_LEN, Block, Decoder, Item, Limits, Message, MessageDecoder, PieceIndex,
    encode_piece_header,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// What a socket gives in one read.
const READ: usize = 256 * 1024;

fn blocks(count: u32) -> Vec<u8> {
    let data = Bytes::from(vec![7; BLOCK_LEN as usize]);
    let mut wire = Vec::new();
    for index in 0..count {
        let piece = PieceIndex(index / 16);
        Message::Piece { piece, begin: index % 16 * BLOCK_LEN, data: data.clone() }
            .encode(&mut wire);
    }
    wire
}

fn small_messages(count: u32) -> Vec<Message> {
    let block = |index| Block { piece: PieceIndex(index), begin: 0, length: BLOCK_LEN };
    (0..count)
        .map(|index| match index % 4 {
            0 => Message::Have(PieceIndex(index)),
            1 | 2 => Message::Request(block(index)),
            _ => Message::Unchoke,
        })
        .collect()
}

fn encode(messages: &[Message]) -> Vec<u8> {
    let mut wire = Vec::new();
    messages.iter().for_each(|message| message.encode(&mut wire));
    wire
}

/// Cuts the stream and passes over payload, as a driver does that reads it straight into place.
fn cut(wire: &[u8]) -> u32 {
    let mut decoder = Decoder::new(Limits::for_pieces(10_000));
    let mut items = 0;
    for mut input in wire.chunks(READ) {
        loop {
            let payload = input.len().min(decoder.payload_remaining() as usize);
            input = &input[payload..];
            decoder.payload_taken(u32::try_from(payload).unwrap_or(u32::MAX));
            match decoder.next(&mut input).expect("a well-formed stream") {
                Some(Item::Message(message)) => drop(black_box(message)),
                Some(Item::PieceHeader(block)) => drop(black_box(block)),
                None => break,
            }
            items += 1;
        }
    }
    items
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    let wire = blocks(256);
    group.throughput(Throughput::Bytes(wire.len() as u64));
    group.bench_function("block headers, 16 KiB blocks", |b| b.iter(|| cut(black_box(&wire))));
    group.bench_function("whole messages, 16 KiB blocks", |b| {
        b.iter(|| {
            let mut decoder = MessageDecoder::new(Limits::for_pieces(10_000));
            for part in wire.chunks(READ) {
                decoder.push(part);
                while let Some(message) = decoder.next().expect("a well-formed stream") {
                    black_box(message);
                }
            }
        });
    });
    let wire = encode(&small_messages(4096));
    group.throughput(Throughput::Elements(4096));
    group.bench_function("small messages", |b| b.iter(|| cut(black_box(&wire))));
    group.finish();
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    let messages = small_messages(4096);
    let mut out = Vec::with_capacity(encode(&messages).len());
    group.throughput(Throughput::Elements(4096));
    group.bench_function("small messages", |b| {
        b.iter(|| {
            out.clear();
            messages.iter().for_each(|message| message.encode(&mut out));
            black_box(out.len())
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("block header", |b| {
        b.iter(|| {
            let mut head = [0; 13];
            let block = Block { piece: PieceIndex(black_box(3)), begin: 0, length: BLOCK_LEN };
            encode_piece_header(block, &mut &mut head[..]);
            head
        });
    });
    group.finish();
}

criterion_group!(benches, decode, write);
criterion_main!(benches);
