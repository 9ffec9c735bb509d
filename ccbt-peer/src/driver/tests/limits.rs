//! Rates over streams in memory. The payload is zeros, as a fresh store in memory is.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ccbt_wire::{
    BLOCK_LEN, Block, EXTENDED_HANDSHAKE, ExtensionHandshake, MetadataMessage, PieceIndex,
    Reserved, UT_METADATA,
};

use super::*;
use crate::Limits;

const WARM_UP: Duration = Duration::from_secs(2);

/// Bytes that the peers sent or got, each.
type Counts = Vec<Arc<AtomicU64>>;

fn zeros(length: usize) -> Metainfo {
    Metainfo::parse(&build::single_file("zeros", 1 << 18, &vec![0; length], None)).unwrap()
}

/// A swarm that dials `count` peers, and their ends of the streams, which hold little.
fn crowd(metainfo: &Metainfo, count: u16) -> (SwarmBuilder, Vec<DuplexStream>) {
    let (mut ours, mut theirs) = (HashMap::new(), Vec::new());
    for n in 1..=count {
        let (here, there) = tokio::io::duplex(1 << 10);
        ours.insert(addr(n), here);
        theirs.push(there);
    }
    let ours = Mutex::new(ours);
    let mut dialer = MockDialer::new();
    dialer.expect_dial().returning(move |addr| {
        let stream = ours.lock().unwrap().remove(&addr);
        stream.map(Transport::other).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    });
    let given = Given::new((1..=count).map(addr).collect::<Vec<_>>());
    let builder = Swarm::builder(metainfo.clone()).dialer(dialer).source(given);
    (builder.policy(PolicySet::new()), theirs)
}

async fn accept(metainfo: &Metainfo, id: usize, stream: DuplexStream) -> Connection<DuplexStream> {
    let id = PeerId([u8::try_from(id).unwrap(); 20]);
    Connection::accept(stream, ConnectionOptions::new(metainfo.info_hash(), id)).await.unwrap()
}

/// Seeds that serve as fast as they are read.
fn seeds(metainfo: &Metainfo, streams: Vec<DuplexStream>) -> Counts {
    let start = |(id, stream)| {
        let (metainfo, sent) = (metainfo.clone(), Arc::new(AtomicU64::new(0)));
        let counter = sent.clone();
        tokio::spawn(async move {
            let mut peer = accept(&metainfo, id, stream).await;
            let have = Bitfield::full(metainfo.piece_count());
            let have = Bytes::copy_from_slice(have.as_bytes());
            peer.send(Message::Bitfield(have)).await.unwrap();
            peer.send(Message::Unchoke).await.unwrap();
            while let Some(Ok(message)) = peer.next().await {
                let Message::Request(Block { piece, begin, length }) = message else { continue };
                let data = Bytes::from(vec![0; length as usize]);
                if peer.send(Message::Piece { piece, begin, data }).await.is_err() {
                    return;
                }
                counter.fetch_add(u64::from(length), Ordering::Relaxed);
            }
        });
        sent
    };
    streams.into_iter().enumerate().map(start).collect()
}

/// Leechers that always wait for eight blocks.
fn leechers(metainfo: &Metainfo, streams: Vec<DuplexStream>) -> Counts {
    let start = |(id, stream)| {
        let (metainfo, got) = (metainfo.clone(), Arc::new(AtomicU64::new(0)));
        let counter = got.clone();
        tokio::spawn(async move {
            let mut peer = accept(&metainfo, id, stream).await;
            peer.send(Message::Interested).await.unwrap();
            let blocks = (0..metainfo.piece_count()).cycle().flat_map(|piece| {
                let begins = (0..1 << 18).step_by(BLOCK_LEN as usize);
                begins.map(move |begin| (PieceIndex(piece), begin))
            });
            let mut blocks = blocks.map(|(piece, begin)| Block { piece, begin, length: BLOCK_LEN });
            while let Some(Ok(message)) = peer.next().await {
                let more = match message {
                    Message::Unchoke => 8,
                    Message::Piece { data, .. } => {
                        counter.fetch_add(data.len() as u64, Ordering::Relaxed);
                        1
                    }
                    _ => 0,
                };
                for block in blocks.by_ref().take(more) {
                    peer.send(Message::Request(block)).await.unwrap();
                }
            }
        });
        got
    };
    streams.into_iter().enumerate().map(start).collect()
}

