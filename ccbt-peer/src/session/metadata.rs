//! Metadata on one connection (BEP 9): what a peer said of pieces before we could measure it, blocks of the
//! `info` dictionary that we asked for, and blocks that the peer wants of us.

mod given;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use ccbt_policy::Time;
use ccbt_wire::metainfo::MAX_PIECES;
use ccbt_wire::{
    BLOCK_LEN, Bitfield, Message, MetadataMessage, PieceIndex, metadata_block_len, metadata_blocks,
};

use super::flood::Kind;
use super::inbound::Taken;
use super::{Announced, Session, SessionEvent};
use crate::close::Violation;
use crate::{CloseReason, Geometry};
use given::Given;

/// Blocks that we wait for at once on a connection, at most.
const ASKED: usize = 64;
/// Blocks of ours that a peer may wait for at once; more are refused.
const WANTED: usize = 64;
/// Blocks go out while less than this waits to be sent.
const OUT: usize = 2 * BLOCK_LEN as usize;
/// A peer gets the dictionary so often on one connection, and ...
const COPIES: u32 = 3;
/// ... so many blocks besides.
const BLOCKS: u32 = 16;

/// What is known of a torrent once its metadata is.
#[derive(Clone, Debug)]
pub struct Known {
    /// The torrent's sizes.
    pub geometry: Geometry,
    /// The `info` dictionary, for peers that want it; empty if we do not give it.
    pub info: Bytes,
    /// The torrent asks for its trackers alone (BEP 27): peers are not exchanged.
    pub private: bool,
}

/// The metadata of a torrent: known from the beginning, or from some time on. All connections share it.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    known: OnceLock<Known>,
    given: Arc<Given>,
}

impl Metadata {
    /// That of a magnet link: nobody knows it yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// It becomes known. Connections that stand learn it by [`Tell::Metadata`](super::Tell::Metadata).
    pub fn learn(&self, known: Known) {
        // Who came first was right: it is told by its hash.
        let _ = self.known.set(known);
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        self.known.get()
    }
}

impl From<Geometry> for Metadata {
    /// Known, but not given to peers.
    fn from(geometry: Geometry) -> Self {
        Known { geometry, info: Bytes::new(), private: false }.into()
    }
}

impl From<Known> for Metadata {
    fn from(known: Known) -> Self {
        Self { known: OnceLock::from(known), given: Arc::default() }
    }
}

/// What a connection has to do with metadata.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// What the peer said of pieces; there until we know the metadata.
    pending: Option<Pending>,
    /// Blocks that we asked for.
    asked: Vec<u32>,
    /// Blocks that the peer asked for.
    wanted: VecDeque<u32>,
    /// How many it got.
    given: u32,
}

/// What a peer said of pieces before we knew how many there are. Bounded by the largest torrent that there
/// can be, 250 KB a bitfield.
#[derive(Debug, Default)]
struct Pending {
    /// The last message about all pieces, as it came.
    all: Option<All>,
    /// Pieces from HAVE, in wire layout.
    haves: Vec<u8>,
    /// Pieces that it allows us (BEP 6).
    allowed: Vec<PieceIndex>,
}

/// What became of a message that may be about pieces.
pub(super) enum Kept {
    Taken(Taken),
    /// It is to be taken as ever.
    Not(Message),
}

#[derive(Debug)]
enum All {
    Has,
    Lacks,
    Bits(Bytes),
}

impl Exchange {
    /// For a connection of a torrent whose metadata is not known.
    pub(super) fn pending() -> Box<Self> {
        Box::new(Self { pending: Some(Pending::default()), ..Self::default() })
    }

    fn is_idle(&self) -> bool {
        self.pending.is_none() && self.asked.is_empty() && self.given == 0
    }
}

impl Pending {
    /// Whether there is such a piece in any torrent.
    fn possible(message: &'static str, piece: PieceIndex) -> Result<(), Violation> {
        if piece.0 < MAX_PIECES {
            return Ok(());
        }
        Err(Violation::PieceOutOfRange { message, piece: piece.0, pieces: MAX_PIECES })
    }

    fn have(&mut self, piece: PieceIndex) -> Result<(), Violation> {
        Self::possible("HAVE", piece)?;
        let byte = piece.as_usize() / 8;
        if byte >= self.haves.len() {
            self.haves.resize(byte + 1, 0);
        }
        self.haves[byte] |= 0x80 >> (piece.0 % 8);
        Ok(())
    }

