use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use ccbt_peer::Geometry;
use ccbt_peer::close::CloseReason;
use ccbt_peer::core::{
    Announced, Known, Metadata, Session, SessionConfig, SessionEvent, Tell, UPLOAD_QUEUE,
};
use ccbt_peer::policy::{Direction, Time};
use ccbt_peer::wire::{
    BLOCK_LEN, Bitfield, Block, Decoder, Handshake, InfoHash, Item, Limits, Message,
    MessageDecoder, PeerId, PieceIndex, Reserved,
};

use super::feed::Feed;

const PIECES: u32 = 20;
/// What one message of a peer may make us queue: two blocks of metadata, and some words.
const MOST_QUEUED: usize = 3 * BLOCK_LEN as usize;
/// What may wait to be sent before the driver stops reading.
const OUT: usize = 64 * 1024;

/// A connection that hears anything at any time, as the driver would have it.
///
/// What it sends can be read; what it expects was asked for; what it would serve was asked of it, and is there;
/// what it tells of pieces is about pieces that there are; no message makes it queue much.
pub fn session(input: &[u8]) {
    let mut feed = Feed::new(input);
    let mut peer = Peer::new(&mut feed);
    if let Some(what) = feed.next() {
        peer.open(what);
    }
    while let Some(what) = feed.next() {
        if let Err(reason) = peer.step(what, &mut feed) {
            return super::assert_shows_well(&reason.to_string());
        }
        peer.check();
    }
}

struct Peer {
    session: Session,
    config: Arc<SessionConfig>,
    now: Time,
    decoder: Decoder,
    /// The block whose payload comes.
    block: Option<Block>,
    sent: MessageDecoder,
    /// All that we ever asked for, and all that was ever asked of us.
    asked: BTreeSet<(u32, u32, u32)>,
    wanted: BTreeSet<(u32, u32, u32)>,
}

impl Peer {
    fn new(feed: &mut Feed<'_>) -> Self {
        let setup = feed.byte();
        let metadata = if setup & 1 == 0 { known(setup).into() } else { Metadata::unknown() };
        let config = Arc::new(SessionConfig {
            info_hash: InfoHash([1; 20]),
            peer_id: PeerId(*b"-CC0100-000000000000"),
            metadata,
            listen_port: (setup & 2 != 0).then_some(6881),
            pex: setup & 4 != 0,
            dht_port: (setup & 8 != 0).then_some(6882),
        });
        let direction = if setup & 16 == 0 { Direction::Outgoing } else { Direction::Incoming };
        let mut session = Session::new(Arc::clone(&config), direction, Time::ZERO);
        session.send_handshake();
        session.outgoing().advance(Handshake::LEN);
        let limits = limits(&config);
        Self {
            session,
            now: Time::ZERO,
            decoder: Decoder::new(limits),
            block: None,
            // What we send is bounded by what we know.
            sent: MessageDecoder::new(Limits::before_metainfo()),
            asked: BTreeSet::new(),
            wanted: BTreeSet::new(),
            config,
        }
    }

    fn open(&mut self, what: u8) {
        let mut reserved = Reserved::NONE;
        for (bit, with) in [
            (1, Reserved::with_fast as fn(Reserved) -> Reserved),
            (2, Reserved::with_extended),
            (4, Reserved::with_dht),
        ] {
            reserved = if what & bit != 0 { with(reserved) } else { reserved };
        }
        let peer_id = PeerId(if what & 8 == 0 { [7; 20] } else { *b"-rQ0800-aaaaaaaaaaaa" });
        let theirs = Handshake { reserved, info_hash: self.config.info_hash, peer_id };
        let pieces = self.pieces();
        let mut ours = if what & 16 == 0 { Bitfield::new(pieces) } else { Bitfield::full(pieces) };
        if what & 32 != 0 && pieces > 0 {
            ours.set(PieceIndex(0), what & 16 == 0);
        }
        let opened = self.session.on_handshake(self.now, &theirs, &ours);
        assert!(matches!(opened, Ok(SessionEvent::Opened { .. })));
    }

