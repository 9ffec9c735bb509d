//! The same bytes through our codec and through those of two other clients, as far as their interfaces allow.
//!
//! `librqbit-peer-protocol` takes what is there as one slice and lends messages out of it. The decoder of
//! `vortex-bittorrent` (Linux only) copies what it is given and hands out parts of the copy, as our
//! `MessageDecoder` does. Our `Decoder` is given one read after the other and passes over payload, which a
//! driver has read into place.
//!
//! `librqbit-peer-protocol` writes into a slice that is large enough, `vortex-bittorrent` into whatever grows: ours is
//! measured both ways.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::alloc::System;
use std::hint::black_box;

use bytes::Bytes;
use ccbt_wire::{BLOCK_LEN, Block, Decoder, Limits, Message, MessageDecoder, PieceIndex};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Cuts a stream into messages and counts them.
type Decode = fn(&[u8]) -> u32;

/// What a socket gives in one read.
const READ: usize = 256 * 1024;
const SMALL: u32 = 4096;
const BLOCKS: u32 = 256;

fn small(index: u32) -> Message {
    match index % 4 {
        0 => Message::Have(PieceIndex(index)),
        1 | 2 => Message::Request(Block { piece: PieceIndex(index), begin: 0, length: BLOCK_LEN }),
        _ => Message::Unchoke,
    }
}

fn wire(messages: impl Iterator<Item = Message>) -> Vec<u8> {
    let mut wire = Vec::new();
    messages.for_each(|message| message.encode(&mut wire));
    wire
}

fn blocks() -> Vec<u8> {
    let data = Bytes::from(vec![7; BLOCK_LEN as usize]);
    wire((0..BLOCKS).map(|index| Message::Piece {
        piece: PieceIndex(index / 16),
        begin: index % 16 * BLOCK_LEN,
        data: data.clone(),
    }))
}

fn with_decoder(wire: &[u8]) -> u32 {
    let mut decoder = Decoder::new(Limits::for_pieces(10_000));
    let mut count = 0;
    for mut input in wire.chunks(READ) {
        loop {
            if decoder.payload_remaining() > 0 {
                let payload = input.len().min(decoder.payload_remaining() as usize);
                input = &input[payload..];
                decoder.payload_taken(u32::try_from(payload).unwrap_or(u32::MAX));
            }
            // Looked at where it lies: to move it would cost more than to decode it.
            match &decoder.next(&mut input) {
                Ok(Some(item)) => black_box(item),
                Ok(None) => break,
                Err(error) => panic!("a well-formed stream: {error}"),
            };
            count += 1;
        }
    }
    count
}

fn with_message_decoder(wire: &[u8]) -> u32 {
    let mut decoder = MessageDecoder::new(Limits::for_pieces(10_000));
    let mut count = 0;
    for part in wire.chunks(READ) {
        decoder.push(part);
        while let Some(message) = decoder.next().expect("a well-formed stream") {
            black_box(&message);
            count += 1;
        }
    }
    count
}

fn with_librqbit(mut wire: &[u8]) -> u32 {
    let mut count = 0;
    while !wire.is_empty() {
        match &librqbit_peer_protocol::Message::deserialize(wire, &[]) {
            Ok(heard) => wire = &wire[black_box(heard).1..],
            Err(error) => panic!("a well-formed stream: {error}"),
        }
        count += 1;
    }
    count
}

#[cfg(target_os = "linux")]
fn with_vortex(wire: &[u8]) -> u32 {
    let mut decoder = vortex_bittorrent::PeerMessageDecoder::new(READ);
    let mut count = 0;
    for part in wire.chunks(READ) {
        decoder.append_data(part);
        for message in decoder.by_ref() {
            black_box(message.expect("a well-formed stream"));
            count += 1;
        }
    }
    count
}

fn decode(c: &mut Criterion) {
    for (name, wire, count) in [
        ("decode small messages", wire((0..SMALL).map(small)), SMALL),
        ("decode 16 KiB blocks", blocks(), BLOCKS),
    ] {
        let decoders: &[(&str, Decode)] = &[
            ("ccbt Decoder", with_decoder),
            ("ccbt MessageDecoder", with_message_decoder),
            ("librqbit", with_librqbit),
            #[cfg(target_os = "linux")]
            ("vortex", with_vortex),
        ];
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(count.into()));
        for (who, decoder) in decoders {
            let region = Region::new(COUNTING);
            assert_eq!(decoder(&wire), count, "{who} heard something else");
            let allocations = region.change().allocations;
            println!("{name}, {who}: {allocations} allocations");
            assert!(*who != "ccbt Decoder" || allocations == 0);
            group.bench_function(*who, |b| b.iter(|| decoder(black_box(&wire))));
        }
        group.finish();
    }
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode small messages");
    group.throughput(Throughput::Elements(SMALL.into()));
    let ours: Vec<_> = (0..SMALL).map(small).collect();
    let expected = wire(ours.iter().cloned());
    let mut out = Vec::with_capacity(expected.len());
    let region = Region::new(COUNTING);
    ours.iter().for_each(|message| message.encode(&mut out));
    assert_eq!(region.change().allocations, 0);
    assert_eq!(out, expected);
    group.bench_function("ccbt, into a Vec", |b| {
        b.iter(|| {
            out.clear();
            ours.iter().for_each(|message| message.encode(&mut out));
            black_box(out.len())
        });
    });
    group.bench_function("ccbt, into a slice", |b| {
        let mut out = vec![0; expected.len()];
        b.iter(|| {
            let mut room = &mut out[..];
            ours.iter().for_each(|message| message.encode(&mut room));
            black_box(room.len())
        });
        assert_eq!(out, expected);
    });
    group.bench_function("librqbit", |b| {
        let theirs: Vec<_> = (0..SMALL).map(librqbit_small).collect();
        let mut out = vec![0; expected.len()];
        b.iter(|| {
            let mut at = 0;
            for message in &theirs {
                at += message
                    .serialize(&mut out[at..], &Default::default)
                    .expect("the buffer is large enough");
            }
            black_box(at)
        });
        assert_eq!(out, expected);
    });
    #[cfg(target_os = "linux")]
    group.bench_function("vortex", |b| {
        let theirs: Vec<_> = (0..SMALL).map(vortex_small).collect();
        let mut out = Vec::with_capacity(expected.len());
        b.iter(|| {
            out.clear();
            theirs.iter().for_each(|message| message.encode(&mut out));
            black_box(out.len())
        });
        assert_eq!(out, expected);
    });
    group.finish();
}

fn librqbit_small(index: u32) -> librqbit_peer_protocol::Message<'static> {
    use librqbit_peer_protocol::{Message, Request};
    match index % 4 {
        0 => Message::Have(index),
        1 | 2 => Message::Request(Request::new(index, 0, BLOCK_LEN)),
        _ => Message::Unchoke,
    }
}

#[cfg(target_os = "linux")]
fn vortex_small(index: u32) -> vortex_bittorrent::PeerMessage {
    use vortex_bittorrent::PeerMessage;
    let narrow = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    match index % 4 {
        0 => PeerMessage::Have { index: narrow(index) },
        1 | 2 => PeerMessage::Request { index: narrow(index), begin: 0, length: narrow(BLOCK_LEN) },
        _ => PeerMessage::Unchoke,
    }
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
