//! The peer wire protocol once more, small: what scripted peers say and hear (BEP 3).
//!
//! Written apart from the product on purpose, so that a shared mistake cannot hide.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

/// A message, by its BEP 3 name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    KeepAlive,
    Choke,
    Unchoke,
    Interested,
    NotInterested,
    Have(u32),
    Bitfield(Vec<u8>),
    Request {
        piece: u32,
        begin: u32,
        length: u32,
    },
    Piece {
        piece: u32,
        begin: u32,
        data: Vec<u8>,
    },
    Cancel {
        piece: u32,
        begin: u32,
        length: u32,
    },
    /// One of another BEP: its id and what is behind it.
    Other(u8, Vec<u8>),
}

/// What a wait for a message came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Message(Message),
    /// Nothing complete arrived in time.
    Silence,
    /// The other end closed, with FIN or RST.
    Closed,
}

/// The longest message that we take: no client sends us one this long.
const LONGEST: usize = 1 << 20;

/// What a peer says of itself before anything else.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    reserved: [u8; 8],
    info_hash: [u8; 20],
    peer_id: [u8; 20],
}

impl Handshake {
    /// Of a peer that knows BEP 3 alone.
    pub(super) fn plain(info_hash: [u8; 20], peer_id: [u8; 20]) -> Self {
        Handshake { reserved: [0; 8], info_hash, peer_id }
    }

    /// The same peer, which speaks the extension protocol (BEP 10) and has a DHT node (BEP 5).
    pub(super) fn talkative(self) -> Self {
        Handshake { reserved: [0, 0, 0, 0, 0, 0x10, 0, 0x01], ..self }
    }

    /// The 68 bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let protocol = b"\x13BitTorrent protocol".as_slice();
        [protocol, &self.reserved, &self.info_hash, &self.peer_id].concat()
    }
}

/// A connection whose handshakes are done.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Waits for the other's handshake, then answers.
    pub(super) fn accept(mut stream: TcpStream, ours: &Handshake) -> Result<Self> {
        read_handshake(&mut stream, &ours.info_hash)?;
        stream.write_all(&ours.bytes())?;
        Self::ready(stream)
    }

    /// Sends our handshake, then waits for the other's.
    pub(super) fn dial(mut stream: TcpStream, ours: &Handshake) -> Result<Self> {
        stream.write_all(&ours.bytes())?;
        read_handshake(&mut stream, &ours.info_hash)?;
        Self::ready(stream)
    }

    fn ready(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Wire { stream, buffer: Vec::new() })
    }

    /// The connection alone; what was read and not heard is lost.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Sends one message.
    pub(super) fn send(&mut self, message: &Message) -> io::Result<()> {
        self.send_bytes(&encode(message))
    }

    /// Sends a part of a message, as it is.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next message, or what else happened until then.
    pub(super) fn receive(&mut self, until: Instant) -> Result<Heard> {
        loop {
            if let Some(message) = take(&mut self.buffer)? {
                return Ok(Heard::Message(message));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Heard::Silence);
            }
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(Heard::Closed),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if is_timeout(&error) => {}
                Err(error) if is_closing(&error) => return Ok(Heard::Closed),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// Does this error say that the other end has gone?
pub(super) fn is_closing(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

fn read_handshake(stream: &mut TcpStream, info_hash: &[u8; 20]) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut bytes = [0; 68];
    stream.read_exact(&mut bytes)?;
    ensure!(bytes.starts_with(b"\x13BitTorrent protocol"), "not a BitTorrent handshake");
    ensure!(bytes[28..48] == *info_hash, "a handshake for another torrent");
    Ok(())
}

/// A message as it goes over the wire.
pub(super) fn encode(message: &Message) -> Vec<u8> {
    let body = match message {
        Message::KeepAlive => Vec::new(),
        Message::Choke => vec![0],
        Message::Unchoke => vec![1],
        Message::Interested => vec![2],
        Message::NotInterested => vec![3],
        Message::Have(piece) => body(4, &[*piece], &[]),
        Message::Bitfield(bits) => body(5, &[], bits),
        Message::Request { piece, begin, length } => body(6, &[*piece, *begin, *length], &[]),
        Message::Piece { piece, begin, data } => body(7, &[*piece, *begin], data),
        Message::Cancel { piece, begin, length } => body(8, &[*piece, *begin, *length], &[]),
        Message::Other(id, rest) => body(*id, &[], rest),
    };
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body.as_slice()].concat()
}

fn body(id: u8, numbers: &[u32], rest: &[u8]) -> Vec<u8> {
    let mut body = vec![id];
    body.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    body.extend_from_slice(rest);
    body
}

/// Takes the first message off the buffer, once it is complete.
fn take(buffer: &mut Vec<u8>) -> Result<Option<Message>> {
    let Some(prefix) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*prefix) as usize;
    ensure!(length <= LONGEST, "a message of {length} bytes");
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    let message = decode(&buffer[4..4 + length])?;
    buffer.drain(..4 + length);
    Ok(Some(message))
}

fn decode(body: &[u8]) -> Result<Message> {
    let Some((&id, rest)) = body.split_first() else {
        return Ok(Message::KeepAlive);
    };
    let number = |at: usize| {
        rest[4 * at..4 * at + 4].iter().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte))
    };
    Ok(match (id, rest.len()) {
        (0, 0) => Message::Choke,
        (1, 0) => Message::Unchoke,
        (2, 0) => Message::Interested,
        (3, 0) => Message::NotInterested,
        (4, 4) => Message::Have(number(0)),
        (5, _) => Message::Bitfield(rest.to_vec()),
        (6, 12) => Message::Request { piece: number(0), begin: number(1), length: number(2) },
        (7, 8..) => Message::Piece { piece: number(0), begin: number(1), data: rest[8..].to_vec() },
        (8, 12) => Message::Cancel { piece: number(0), begin: number(1), length: number(2) },
        (0..=8, length) => bail!("message {id} with {length} bytes behind its id"),
        _ => Message::Other(id, rest.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_encoding_and_any_split() {
        let messages = [
            Message::KeepAlive,
            Message::Interested,
            Message::Have(258),
            Message::Bitfield(vec![0x80, 0]),
            Message::Request { piece: 1, begin: 16_384, length: 16_384 },
            Message::Piece { piece: 1, begin: 0, data: vec![9; 5] },
            Message::Other(20, vec![1, 2]),
        ];
        let (mut buffer, mut heard) = (Vec::new(), Vec::new());
        for byte in messages.iter().flat_map(encode) {
            buffer.push(byte);
            heard.extend(take(&mut buffer).unwrap());
        }
        assert_eq!(heard, messages);
    }

    #[test]
    fn a_request_has_the_golden_bytes() {
        let bytes = encode(&Message::Request { piece: 2, begin: 0, length: 0x4000 });
        assert_eq!(bytes, [0, 0, 0, 13, 6, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x40, 0]);
    }

    #[test]
    fn a_handshake_has_the_golden_bytes() {
        let plain = Handshake::plain([1; 20], [2; 20]);
        let talkative = plain.clone().talkative().bytes();
        assert_eq!(plain.bytes().len(), 68);
        assert!(plain.bytes().starts_with(b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0\x01"));
        assert_eq!(talkative[20..28], [0, 0, 0, 0, 0, 0x10, 0, 1]);
        assert_eq!((talkative[28], talkative[67]), (1, 2));
    }

    #[test]
    fn a_message_of_the_wrong_length_is_an_error() {
        assert!(decode(&[4, 0]).is_err());
        assert!(decode(&[0, 1]).is_err());
        assert!(take(&mut vec![0xff; 4]).is_err());
    }
}