    fn step(&mut self, what: u8, feed: &mut Feed<'_>) -> Result<(), CloseReason> {
        match what % 16 {
            0 | 1 => {
                let count = usize::from(feed.byte());
                self.hear(feed.bytes(count))
            }
            2..=7 => {
                let mut wire = Vec::new();
                message(feed).encode(&mut wire);
                // In two parts, as networks do.
                let (head, tail) = wire.split_at(wire.len().min(usize::from(what)));
                self.hear(head)?;
                self.hear(tail)
            }
            8 | 9 => {
                self.tell(feed);
                Ok(())
            }
            10 => self.pass(Duration::from_millis(u64::from(feed.byte()) * 300)),
            11 => {
                self.serve(feed.word() % (256 * 1024));
                Ok(())
            }
            12 => {
                self.session.on_held(self.now, feed.flag());
                Ok(())
            }
            13 => self.learn(feed.byte()),
            14 => {
                self.session.on_blocked(self.now);
                Ok(())
            }
            _ => {
                let all = self.session.queued().len();
                let count = all.min(usize::from(feed.byte()) * 64);
                self.take(count);
                self.session.on_sent(self.now, count < all);
                Ok(())
            }
        }
    }

    /// Bytes come, and are cut as the driver cuts them.
    fn hear(&mut self, mut input: &[u8]) -> Result<(), CloseReason> {
        let count = input.len();
        loop {
            if self.block.is_some() {
                let (taken, rest) =
                    input.split_at(input.len().min(self.decoder.payload_remaining() as usize));
                self.decoder.payload_taken(u32::try_from(taken.len()).expect("short"));
                input = rest;
                if self.decoder.payload_remaining() > 0 {
                    break;
                }
                self.block = None;
                self.session.on_piece_end();
            }
            let item = self.decoder.next(&mut input).map_err(|error| {
                super::assert_shows_well(&error.to_string());
                CloseReason::PeerLeft
            })?;
            match item {
                Some(Item::PieceHeader(block)) => {
                    let waits = self.session.expected().any(|expected| expected == block);
                    assert!(!waits || self.asked.contains(&name(block)));
                    let expected = self.session.on_piece_header(self.now, block)?;
                    assert_eq!(expected, waits);
                    self.block = Some(block);
                }
                Some(Item::Message(message)) => self.on_message(message)?,
                None => break,
            }
        }
        self.session.on_bytes(self.now, count, !self.decoder.at_boundary());
        Ok(())
    }

    fn on_message(&mut self, message: Message) -> Result<(), CloseReason> {
        if let Message::Request(block) = message {
            self.wanted.insert(name(block));
        }
        let before = self.session.queued().len();
        let mut events = Vec::new();
        self.session.on_message(self.now, message, &has, &mut events)?;
        assert!(self.session.queued().len() <= before + MOST_QUEUED);
        assert!(events.len() <= 2);
        self.look_at(&events);
        // The driver does not read on above this.
        if self.session.queued().len() > OUT {
            self.take(usize::MAX);
        }
        Ok(())
    }

    fn look_at(&self, events: &[SessionEvent]) {
        let pieces = self.pieces();
        for event in events {
            match event {
                SessionEvent::Have(piece) | SessionEvent::AllowedFast(piece) => {
                    assert!(piece.0 < pieces);
                }
                SessionEvent::Has(Announced::Some(bits)) => assert_eq!(bits.len(), pieces),
                SessionEvent::Rejected(block) => assert!(self.asked.contains(&name(*block))),
                _ => {}
            }
        }
    }

    fn tell(&mut self, feed: &mut Feed<'_>) {
        let pieces = self.pieces();
        let geometry = self.config.metadata.known().map(|known| known.geometry);
        let piece = PieceIndex(feed.below(pieces));
        let block = |n: u32| Some(geometry?.block(piece, n % geometry?.blocks(piece)));
        let blocks: Vec<Block> = (0..feed.below(6)).filter_map(block).collect();
        let tell = match feed.byte() % 10 {
            0 => Tell::Interested(feed.flag()),
            1 | 2 => Tell::Choke(feed.flag()),
            3..=5 => Tell::Request(blocks),
            6 => Tell::Cancel(blocks),
            7 => Tell::AllowFast(if pieces > 0 { vec![piece] } else { Vec::new() }),
            8 => Tell::AskMetadata(vec![feed.below(80), feed.below(3)]),
            _ => Tell::UploadOnly(feed.flag()),
        };
        self.session.tell(tell);
        if pieces > 0 && feed.flag() {
            self.session.announce(&[piece]);
        }
    }

    fn serve(&mut self, limit: u32) {
        let Some(run) = self.session.next_upload(limit) else {
            assert!(!self.session.has_uploads());
            return;
        };
        assert!(run.len() <= limit || run.blocks.len() == 1);
        let mut begin = run.begin;
        for block in &run.blocks {
            assert!(self.wanted.contains(&name(*block)), "{block:?} was not asked for");
            assert!(has(block.piece) && block.piece == run.piece && block.begin == begin);
            let known = self.config.metadata.known().expect("it can be measured");
            assert!(known.geometry.contains(*block));
            begin += block.length;
        }
        self.session.reject(run.blocks[0]);
    }