    fn bits(&mut self, bytes: Bytes) -> Result<(), Violation> {
        let most = MAX_PIECES.div_ceil(8) as usize;
        if bytes.len() > most {
            let text = format!("{} bytes, the largest torrent's has {most}", bytes.len());
            return Err(Violation::Bitfield(text));
        }
        // Not the 64 KiB of which it may be a slice.
        self.all = Some(All::Bits(Bytes::copy_from_slice(&bytes)));
        self.haves = Vec::new();
        Ok(())
    }

    /// What the peer has, now that it can be measured. `None` if nothing is new in that.
    fn measured(self, pieces: u32) -> Result<Option<Announced>, Violation> {
        let mut bits = match &self.all {
            Some(All::Has) => return Ok(Some(Announced::All)),
            Some(All::Bits(bytes)) => Bitfield::from_wire(bytes, pieces)
                .map_err(|error| Violation::Bitfield(error.to_string()))?,
            Some(All::Lacks) | None => Bitfield::new(pieces),
        };
        for (byte, eight) in (0u32..).zip(&self.haves) {
            for bit in (0..8).filter(|bit| eight & (0x80 >> bit) != 0) {
                let piece = PieceIndex(byte * 8 + bit);
                if piece.0 >= pieces {
                    let message = "HAVE";
                    return Err(Violation::PieceOutOfRange { message, piece: piece.0, pieces });
                }
                bits.set(piece, true);
            }
        }
        let said = matches!(self.all, Some(All::Bits(_))) || !bits.none();
        Ok(said.then(|| Announced::of(bits)))
    }
}

impl Session {
    /// The torrent's sizes, if they are known to this connection.
    pub(super) fn geometry(&self) -> Option<Geometry> {
        if self.pending().is_some() {
            return None;
        }
        self.config.metadata.known().map(|known| known.geometry)
    }

    fn pending(&self) -> Option<&Pending> {
        self.metadata.as_ref().and_then(|metadata| metadata.pending.as_ref())
    }

    fn pending_mut(&mut self) -> Option<&mut Pending> {
        self.metadata.as_mut().and_then(|metadata| metadata.pending.as_mut())
    }

    /// The metadata is known now: what the peer said of pieces before is measured by it, and told. To be
    /// called for [`Tell::Metadata`](super::Tell::Metadata); it does nothing the second time.
    ///
    /// # Errors
    /// If the peer named pieces that the torrent does not have.
    pub fn learn_metadata(&mut self, events: &mut Vec<SessionEvent>) -> Result<(), CloseReason> {
        let Some(known) = self.config.metadata.known() else { return Ok(()) };
        let pieces = known.geometry.pieces();
        let Some(exchange) = self.metadata.as_mut() else { return Ok(()) };
        let Some(mut pending) = exchange.pending.take() else { return Ok(()) };
        // What is still asked for came from somebody else; late answers are looked at all the same.
        if exchange.is_idle() {
            self.metadata = None;
        }
        let allowed = std::mem::take(&mut pending.allowed);
        events.extend(pending.measured(pieces)?.map(SessionEvent::Has));
        for piece in allowed {
            self.in_range("ALLOWED_FAST", piece)?;
            if self.allowed.take(piece) {
                events.push(SessionEvent::AllowedFast(piece));
            }
        }
        if self.phase == super::Phase::Open {
            // Who has none may ask us from now on.
            self.say_hello(None);
        }
        Ok(())
    }

    /// Takes what is said of pieces before they can be counted; gives the message back if they can.
    pub(super) fn keep_for_later(&mut self, message: Message) -> Result<Kept, Violation> {
        let fast = self.fast;
        let Some(pending) = self.pending_mut() else { return Ok(Kept::Not(message)) };
        let kept = match message {
            Message::Have(piece) => {
                pending.have(piece)?;
                (None, Some(Kind::Have))
            }
            Message::Bitfield(bytes) => {
                pending.bits(bytes)?;
                (None, self.says_all_again())
            }
            Message::HaveAll if fast => {
                (pending.all, pending.haves) = (Some(All::Has), Vec::new());
                (Some(SessionEvent::Has(Announced::All)), self.says_all_again())
            }
            Message::HaveNone if fast => {
                (pending.all, pending.haves) = (Some(All::Lacks), Vec::new());
                (Some(SessionEvent::Has(Announced::None)), self.says_all_again())
            }
            Message::AllowedFast(piece) if fast => {
                Pending::possible("ALLOWED_FAST", piece)?;
                if pending.allowed.len() < super::fast::MOST {
                    pending.allowed.push(piece);
                }
                (None, Some(Kind::Odd))
            }
            Message::Suggest(piece) if fast => {
                Pending::possible("SUGGEST", piece)?;
                (None, Some(Kind::Odd))
            }
            other => return Ok(Kept::Not(other)),
        };
        Ok(Kept::Taken(kept))
    }

