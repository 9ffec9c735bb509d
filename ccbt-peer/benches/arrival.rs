//! From a peer's bytes to verified pieces: a whole download from memory to memory, beside the hash alone.
//!
//! The difference is the price of everything else: messages, decisions, tasks and copies.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use bytes::Bytes;
use ccbt_peer::wire::metainfo::build::Builder;
use ccbt_peer::wire::{Bitfield, Block, InfoHash, Message, Metainfo, PeerId};
use ccbt_peer::{
    Connection, ConnectionOptions, Dialer, EventKind, Given, MemoryStore, Swarm, Transport,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sha1::{Digest, Sha1};
use tokio::io::DuplexStream;

const LENGTH: u32 = 64 << 20;
/// What lies between the two ends at the most.
const PIPE: usize = 1 << 20;

/// Every address leads to a seed of the payload.
#[derive(Clone, Debug)]
struct Seeds {
    payload: Bytes,
    piece: u32,
    info_hash: InfoHash,
}

#[async_trait]
impl Dialer for Seeds {
    async fn dial(&self, _: SocketAddr) -> io::Result<Transport> {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(self.clone().serve(theirs));
        Ok(Transport::other(ours))
    }
}

impl Seeds {
    async fn serve(self, stream: DuplexStream) {
        let pieces = LENGTH.div_ceil(self.piece);
        let options = ConnectionOptions::new(self.info_hash, PeerId(*b"-BE0000-seed-of-data"));
        let Ok(mut peer) = Connection::accept(stream, options.pieces(pieces)).await else { return };
        let all = Bitfield::full(pieces);
        let has = Message::Bitfield(Bytes::copy_from_slice(all.as_bytes()));
        if peer.send(has).await.is_err() || peer.send(Message::Unchoke).await.is_err() {
            return;
        }
        // The download's end closes the connection: that is no failure.
        while let Some(Ok(message)) = peer.next().await {
            if let Message::Request(Block { piece, begin, length }) = message {
                let start = (piece.0 * self.piece + begin) as usize;
                let data = self.payload.slice(start..start + length as usize);
                if peer.send(Message::Piece { piece, begin, data }).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn metainfo(payload: &[u8], piece: u32) -> Metainfo {
    let hashes = payload.chunks(piece as usize).map(|piece| Sha1::digest(piece).into());
    let torrent = Builder::single("payload", piece, payload.len() as u64).pieces(hashes).encode();
    Metainfo::parse(&torrent).expect("a torrent of our own")
}

async fn download(metainfo: Metainfo, seeds: Seeds) {
    let store = MemoryStore::new(&metainfo);
    let peer = SocketAddr::from(([192, 0, 2, 1], 6881));
    let swarm = Swarm::builder(metainfo).store(store).dialer(seeds).source(Given::new([peer]));
    let (swarm, mut events) = swarm.start().expect("a swarm that can start");
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::Finished) {
            break;
        }
    }
    swarm.stop().await;
}

fn arrival(c: &mut Criterion) {
    let payload: Bytes =
        (0..LENGTH / 4).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut group = c.benchmark_group("64 MiB arrive");
    group.throughput(Throughput::Bytes(LENGTH.into())).sample_size(10);
    for (name, piece) in [("1 MiB", 1 << 20), ("16 KiB", 16 << 10)] {
        group.bench_function(format!("pieces of {name}, the hash alone"), |b| {
            b.iter(|| {
                payload.chunks(piece as usize).for_each(|piece| {
                    black_box(Sha1::digest(piece));
                });
            });
        });
        let metainfo = metainfo(&payload, piece);
        let seeds = Seeds { payload: payload.clone(), piece, info_hash: metainfo.info_hash() };
        group.bench_function(format!("pieces of {name}, verified and stored"), |b| {
            b.iter(|| runtime.block_on(download(metainfo.clone(), seeds.clone())));
        });
    }
    group.finish();
}

criterion_group!(benches, arrival);
criterion_main!(benches);
