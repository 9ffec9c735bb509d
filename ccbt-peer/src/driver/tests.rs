//! The driver with streams in memory and the runtime's clock stopped: time passes when all wait.

#![allow(clippy::disallowed_methods, reason = "the clock of the runtime stands still here")]

mod choices;
mod haves;
mod hygiene;
mod limits;
mod magnet;
mod paused;
mod private;
mod serving;
mod sizes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccbt_policy::{PolicySet, Source};
use ccbt_wire::{
    Bitfield, Handshake, InfoHash, Message, Metainfo, PeerId, Reserved, metainfo::build,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;

use super::transport::MockDialer;
use super::{Node, Transport};
use crate::close::Timeout;
use crate::source::MockPeerSource;
use crate::{
    CloseReason, Connection, ConnectionOptions, EventKind, Events, Given, MemoryStore, Swarm,
    SwarmBuilder,
};

const PIECE: u32 = 32 * 1024;

fn payload() -> Vec<u8> {
    (0..5 * PIECE / 2).map(|n| n.to_le_bytes()[0]).collect()
}

fn torrent() -> Metainfo {
    Metainfo::parse(&build::single_file("payload", PIECE, &payload(), None)).unwrap()
}

fn addr(n: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], n))
}

fn theirs(metainfo: &Metainfo, id: u8) -> Handshake {
    let reserved = Reserved::NONE.with_fast();
    Handshake { reserved, info_hash: metainfo.info_hash(), peer_id: PeerId([id; 20]) }
}

/// A swarm that knows one address, and the other end of the stream that it gets there.
fn dialing(metainfo: &Metainfo) -> (SwarmBuilder, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut ends = vec![ours];
    let mut dialer = MockDialer::new();
    dialer.expect_dial().times(1).returning(move |_| Ok(Transport::other(ends.pop().unwrap())));
    let builder = Swarm::builder(metainfo.clone()).dialer(dialer).source(Given::new([addr(1)]));
    (builder, theirs)
}

async fn until<T>(events: &mut Events, mut pick: impl FnMut(EventKind) -> Option<T>) -> T {
    while let Some(event) = events.next().await {
        if let Some(found) = pick(event.kind) {
            return found;
        }
    }
    panic!("the swarm stopped before it came to that");
}

async fn closed(events: &mut Events) -> (CloseReason, Duration) {
    until(events, |kind| match kind {
        EventKind::PeerClosed { reason, connected, .. } => Some((reason, connected)),
        _ => None,
    })
    .await
}

/// Serves everything until the other side leaves.
async fn serve<T: tokio::io::AsyncRead + tokio::io::AsyncWrite>(mut peer: Connection<T>) {
    let payload = Bytes::from(payload());
    while let Some(Ok(message)) = peer.next().await {
        let answer = match message {
            Message::Interested => Message::Unchoke,
            Message::Request(block) => {
                let from = (block.piece.0 * PIECE + block.begin) as usize;
                let data = payload.slice(from..from + block.length as usize);
                Message::Piece { piece: block.piece, begin: block.begin, data }
            }
            _ => continue,
        };
        if peer.send(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mute_peer_goes_60_seconds_after_its_handshake() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.start().unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    stream.write_all(&theirs(&metainfo, 1).to_bytes()).await.unwrap();
    let (reason, connected) = closed(&mut events).await;
    assert_eq!(reason.evidence().unwrap().policy, "bitfield-timeout");
    // The runtime's timers are exact to the millisecond above.
    assert!((60_000..60_003).contains(&connected.as_millis()), "{connected:?}");
}

#[tokio::test(start_paused = true)]
async fn the_initiator_sends_nothing_behind_its_handshake_until_the_other_arrives() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, _events) = builder.have(Bitfield::full(metainfo.piece_count())).start().unwrap();
    let mut handshake = [0; Handshake::LEN];
    stream.read_exact(&mut handshake).await.unwrap();
    let more = tokio::time::timeout(Duration::from_secs(5), stream.read_u8()).await;
    assert!(more.is_err(), "a byte came too early");
    stream.write_all(&theirs(&metainfo, 1).to_bytes()).await.unwrap();
    let mut have_all = [0; 5];
    stream.read_exact(&mut have_all).await.unwrap();
    assert_eq!(have_all, [0, 0, 0, 1, 14]);
}

