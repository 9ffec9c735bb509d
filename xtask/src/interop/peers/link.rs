//! One connection of a scripted peer: what it says, what it serves, what goes into the diary.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Diary, Visit, lock};
use crate::interop::torrent::{BLOCK, Content};
use crate::interop::wire::{Heard, Message, Wire, is_closing};

/// How often a peer that holds requests back looks whether it may serve them.
const PACE_POLL: Duration = Duration::from_millis(50);

/// How a stretch of serving ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::interop) enum Served {
    /// The time was over.
    TimeUp,
    /// The message that was waited for came.
    Told,
    /// ccbt closed.
    Closed,
}

/// What a peer does when it is asked for metadata (BEP 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::interop) enum Metadata {
    Gives,
    /// Blocks of the right length, and none with the right bytes.
    Lies,
    /// Not a word.
    Mute,
    /// Blocks without a byte.
    Empty,
}

/// The id under which a peer wants `ut_metadata`.
const METADATA: u8 = 3;

/// How many blocks may have gone out after so long, over all connections of a peer.
pub(in crate::interop) type Pace = Arc<dyn Fn(Duration) -> usize + Send + Sync>;

/// One connection of a scripted peer.
pub(in crate::interop) struct Link {
    wire: Wire,
    content: Arc<Content>,
    diary: Diary,
    visit: usize,
    /// Unchokes whoever is interested.
    pub(in crate::interop) generous: bool,
    /// One of so many blocks that it sends has a wrong byte; 0 is none.
    pub(in crate::interop) lies: usize,
    blocks: usize,
    /// What it does when it is asked for metadata.
    metadata: Option<Metadata>,
    pace: Option<(Pace, Instant, Arc<Mutex<usize>>)>,
    queue: VecDeque<(u32, u32, u32)>,
}

impl Link {
    pub(super) fn new(
        wire: Wire,
        address: SocketAddr,
        content: Arc<Content>,
        diary: Diary,
    ) -> Self {
        let visit = {
            let mut diary = lock(&diary);
            diary.push(Visit {
                address,
                ready_at: Instant::now(),
                heard: Vec::new(),
                said: Vec::new(),
                closed_at: None,
            });
            diary.len() - 1
        };
        Link {
            wire,
            content,
            diary,
            visit,
            generous: true,
            lies: 0,
            blocks: 0,
            metadata: None,
            pace: None,
            queue: VecDeque::new(),
        }
    }

    /// Serves no faster than `pace` from `since` on; `sent` counts over all connections.
    pub(in crate::interop) fn keep_pace(
        &mut self,
        pace: Pace,
        since: Instant,
        sent: Arc<Mutex<usize>>,
    ) {
        self.pace = Some((pace, since, sent));
    }

    /// Says one message; true while ccbt is there.
    pub(in crate::interop) fn say(&mut self, message: Message) -> Result<bool> {
        let at = Instant::now();
        let sent = self.wire.send(&message);
        self.note(|visit| visit.said.push((at, without_data(message))));
        self.is_there(sent)
    }

    /// Sends a part of a message; true while ccbt is there.
    pub(in crate::interop) fn drip(&mut self, bytes: &[u8]) -> Result<bool> {
        let sent = self.wire.send_bytes(bytes);
        self.is_there(sent)
    }

    fn is_there(&self, sent: io::Result<()>) -> Result<bool> {
        match sent {
            Ok(()) => Ok(true),
            Err(error) if is_closing(&error) => {
                self.note_closed();
                Ok(false)
            }
            Err(error) => Err(io::Error::into(error)),
        }
    }

    /// Announces the pieces that `has` picks by a BITFIELD.
    pub(in crate::interop) fn announce(&mut self, has: impl Fn(u32) -> bool) -> Result<bool> {
        let bits = self.content.bitfield(has);
        self.say(Message::Bitfield(bits))
    }

    /// Answers what it is asked, until ccbt closes.
    pub(in crate::interop) fn serve(&mut self) -> Result<()> {
        let day = Duration::from_secs(86_400);
        self.serve_until(Instant::now() + day, |_| false).map(drop)
    }

