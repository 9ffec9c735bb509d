//! A connection of one of our nodes: a real session and a real decoder on a wire in virtual time.

use ccbt_peer::close::{CloseReason, Violation};
use ccbt_peer::core::{PeerKey, Session, SessionConfig, SessionEvent};
use ccbt_peer::policy::{Direction, Time};
use ccbt_peer::wire::{
    BLOCK_LEN, Bitfield, Block, Decoder, Handshake, HandshakeDecoder, Item, Limits, Message,
    MessageDecoder, PieceIndex,
};
use std::sync::Arc;

use super::Sabotage;
use super::net::{End, Net};
use super::truth;

/// As the driver has them: above this a peer is not listened to; so little room for requests is too little.
const BACKLOG: usize = 64 << 10;
const ROOM: usize = 32;
/// Bytes that are read at once, and of blocks that are read from the store at once.
const READ: usize = 64 << 10;
const RUN: u32 = 256 << 10;
/// What the session wants to send never exceeds this: the backlog, refusals of all requests of one read, our
/// own requests, and HAVEs.
const MOST_QUEUED: usize = BACKLOG + READ + 2000 * 17 + (16 << 10);
/// Requests of ours that are open at once.
const MOST_ASKED: usize = 2000;

/// What a node shows to those who come.
#[derive(Debug)]
pub(super) struct Ours {
    pub(super) have: Bitfield,
    pub(super) log: Vec<PieceIndex>,
    /// Greetings name no piece: it super-seeds.
    pub(super) hidden: bool,
}

/// A block that came whole.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) block: Block,
    pub(super) expected: bool,
    /// 0 if its bytes are the right ones.
    pub(super) digest: u64,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) key: PeerKey,
    pub(super) session: Session,
    pub(super) alarm_at: Time,
    /// Messages between connection and swarm do not overtake each other.
    pub(super) to_core_at: Time,
    pub(super) to_session_at: Time,
    handshake: Option<HandshakeDecoder>,
    decoder: Decoder,
    landing: Option<(Block, bool, Vec<u8>)>,
    /// A PIECE message that is being sent, and how much of it is.
    sending: (Vec<u8>, usize),
    /// Blocks of a run that was read.
    run: std::collections::VecDeque<Block>,
    announced: usize,
    /// What we said, as the peer decodes it.
    said: MessageDecoder,
    unsaid: usize,
}

/// What is heard in one read.
#[derive(Debug)]
pub(super) enum News {
    Event(SessionEvent),
    Came(Came),
}

impl Connection {
    pub(super) fn new(
        key: PeerKey,
        config: Arc<SessionConfig>,
        pieces: u32,
        direction: Direction,
        handshake: HandshakeDecoder,
        now: Time,
    ) -> Self {
        let limits = Limits::for_pieces(pieces);
        let mut session = Session::new(config, direction, now);
        session.send_handshake();
        Self {
            key,
            session,
            alarm_at: Time::MAX,
            to_core_at: now,
            to_session_at: now,
            handshake: Some(handshake),
            decoder: Decoder::new(limits),
            landing: None,
            sending: (Vec::new(), 0),
            run: std::collections::VecDeque::new(),
            announced: 0,
            said: MessageDecoder::new(limits),
            unsaid: Handshake::LEN,
        }
    }

    /// Says what is new, and sends what the wire takes.
    pub(super) fn speak(
        &mut self,
        net: &mut Net,
        end: End,
        ours: &Ours,
        sabotage: Option<Sabotage>,
    ) -> Vec<SessionEvent> {
        let mut uploaded = Vec::new();
        if self.handshake.is_none() && self.session.queued().len() < BACKLOG {
            self.session.announce(&ours.log[self.announced..]);
            self.announced = ours.log.len();
        }
        if sabotage == Some(Sabotage::Hoarding) {
            self.session.outgoing().extend_from_slice(&[0; BACKLOG]);
            self.check_bounds();
            return uploaded;
        }
        self.check_bounds();
        loop {
            let (block, sent) = &mut self.sending;
            let between = *sent == 0 || *sent == block.len();
            let out = self.session.outgoing();
            let (bytes, count) = if between && !out.is_empty() {
                let count = net.send(end, out);
                let bytes = out.split_to(count);
                (Some(bytes), count)
            } else if *sent < block.len() {
                let count = net.send(end, &block[*sent..]);
                *sent += count;
                if *sent == block.len() {
                    uploaded.push(SessionEvent::Uploaded(block.len() as u64 - 13));
                }
                (None, count)
            } else if let Some(block) = self.run.pop_front() {
                assert!(ours.have.get(block.piece), "{block:?} is served and not stored");
                let lies = sabotage == Some(Sabotage::Lying);
                let message = if lies { truth::lie(block, 1) } else { truth::message(block) };
                self.sending = (message, 0);
                continue;
            } else if let Some(run) = self.session.next_upload(RUN) {
                assert!(run.len() <= RUN, "{} bytes are read at once", run.len());
                self.run = run.blocks.into();
                continue;
            } else {
                return uploaded;
            };
            if let Some(bytes) = bytes {
                self.check_said(&bytes, ours);
            }
            if count == 0 {
                self.session.on_blocked(net.now);
                return uploaded;
            }
            let waiting =
                !self.session.queued().is_empty() || self.sending.1 < self.sending.0.len();
            self.session.on_sent(net.now, waiting);
        }
    }

