use super::*;

fn decode(limits: Limits, mut bytes: &[u8]) -> Result<Option<Item>, DecodeError> {
    Decoder::new(limits).next(&mut bytes)
}

fn refused(limits: Limits, bytes: &[u8]) -> DecodeError {
    decode(limits, bytes).unwrap_err()
}

#[test]
fn each_length_is_refused_from_its_prefix_and_id() {
    let known = Limits::for_pieces(100);
    let unknown = Limits::before_metainfo();
    for (limits, bytes, error) in [
        // 4 GiB: the prefix is enough.
        (
            unknown,
            &b"\xff\xff\xff\xff"[..],
            DecodeError::MessageTooLong { id: None, length: u32::MAX, limit: 1 << 20 },
        ),
        (
            known,
            b"\x00\x10\x00\x01",
            DecodeError::MessageTooLong { id: None, length: 0x0010_0001, limit: 1 << 20 },
        ),
        (known, b"\0\0\0\x02\x00", DecodeError::WrongLength { id: 0, length: 2, expected: 1 }),
        (known, b"\0\0\0\x04\x04", DecodeError::WrongLength { id: 4, length: 4, expected: 5 }),
        (known, b"\0\0\0\x0c\x06", DecodeError::WrongLength { id: 6, length: 12, expected: 13 }),
        (known, b"\0\0\0\x05\x09", DecodeError::WrongLength { id: 9, length: 5, expected: 3 }),
        (known, b"\0\0\0\x02\x0e", DecodeError::WrongLength { id: 14, length: 2, expected: 1 }),
        (known, b"\0\0\0\x0d\x05", DecodeError::BitfieldLength { length: 12, expected: 13 }),
        (known, b"\0\0\0\x0f\x05", DecodeError::BitfieldLength { length: 14, expected: 13 }),
        (known, b"\0\0\0\x08\x07", DecodeError::MessageTooShort { id: 7, length: 8, at_least: 9 }),
        (known, b"\0\0\0\x09\x07", DecodeError::EmptyBlock),
        (known, b"\0\x02\0\x0a\x07", DecodeError::BlockTooLong { length: 131_073, limit: 131_072 }),
        (known, b"\0\0\0\x01\x14", DecodeError::MessageTooShort { id: 20, length: 1, at_least: 2 }),
    ] {
        assert_eq!(refused(limits, bytes), error, "{bytes:?}");
    }
}

#[test]
fn a_length_at_its_limit_is_taken() {
    let known = Limits::for_pieces(100);
    for bytes in [&b"\0\0\0\x0e\x05"[..], b"\0\x02\0\x09\x07", b"\0\x10\0\0\x14", b"\0\x10\0\0\x63"]
    {
        assert_eq!(decode(known, bytes), Ok(None), "{bytes:?}");
    }
    assert_eq!(decode(Limits::before_metainfo(), b"\0\x10\0\0\x05"), Ok(None));
}

#[test]
fn a_message_under_the_cap_for_blocks_still_obeys_its_own() {
    let limits = Limits { max_message: 1000, ..Limits::before_metainfo() };
    let error = DecodeError::MessageTooLong { id: Some(20), length: 1001, limit: 1000 };
    assert_eq!(refused(limits, b"\0\0\x03\xe9\x14"), error);
    assert_eq!(error.to_string(), "a message with id 20 of 1001 bytes is over the limit of 1000");
}

#[test]
fn the_bitfield_of_a_large_torrent_is_larger_than_a_mebibyte() {
    let limits = Limits::for_pieces(10_000_000);
    assert_eq!(limits.bitfield_len, Some(1_250_000));
    assert_eq!(decode(limits, b"\0\x13\x12\xd1\x05"), Ok(None));
}

#[test]
fn an_error_is_for_good() {
    let mut decoder = Decoder::new(Limits::for_pieces(8));
    let error = decoder.next(&mut &b"\0\0\0\x02\x02"[..]).unwrap_err();
    assert_eq!(decoder.next(&mut &b"\0\0\0\0"[..]), Err(error));
}

