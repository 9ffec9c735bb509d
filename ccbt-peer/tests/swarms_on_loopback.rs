//! Whole swarms over real sockets: what a seed gives, a leecher gets.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::SocketAddr;

use ccbt_peer::wire::{Bitfield, Metainfo, metainfo::build};
use ccbt_peer::{EventKind, Events, Given, MemoryStore, Swarm};

fn payload(length: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(length as u64);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

fn torrent(payload: &[u8], piece_length: u32) -> Metainfo {
    Metainfo::parse(&build::single_file("payload", piece_length, payload, None)).unwrap()
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn seed(metainfo: &Metainfo, payload: &[u8]) -> (Swarm, Events) {
    Swarm::builder(metainfo.clone())
        .store(MemoryStore::with(metainfo, payload.to_vec()))
        .have(Bitfield::full(metainfo.piece_count()))
        .listen(loopback())
        .start()
        .unwrap()
}

async fn finished(events: &mut Events) {
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::Finished) {
            return;
        }
    }
    panic!("the swarm stopped before it was complete");
}

async fn download(metainfo: &Metainfo, peers: Vec<SocketAddr>) -> Vec<u8> {
    let store = std::sync::Arc::new(MemoryStore::new(metainfo));
    let (swarm, mut events) = Swarm::builder(metainfo.clone())
        .store(store.clone())
        .source(Given::new(peers))
        .start()
        .unwrap();
    finished(&mut events).await;
    swarm.stop().await;
    while events.next().await.is_some() {}
    store.to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leecher_gets_what_a_seed_has() {
    let payload = payload(5_000_001);
    let metainfo = torrent(&payload, 1 << 18);
    let (seed, _events) = seed(&metainfo, &payload);
    let got = download(&metainfo, vec![seed.local_addr().unwrap()]).await;
    assert!(got == payload);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_seeds_share_the_work() {
    let payload = payload(20_000_001);
    let metainfo = torrent(&payload, 1 << 16);
    let seeds: Vec<_> = (0..4).map(|_| seed(&metainfo, &payload)).collect();
    let peers = seeds.iter().map(|(seed, _)| seed.local_addr().unwrap()).collect();
    let got = download(&metainfo, peers).await;
    assert!(got == payload);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_larger_than_every_buffer_comes_through() {
    let payload = payload(40_000_001);
    let metainfo = torrent(&payload, 1 << 24);
    let seeds: Vec<_> = (0..2).map(|_| seed(&metainfo, &payload)).collect();
    let peers = seeds.iter().map(|(seed, _)| seed.local_addr().unwrap()).collect();
    let got = download(&metainfo, peers).await;
    assert!(got == payload);
}
