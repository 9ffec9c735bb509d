//! Everybody who is not one of us: what they do is drawn, and none of it is meant well.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ccbt_peer::Geometry;
use ccbt_peer::wire::{
    BLOCK_LEN, Bitfield, Block, EXTENDED_HANDSHAKE, Handshake, InfoHash, Limits, Message,
    MessageDecoder, PeerId, PexMessage, PexPeer, PieceIndex, Reserved,
};

use super::net::{End, Happening, Net, Who};
use super::node::TORRENT;
use super::truth;

/// How it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    Good,
    Silent,
    /// A byte at each turn.
    Slow,
    Garbage,
    WrongTorrent,
    /// The peer id of somebody else.
    Stolen(PeerId),
}

/// What it says that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Nothing,
    None,
    All,
    Some(Bitfield),
    /// A HAVE at each turn.
    ByAndBy,
    WrongSize,
    SpareBits,
}

/// What it sends when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serve {
    Nothing,
    Right,
    /// A block in so many is wrong.
    Wrong(u32),
    /// The first so many blocks, and then nothing.
    Until(u32),
    /// Half a block, and then it cuts the wire.
    Half,
    /// So many bytes at each turn.
    Trickle(usize),
    Reject,
    /// Each block twice.
    Twice,
    /// Another block than the one that was asked for.
    Other,
}

/// What it says without cause, at each turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noise {
    None,
    Requests,
    Cancels,
    KeepAlives,
    Haves,
    Interests,
    Chokes,
    Bitfields,
    Extended,
    Pex,
    Ports,
    Rejects,
    AllowedFast,
    Garbage,
    FourGiB,
    /// A message without an end.
    Endless,
}

/// How it ends, so long after its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Cut,
    Close,
    /// It says that it is done, and goes on to read.
    Half,
}

/// What somebody is like.
#[derive(Clone, Debug)]
pub(super) struct Nature {
    pub(super) hand: Hand,
    pub(super) claim: Claim,
    pub(super) serve: Serve,
    pub(super) noise: Noise,
    /// Messages of noise at each turn.
    pub(super) loud: u32,
    pub(super) turn: Duration,
    pub(super) fast: bool,
    pub(super) extended: bool,
    /// It takes what we send.
    pub(super) reads: bool,
    pub(super) unchokes: bool,
    pub(super) wants: bool,
    pub(super) asks: bool,
    pub(super) leave: Option<(Duration, Leave)>,
    /// It comes by itself, again and again.
    pub(super) comes: Option<Duration>,
    pub(super) listens: bool,
}

/// Somebody.
pub(super) struct Foe {
    pub(super) who: Who,
    pub(super) addr: SocketAddr,
    pub(super) nature: Nature,
    geometry: Geometry,
    visits: BTreeMap<End, Visit>,
}

/// Somebody on a wire.
struct Visit {
    dialed: bool,
    out: BytesMut,
    said: usize,
    handshake: usize,
    greeted: bool,
    decoder: MessageDecoder,
    choking: bool,
    asked: VecDeque<Block>,
    sent: u32,
    turns: u32,
    next: u32,
    opened: bool,
    leaving: bool,
    finished: bool,
    endless: bool,
    ours: Vec<PieceIndex>,
    may_ask: bool,
}

impl Foe {
    pub(super) fn new(who: Who, addr: SocketAddr, nature: Nature, geometry: Geometry) -> Self {
        Self { who, addr, nature, geometry, visits: BTreeMap::new() }
    }

    pub(super) fn on_wire(&mut self, net: &mut Net, end: End, dialed: bool) {
        let visit = Visit {
            dialed,
            out: BytesMut::new(),
            said: 0,
            handshake: Handshake::LEN,
            greeted: false,
            decoder: MessageDecoder::new(Limits::for_pieces(self.geometry.pieces())),
            choking: true,
            asked: VecDeque::new(),
            sent: 0,
            turns: 0,
            next: 0,
            opened: false,
            leaving: false,
            finished: false,
            endless: false,
            ours: Vec::new(),
            may_ask: false,
        };
        self.visits.insert(end, visit);
        net.later(Duration::ZERO, Happening::Alarm(end));
    }

