//! What a peer is sent while blocks are on their way to it.

use ccbt_wire::{Block, PieceIndex};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_message_waits_until_the_block_that_is_half_sent_is_whole() {
    let metainfo = torrent();
    // Less than a block fits.
    let (ours, stream) = tokio::io::duplex(1 << 10);
    let mut ends = vec![ours];
    let mut dialer = MockDialer::new();
    dialer.expect_dial().times(1).returning(move |_| Ok(Transport::other(ends.pop().unwrap())));
    let mut have = Bitfield::full(metainfo.piece_count());
    have.set(PieceIndex(0), false);
    let (_swarm, _events) = Swarm::builder(metainfo.clone())
        .dialer(dialer)
        .source(Given::new([addr(1)]))
        .store(MemoryStore::with(&metainfo, payload()))
        .have(have)
        .start()
        .unwrap();
    let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([1; 20]));
    let mut peer = Connection::accept(stream, options).await.unwrap();
    peer.send(Message::Interested).await.unwrap();
    while peer.next().await.unwrap().unwrap() != Message::Unchoke {}
    let block = Block { piece: PieceIndex(1), begin: 0, length: 16 << 10 };
    peer.send(Message::Request(block)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // It wants that piece, and says so.
    peer.send(Message::Have(PieceIndex(0))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let data = loop {
        match peer.next().await.unwrap().unwrap() {
            Message::Piece { data, .. } => break data,
            Message::Interested => panic!("INTERESTED came before the block"),
            // Said before the request came.
            _ => {}
        }
    };
    assert!(payload()[PIECE as usize..].starts_with(&data), "something came within the block");
    assert_eq!(peer.next().await.unwrap().unwrap(), Message::Interested);
}
