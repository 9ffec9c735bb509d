//! What the peer says: which message is allowed when, and what it means.

use bytes::Bytes;
use ccbt_policy::Time;
use ccbt_wire::metainfo::MAX_PIECES;
use ccbt_wire::{Bitfield, Block, ExtensionHandshake, Message, PexMessage, PieceIndex};

use super::extensions::{Exchange, METADATA, PEX};
use super::flood::Kind;
use super::metadata::Kept;
use super::requests::Arrival;
use super::{Announced, Session, SessionEvent};
use crate::CloseReason;
use crate::close::Violation;

/// What a message tells, and what it counts as.
pub(super) type Taken = (Option<SessionEvent>, Option<Kind>);

impl Session {
    /// Takes one message. What the swarm has to know of it is pushed to `events`; `has` tells which
    /// pieces we could serve.
    ///
    /// Not every oddity is a crime. BITFIELD and its kin may come late, since clients send their extension
    /// handshake first, and again, which replaces what was said before; a REQUEST that cannot be served is
    /// refused; a REJECT of nothing is ignored. All of these count, and too many of them are told as
    /// [`SessionEvent::Flooding`].
    ///
    /// # Errors
    /// If the message breaks the protocol; the connection has to be closed then.
    pub fn on_message(
        &mut self,
        now: Time,
        message: Message,
        has: &dyn Fn(PieceIndex) -> bool,
        events: &mut Vec<SessionEvent>,
    ) -> Result<(), CloseReason> {
        self.received_at = now;
        self.frame = None;
        let (event, kind) = self.take(message, has)?;
        events.extend(event);
        let pieces = self.geometry().map_or(MAX_PIECES, |geometry| geometry.pieces());
        if kind.is_some_and(|kind| self.floods.count(now, kind, pieces)) {
            events.push(SessionEvent::Flooding);
        }
        Ok(())
    }

    /// What the message tells, and what it counts as.
    fn take(
        &mut self,
        message: Message,
        has: &dyn Fn(PieceIndex) -> bool,
    ) -> Result<Taken, Violation> {
        let fact = |event, kind| Ok((Some(event), Some(kind)));
        let message = match self.keep_for_later(message)? {
            Kept::Taken(taken) => return Ok(taken),
            Kept::Not(message) => message,
        };
        match message {
            Message::Choke => {
                self.peer_choking = true;
                let allowed = &self.allowed;
                self.requests.void(|block| !allowed.may_ask(block.piece));
                fact(SessionEvent::Choked, Kind::Flip)
            }
            Message::Unchoke => {
                self.peer_choking = false;
                fact(SessionEvent::Unchoked, Kind::Flip)
            }
            Message::Interested => fact(SessionEvent::Interested(true), Kind::Flip),
            Message::NotInterested => fact(SessionEvent::Interested(false), Kind::Flip),
            Message::Have(piece) => {
                fact(SessionEvent::Have(self.in_range("HAVE", piece)?), Kind::Have)
            }
            Message::Bitfield(bytes) => {
                let bits = Bitfield::from_wire(&bytes, self.pieces())
                    .map_err(|error| Violation::Bitfield(error.to_string()))?;
                Ok(self.announced(Announced::of(bits)))
            }
            Message::HaveAll => {
                self.fast("HAVE_ALL")?;
                Ok(self.announced(Announced::All))
            }
            Message::HaveNone => {
                self.fast("HAVE_NONE")?;
                Ok(self.announced(Announced::None))
            }
            Message::Request(block) => {
                let kept = self.on_request(block, has);
                Ok((Some(SessionEvent::Requested), (!kept).then_some(Kind::Vain)))
            }
            Message::Cancel(block) => {
                let waited = self.uploads.cancel(block);
                if waited {
                    self.reject(block);
                }
                Ok((None, (!waited).then_some(Kind::Vain)))
            }
            Message::Reject(block) => {
                self.fast("REJECT")?;
                Ok(match self.requests.rejected(block) {
                    Arrival::Expected => (Some(SessionEvent::Rejected(block)), None),
                    Arrival::Late => (None, None),
                    Arrival::Never => (None, Some(Kind::Vain)),
                })
            }
            Message::Suggest(piece) => {
                self.fast("SUGGEST")?;
                self.in_range("SUGGEST", piece)?;
                Ok((None, Some(Kind::Odd)))
            }
            Message::AllowedFast(piece) => {
                self.fast("ALLOWED_FAST")?;
                let news = self.allowed.take(self.in_range("ALLOWED_FAST", piece)?);
                let event = news.then_some(SessionEvent::AllowedFast(piece));
                Ok((event, (!news).then_some(Kind::Odd)))
            }
            Message::Extended { id: ccbt_wire::EXTENDED_HANDSHAKE, payload } => {
                let hello = hello(&payload)?;
                self.theirs.apply(&hello);
                fact(SessionEvent::Extended(hello), Kind::Odd)
            }
            Message::Extended { id: METADATA, payload } => self.on_metadata(&payload),
            Message::Extended { id: PEX, payload } if self.exchange() == Exchange::On => {
                let message = PexMessage::parse(&payload)
                    .map_err(|error| Violation::Pex(error.to_string()))?;
                fact(SessionEvent::Pex(Box::new(message)), Kind::Odd)
            }
            Message::Port(port) if port != 0 && self.config.dht().is_some() => {
                fact(SessionEvent::DhtPort(port), Kind::Odd)
            }
            Message::KeepAlive => Ok((None, Some(Kind::KeepAlive))),
            // Ports where we have no node, extensions that we do not speak and ids that nobody knows: a peer may send them, and
            // they say nothing about it.
            _ => Ok((None, Some(Kind::Odd))),
        }
    }