fn read(counts: &Counts) -> Vec<u64> {
    counts.iter().map(|count| count.load(Ordering::Relaxed)).collect()
}

/// Bytes of each peer in `time`, when all have begun.
async fn moved_in(time: Duration, counts: &Counts) -> Vec<u64> {
    tokio::time::sleep(WARM_UP).await;
    let before = read(counts);
    tokio::time::sleep(time).await;
    read(counts).iter().zip(before).map(|(after, before)| after - before).collect()
}

/// Both peers have the same to within two blocks, and together the rate.
fn assert_shared(moved: &[u64], rate: u64, time: Duration) {
    let slack = 2 * u64::from(BLOCK_LEN) + rate / 16;
    let all: u64 = moved.iter().sum();
    assert!(all.abs_diff(rate * time.as_secs()) <= slack, "{moved:?} at {rate} B/s");
    assert!(moved[0].abs_diff(moved[1]) <= slack, "{moved:?} at {rate} B/s");
}

#[tokio::test(start_paused = true)]
async fn two_seeds_are_read_at_the_limit_and_alike() {
    // The writer is a thread, for which the clock does not stand still: all of it fits into the buffers.
    for (rate, time, length) in [(5 << 10, 300, 4 << 20), (1 << 20, 3, 7 << 20)] {
        let (metainfo, time) = (zeros(length), Duration::from_secs(time));
        let (builder, streams) = crowd(&metainfo, 2);
        let counts = seeds(&metainfo, streams);
        let (_swarm, _events) = builder.limit_down(rate).start().unwrap();
        assert_shared(&moved_in(time, &counts).await, rate, time);
    }
}

#[tokio::test(start_paused = true)]
async fn two_leechers_are_served_at_the_limit_and_alike() {
    for (rate, time) in [(5 << 10, 300), (1 << 20, 20)] {
        let (metainfo, time) = (zeros(1 << 20), Duration::from_secs(time));
        let (builder, streams) = crowd(&metainfo, 2);
        let counts = leechers(&metainfo, streams);
        let builder = builder.have(Bitfield::full(metainfo.piece_count()));
        let (_swarm, _events) = builder.limit_up(rate).start().unwrap();
        assert_shared(&moved_in(time, &counts).await, rate, time);
    }
}

#[tokio::test(start_paused = true)]
async fn swarms_that_share_limits_keep_them_together() {
    let (limits, metainfo) = (Limits::none(), zeros(1 << 20));
    limits.set_up(Some(64 << 10));
    let mut counts = Counts::new();
    let mut swarms = Vec::new();
    for _ in 0..2 {
        let (builder, streams) = crowd(&metainfo, 1);
        counts.extend(leechers(&metainfo, streams));
        let builder = builder.have(Bitfield::full(metainfo.piece_count())).limits(&limits);
        swarms.push(builder.start().unwrap());
    }
    let time = Duration::from_secs(60);
    assert_shared(&moved_in(time, &counts).await, 64 << 10, time);
    swarms[0].0.set_limits(None, Some(32 << 10));
    assert_shared(&moved_in(time, &counts).await, 32 << 10, time);
}

#[tokio::test]
async fn a_limited_download_over_tcp_is_whole() {
    let payload: Vec<u8> = (0..1_u32 << 19).flat_map(u32::to_le_bytes).collect();
    let metainfo = build::single_file("numbers", 1 << 18, &payload, None);
    let metainfo = Metainfo::parse(&metainfo).unwrap();
    let full = MemoryStore::with(&metainfo, payload.clone());
    let node = Node::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let seed = Swarm::builder(metainfo.clone()).store(full).node(&node).limit_up(16 << 20);
    let _seed = seed.have(Bitfield::full(metainfo.piece_count())).start().unwrap();
    let store = Arc::new(MemoryStore::new(&metainfo));
    let leecher = Swarm::builder(metainfo).store(store.clone()).limit_down(8 << 20);
    let (_leecher, mut events) = leecher.source(Given::new([node.local_addr()])).start().unwrap();
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    assert!(store.to_vec() == payload);
}

