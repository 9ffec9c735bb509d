//! Liars and messages that do not become whole, through the whole driver.

use ccbt_wire::{Block, PieceIndex};

use super::*;

fn lie(block: Block) -> Message {
    let data = Bytes::from(vec![0xbb; block.length as usize]);
    Message::Piece { piece: block.piece, begin: block.begin, data }
}

fn truth(block: Block) -> Message {
    let from = (block.piece.0 * PIECE + block.begin) as usize;
    let data = Bytes::from(payload()).slice(from..from + block.length as usize);
    Message::Piece { piece: block.piece, begin: block.begin, data }
}

async fn open(metainfo: &Metainfo, stream: DuplexStream, id: u8) -> Connection<DuplexStream> {
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([id; 20]));
    let mut peer = Connection::accept(stream, options).await.unwrap();
    peer.send(Message::Bitfield(Bytes::from_static(&[0b1110_0000]))).await.unwrap();
    peer.send(Message::Unchoke).await.unwrap();
    peer
}

/// The next request that the peer gets.
async fn request(peer: &mut Connection<DuplexStream>) -> Block {
    loop {
        if let Message::Request(block) = peer.next().await.unwrap().unwrap() {
            return block;
        }
    }
}

/// A swarm that lacks the two blocks of piece 0, and two peers of which each was asked for both: which block
/// each was asked for first.
struct Pair {
    events: Events,
    swarm: Swarm,
    liar: (Connection<DuplexStream>, Block),
    honest: (Connection<DuplexStream>, Block),
}

async fn pair() -> Pair {
    let metainfo = torrent();
    let (to_liar, liar) = tokio::io::duplex(1 << 16);
    let (to_honest, honest) = tokio::io::duplex(1 << 16);
    let mut ends = vec![(addr(2), to_honest), (addr(1), to_liar)];
    let mut dialer = MockDialer::new();
    dialer.expect_dial().times(2).returning(move |to| {
        let at = ends.iter().position(|(addr, _)| *addr == to).unwrap();
        Ok(Transport::other(ends.remove(at).1))
    });
    let mut have = Bitfield::full(metainfo.piece_count());
    have.set(PieceIndex(0), false);
    let store = Arc::new(MemoryStore::with(&metainfo, payload()));
    let builder = Swarm::builder(metainfo.clone()).dialer(dialer).source(Given::new([addr(1)]));
    let (swarm, events) = builder.store(store).have(have).start().unwrap();
    let mut liar = open(&metainfo, liar, 1).await;
    let first = request(&mut liar).await;
    // This one comes when all is asked for: it is asked for the same blocks from the end.
    swarm.add_peers(vec![addr(2)]);
    let mut honest = open(&metainfo, honest, 2).await;
    let last = request(&mut honest).await;
    assert_ne!(first.begin, last.begin);
    Pair { events, swarm, liar: (liar, first), honest: (honest, last) }
}

async fn failed(events: &mut Events) -> Vec<SocketAddr> {
    until(events, |kind| match kind {
        EventKind::PieceFailed { from, .. } => Some(from),
        _ => None,
    })
    .await
}

/// Answers every request but the one that was withdrawn, which is the next.
async fn tell_the_truth(mut honest: Connection<DuplexStream>) {
    request(&mut honest).await;
    while let Some(Ok(message)) = honest.next().await {
        if let Message::Request(block) = message
            && honest.send(truth(block)).await.is_err()
        {
            return;
        }
    }
}

/// The first connection that ends, which has to come before another wrong piece.
async fn banned(events: &mut Events) -> (SocketAddr, CloseReason) {
    until(events, |kind| match kind {
        EventKind::PieceFailed { .. } => panic!("it failed again"),
        EventKind::PeerClosed { peer, reason, .. } => Some((peer, reason)),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn of_two_who_sent_a_wrong_piece_the_liar_goes_and_the_honest_one_completes_it() {
    let Pair { mut events, swarm: _swarm, liar: (mut liar, first), honest: (mut honest, last) } =
        pair().await;
    liar.send(lie(first)).await.unwrap();
    honest.send(truth(last)).await.unwrap();
    assert_eq!(failed(&mut events).await, [addr(1), addr(2)]);
    // The liar answers nothing more; whoever is asked first, the honest one is in the end.
    tokio::spawn(async move { while liar.next().await.is_some() {} });
    tokio::spawn(tell_the_truth(honest));
    assert_eq!(banned(&mut events).await, (addr(1), CloseReason::SentBadPiece { piece: 0 }));
}

#[tokio::test(start_paused = true)]
async fn what_a_liar_sends_late_does_not_spoil_the_second_copy() {
    let Pair { mut events, swarm: _swarm, liar: (mut liar, first), honest: (mut honest, last) } =
        pair().await;
    liar.send(Message::Choke).await.unwrap();
    liar.send(lie(first)).await.unwrap();
    honest.send(truth(last)).await.unwrap();
    failed(&mut events).await;
    // It was asked for this one too, once.
    liar.send(lie(last)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::spawn(tell_the_truth(honest));
    assert_eq!(banned(&mut events).await, (addr(1), CloseReason::SentBadPiece { piece: 0 }));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_stops_halfway_ends_the_connection_after_60_seconds() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, mut events) = builder.policy(PolicySet::new()).start().unwrap();
    stream.write_all(&theirs(&metainfo, 1).to_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    // The first bytes of a HAVE.
    stream.write_all(&[0, 0, 0, 5, 4, 0]).await.unwrap();
    let (reason, connected) = closed(&mut events).await;
    assert_eq!(reason, CloseReason::TimedOut(Timeout::Frame { bytes: 0 }));
    assert!((160_000..160_005).contains(&connected.as_millis()), "{connected:?}");
}

#[tokio::test(start_paused = true)]
async fn rqbit_gets_a_keep_alive_every_8_seconds() {
    let metainfo = torrent();
    let (builder, mut stream) = dialing(&metainfo);
    let (_swarm, _events) = builder.policy(PolicySet::new()).start().unwrap();
    let mut handshake = theirs(&metainfo, 1);
    handshake.peer_id.0[..3].copy_from_slice(b"-rQ");
    stream.write_all(&handshake.to_bytes()).await.unwrap();
    // Our handshake, and that we have nothing.
    let mut greeting = [0; Handshake::LEN + 5];
    stream.read_exact(&mut greeting).await.unwrap();
    for _ in 0..3 {
        let began = tokio::time::Instant::now();
        assert_eq!(stream.read_u32().await.unwrap(), 0);
        let waited = began.elapsed().as_millis();
        assert!((8_000..8_005).contains(&waited), "{waited} ms");
    }
}