    /// The wire is cut, or we have closed.
    pub(super) fn on_over(&mut self, net: &mut Net, end: End) {
        if self.visits.remove(&end).is_some() {
            net.close(end, true);
        }
    }

    /// Bytes of ours came.
    pub(super) fn hear(&mut self, net: &mut Net, end: End) {
        let Some(visit) = self.visits.get_mut(&end) else { return };
        if !self.nature.reads {
            return;
        }
        let bytes = net.take(end, usize::MAX);
        let handshake = visit.handshake.min(bytes.len());
        visit.handshake -= handshake;
        visit.decoder.push(&bytes[handshake..]);
        while let Some(message) = visit.decoder.next().unwrap() {
            visit.on_message(&self.nature, message, net, self.geometry);
        }
        visit.say(net, end);
    }

    /// It is its turn.
    pub(super) fn wake(&mut self, net: &mut Net, end: End) {
        let Some(visit) = self.visits.get_mut(&end) else { return };
        visit.turns += 1;
        if visit.out.is_empty() {
            visit.act(net, &self.nature, self.geometry);
        }
        visit.say(net, end);
        let passed = self.nature.turn * visit.turns;
        let half = self.nature.serve == Serve::Half && visit.leaving && visit.out.is_empty();
        match self.nature.leave {
            _ if half => return self.on_over(net, end),
            Some((after, leave)) if passed >= after && !visit.finished => match leave {
                Leave::Cut => return self.on_over(net, end),
                Leave::Close => {
                    self.visits.remove(&end);
                    return net.close(end, false);
                }
                Leave::Half => {
                    visit.finished = true;
                    net.finish(end, false);
                }
            },
            _ => {}
        }
        net.later(self.nature.turn, Happening::Alarm(end));
    }
}

impl Visit {
    fn say(&mut self, net: &mut Net, end: End) {
        if !self.finished {
            let count = net.send(end, &self.out);
            let _ = self.out.split_to(count);
        }
    }

    fn put(&mut self, message: &Message) {
        message.encode(&mut self.out);
    }

    fn act(&mut self, net: &mut Net, nature: &Nature, geometry: Geometry) {
        if !self.opened {
            return self.shake_hands(net, nature, geometry);
        }
        // Who is dialed answers when it has been spoken to; else it may well be somebody of another torrent.
        if !self.greeted {
            self.greeted = true;
            self.greet(nature, geometry);
        }
        if nature.claim == Claim::ByAndBy && self.next < geometry.pieces() {
            self.put(&Message::Have(PieceIndex(self.next)));
            self.next += 1;
        }
        if nature.noise == Noise::Endless {
            return self.drip(net, geometry);
        }
        self.serve(net, nature, geometry);
        for _ in 0..nature.loud {
            if self.out.len() < 64 << 10 {
                self.make_noise(net, nature, geometry);
            }
        }
        if nature.asks && self.may_ask && !self.ours.is_empty() {
            let piece = self.ours[net.rng.usize(..self.ours.len())];
            let block = geometry.block(piece, net.rng.u32(..geometry.blocks(piece)));
            self.put(&Message::Request(block));
        }
    }