#[tokio::test(start_paused = true)]
async fn under_a_low_limit_nothing_is_fetched_twice() {
    let metainfo = zeros(1 << 20);
    let (builder, streams) = crowd(&metainfo, 4);
    let counts = seeds(&metainfo, streams);
    let (swarm, mut events) = builder.limit_down(5 << 10).start().unwrap();
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    assert_eq!(swarm.progress().downloaded, 1 << 20);
    assert_eq!(read(&counts).iter().sum::<u64>(), 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn a_leecher_that_asks_for_too_much_waits_and_is_refused_nothing() {
    let metainfo = zeros(8 << 20);
    let (builder, mut streams) = crowd(&metainfo, 1);
    let have = Bitfield::full(metainfo.piece_count());
    let (_swarm, _events) = builder.have(have).limit_up(1 << 20).start().unwrap();
    let mut peer = accept(&metainfo, 1, streams.remove(0)).await;
    peer.send(Message::Interested).await.unwrap();
    let until_unchoked = async { while peer.next().await.unwrap().unwrap() != Message::Unchoke {} };
    until_unchoked.await;
    let (mut reader, mut writer) = peer.split();
    // All blocks twice over: four times what is kept.
    let pieces = (0..32).chain(0..32);
    let blocks = pieces.flat_map(|piece| (0..16).map(move |n| (PieceIndex(piece), n * BLOCK_LEN)));
    tokio::spawn(async move {
        for (piece, begin) in blocks {
            writer.send(Message::Request(Block { piece, begin, length: BLOCK_LEN })).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    for n in 0..1024 {
        let message = reader.next().await.unwrap().unwrap();
        assert!(matches!(message, Message::Piece { .. }), "{message:?} after {n} blocks");
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_is_given_at_the_limit_too() {
    const RATE: u64 = 10 << 10;
    // Nearly three blocks of metadata, of which a peer gets three copies and 16 blocks.
    let hashes = (0..2048_u32).map(|n| [u8::try_from(n % 256).unwrap(); 20]);
    let torrent = build::Builder::single("payload", BLOCK_LEN, 2048 * u64::from(BLOCK_LEN));
    let metainfo = Metainfo::parse(&torrent.pieces(hashes).encode()).unwrap();
    let (builder, mut streams) = crowd(&metainfo, 1);
    let have = Bitfield::full(metainfo.piece_count());
    let (_swarm, _events) = builder.have(have).limit_up(RATE).start().unwrap();
    let id = PeerId([1; 20]);
    let options = ConnectionOptions::new(metainfo.info_hash(), id);
    let options = options.reserved(Reserved::NONE.with_extended());
    let mut peer = Connection::accept(streams.remove(0), options).await.unwrap();
    let m = vec![(UT_METADATA.to_owned(), 7)];
    let hello = ExtensionHandshake { m, ..Default::default() };
    let payload = hello.encode().into();
    peer.send(Message::Extended { id: EXTENDED_HANDSHAKE, payload }).await.unwrap();
    for n in 0..24 {
        let payload = MetadataMessage::Request { piece: n % 3 }.encode().into();
        peer.send(Message::Extended { id: 1, payload }).await.unwrap();
    }
    let (began, mut got) = (tokio::time::Instant::now(), 0);
    for _ in 0..24 {
        let data = loop {
            let Message::Extended { id: 7, payload } = peer.next().await.unwrap().unwrap() else {
                continue;
            };
            match MetadataMessage::parse(&payload).unwrap().unwrap() {
                MetadataMessage::Data { data, .. } => break data,
                other => panic!("{other:?}"),
            }
        };
        got += data.len() as u64;
    }
    // The first blocks go before there is anything to pay for.
    let paid = got - 3 * u64::from(BLOCK_LEN);
    let least = Duration::from_secs(paid / RATE);
    assert!(began.elapsed() >= least, "{got} bytes in {:?}", began.elapsed());
}
