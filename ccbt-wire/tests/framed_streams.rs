//! Messages through tokio-util's framed streams.

use bytes::{Bytes, BytesMut};
use ccbt_wire::{Block, CodecError, DecodeError, Limits, Message, MessageCodec, PieceIndex};
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{Decoder, Encoder, Framed, FramedRead};

const PIECES: u32 = 20;

fn messages() -> Vec<Message> {
    let block = Block { piece: PieceIndex(7), begin: 16384, length: 16384 };
    vec![
        Message::Bitfield(Bytes::from_static(b"\xf0\x0f\x80")),
        Message::KeepAlive,
        Message::Extended { id: 0, payload: Bytes::from_static(b"d1:mdee") },
        Message::Request(block),
        Message::Piece { piece: PieceIndex(7), begin: 0, data: vec![5; 16384].into() },
        Message::Unknown { id: 200, payload: Bytes::new() },
        Message::Reject(block),
    ]
}

fn codec() -> MessageCodec {
    MessageCodec::new(Limits::for_pieces(PIECES))
}

fn wire(messages: &[Message]) -> BytesMut {
    let mut wire = BytesMut::new();
    for message in messages {
        codec().encode(message, &mut wire).expect("a short message");
    }
    wire
}

#[tokio::test]
async fn what_one_end_sends_the_other_receives() {
    // A pipe smaller than a block: messages arrive in many portions.
    let (ours, theirs) = tokio::io::duplex(100);
    let mut ours = Framed::new(ours, codec());
    let send = async move {
        for message in messages() {
            ours.send(message).await.unwrap();
        }
    };
    let receive = Framed::new(theirs, codec()).map(Result::unwrap).collect::<Vec<_>>();
    let ((), received) = tokio::join!(send, receive);
    assert_eq!(received, messages());
}

#[test]
fn a_stream_that_ends_within_a_message_is_truncated_wherever_it_ends() {
    for message in messages().iter().filter(|&message| *message != Message::KeepAlive) {
        let whole = wire(std::slice::from_ref(message));
        for end in 1..whole.len().min(40) {
            let mut codec = codec();
            let mut buffer = BytesMut::from(&whole[..end]);
            assert_eq!(codec.decode(&mut buffer).unwrap(), None);
            let error = codec.decode_eof(&mut buffer).unwrap_err();
            assert!(matches!(error, CodecError::Truncated), "{message:?} cut at {end}: {error}");
        }
    }
}

#[test]
fn a_stream_may_end_between_messages() {
    let mut buffer = wire(&messages());
    let mut codec = codec();
    let mut received = Vec::new();
    while let Some(message) = codec.decode_eof(&mut buffer).unwrap() {
        received.push(message);
    }
    assert_eq!(received, messages());
}

#[tokio::test]
async fn a_length_over_the_limit_fails_before_the_body_comes() {
    let (mut ours, theirs) = tokio::io::duplex(100);
    ours.write_all(b"\0\0\0\x01\x01\xff\xff\xff\xff").await.unwrap();
    let mut theirs = FramedRead::new(theirs, codec());
    assert_eq!(theirs.next().await.unwrap().unwrap(), Message::Unchoke);
    let error = theirs.next().await.unwrap().unwrap_err();
    assert!(
        matches!(error, CodecError::Decode(DecodeError::MessageTooLong { length: u32::MAX, .. })),
        "{error}"
    );
    assert!(theirs.next().await.is_none(), "an error is the end");
}

#[test]
fn limits_can_be_changed_between_messages() {
    let bitfield = wire(&[Message::Bitfield(Bytes::from_static(&[0; 3]))]);
    let mut codec = MessageCodec::new(Limits::for_pieces(8));
    assert!(codec.decode(&mut bitfield.clone()).is_err());
    codec = MessageCodec::new(Limits::before_metainfo());
    codec.set_limits(Limits::for_pieces(PIECES));
    assert_eq!(*codec.limits(), Limits::for_pieces(PIECES));
    assert!(codec.decode(&mut bitfield.clone()).unwrap().is_some());
}