    /// Asks the peer for blocks of the metadata.
    pub(super) fn ask_metadata(&mut self, blocks: Vec<u32>) {
        let Some(id) = self.theirs.metadata() else { return };
        for piece in blocks {
            let exchange = self.metadata.get_or_insert_default();
            if exchange.asked.len() < ASKED {
                exchange.asked.push(piece);
                self.send_metadata(id, &MetadataMessage::Request { piece });
            }
        }
    }

    /// A message of `ut_metadata` came.
    pub(super) fn on_metadata(&mut self, payload: &Bytes) -> Result<Taken, Violation> {
        let message = MetadataMessage::parse(payload)
            .map_err(|error| Violation::Metadata(error.to_string()))?;
        Ok(match message {
            Some(MetadataMessage::Request { piece }) => {
                let kept = self.on_metadata_request(piece);
                (None, (!kept).then_some(Kind::Vain))
            }
            Some(message @ (MetadataMessage::Data { .. } | MetadataMessage::Reject { .. })) => {
                let expected = self.takes_metadata(&message);
                let event = expected.then(|| SessionEvent::Metadata(Box::new(message)));
                (event, (!expected).then_some(Kind::Odd))
            }
            _ => (None, Some(Kind::Odd)),
        })
    }

    /// Whether we asked for what this answers.
    fn takes_metadata(&mut self, message: &MetadataMessage) -> bool {
        let (MetadataMessage::Data { piece, .. } | MetadataMessage::Reject { piece }) = message
        else {
            return false;
        };
        let Some(exchange) = self.metadata.as_mut() else { return false };
        let Some(at) = exchange.asked.iter().position(|asked| asked == piece) else { return false };
        exchange.asked.remove(at);
        if exchange.is_idle() {
            self.metadata = None;
        }
        true
    }

    /// True if the peer gets the block.
    fn on_metadata_request(&mut self, piece: u32) -> bool {
        let known = self.config.metadata.known();
        // No dictionary is longer than 10 MiB.
        let size = known.map_or(0, |known| u32::try_from(known.info.len()).unwrap_or(0));
        let most = COPIES * metadata_blocks(size) + BLOCKS;
        let exchange = self.metadata.get_or_insert_default();
        let room = exchange.wanted.len() < WANTED && exchange.given < most;
        let kept = metadata_block_len(size, piece) > 0 && room;
        if kept {
            exchange.given += 1;
            exchange.wanted.push_back(piece);
        } else {
            if exchange.is_idle() {
                self.metadata = None;
            }
            if let Some(id) = self.theirs.metadata() {
                self.send_metadata(id, &MetadataMessage::Reject { piece });
            }
        }
        kept
    }

    /// Whether the peer waits for blocks of the metadata, and little else waits to be sent.
    #[must_use]
    pub fn wants_metadata(&self) -> bool {
        let waits = self.metadata.as_ref().is_some_and(|exchange| !exchange.wanted.is_empty());
        waits && self.out.len() < OUT
    }

    /// Queues the next block of the metadata that the peer waits for, if it [wants](Self::wants_metadata) one;
    /// gives its length in bytes. A `host` that got more than its share of the metadata within an hour, whatever
    /// number of connections it made for it, is refused the block: 0 bytes.
    pub fn give_metadata(&mut self, now: Time, host: Option<IpAddr>) -> usize {
        if !self.wants_metadata() {
            return 0;
        }
        let piece = self.metadata.as_mut().and_then(|exchange| exchange.wanted.pop_front());
        let metadata = &self.config.metadata;
        let (Some(piece), Some(id), Some(known)) =
            (piece, self.theirs.metadata(), metadata.known())
        else {
            return 0;
        };
        let total_size = u32::try_from(known.info.len()).unwrap_or(u32::MAX);
        let blocks = metadata_blocks(total_size);
        if host.is_some_and(|host| !metadata.given.take(now, host, blocks)) {
            self.send_metadata(id, &MetadataMessage::Reject { piece });
            return 0;
        }
        let begin = piece as usize * BLOCK_LEN as usize;
        let end = known.info.len().min(begin + BLOCK_LEN as usize);
        let data = known.info.slice(begin.min(end)..end);
        let length = data.len();
        self.send_metadata(id, &MetadataMessage::Data { piece, total_size, data });
        length
    }

    fn send_metadata(&mut self, id: u8, message: &MetadataMessage) {
        let payload = message.encode().into();
        self.send(&Message::Extended { id, payload });
    }
}