    /// Answers what it is asked, until `until`, or `told` says that this was the message.
    pub(in crate::interop) fn serve_until(
        &mut self,
        until: Instant,
        mut told: impl FnMut(&Message) -> bool,
    ) -> Result<Served> {
        loop {
            if !self.serve_queue()? {
                return Ok(Served::Closed);
            }
            let wait =
                if self.queue.is_empty() { until } else { until.min(Instant::now() + PACE_POLL) };
            match self.wire.receive(wait)? {
                Heard::Closed => {
                    self.note_closed();
                    return Ok(Served::Closed);
                }
                Heard::Silence if Instant::now() >= until => return Ok(Served::TimeUp),
                Heard::Silence => {}
                Heard::Message(message) => {
                    let at = Instant::now();
                    self.note(|visit| visit.heard.push((at, message.clone())));
                    if !self.answer(&message)? {
                        return Ok(Served::Closed);
                    }
                    if told(&message) {
                        return Ok(Served::Told);
                    }
                }
            }
        }
    }

    /// Says that it has the metadata, and does this when it is asked for it from now on.
    pub(in crate::interop) fn offer_metadata(&mut self, metadata: Metadata) -> Result<bool> {
        self.metadata = Some(metadata);
        let size = self.content.info.len();
        let hello = format!("d1:md11:ut_metadatai{METADATA}ee13:metadata_sizei{size}ee");
        self.say(Message::Other(20, [&[0], hello.as_bytes()].concat()))
    }

    /// Answers an extended message, if it is a request for metadata.
    fn answer_metadata(&mut self, payload: &[u8]) -> Result<bool> {
        let request = payload.split_first().filter(|(id, _)| **id == METADATA);
        let text = request.map(|(_, text)| String::from_utf8_lossy(text));
        let piece = text.as_deref().and_then(|text| text.strip_prefix("d8:msg_typei0e5:piecei"));
        let Some(piece) = piece.and_then(|rest| rest.split_once('e')?.0.parse::<usize>().ok())
        else {
            return Ok(true);
        };
        let info = &self.content.info;
        let block =
            info.chunks(BLOCK).nth(piece).context("a block of the metadata that is none")?;
        let data = match self.metadata {
            Some(Metadata::Gives) => block.to_vec(),
            Some(Metadata::Lies) => vec![b'x'; block.len()],
            Some(Metadata::Empty) => Vec::new(),
            Some(Metadata::Mute) | None => return Ok(true),
        };
        let size = info.len();
        let head = format!("d8:msg_typei1e5:piecei{piece}e10:total_sizei{size}ee");
        // ccbt's id of it is 1, as its handshake says.
        self.say(Message::Other(20, [&[1], head.as_bytes(), &data].concat()))
    }

    fn answer(&mut self, message: &Message) -> Result<bool> {
        if let Message::Other(20, payload) = message {
            return self.answer_metadata(payload);
        }
        match *message {
            Message::Interested if self.generous => return self.say(Message::Unchoke),
            Message::Request { piece, begin, length } => {
                self.queue.push_back((piece, begin, length))
            }
            Message::Cancel { piece, begin, length } => {
                self.queue.retain(|block| *block != (piece, begin, length))
            }
            _ => {}
        }
        Ok(true)
    }

    fn serve_queue(&mut self) -> Result<bool> {
        while let Some(&(piece, begin, length)) = self.queue.front() {
            if !self.may_send() {
                break;
            }
            self.queue.pop_front();
            let block = self.content.block(piece, begin, length);
            let mut data = block
                .with_context(|| format!("asked for {length} bytes at {begin} of piece {piece}"))?
                .to_vec();
            self.blocks += 1;
            let is_lie = self.lies > 0 && self.blocks.is_multiple_of(self.lies);
            if let Some(first) = data.first_mut().filter(|_| is_lie) {
                *first = !*first;
            }
            if !self.say(Message::Piece { piece, begin, data })? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn may_send(&self) -> bool {
        let Some((pace, since, sent)) = &self.pace else {
            return true;
        };
        let mut sent = lock(sent);
        let may = *sent < pace(since.elapsed());
        *sent += usize::from(may);
        may
    }

    fn note(&self, change: impl FnOnce(&mut Visit)) {
        if let Some(visit) = lock(&self.diary).get_mut(self.visit) {
            change(visit);
        }
    }

    fn note_closed(&self) {
        let at = Instant::now();
        self.note(|visit| visit.closed_at = visit.closed_at.or(Some(at)));
    }
}

fn without_data(message: Message) -> Message {
    match message {
        Message::Piece { piece, begin, .. } => Message::Piece { piece, begin, data: Vec::new() },
        other => other,
    }
}