    /// Whether we read what the peer sends.
    pub(super) fn listens(&mut self, now: Time) -> bool {
        let owes = self.landing.is_some() || self.session.expected().next().is_some();
        let deaf = self.session.upload_room() < ROOM && !owes;
        let listens = self.session.queued().len() < BACKLOG && !deaf;
        if listens == self.session.is_held() {
            self.session.on_held(now, !listens);
        }
        listens
    }

    /// How much is read at once.
    pub(super) fn most(&self) -> usize {
        if self.landing.is_some() || self.session.expected().next().is_some() {
            return READ;
        }
        (self.session.upload_room() * 17).saturating_sub(16).clamp(1, READ)
    }

    /// Takes bytes in.
    pub(super) fn hear(
        &mut self,
        now: Time,
        bytes: &[u8],
        ours: &Ours,
        news: &mut Vec<News>,
    ) -> Result<(), CloseReason> {
        let mut input = bytes;
        if let Some(handshake) = &mut self.handshake {
            let theirs = handshake.feed(&mut input);
            let theirs = theirs.map_err(|error| Violation::Handshake(error.to_string()))?;
            let Some(theirs) = theirs else {
                self.session.on_bytes(now, bytes.len(), false);
                return Ok(());
            };
            self.handshake = None;
            self.announced = ours.log.len();
            let nothing = Bitfield::new(ours.have.len());
            let shown = if ours.hidden { &nothing } else { &ours.have };
            news.push(News::Event(self.session.on_handshake(now, &theirs, shown)?));
        }
        let mut events = Vec::new();
        let result = self.feed(now, input, ours, &mut events, news);
        news.extend(events.into_iter().map(News::Event));
        result?;
        self.session.on_bytes(now, bytes.len(), !self.decoder.at_boundary());
        Ok(())
    }

    fn feed(
        &mut self,
        now: Time,
        mut input: &[u8],
        ours: &Ours,
        events: &mut Vec<SessionEvent>,
        news: &mut Vec<News>,
    ) -> Result<(), CloseReason> {
        loop {
            if let Some((block, expected, data)) = &mut self.landing {
                let missing = block.length as usize - data.len();
                let (bytes, rest) = input.split_at(missing.min(input.len()));
                data.extend_from_slice(bytes);
                input = rest;
                self.decoder.payload_taken(u32::try_from(bytes.len()).unwrap());
                if data.len() < block.length as usize {
                    return Ok(());
                }
                let came = Came {
                    block: *block,
                    expected: *expected,
                    digest: truth::digest(*block, data),
                };
                self.landing = None;
                self.session.on_piece_end();
                news.extend(events.drain(..).map(News::Event));
                news.push(News::Came(came));
                continue;
            }
            match self.decoder.next(&mut input).map_err(Violation::Decode)? {
                None => return Ok(()),
                Some(Item::Message(message)) => {
                    let has = |piece| ours.have.get(piece);
                    self.session.on_message(now, message, &has, events)?;
                }
                Some(Item::PieceHeader(block)) => {
                    let expected = self.session.on_piece_header(now, block)?;
                    assert!(block.length <= BLOCK_LEN, "{block:?} was never asked for");
                    self.landing = Some((block, expected, Vec::new()));
                }
            }
        }
    }

    /// Memory is bounded, whatever the peer does.
    fn check_bounds(&self) {
        let queued = self.session.queued().len();
        assert!(queued <= MOST_QUEUED, "{queued} bytes of messages wait to be sent");
        let asked = self.session.expected().count();
        assert!(asked <= MOST_ASKED, "{asked} requests are open");
    }

    /// Nothing is said to be here that is not stored.
    fn check_said(&mut self, bytes: &[u8], ours: &Ours) {
        let handshake = self.unsaid.min(bytes.len());
        self.unsaid -= handshake;
        self.said.push(&bytes[handshake..]);
        while let Some(message) = self.said.next().unwrap() {
            match message {
                Message::Have(piece) => assert!(ours.have.get(piece), "{piece:?} is not stored"),
                Message::HaveAll => assert!(ours.have.all(), "not everything is stored"),
                Message::Bitfield(bits) => {
                    let bits = Bitfield::from_wire(&bits, ours.have.len()).unwrap();
                    assert!(!bits.any_and_not(&ours.have), "a bitfield of what is not stored");
                }
                _ => {}
            }
        }
    }
}
