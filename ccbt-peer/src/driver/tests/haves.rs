//! What peers of a large swarm hear of finished pieces, and when.

use super::*;
use tokio::time::{Instant, timeout};

type Peer = Connection<DuplexStream>;

/// So many that a round of all is due 200 ms after a piece.
const PEERS: u16 = 400;
const ROUND: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_millis(20);
/// Timers are exact to the millisecond above.
const LATE: Duration = Duration::from_millis(5);

/// A swarm that is connected to one peer with these pieces and to others that have none.
async fn crowd(pieces: u8) -> (Swarm, Events, Peer, Vec<Peer>) {
    let metainfo = torrent();
    let mut ends: Vec<(DuplexStream, DuplexStream)> =
        (0..PEERS).map(|_| tokio::io::duplex(1 << 16)).collect();
    let (mut ours, theirs): (Vec<_>, Vec<_>) = ends.drain(..).unzip();
    let mut dialer = MockDialer::new();
    dialer.expect_dial().returning(move |_| Ok(Transport::other(ours.pop().unwrap())));
    let (swarm, events) = Swarm::builder(metainfo.clone())
        .policy(PolicySet::new())
        .max_peers(u32::from(PEERS))
        .dialer(dialer)
        .source(Given::new((1..=PEERS).map(addr)))
        .start()
        .unwrap();
    let mut peers = Vec::new();
    for (number, stream) in theirs.into_iter().rev().enumerate() {
        let mut id = [0; 20];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let options = ConnectionOptions::new(metainfo.info_hash(), PeerId(id));
        let mut peer = Connection::accept(stream, options).await.unwrap();
        let bits = if number == 0 { pieces } else { 0 };
        peer.send(Message::Bitfield(Bytes::copy_from_slice(&[bits]))).await.unwrap();
        peers.push(peer);
    }
    let seed = peers.remove(0);
    (swarm, events, seed, peers)
}

/// What the peer hears next, of what is about pieces and choking.
async fn hears(peer: &mut Peer) -> Message {
    loop {
        let message = peer.next().await.unwrap().unwrap();
        if matches!(message, Message::Have(_) | Message::Unchoke | Message::Choke) {
            return message;
        }
    }
}

async fn piece(events: &mut Events) -> Instant {
    until(events, |kind| matches!(kind, EventKind::Piece { .. }).then_some(())).await;
    Instant::now()
}

#[tokio::test(start_paused = true)]
async fn of_many_peers_the_unchoked_hear_in_20_ms_and_the_choked_in_a_round() {
    let (_swarm, mut events, seed, mut peers) = crowd(0b1100_0000).await;
    let (mut taker, mut choked) = (peers.remove(0), peers.remove(0));
    taker.send(Message::Interested).await.unwrap();
    // Nobody has anything to give or to take yet.
    tokio::time::sleep(Duration::from_secs(15)).await;
    tokio::spawn(serve(seed));
    let finished = async { (piece(&mut events).await, piece(&mut events).await) };
    let taker_heard = async {
        assert_eq!(hears(&mut taker).await, Message::Unchoke);
        assert!(matches!(hears(&mut taker).await, Message::Have(_)));
        assert!(matches!(hears(&mut taker).await, Message::Have(_)));
        Instant::now()
    };
    let choked_heard = async {
        assert!(matches!(hears(&mut choked).await, Message::Have(_)));
        Instant::now()
    };
    let ((first, second), taker, choked) = tokio::join!(finished, taker_heard, choked_heard);
    let (soon, round) = (taker - second, choked - first);
    assert!(soon <= SOON + LATE, "the unchoked after {soon:?}");
    assert!(round >= ROUND && round <= ROUND + LATE, "the choked after {round:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unchoke_brings_the_pieces_that_the_peer_has_not_heard_of() {
    let (_swarm, mut events, seed, mut peers) = crowd(0b1000_0000).await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    tokio::spawn(serve(seed));
    let began = piece(&mut events).await;
    let mut taker = peers.remove(0);
    assert!(timeout(SOON, hears(&mut taker)).await.is_err(), "a choked peer was woken for a piece");
    taker.send(Message::Interested).await.unwrap();
    assert_eq!(hears(&mut taker).await, Message::Unchoke);
    assert!(matches!(hears(&mut taker).await, Message::Have(_)));
    assert!(began.elapsed() < ROUND, "{:?}", began.elapsed());
}