#[test]
fn no_heap_memory_is_held_while_no_body_is_partial() {
    let mut decoder = Decoder::new(Limits::for_pieces(80));
    for input in [&b"\0\0\0\x0d\x06\0\0"[..], b"\0\x01\0\0\0\0\0\0\x40\0", b"\0\0\0"] {
        let mut input = input;
        while decoder.next(&mut input).unwrap().is_some() {}
        assert_eq!(decoder.body.capacity(), 0);
    }
    // The rest of the prefix and a part of a bitfield of ten bytes.
    assert_eq!(decoder.next(&mut &b"\x0b\x05abc"[..]), Ok(None));
    assert!(decoder.body.capacity() > 0);
    let whole = decoder.next(&mut &b"defghij"[..]);
    assert_eq!(
        whole,
        Ok(Some(Item::Message(Message::Bitfield(Bytes::from_static(b"abcdefghij")))))
    );
    assert_eq!(decoder.body.capacity(), 0);
}

#[test]
fn an_announced_body_costs_nothing_until_it_comes() {
    let mut decoder = Decoder::new(Limits::before_metainfo());
    assert_eq!(decoder.next(&mut &b"\0\x0f\xff\xff\x14"[..]), Ok(None));
    assert_eq!(decoder.body.capacity(), 0);
    assert_eq!(decoder.next(&mut &[0; 100][..]), Ok(None));
    assert!(decoder.body.capacity() < 1000);
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 64, "{}", size_of::<Decoder>());
}

#[test]
fn payload_belongs_to_the_caller() {
    let mut decoder = Decoder::new(Limits::for_pieces(8));
    assert!(decoder.at_boundary());
    let mut input = &b"\0\0\0\x0d\x07\0\0\0\x01\0\0\x40\0abcd\0\0\0\0"[..];
    assert_eq!(decoder.next(&mut &input[..12]), Ok(None));
    assert_eq!(decoder.header_pending(), 12);
    input = &input[12..];
    let block = Block { piece: PieceIndex(1), begin: 0x4000, length: 4 };
    assert_eq!(decoder.next(&mut input), Ok(Some(Item::PieceHeader(block))));
    assert_eq!((decoder.payload_remaining(), decoder.header_pending()), (4, 0));
    assert!(!decoder.at_boundary());

    assert_eq!(decoder.next(&mut input), Ok(None));
    assert_eq!(input.len(), 8, "nothing is taken while payload remains");
    decoder.payload_taken(3);
    assert_eq!(decoder.next(&mut input), Ok(None));
    decoder.payload_taken(1);
    assert!(decoder.at_boundary());
    assert_eq!(decoder.next(&mut &input[4..]), Ok(Some(Item::Message(Message::KeepAlive))));

    decoder.payload_taken(1);
    assert_eq!(decoder.payload_remaining(), 0, "too much is as good as all");
}

#[test]
fn new_limits_hold_from_the_next_message_on() {
    let mut decoder = Decoder::new(Limits::before_metainfo());
    assert_eq!(decoder.next(&mut &b"\0\0\0\x06\x05ab"[..]), Ok(None));
    decoder.set_limits(Limits::for_pieces(8));
    let whole = decoder.next(&mut &b"cde"[..]);
    assert_eq!(whole, Ok(Some(Item::Message(Message::Bitfield(Bytes::from_static(b"abcde"))))));
    assert!(decoder.next(&mut &b"\0\0\0\x06\x05"[..]).is_err());
    assert_eq!(decoder.limits(), &Limits::for_pieces(8));
}

#[test]
fn a_whole_block_is_a_slice_of_what_was_pushed() {
    let mut decoder = MessageDecoder::new(Limits::for_pieces(8));
    decoder.push(b"\0\0\0\x0d\x07\0\0\0\x01\0\0\x40\0ab");
    assert_eq!(decoder.next(), Ok(None));
    decoder.buffer().extend_from_slice(b"cd\0\0\0\0");
    let data = Bytes::from_static(b"abcd");
    let piece = Message::Piece { piece: PieceIndex(1), begin: 0x4000, data };
    assert_eq!(decoder.next(), Ok(Some(piece)));
    assert_eq!(decoder.next(), Ok(Some(Message::KeepAlive)));
    assert_eq!(decoder.next(), Ok(None));
    assert!(decoder.buffer().is_empty());
}
