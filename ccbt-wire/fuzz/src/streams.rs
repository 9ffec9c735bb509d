use bytes::Bytes;
use ccbt_wire::{
    Bitfield, Block, DecodeError, Decoder, Handshake, HandshakeDecoder, HandshakeError, Item,
    Limits, Message, MessageDecoder,
};

/// The first byte tells where the rest is cut: that must not matter.
pub fn handshake(input: &[u8]) {
    let Some((&cut, input)) = input.split_first() else { return };
    let read = |parts: &[&[u8]]| -> (Result<Option<Handshake>, HandshakeError>, usize) {
        let mut decoder = HandshakeDecoder::new();
        let mut read = Ok(None);
        for part in parts {
            let mut rest = *part;
            match decoder.feed(&mut rest) {
                Ok(handshake) => read = Ok(read.ok().flatten().or(handshake)),
                Err(error) => return (Err(error), decoder.received()),
            }
            assert!(rest.is_empty() || decoder.received() == Handshake::LEN);
        }
        (read, decoder.received())
    };
    let (head, tail) = input.split_at(input.len().min(cut.into()));
    let whole = read(&[input]);
    assert_eq!(whole, read(&[head, tail]));
    match whole {
        (Ok(Some(handshake)), received) => {
            assert_eq!(handshake.to_bytes(), input[..received]);
            super::assert_shows_well(&handshake.peer_id.client().unwrap_or_default());
            super::assert_shows_well(&format!("{handshake:?}"));
        }
        (Ok(None), received) => assert_eq!(received, input.len()),
        (Err(error), _) => super::assert_shows_well(&error.to_string()),
    }
}

/// The first two bytes tell how many pieces there are and how the rest is cut. Neither the cut nor the way
/// of reading matters, and what was read is what was sent.
pub fn message_stream(input: &[u8]) {
    let Some((&[pieces, portion], input)) = input.split_first_chunk() else { return };
    let limits = match pieces {
        0 => Limits::before_metainfo(),
        pieces => Limits::for_pieces(u32::from(pieces) * 5),
    };
    let (messages, error) = in_place(input.chunks(input.len().max(1)), limits);
    let portions = || input.chunks(usize::from(portion).max(1));
    assert_eq!(in_place(portions(), limits), (messages.clone(), error.clone()));
    assert_eq!(whole(portions(), limits), (messages.clone(), error.clone()));

    let mut wire = Vec::new();
    for message in &messages {
        let before = wire.len();
        message.encode(&mut wire);
        assert_eq!(wire.len() - before, message.encoded_len());
        if let (Message::Bitfield(bits), 1..) = (message, pieces)
            && let Ok(bits) = Bitfield::from_wire(bits, u32::from(pieces) * 5)
        {
            assert_eq!(bits.iter_ones().count(), bits.count_ones() as usize);
            assert_eq!(bits.iter_zeros().count() + bits.iter_ones().count(), bits.len() as usize);
        }
    }
    assert!(input.starts_with(&wire), "what was read is what was sent");
    if let Some(error) = error {
        super::assert_shows_well(&error.to_string());
    }
}

type Read = (Vec<Message>, Option<DecodeError>);

/// As a caller reads who brings payload to its place himself.
fn in_place<'a>(parts: impl Iterator<Item = &'a [u8]>, limits: Limits) -> Read {
    let mut decoder = Decoder::new(limits);
    let mut messages = Vec::new();
    let mut block: Option<(Block, Vec<u8>)> = None;
    for mut input in parts {
        loop {
            if let Some((Block { piece, begin, .. }, data)) = &mut block {
                let (taken, rest) =
                    input.split_at(input.len().min(decoder.payload_remaining() as usize));
                data.extend_from_slice(taken);
                input = rest;
                decoder.payload_taken(u32::try_from(taken.len()).expect("a block is short"));
                if decoder.payload_remaining() > 0 {
                    break;
                }
                let (piece, begin) = (*piece, *begin);
                let data = Bytes::from(std::mem::take(data));
                messages.push(Message::Piece { piece, begin, data });
                block = None;
            }
            match decoder.next(&mut input) {
                Ok(Some(Item::Message(message))) => messages.push(message),
                Ok(Some(Item::PieceHeader(header))) => {
                    assert!(header.length <= limits.max_block);
                    block = Some((header, Vec::new()));
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&mut input), Err(error.clone()), "errors are for good");
                    return (messages, Some(error));
                }
            }
        }
        assert!(input.is_empty(), "what can be taken is taken");
    }
    (messages, None)
}

/// As a caller reads who wants whole messages.
fn whole<'a>(parts: impl Iterator<Item = &'a [u8]>, limits: Limits) -> Read {
    let mut decoder = MessageDecoder::new(limits);
    let mut messages = Vec::new();
    for part in parts {
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
}