#[tokio::test(start_paused = true)]
async fn bytes_do_not_extend_the_10_seconds_of_a_handshake() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.start().unwrap();
    let drip = async {
        for byte in theirs(&metainfo, 1).to_bytes() {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    };
    let began = tokio::time::Instant::now();
    let ((reason, _), ()) = tokio::join!(closed(&mut events), drip);
    assert_eq!(reason, CloseReason::TimedOut(Timeout::Handshake));
    assert!(began.elapsed() < Duration::from_millis(10_600), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_may_arrive_byte_by_byte_with_the_first_messages_glued_on() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.start().unwrap();
    let mut bytes = theirs(&metainfo, 1).to_bytes().to_vec();
    bytes.extend([0, 0, 0, 1, 14]);
    for byte in bytes {
        stream.write_all(&[byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let have = until(&mut events, |kind| match kind {
        EventKind::PeerReady { have, .. } => Some(have),
        _ => None,
    });
    assert_eq!(have.await, metainfo.piece_count());
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_fails_is_told_and_tried_again_after_1_and_2_seconds() {
    let mut dialer = MockDialer::new();
    dialer.expect_dial().returning(|_| Err(io::ErrorKind::ConnectionRefused.into()));
    let (_swarm, mut events) =
        Swarm::builder(torrent()).dialer(dialer).source(Given::new([addr(1)])).start().unwrap();
    let mut at = Vec::new();
    for _ in 0..3 {
        let failed =
            until(&mut events, |kind| matches!(kind, EventKind::DialFailed { .. }).then_some(()));
        failed.await;
        at.push(tokio::time::Instant::now());
    }
    let waits = [at[1] - at[0], at[2] - at[1]].map(|wait| wait.as_millis());
    assert!((1000..1005).contains(&waits[0]) && (2000..2005).contains(&waits[1]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_source_learns_our_port_and_is_told_to_stop() {
    let node = Node::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = node.local_addr().port();
    let mut source = MockPeerSource::new();
    source.expect_name().return_const("mock".to_owned());
    source.expect_kind().return_const(Source::Other);
    let (goodbye, heard) = tokio::sync::oneshot::channel();
    let mut goodbye = Some(goodbye);
    source.expect_run().times(1).returning(move |context| {
        let goodbye = goodbye.take();
        tokio::spawn(async move {
            context.found(vec![addr(2)], Some("careful".to_owned())).await;
            context.stopped().await;
            let _ = goodbye.unwrap().send((context.port, context.totals().left));
        });
    });
    let mut dialer = MockDialer::new();
    dialer
        .expect_dial()
        .withf(|to| *to == addr(2))
        .returning(|_| Err(io::ErrorKind::TimedOut.into()));
    let (swarm, mut events) =
        Swarm::builder(torrent()).dialer(dialer).source(source).node(&node).start().unwrap();
    let warning = until(&mut events, |kind| match kind {
        EventKind::SourceReplied { peers: 1, warning, .. } => warning,
        _ => None,
    });
    assert_eq!(warning.await, "careful");
    swarm.stop().await;
    assert_eq!(heard.await.unwrap(), (Some(port), payload().len() as u64));
    until(&mut events, |kind| matches!(kind, EventKind::Stopped).then_some(())).await;
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_download_works_over_any_stream_of_bytes() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let store = Arc::new(MemoryStore::new(&metainfo));
    let (_swarm, mut events) = builder.store(store.clone()).start().unwrap();
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([1; 20]));
    tokio::spawn(async move {
        let mut peer = Connection::accept(stream, options).await.unwrap();
        peer.send(Message::Bitfield(Bytes::from_static(&[0b1110_0000]))).await.unwrap();
        serve(peer).await;
    });
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    assert!(store.to_vec() == payload());
}

#[tokio::test]
async fn others_connect_to_us_and_their_handshake_may_be_split() {
    let metainfo = torrent();
    let node = Node::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let store = Arc::new(MemoryStore::new(&metainfo));
    let (_swarm, mut events) =
        Swarm::builder(metainfo.clone()).store(store.clone()).node(&node).start().unwrap();
    let mut stream = TcpStream::connect(node.local_addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let handshake = theirs(&metainfo, 1).to_bytes();
    let (head, tail) = handshake.split_at(48);
    for byte in head {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    // Ours comes as soon as the torrent is known, before the peer id.
    let mut ours = [0; Handshake::LEN];
    stream.read_exact(&mut ours).await.unwrap();
    stream.write_all(tail).await.unwrap();
    stream.write_all(&[0, 0, 0, 1, 14]).await.unwrap();
    let wanted = until(&mut events, |kind| match kind {
        EventKind::PeerReady { wanted, .. } => Some(wanted),
        _ => None,
    });
    assert_eq!(wanted.await, metainfo.piece_count());
}

#[tokio::test]
async fn a_connection_for_another_torrent_is_closed_without_an_answer() {
    let node = Node::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (_swarm, _events) = Swarm::builder(torrent()).node(&node).start().unwrap();
    let mut stream = TcpStream::connect(node.local_addr()).await.unwrap();
    let handshake = Handshake { info_hash: InfoHash([9; 20]), ..theirs(&torrent(), 1) };
    stream.write_all(&handshake.to_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_bad_piece_bans_the_peer_that_alone_sent_it() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.start().unwrap();
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([1; 20]));
    tokio::spawn(async move {
        let mut peer = Connection::accept(stream, options).await.unwrap();
        peer.send(Message::Bitfield(Bytes::from_static(&[0b1110_0000]))).await.unwrap();
        peer.send(Message::Unchoke).await.unwrap();
        while let Some(Ok(message)) = peer.next().await {
            if let Message::Request(block) = message {
                let data = Bytes::from(vec![0xbb; block.length as usize]);
                let lie = Message::Piece { piece: block.piece, begin: block.begin, data };
                let _ = peer.send(lie).await;
            }
        }
    });
    let (reason, _) = closed(&mut events).await;
    assert!(matches!(reason, CloseReason::SentBadPiece { .. }), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_asks_and_never_reads_is_no_longer_read_and_closed_after_60_seconds() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.policy(PolicySet::new()).start().unwrap();
    stream.write_all(&theirs(&metainfo, 1).to_bytes()).await.unwrap();
    // We choke it, so each request is answered by a REJECT that it does not take.
    let block = ccbt_wire::Block { piece: ccbt_wire::PieceIndex(0), begin: 0, length: 16384 };
    let mut requests = Vec::new();
    (0..1000).for_each(|_| Message::Request(block).encode(&mut requests));
    let flood = async {
        let mut sent = 0;
        while stream.write_all(&requests).await.is_ok() {
            sent += requests.len();
        }
        sent
    };
    let ((reason, connected), sent) = tokio::join!(closed(&mut events), flood);
    assert_eq!(reason, CloseReason::TimedOut(Timeout::Write));
    assert!((60_000..60_100).contains(&connected.as_millis()), "{connected:?}");
    assert!(sent < 1 << 20, "{sent} bytes were taken in");
}

#[tokio::test(start_paused = true)]
async fn a_have_within_the_grace_pardons_even_if_its_piece_is_here_a_moment_later() {
    let metainfo = torrent();
    let (builder, stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.start().unwrap();
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([1; 20]));
    tokio::spawn(async move {
        let mut peer = Connection::accept(stream, options).await.unwrap();
        peer.send(Message::Bitfield(Bytes::from_static(&[0]))).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        peer.send(Message::Have(ccbt_wire::PieceIndex(1))).await.unwrap();
        serve(peer).await;
    });
    let policy = until(&mut events, |kind| match kind {
        EventKind::EvictPardoned { evidence, .. } => Some(evidence.policy),
        EventKind::PeerClosed { .. } => panic!("closed"),
        _ => None,
    });
    assert_eq!(policy.await, "no-interest");
    until(&mut events, |kind| matches!(kind, EventKind::Piece { piece: 1, .. }).then_some(()))
        .await;
}