    fn shake_hands(&mut self, net: &mut Net, nature: &Nature, geometry: Geometry) {
        let mut reserved = if nature.fast { Reserved::NONE.with_fast() } else { Reserved::NONE };
        if nature.extended {
            reserved = reserved.with_extended();
        }
        let mut id = *b"-XX0000-            ";
        id[8..].fill_with(|| net.rng.alphanumeric() as u8);
        let (info_hash, peer_id) = match nature.hand {
            Hand::WrongTorrent => (InfoHash([8; 20]), PeerId(id)),
            Hand::Stolen(peer_id) => (TORRENT, peer_id),
            _ => (TORRENT, PeerId(id)),
        };
        let bytes = Handshake { reserved, info_hash, peer_id }.to_bytes();
        match nature.hand {
            Hand::Silent => {}
            Hand::Garbage => {
                let bytes: Vec<u8> = (0..net.rng.usize(1..200)).map(|_| net.rng.u8(..)).collect();
                self.out.extend_from_slice(&bytes);
            }
            Hand::Slow if self.said < bytes.len() => {
                self.out.extend_from_slice(&bytes[self.said..=self.said]);
                self.said += 1;
            }
            Hand::Slow => self.opened = true,
            _ => {
                self.out.extend_from_slice(&bytes);
                self.opened = true;
            }
        }
        if self.opened && (self.dialed || net.rng.bool()) {
            self.greeted = true;
            self.greet(nature, geometry);
        }
    }

    fn greet(&mut self, nature: &Nature, geometry: Geometry) {
        let pieces = geometry.pieces();
        match &nature.claim {
            Claim::Nothing | Claim::ByAndBy => {}
            Claim::None if nature.fast => self.put(&Message::HaveNone),
            Claim::All if nature.fast => self.put(&Message::HaveAll),
            Claim::None => self.put_bits(&Bitfield::new(pieces)),
            Claim::All => self.put_bits(&Bitfield::full(pieces)),
            Claim::Some(bits) => self.put_bits(bits),
            Claim::WrongSize => {
                let bytes = vec![0xff; pieces.div_ceil(8) as usize + 1];
                self.put(&Message::Bitfield(bytes.into()));
            }
            Claim::SpareBits => {
                let bytes = vec![0xff; pieces.div_ceil(8) as usize];
                self.put(&Message::Bitfield(bytes.into()));
            }
        }
        if nature.wants {
            self.put(&Message::Interested);
        }
    }

    fn put_bits(&mut self, bits: &Bitfield) {
        self.put(&Message::Bitfield(Bytes::copy_from_slice(bits.as_bytes())));
    }

    fn on_message(&mut self, nature: &Nature, message: Message, net: &mut Net, geometry: Geometry) {
        match message {
            Message::Interested if nature.unchokes && self.choking => {
                self.choking = false;
                self.put(&Message::Unchoke);
            }
            Message::Request(block) if self.asked.len() < 2000 => self.asked.push_back(block),
            Message::Cancel(block) if net.rng.bool() => self.asked.retain(|asked| *asked != block),
            Message::Have(piece) => self.ours.push(piece),
            Message::HaveAll => self.ours = (0..geometry.pieces()).map(PieceIndex).collect(),
            Message::Bitfield(bytes) => {
                let bits = Bitfield::from_wire(&bytes, geometry.pieces()).unwrap();
                self.ours = bits.iter_ones().collect();
            }
            Message::Unchoke => self.may_ask = true,
            Message::Choke => self.may_ask = false,
            _ => {}
        }
    }

    fn serve(&mut self, net: &mut Net, nature: &Nature, geometry: Geometry) {
        let Some(block) = self.asked.front().copied() else { return };
        match nature.serve {
            Serve::Nothing => return,
            Serve::Until(most) if self.sent >= most => return,
            Serve::Right | Serve::Until(_) => self.out.extend_from_slice(&truth::message(block)),
            Serve::Wrong(one_in) => {
                let lies = net.rng.u32(..one_in) == 0;
                let message =
                    if lies { truth::lie(block, net.rng.u8(..)) } else { truth::message(block) };
                self.out.extend_from_slice(&message);
            }
            Serve::Half => {
                let message = truth::message(block);
                self.out.extend_from_slice(&message[..net.rng.usize(1..message.len())]);
                self.leaving = true;
                return;
            }
            Serve::Trickle(bytes) => {
                let message = truth::message(block);
                let end = (self.said + bytes).min(message.len());
                let begin = self.said.min(end);
                self.out.extend_from_slice(&message[begin..end]);
                self.said = end;
                if end < message.len() {
                    return;
                }
                self.said = 0;
            }
            Serve::Reject => self.put(&Message::Reject(block)),
            Serve::Twice => {
                self.out.extend_from_slice(&truth::message(block));
                self.out.extend_from_slice(&truth::message(block));
            }
            Serve::Other => {
                let piece = PieceIndex(net.rng.u32(..geometry.pieces()));
                self.out.extend_from_slice(&truth::message(geometry.block(piece, 0)));
            }
        }
        self.sent += 1;
        self.asked.pop_front();
    }

