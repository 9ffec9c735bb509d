//! Prints what a peer said, from a file with one direction of a captured connection:
//! `cargo run -p ccbt-wire --example decode_stream -- capture.bin`. Without a file it shows a made-up one.

use bytes::Bytes;
use ccbt_wire::{Block, Handshake, HandshakeDecoder, InfoHash, Limits, Message, MessageDecoder};
use ccbt_wire::{PeerId, PieceIndex, Reserved};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => sample(),
    };
    let mut input = &bytes[..];
    let handshake = HandshakeDecoder::new().feed(&mut input)?.ok_or("the handshake is cut off")?;
    println!("{:?} {}", handshake, handshake.peer_id.client().unwrap_or_default());

    let mut decoder = MessageDecoder::new(Limits::before_metainfo());
    decoder.push(input);
    while let Some(message) = decoder.next()? {
        match message {
            Message::Piece { piece, begin, data } => {
                println!("Piece {piece}, {} bytes at {begin}", data.len());
            }
            other => println!("{other:?}"),
        }
    }
    println!("{} bytes are left over", decoder.buffer().len());
    Ok(())
}

/// A seed's half of a short conversation.
fn sample() -> Vec<u8> {
    let mut wire = Handshake {
        reserved: Reserved::NONE.with_fast().with_extended(),
        info_hash: InfoHash([0xcc; 20]),
        peer_id: PeerId(*b"-qB4520-abcdefghijkl"),
    }
    .to_bytes()
    .to_vec();
    let block = Block { piece: PieceIndex(0), begin: 16384, length: 16384 };
    for message in [
        Message::HaveAll,
        Message::Extended { id: 0, payload: Bytes::from_static(b"d1:md6:ut_pexi1eee") },
        Message::Unchoke,
        Message::Piece { piece: PieceIndex(0), begin: 0, data: Bytes::from(vec![0; 16384]) },
        Message::Reject(block),
        Message::KeepAlive,
    ] {
        message.encode(&mut wire);
    }
    wire
}
