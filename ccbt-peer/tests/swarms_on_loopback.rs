//! Whole swarms over real sockets: what a seed gives, a leecher gets.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use ccbt_peer::close::{CloseReason, Refusal};
use ccbt_peer::wire::{Bitfield, Metainfo, metainfo::build};
use ccbt_peer::{
    Addresses, Blocklist, Budget, Choice, ChooseError, Dialer, EventKind, Events, FileStore, Given,
    MemoryStore, Swarm, TcpDialer, Transport,
};
use sha1::{Digest, Sha1};

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
    let store = Arc::new(MemoryStore::new(metainfo));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_address_is_remembered_and_found_again_without_a_source() {
    let payload = payload(100_001);
    let metainfo = torrent(&payload, 1 << 15);
    let (seed, _events) = seed(&metainfo, &payload);
    let start = |addresses, peers: Vec<SocketAddr>| {
        let swarm = Swarm::builder(metainfo.clone()).addresses(addresses);
        swarm.source(Given::new(peers)).start().unwrap()
    };
    let seed_at = seed.local_addr().unwrap();
    let (first, mut events) = start(Addresses::default(), vec![seed_at]);
    finished(&mut events).await;
    let known = first.addresses().await.unwrap().to_bytes(7);
    let known = Addresses::parse(&known, 7).unwrap();
    assert!(known.peers.iter().any(|peer| peer.addr == seed_at && peer.good));
    first.stop().await;
    while events.next().await.is_some() {}
    assert_eq!(first.addresses().await, None);

    let (_second, mut events) = start(known, vec![]);
    finished(&mut events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swarm_that_comes_later_gets_its_share_of_the_budget() {
    let budget = Budget::new(2, 2);
    let (payload, other) = (payload(1_000_001), payload(500_001));
    let (metainfo, other_metainfo) = (torrent(&payload, 1 << 15), torrent(&other, 1 << 15));
    let seeds = |metainfo: &Metainfo, payload: &[u8]| -> Vec<_> {
        (0..3).map(|_| seed(metainfo, payload)).collect()
    };
    let (first_seeds, other_seeds) = (seeds(&metainfo, &payload), seeds(&other_metainfo, &other));
    let start = |metainfo: Metainfo, seeds: &[(Swarm, Events)]| {
        let peers: Vec<_> = seeds.iter().map(|(seed, _)| seed.local_addr().unwrap()).collect();
        Swarm::builder(metainfo).source(Given::new(peers)).budget(&budget).pex(false)
    };
    // It never ends by itself, and would keep both connections.
    let (_first, mut events) = start(metainfo, &first_seeds).limit_down(1).start().unwrap();
    let mut connected = 0;
    while connected < 2 {
        let event = events.next().await.unwrap();
        connected += i32::from(matches!(event.kind, EventKind::PeerConnected { .. }));
    }
    let (_other, mut other_events) = start(other_metainfo, &other_seeds).start().unwrap();
    finished(&mut other_events).await;
    let gave_back = |kind: &EventKind| {
        matches!(kind, EventKind::PeerClosed { reason: CloseReason::NoSlot, .. })
    };
    while !gave_back(&events.next().await.unwrap().kind) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_blocklist_closes_a_running_connection() {
    let payload = payload(1_000_001);
    let metainfo = torrent(&payload, 1 << 15);
    let (seed, _events) = seed(&metainfo, &payload);
    // Slow, so that it lasts: two that are both done would part by themselves.
    let builder = Swarm::builder(metainfo).source(Given::new(seed.local_addr())).limit_down(10_000);
    let (leecher, mut events) = builder.start().unwrap();
    while !matches!(events.next().await.unwrap().kind, EventKind::PeerConnected { .. }) {}
    leecher.set_blocklist(Arc::new(Blocklist::parse(b"127.0.0.0/8").unwrap()));
    let reason = loop {
        if let EventKind::PeerClosed { reason, .. } = events.next().await.unwrap().kind {
            break reason;
        }
    };
    assert_eq!(reason, CloseReason::Refused(Refusal::Blocked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chosen_files_come_alone_and_the_others_when_they_are_chosen() {
    let payload = payload(600_000);
    let files = [("a", 100_001), ("sub/b", 50_000), ("c", 449_999)];
    let hashes = payload.chunks(1 << 15).map(|piece| Sha1::digest(piece).into());
    let builder = build::Builder::multi("t", 1 << 15, files).pieces(hashes);
    let metainfo = Metainfo::parse(&builder.encode()).unwrap();
    let (seed, _events) = seed(&metainfo, &payload);
    let folder = tempfile::tempdir().unwrap();
    let choice = Choice::only(&metainfo, [1]);
    // The store learns of the choice from the swarm.
    let store = FileStore::open(folder.path(), &metainfo).unwrap();
    let builder = Swarm::builder(metainfo.clone()).store(store).choose(choice);
    let (leecher, mut events) = builder.source(Given::new(seed.local_addr())).start().unwrap();
    finished(&mut events).await;
    let there = |path: &str| folder.path().join("t").join(path).exists();
    assert!(there("sub/b") && !there("a") && !there("c"));
    let progress = leecher.progress();
    assert!(progress.have < progress.pieces && progress.need == 0);

    leecher.choose(Choice::all(&metainfo).sequential()).await.unwrap();
    finished(&mut events).await;
    let read = |path: &str| std::fs::read(folder.path().join("t").join(path)).unwrap();
    assert!([read("a"), read("sub/b"), read("c")].concat() == payload);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part file is left");
    let other = torrent(&payload, 1 << 15);
    let refused = leecher.choose(Choice::all(&other)).await.unwrap_err();
    assert!(matches!(refused, ChooseError::Files { chosen: 1, files: 3, .. }), "{refused}");
}

/// The error of a process that has as many descriptors as it may.
#[cfg(unix)]
const NO_DESCRIPTORS: i32 = 24;
#[cfg(not(unix))]
const NO_DESCRIPTORS: i32 = 10_024;

/// Has no descriptors for the first dials.
#[derive(Debug)]
struct Short(AtomicU32);

#[async_trait]
impl Dialer for Short {
    async fn dial(&self, addr: SocketAddr) -> io::Result<Transport> {
        let dials = self.0.fetch_add(1, Ordering::Relaxed);
        if dials < 3 {
            Err(io::Error::from_raw_os_error(NO_DESCRIPTORS))
        } else {
            TcpDialer::default().dial(addr).await
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dial_without_descriptors_is_no_failure_of_the_address() {
    let payload = payload(100_001);
    let metainfo = torrent(&payload, 1 << 15);
    let (seed, _events) = seed(&metainfo, &payload);
    let builder = Swarm::builder(metainfo).source(Given::new(seed.local_addr()));
    let (_leecher, mut events) = builder.dialer(Short(AtomicU32::new(0))).start().unwrap();
    loop {
        match events.next().await.unwrap().kind {
            EventKind::DialFailed { error, .. } => panic!("{error}"),
            EventKind::Finished => return,
            _ => {}
        }
    }
}
