//! A peer's stream is understood alike however the network cut it.

use bytes::Bytes;
use ccbt_wire::{Block, DecodeError, Decoder, Item, Limits, Message, MessageDecoder, PieceIndex};
use proptest::collection::vec;
use proptest::prelude::*;

fn block() -> impl Strategy<Value = Block> {
    (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(piece, begin, length)| Block {
        piece: PieceIndex(piece),
        begin,
        length,
    })
}

fn payload(len: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), len).prop_map(Bytes::from)
}

/// Ids that no BEP in reach has taken.
fn unknown_id() -> impl Strategy<Value = u8> {
    prop_oneof![10u8..=12, 18u8..=19, 21u8..=255]
}

/// Every variant.
fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        Just(Message::KeepAlive),
        Just(Message::Choke),
        Just(Message::Unchoke),
        Just(Message::Interested),
        Just(Message::NotInterested),
        any::<u32>().prop_map(|piece| Message::Have(PieceIndex(piece))),
        payload(0..40).prop_map(Message::Bitfield),
        block().prop_map(Message::Request),
        (any::<u32>(), any::<u32>(), payload(1..60)).prop_map(|(piece, begin, data)| {
            Message::Piece { piece: PieceIndex(piece), begin, data }
        }),
        block().prop_map(Message::Cancel),
        any::<u16>().prop_map(Message::Port),
        any::<u32>().prop_map(|piece| Message::Suggest(PieceIndex(piece))),
        Just(Message::HaveAll),
        Just(Message::HaveNone),
        block().prop_map(Message::Reject),
        any::<u32>().prop_map(|piece| Message::AllowedFast(PieceIndex(piece))),
        (any::<u8>(), payload(0..40)).prop_map(|(id, payload)| Message::Extended { id, payload }),
        (unknown_id(), payload(0..40)).prop_map(|(id, payload)| Message::Unknown { id, payload }),
    ]
}

fn encode(messages: &[Message]) -> Vec<u8> {
    let mut wire = Vec::new();
    for message in messages {
        let before = wire.len();
        message.encode(&mut wire);
        assert_eq!(wire.len() - before, message.encoded_len());
    }
    wire
}

/// Drives the streaming decoder as a caller does that takes payload from its own reads.
fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Message>, DecodeError> {
    let mut decoder = Decoder::new(Limits::before_metainfo());
    let mut messages = Vec::new();
    let mut current: Option<(Block, Vec<u8>)> = None;
    for mut input in parts {
        loop {
            if let Some((block, data)) = &mut current {
                let n = input.len().min(decoder.payload_remaining() as usize);
                data.extend_from_slice(&input[..n]);
                input = &input[n..];
                decoder.payload_taken(u32::try_from(n).expect("a short part"));
                if decoder.payload_remaining() > 0 {
                    break;
                }
                let data = Bytes::from(std::mem::take(data));
                messages.push(Message::Piece { piece: block.piece, begin: block.begin, data });
                current = None;
            }
            match decoder.next(&mut input)? {
                Some(Item::Message(message)) => messages.push(message),
                Some(Item::PieceHeader(block)) => current = Some((block, Vec::new())),
                None => break,
            }
        }
        assert!(input.is_empty(), "what can be taken is taken");
    }
    assert!(decoder.at_boundary());
    Ok(messages)
}

fn decode_whole<'a>(
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Message>, DecodeError> {
    let mut decoder = MessageDecoder::new(Limits::before_metainfo());
    let mut messages = Vec::new();
    for part in parts {
        decoder.push(part);
        while let Some(message) = decoder.next()? {
            messages.push(message);
        }
    }
    assert!(decoder.buffer().is_empty());
    Ok(messages)
}

#[test]
fn a_stream_of_every_message_may_be_split_at_every_byte() {
    let block = Block { piece: PieceIndex(7), begin: 16384, length: 16384 };
    let messages = [
        Message::Bitfield(Bytes::from_static(b"\xf0\x0f\x80")),
        Message::KeepAlive,
        Message::Extended { id: 0, payload: Bytes::from_static(b"d1:mdee") },
        Message::Unchoke,
        Message::Request(block),
        Message::Piece { piece: PieceIndex(7), begin: 0, data: Bytes::from_static(b"payload") },
        Message::Have(PieceIndex(3)),
        Message::Unknown { id: 200, payload: Bytes::new() },
        Message::Port(6881),
        Message::Piece { piece: PieceIndex(8), begin: 1, data: Bytes::from_static(b"x") },
        Message::Reject(block),
    ];
    let wire = encode(&messages);
    for at in 0..=wire.len() {
        let (head, tail) = wire.split_at(at);
        assert_eq!(decode([head, tail]).as_deref(), Ok(&messages[..]), "split at {at}");
        assert_eq!(decode_whole([head, tail]).as_deref(), Ok(&messages[..]), "split at {at}");
    }
    assert_eq!(decode(wire.chunks(1)).as_deref(), Ok(&messages[..]));
    assert_eq!(decode_whole(wire.chunks(1)).as_deref(), Ok(&messages[..]));
}

proptest! {
    #[test]
    fn random_messages_survive_any_split(messages in vec(message(), 0..12), cuts in vec(any::<prop::sample::Index>(), 0..10)) {
        let wire = encode(&messages);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        let parts: Vec<&[u8]> = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]).collect();
        prop_assert_eq!(decode(parts.iter().copied()), Ok(messages.clone()));
        prop_assert_eq!(decode_whole(parts), Ok(messages));
    }

    #[test]
    fn random_bytes_are_judged_alike_in_any_portions(bytes in vec(prop_oneof![Just(0u8), 0u8..24, any::<u8>()], 0..200), portion in 1usize..50) {
        let judge = |portion: usize| {
            let mut decoder = MessageDecoder::new(Limits::for_pieces(100));
            let mut messages = Vec::new();
            for part in bytes.chunks(portion) {
                decoder.push(part);
                loop {
                    match decoder.next() {
                        Ok(Some(message)) => messages.push(message),
                        Ok(None) => break,
                        Err(error) => return (messages, Some(error)),
                    }
                }
            }
            (messages, None)
        };
        prop_assert_eq!(judge(portion), judge(200));
    }
}
