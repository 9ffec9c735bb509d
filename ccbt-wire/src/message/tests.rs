use super::*;

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    assert_eq!(out.len(), message.encoded_len(), "{message:?}");
    out
}

#[test]
fn every_message_has_the_bytes_of_its_bep() {
    let piece = PieceIndex(0x0102_0304);
    let block = Block { piece: PieceIndex(1), begin: 0x4000, length: 0x4000 };
    let block_bytes =
        |id: u8| [&[0, 0, 0, 13, id, 0, 0, 0, 1, 0, 0, 0x40, 0, 0, 0, 0x40, 0][..]].concat();
    let piece_bytes = |id: u8| [&[0, 0, 0, 5, id, 1, 2, 3, 4][..]].concat();
    for (message, bytes) in [
        (Message::KeepAlive, vec![0, 0, 0, 0]),
        (Message::Choke, vec![0, 0, 0, 1, 0]),
        (Message::Unchoke, vec![0, 0, 0, 1, 1]),
        (Message::Interested, vec![0, 0, 0, 1, 2]),
        (Message::NotInterested, vec![0, 0, 0, 1, 3]),
        (Message::Have(piece), piece_bytes(4)),
        (Message::Bitfield(Bytes::from_static(&[0xf0, 0x80])), vec![0, 0, 0, 3, 5, 0xf0, 0x80]),
        (Message::Request(block), block_bytes(6)),
        (
            Message::Piece { piece: PieceIndex(1), begin: 0x4000, data: Bytes::from_static(b"xy") },
            vec![0, 0, 0, 11, 7, 0, 0, 0, 1, 0, 0, 0x40, 0, b'x', b'y'],
        ),
        (Message::Cancel(block), block_bytes(8)),
        (Message::Port(6881), vec![0, 0, 0, 3, 9, 0x1a, 0xe1]),
        (Message::Suggest(piece), piece_bytes(13)),
        (Message::HaveAll, vec![0, 0, 0, 1, 14]),
        (Message::HaveNone, vec![0, 0, 0, 1, 15]),
        (Message::Reject(block), block_bytes(16)),
        (Message::AllowedFast(piece), piece_bytes(17)),
        (
            Message::Extended { id: 0, payload: Bytes::from_static(b"de") },
            vec![0, 0, 0, 4, 20, 0, b'd', b'e'],
        ),
        (
            Message::Unknown { id: 99, payload: Bytes::from_static(b"?") },
            vec![0, 0, 0, 2, 99, b'?'],
        ),
    ] {
        assert_eq!(encoded(&message), bytes, "{message:?}");
    }
}

#[test]
fn the_head_of_a_block_is_that_of_its_message() {
    let data = Bytes::from(vec![7; 16384]);
    let whole = encoded(&Message::Piece { piece: PieceIndex(9), begin: 32768, data });
    let mut head = [0; PIECE_HEAD];
    encode_piece_header(
        Block { piece: PieceIndex(9), begin: 32768, length: 16384 },
        &mut &mut head[..],
    );
    assert_eq!(head, whole[..PIECE_HEAD]);
}

#[test]
fn a_message_fits_a_buffer_of_exactly_its_size() {
    // A slice cannot grow: what is written into it needed no memory.
    let message = Message::Request(Block { piece: PieceIndex(1), begin: 0, length: 5 });
    let mut room = vec![0xaa; message.encoded_len()];
    let mut out = &mut room[..];
    message.encode(&mut out);
    assert!(out.is_empty());
}