    fn make_noise(&mut self, net: &mut Net, nature: &Nature, geometry: Geometry) {
        let piece = PieceIndex(net.rng.u32(..geometry.pieces()));
        let block = geometry.block(piece, net.rng.u32(..geometry.blocks(piece)));
        let message = match nature.noise {
            Noise::None | Noise::Endless => return,
            Noise::Requests => Message::Request(block),
            Noise::Cancels => Message::Cancel(block),
            Noise::KeepAlives => Message::KeepAlive,
            Noise::Haves => Message::Have(piece),
            Noise::Interests if net.rng.bool() => Message::Interested,
            Noise::Interests => Message::NotInterested,
            Noise::Chokes if net.rng.bool() => Message::Choke,
            Noise::Chokes => Message::Unchoke,
            Noise::Bitfields => {
                let mut bits = Bitfield::new(geometry.pieces());
                bits.set(piece, true);
                Message::Bitfield(Bytes::copy_from_slice(bits.as_bytes()))
            }
            Noise::Extended => {
                let id = if net.rng.bool() { EXTENDED_HANDSHAKE } else { net.rng.u8(..) };
                let payload: Vec<u8> = match net.rng.u32(..3) {
                    0 => b"d1:md11:ut_metadatai1e6:ut_pexi2ee1:pi6881e4:reqqi0ee".to_vec(),
                    1 => b"de".to_vec(),
                    _ => (0..net.rng.usize(..100)).map(|_| net.rng.u8(..)).collect(),
                };
                Message::Extended { id, payload: payload.into() }
            }
            Noise::Pex => {
                let peer = |_| {
                    let [a, b, c, d] = net.rng.u32(..).to_be_bytes();
                    let addr = SocketAddr::from(([a | 128 & !32, b, c, d], 6881));
                    PexPeer { addr, flags: net.rng.u8(..) }
                };
                let added = (0..100).map(peer).collect();
                let payload = PexMessage { added, dropped: Vec::new() }.encode();
                Message::Extended { id: net.rng.u8(1..4), payload: payload.into() }
            }
            Noise::Ports => Message::Port(net.rng.u16(..)),
            Noise::Rejects => Message::Reject(block),
            Noise::AllowedFast => Message::AllowedFast(piece),
            Noise::Garbage => {
                let bytes: Vec<u8> = (0..net.rng.usize(1..50)).map(|_| net.rng.u8(..)).collect();
                return self.out.extend_from_slice(&bytes);
            }
            Noise::FourGiB => {
                return self.out.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, net.rng.u8(..)]);
            }
        };
        self.put(&message);
    }

    /// A message that goes on for as long as it may, a few bytes at each turn.
    fn drip(&mut self, net: &mut Net, geometry: Geometry) {
        if !std::mem::replace(&mut self.endless, true) {
            let length = geometry.pieces().div_ceil(8).max(BLOCK_LEN);
            self.out.extend_from_slice(&length.to_be_bytes());
            // Of the extension protocol: these may be long.
            self.out.extend_from_slice(&[20, 5]);
        }
        self.out.extend_from_slice(&[net.rng.u8(..)]);
    }
}