    /// BEP 6 wants exactly one of these; the first is free.
    fn announced(&mut self, announced: Announced) -> Taken {
        (Some(SessionEvent::Has(announced)), self.says_all_again())
    }

    pub(super) fn says_all_again(&mut self) -> Option<Kind> {
        std::mem::replace(&mut self.announced, true).then_some(Kind::Odd)
    }

    /// Takes the head of a PIECE message before its payload is read: whether the block is one that we
    /// wait for, or one that came too late.
    ///
    /// # Errors
    /// If we never asked for exactly this block on this connection.
    pub fn on_piece_header(&mut self, now: Time, block: Block) -> Result<bool, CloseReason> {
        self.received_at = now;
        self.frame = None;
        match self.requests.arrived(block) {
            Arrival::Expected => Ok(true),
            Arrival::Late => Ok(false),
            Arrival::Never => {
                let Block { piece: PieceIndex(piece), begin, length } = block;
                Err(Violation::Unrequested { piece, begin, length }.into())
            }
        }
    }

    /// True if the request is kept, to be served.
    fn on_request(&mut self, block: Block, has: &dyn Fn(PieceIndex) -> bool) -> bool {
        let fair = self.geometry().is_some_and(|geometry| geometry.contains(block))
            && block.length <= ccbt_wire::BLOCK_LEN * 8;
        let there = fair && has(block.piece);
        if fair && !there {
            self.take_back(block.piece);
        }
        let room = self.uploads.room() > 0;
        let kept = there && room && (!self.am_choking || self.allowed.spend(block));
        if kept {
            self.uploads.push(block);
        } else {
            self.reject(block);
        }
        kept
    }

    /// How many pieces the torrent has; none are known before its metadata is.
    fn pieces(&self) -> u32 {
        self.geometry().map_or(0, |geometry| geometry.pieces())
    }

    pub(super) fn in_range(
        &self,
        message: &'static str,
        piece: PieceIndex,
    ) -> Result<PieceIndex, Violation> {
        let pieces = self.pieces();
        if piece.0 < pieces {
            return Ok(piece);
        }
        Err(Violation::PieceOutOfRange { message, piece: piece.0, pieces })
    }

    fn fast(&self, message: &'static str) -> Result<(), Violation> {
        if self.fast { Ok(()) } else { Err(Violation::FastNotNegotiated(message)) }
    }
}

fn hello(payload: &Bytes) -> Result<Box<ExtensionHandshake>, Violation> {
    let hello = ExtensionHandshake::parse(payload);
    hello.map(Box::new).map_err(|error| Violation::Extension(error.to_string()))
}

impl From<Violation> for CloseReason {
    fn from(violation: Violation) -> Self {
        Self::PeerBrokeProtocol(violation)
    }
}
