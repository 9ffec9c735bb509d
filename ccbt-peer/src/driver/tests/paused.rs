//! Stores that fail, and stores that are slow. The writer is a thread of its own, which a clock that stands
//! still does not wait for: what depends on it happens in real time, and nothing is timed.

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use ccbt_wire::{Block, PieceIndex};
use tokio::time::timeout;

use super::*;
use crate::{PieceStore, StoreError};

/// Works as long as it may.
#[derive(Debug)]
struct Flaky {
    inner: MemoryStore,
    fails: AtomicBool,
    attempts: AtomicUsize,
}

impl Flaky {
    fn new(inner: MemoryStore) -> Arc<Self> {
        Arc::new(Self { inner, fails: AtomicBool::new(true), attempts: AtomicUsize::new(0) })
    }

    fn work(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }

    fn attempt(&self) -> Result<(), StoreError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            let source = ErrorKind::StorageFull.into();
            return Err(StoreError::Io { path: "/disk/x".into(), action: "use", source });
        }
        Ok(())
    }
}

impl PieceStore for Flaky {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        self.attempt()?;
        self.inner.write_run(piece, begin, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        self.attempt()?;
        self.inner.read_run(piece, begin, buffers)
    }
}

async fn failed(events: &mut Events) -> String {
    until(events, |kind| match kind {
        EventKind::StoreFailed { error } => Some(error),
        _ => None,
    })
    .await
}

async fn recovered(events: &mut Events) {
    until(events, |kind| matches!(kind, EventKind::StoreRecovered).then_some(())).await;
}

fn options(metainfo: &Metainfo) -> ConnectionOptions {
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([1; 20]));
    options.reserved(Reserved::NONE.with_fast()).pieces(metainfo.piece_count())
}

