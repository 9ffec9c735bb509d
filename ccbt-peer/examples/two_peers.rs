//! One peer, without a swarm: asks another `ccbt_peer::Connection` for a block and gets it.
//!
//! `cargo run --example two_peers`

use bytes::Bytes;
use ccbt_peer::wire::{Block, InfoHash, Message, PeerId, PieceIndex};
use ccbt_peer::{Connection, ConnectionOptions};
use tokio::net::{TcpListener, TcpStream};

const TORRENT: InfoHash = InfoHash(*b"an example of a hash");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let (served, got) = tokio::join!(serve(listener), fetch(TcpStream::connect(addr).await?));
    served?;
    println!("got {:?}", String::from_utf8_lossy(&got?));
    Ok(())
}

/// Has one piece of one block, and gives it to whoever asks.
async fn serve(listener: TcpListener) -> Result<(), Box<dyn std::error::Error>> {
    let (stream, _) = listener.accept().await?;
    let options = ConnectionOptions::new(TORRENT, PeerId(*b"-EX0000-the-one-with"));
    let mut peer = Connection::accept(stream, options.pieces(1)).await?;
    peer.send(Message::Bitfield(Bytes::from_static(&[0b1000_0000]))).await?;
    peer.send(Message::Unchoke).await?;
    while let Some(message) = peer.next().await {
        if let Message::Request(Block { piece, begin, .. }) = message? {
            let data = Bytes::from_static(b"sixteen KiB at the most");
            peer.send(Message::Piece { piece, begin, data }).await?;
        }
    }
    Ok(())
}

async fn fetch(stream: TcpStream) -> Result<Bytes, Box<dyn std::error::Error>> {
    let options = ConnectionOptions::new(TORRENT, PeerId(*b"-EX0000-and-one-that"));
    let mut peer = Connection::connect(stream, options.pieces(1)).await?;
    println!("connected to {}", peer.handshake().peer_id);
    peer.send(Message::Interested).await?;
    while let Some(message) = peer.next().await {
        match message? {
            Message::Unchoke => {
                let block = Block { piece: PieceIndex(0), begin: 0, length: 23 };
                peer.send(Message::Request(block)).await?;
            }
            Message::Piece { data, .. } => return Ok(data),
            _ => {}
        }
    }
    Err("the peer left without the block".into())
}