    fn learn(&mut self, what: u8) -> Result<(), CloseReason> {
        if self.pieces() > 0 {
            return Ok(());
        }
        self.config.metadata.learn(known(what));
        self.decoder.set_limits(limits(&self.config));
        let mut events = Vec::new();
        self.session.learn_metadata(&mut events)?;
        self.look_at(&events);
        Ok(())
    }

    fn pass(&mut self, by: Duration) -> Result<(), CloseReason> {
        self.now = self.now + by;
        for _ in 0..1000 {
            if self.session.deadline() > self.now {
                return Ok(());
            }
            self.session.on_deadline(self.now)?;
        }
        panic!("a deadline is never over");
    }

    /// Takes what is to be sent, and reads it as a peer does.
    fn take(&mut self, count: usize) {
        let count = count.min(self.session.queued().len());
        self.sent.push(&self.session.outgoing().split_to(count));
        while let Some(message) = self.sent.next().expect("what we send is a message") {
            if let Message::Request(block) = message {
                self.asked.insert(name(block));
            }
        }
    }

    fn check(&mut self) {
        self.take(usize::MAX);
        assert!(self.session.upload_room() <= UPLOAD_QUEUE);
        for block in self.session.expected() {
            assert!(self.asked.contains(&name(block)), "{block:?} was never asked for");
        }
    }

    fn pieces(&self) -> u32 {
        self.config.metadata.known().map_or(0, |known| known.geometry.pieces())
    }
}

/// The pieces that we have, as far as a peer can see.
fn has(piece: PieceIndex) -> bool {
    piece.0 < PIECES / 2
}

fn name(block: Block) -> (u32, u32, u32) {
    (block.piece.0, block.begin, block.length)
}

fn known(setup: u8) -> Known {
    let info = Bytes::from(vec![b'i'; if setup & 32 == 0 { 0 } else { 40_000 }]);
    let geometry = Geometry::new(u64::from(PIECES) * 40_000 - 7, 40_000);
    Known { geometry, info, private: setup & 64 != 0 }
}

fn limits(config: &SessionConfig) -> Limits {
    let pieces = config.metadata.known().map(|known| known.geometry.pieces());
    pieces.map_or(Limits::before_metainfo(), Limits::for_pieces)
}

/// A message that is one, so that the fuzzer need not find out how they look.
fn message(feed: &mut Feed<'_>) -> Message {
    let kind = feed.byte();
    let piece = match feed.byte() {
        255 => PieceIndex(feed.word()),
        byte => PieceIndex(u32::from(byte) % (PIECES + 1)),
    };
    let begin = match feed.byte() {
        255 => feed.word(),
        byte => u32::from(byte) % 4 * BLOCK_LEN,
    };
    let length = match feed.byte() {
        255 => feed.word(),
        byte if byte & 1 == 0 => BLOCK_LEN,
        // What is left of a piece.
        _ => 40_000 - 2 * BLOCK_LEN,
    };
    let block = Block { piece, begin, length };
    let payload = |feed: &mut Feed<'_>| {
        let count = usize::from(feed.byte());
        Bytes::copy_from_slice(feed.bytes(count))
    };
    match kind % 20 {
        0 => Message::KeepAlive,
        1 => Message::Choke,
        2 => Message::Unchoke,
        3 => Message::Interested,
        4 => Message::NotInterested,
        5 => Message::Have(piece),
        6 => Message::Bitfield(payload(feed)),
        7 => Message::Request(block),
        8 => Message::Piece {
            piece,
            begin,
            data: Bytes::from(vec![0; (length % 140_000).max(1) as usize]),
        },
        9 => Message::Cancel(block),
        10 => Message::Port(u16::from(feed.byte())),
        11 => Message::Suggest(piece),
        12 => Message::HaveAll,
        13 => Message::HaveNone,
        14 => Message::Reject(block),
        15 => Message::AllowedFast(piece),
        16 => Message::Extended { id: 0, payload: payload(feed) },
        17 => {
            let request = format!("d8:msg_typei{}e5:piecei{}ee", begin % 4, piece.0);
            Message::Extended { id: 1, payload: request.into() }
        }
        18 => Message::Extended { id: feed.byte() % 4, payload: payload(feed) },
        _ => Message::Unknown { id: 21 + feed.byte() % 200, payload: payload(feed) },
    }
}