/// A peer at the other end that has everything.
async fn seed(stream: DuplexStream, metainfo: &Metainfo) -> Connection<DuplexStream> {
    let mut peer = Connection::accept(stream, options(metainfo)).await.unwrap();
    peer.send(Message::HaveAll).await.unwrap();
    peer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_waits_for_a_full_disk_and_goes_on() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let store = Flaky::new(MemoryStore::new(&metainfo));
    let (swarm, mut events) = builder.store(store.clone()).start().unwrap();
    let peer = seed(stream, &metainfo).await;
    tokio::spawn(serve(peer));
    assert_eq!(failed(&mut events).await, "/disk/x: cannot use: no storage space");
    store.work();
    recovered(&mut events).await;
    assert!(store.attempts.load(Ordering::SeqCst) >= 2);
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    assert_eq!(store.inner.to_vec(), payload());
    assert_eq!(swarm.progress().need, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swarm_that_waits_for_its_disk_can_be_stopped() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let store = Flaky::new(MemoryStore::new(&metainfo));
    let (swarm, mut events) = builder.store(store).start().unwrap();
    let peer = seed(stream, &metainfo).await;
    tokio::spawn(serve(peer));
    failed(&mut events).await;
    swarm.stop().await;
    while events.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_cannot_read_chokes_until_it_can() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let store = Flaky::new(MemoryStore::with(&metainfo, payload()));
    let have = Bitfield::full(metainfo.piece_count());
    let (_swarm, mut events) = builder.store(store.clone()).have(have).start().unwrap();
    let mut peer = Connection::accept(stream, options(&metainfo)).await.unwrap();
    peer.send(Message::Interested).await.unwrap();
    while peer.next().await.unwrap().unwrap() != Message::Unchoke {}
    let block = Block { piece: PieceIndex(1), begin: 0, length: 16 << 10 };
    peer.send(Message::Request(block)).await.unwrap();
    assert_eq!(failed(&mut events).await, "/disk/x: cannot use: no storage space");
    let mut answers = Vec::new();
    while !answers.contains(&Message::Choke) || !answers.contains(&Message::Reject(block)) {
        answers.push(peer.next().await.unwrap().unwrap());
    }
    store.work();
    recovered(&mut events).await;
    // Whatever it says between, it lets us ask in the end.
    while peer.next().await.unwrap().unwrap() != Message::Unchoke {}
    peer.send(Message::Request(block)).await.unwrap();
    let data = loop {
        if let Message::Piece { data, .. } = peer.next().await.unwrap().unwrap() {
            break data;
        }
    };
    assert!(payload()[PIECE as usize..].starts_with(&data));
}

/// Has a piece that cannot be read.
#[derive(Debug)]
struct Torn {
    inner: MemoryStore,
    torn: Mutex<Option<PieceIndex>>,
}

impl PieceStore for Torn {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        self.inner.write_run(piece, begin, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        if *self.torn.lock().unwrap() == Some(piece) {
            let source = ErrorKind::NotFound.into();
            return Err(StoreError::Io { path: "/disk/x".into(), action: "open", source });
        }
        self.inner.read_run(piece, begin, buffers)
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_refused_and_not_shown_and_all_else_is_served() {
    let metainfo = torrent();
    let (ours, theirs): (Vec<_>, Vec<_>) = (0..2).map(|_| tokio::io::duplex(1 << 16)).unzip();
    let mut ends = ours;
    let mut dialer = MockDialer::new();
    dialer.expect_dial().times(2).returning(move |_| Ok(Transport::other(ends.pop().unwrap())));
    let (inner, torn) = (MemoryStore::with(&metainfo, payload()), Some(PieceIndex(1)));
    let store = Arc::new(Torn { inner, torn: Mutex::new(torn) });
    let builder = Swarm::builder(metainfo.clone()).dialer(dialer);
    let builder = builder.source(Given::new([addr(1), addr(2)])).store(store.clone());
    let have = Bitfield::full(metainfo.piece_count());
    let (_swarm, mut events) = builder.have(have).start().unwrap();
    let mut theirs = theirs.into_iter();
    let mut peer =
        Connection::accept(theirs.next_back().unwrap(), options(&metainfo)).await.unwrap();
    peer.send(Message::Interested).await.unwrap();
    while peer.next().await.unwrap().unwrap() != Message::Unchoke {}
    let block = |piece| Block { piece: PieceIndex(piece), begin: 0, length: 16 << 10 };
    let wanted = until(&mut events, |kind| match kind {
        EventKind::ReadFailed { error } => Some(error),
        EventKind::StoreFailed { .. } => panic!("one piece is not the disk"),
        _ => None,
    });
    peer.send(Message::Request(block(1))).await.unwrap();
    assert_eq!(peer.next().await.unwrap().unwrap(), Message::Reject(block(1)));
    assert_eq!(wanted.await, "/disk/x: cannot open: entity not found");
    for (piece, given) in [(1, false), (0, true), (2, true)] {
        peer.send(Message::Request(block(piece))).await.unwrap();
        match peer.next().await.unwrap().unwrap() {
            Message::Piece { piece: PieceIndex(of), .. } => assert!(given && of == piece),
            answer => assert!(!given && answer == Message::Reject(block(piece)), "{answer:?}"),
        }
    }
    // Who comes now is not told of it.
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([9; 20]));
    let options = options.reserved(Reserved::NONE.with_fast()).pieces(metainfo.piece_count());
    let mut other = Connection::accept(theirs.next().unwrap(), options).await.unwrap();
    let Message::Bitfield(bits) = other.next().await.unwrap().unwrap() else { panic!("not all") };
    assert_eq!(&bits[..], [0b1010_0000]);
    *store.torn.lock().unwrap() = None;
    until(&mut events, |kind| matches!(kind, EventKind::ReadRecovered).then_some(())).await;
    while other.next().await.unwrap().unwrap() != Message::Have(PieceIndex(1)) {}
    assert_eq!(peer.next().await.unwrap().unwrap(), Message::Have(PieceIndex(1)));
    peer.send(Message::Request(block(1))).await.unwrap();
    assert!(matches!(peer.next().await.unwrap().unwrap(), Message::Piece { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_seed_of_which_nothing_can_be_read_any_more_pauses() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let (inner, torn) = (MemoryStore::with(&metainfo, payload()), Some(PieceIndex(1)));
    let store = Arc::new(Torn { inner, torn: Mutex::new(torn) });
    // Of all three it has this one.
    let mut have = Bitfield::new(metainfo.piece_count());
    have.set(PieceIndex(1), true);
    let (_swarm, mut events) = builder.have(have).store(store.clone()).start().unwrap();
    let mut peer = Connection::accept(stream, options(&metainfo)).await.unwrap();
    peer.send(Message::Interested).await.unwrap();
    while peer.next().await.unwrap().unwrap() != Message::Unchoke {}
    let block = Block { piece: PieceIndex(1), begin: 0, length: 16 << 10 };
    peer.send(Message::Request(block)).await.unwrap();
    assert_eq!(failed(&mut events).await, "/disk/x: cannot open: entity not found");
    while peer.next().await.unwrap().unwrap() != Message::Choke {}
    *store.torn.lock().unwrap() = None;
    recovered(&mut events).await;
    while peer.next().await.unwrap().unwrap() != Message::Unchoke {}
}

/// Lets no write through before it is opened.
#[derive(Debug)]
struct Gate {
    inner: MemoryStore,
    open: Mutex<bool>,
    opened: Condvar,
}

impl PieceStore for Gate {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        self.inner.write_run(piece, begin, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        self.inner.read_run(piece, begin, buffers)
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stands_still_stops_the_peers_and_not_the_swarm() {
    const LENGTH: usize = 20 << 20;
    let whole: Vec<u8> = (0..LENGTH).map(|n| (n / 1000).to_le_bytes()[0]).collect();
    let bytes = build::single_file("payload", 1 << 18, &whole, None);
    let metainfo = Metainfo::parse(&bytes).unwrap();
    let (builder, stream) = dialing(&metainfo);
    let store = Arc::new(Gate {
        inner: MemoryStore::new(&metainfo),
        open: Mutex::new(false),
        opened: Condvar::new(),
    });
    let (swarm, mut events) = builder.store(store.clone()).start().unwrap();
    let mut peer = seed(stream, &metainfo).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let (counted, source) = (sent.clone(), Bytes::from(whole.clone()));
    tokio::spawn(async move {
        while let Some(Ok(message)) = peer.next().await {
            let answer = match message {
                Message::Interested => Message::Unchoke,
                Message::Request(block) => {
                    let from = (block.piece.0 << 18 | block.begin) as usize;
                    let data = source.slice(from..from + block.length as usize);
                    Message::Piece { piece: block.piece, begin: block.begin, data }
                }
                _ => continue,
            };
            if peer.send(answer).await.is_err() {
                return;
            }
            counted.fetch_add(1 << 14, Ordering::SeqCst);
        }
    });
    let listen = async { while events.next().await.is_some() {} };
    let _ = timeout(Duration::from_secs(45), listen).await;
    // Eight megabytes of pieces in memory, and what lies in the stream between us.
    let most = (8 << 20) + (1 << 18);
    let before = sent.load(Ordering::SeqCst);
    assert!((4 << 20..most).contains(&before), "{before} bytes");
    assert!(swarm.snapshot().await.is_some(), "the swarm itself waits for nothing");
    // The writer works from now on, and the clock is not to run ahead of it.
    tokio::time::resume();
    *store.open.lock().unwrap() = true;
    store.opened.notify_all();
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    assert!(store.inner.to_vec() == whole);
}

/// Works, but cannot remember anything.
#[derive(Debug)]
struct Forgetful(MemoryStore);

impl PieceStore for Forgetful {
    fn write_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        data: &[IoSlice<'_>],
    ) -> Result<(), StoreError> {
        self.0.write_run(piece, begin, data)
    }

    fn read_run(
        &self,
        piece: PieceIndex,
        begin: u32,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Result<(), StoreError> {
        self.0.read_run(piece, begin, buffers)
    }

    fn trouble(&self) -> Option<String> {
        Some("/state/x: no room".to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nothing_can_be_remembered_is_told_once_and_hinders_nobody() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let store = Forgetful(MemoryStore::new(&metainfo));
    let (swarm, mut events) = builder.store(store).start().unwrap();
    tokio::spawn(serve(seed(stream, &metainfo).await));
    let mut told = Vec::new();
    until(&mut events, |kind| match kind {
        EventKind::StateFailed { error } => {
            told.push(error);
            None
        }
        EventKind::Finished => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(told, ["/state/x: no room"]);
    swarm.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_brings_pieces_to_a_disk_that_stands_still_is_served_all_the_same() {
    // More than lists of jobs may wait, and fewer than there are buffers.
    const PIECES: u32 = 360;
    let whole: Vec<u8> = (0..PIECES << 14).map(|n| (n / 1000).to_le_bytes()[0]).collect();
    let metainfo = Metainfo::parse(&build::single_file("payload", 1 << 14, &whole, None)).unwrap();
    let (builder, stream) = dialing(&metainfo);
    let store = Arc::new(Gate {
        inner: MemoryStore::with(&metainfo, whole.clone()),
        open: Mutex::new(false),
        opened: Condvar::new(),
    });
    let mut have = Bitfield::new(PIECES);
    have.set(PieceIndex(0), true);
    let (swarm, _events) = builder.store(store.clone()).have(have).start().unwrap();
    let mut peer = Connection::accept(stream, options(&metainfo)).await.unwrap();
    // All but what it will ask for.
    let bits: Vec<u8> = [0x7f].into_iter().chain([0xff; 44]).collect();
    peer.send(Message::Bitfield(bits.into())).await.unwrap();
    peer.send(Message::Interested).await.unwrap();
    let ours = Block { piece: PieceIndex(0), begin: 0, length: 1 << 14 };
    let (mut given, mut unchoked) = (0, false);
    let served = async {
        loop {
            let answer = match peer.next().await.unwrap().unwrap() {
                Message::Interested => Message::Unchoke,
                Message::Request(block) => {
                    given += 1;
                    let from = (block.piece.0 as usize) << 14;
                    let data = Bytes::copy_from_slice(&whole[from..from + (1 << 14)]);
                    Message::Piece { piece: block.piece, begin: block.begin, data }
                }
                Message::Unchoke => {
                    unchoked = true;
                    continue;
                }
                Message::Piece { piece: PieceIndex(0), .. } => return,
                _ => continue,
            };
            peer.send(answer).await.unwrap();
            if given == PIECES - 1 {
                assert!(unchoked, "it was interested all the time");
                peer.send(Message::Request(ours)).await.unwrap();
            }
        }
    };
    timeout(Duration::from_secs(60), served).await.expect("nobody reads what it says");
    *store.open.lock().unwrap() = true;
    store.opened.notify_all();
    swarm.stop().await;
}
