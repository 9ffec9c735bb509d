//! The other side of a connection: a peer that follows a script.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use ccbt_peer::wire::{
    BLOCK_LEN, Bitfield, Block, EXTENDED_HANDSHAKE, ExtensionHandshake, Message, MetadataMessage,
    PieceIndex, UT_METADATA, metadata_block_len,
};

/// Every peer sends a keep-alive so often.
const KEEP_ALIVE: Duration = Duration::from_secs(100);

/// Who drips does so this often.
const DRIP: Duration = Duration::from_secs(1);

/// How a peer takes a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It shakes hands.
    Handshake,
    /// It accepts and says nothing, not even a handshake.
    Silence,
    /// Nobody listens there.
    Refusal,
}

/// What a peer says about its pieces behind the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    Nothing,
    Bitfield,
    HaveAll,
    HaveNone,
}

/// One line of a script.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Say(Message),
    /// It gets a piece and says so.
    Gain(u32),
    Leave,
}

/// A peer that sends by the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drip {
    Blocks(u32),
    Message(u32),
}

/// How a peer takes requests for metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// It gives this, so long after the request.
    Gives(Bytes, Duration),
    /// It says that it has so many bytes, and answers nothing.
    Mute(u32),
    /// It speaks of it, and has none.
    Lacks,
}

/// Its id of `ut_metadata`.
const METADATA_ID: u8 = 3;

/// A peer and what it will do, counted from its handshake.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) answer: Answer,
    pub(crate) fast: bool,
    /// It says so at the beginning (BEP 21).
    pub(crate) upload_only: bool,
    pub(crate) greeting: Greeting,
    pub(crate) has: Bitfield,
    pub(crate) script: Vec<(Duration, Line)>,
    /// It unchokes us so long after our INTERESTED.
    pub(crate) unchokes: Option<Duration>,
    /// Pieces that it sends even while it chokes us.
    pub(crate) allows: Vec<u32>,
    /// It sends a block so often while it has requests.
    pub(crate) block_every: Option<Duration>,
    /// After so many blocks it sends no more.
    pub(crate) mute_after: Option<usize>,
    /// It sends so many bytes a second, of blocks or of one message without end.
    pub(crate) drips: Option<Drip>,
    /// The first byte of every block of these pieces is wrong.
    pub(crate) lies_about: Vec<u32>,
    /// It is interested in us from the beginning.
    pub(crate) wants: bool,
    /// It asks for what we have as soon as we unchoke it.
    pub(crate) requests: bool,
    /// It names one piece at a time, the next when it sees the last with us.
    pub(crate) super_seeds: bool,
    /// What it does when it is asked for metadata; `None` if it does not speak of it.
    pub(crate) metadata: Option<Metadata>,
    /// Requests beyond these are dropped without a word.
    pub(crate) queue: usize,
}

impl Host {
    /// What it says in its extension handshake, if it has one.
    pub(crate) fn hello(&self) -> Option<ExtensionHandshake> {
        if self.metadata.is_none() && !self.upload_only {
            return None;
        }
        let id = self.metadata.iter().map(|_| (UT_METADATA.to_owned(), METADATA_ID));
        let metadata_size = match &self.metadata {
            Some(Metadata::Gives(whole, _)) => Some(u32::try_from(whole.len()).unwrap()),
            Some(Metadata::Mute(size)) => Some(*size),
            Some(Metadata::Lacks) | None => None,
        };
        let upload_only = self.upload_only.then_some(true);
        Some(ExtensionHandshake {
            m: id.collect(),
            metadata_size,
            upload_only,
            ..ExtensionHandshake::default()
        })
    }
}

/// What a peer does next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alarm {
    Script(usize),
    Unchoke,
    Block,
    Drip,
    KeepAlive,
    /// The block of metadata that it was asked for first.
    Metadata,
}

/// What comes of something that a peer heard or planned.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) say: Vec<Message>,
    /// Bytes of a message that is not whole yet; of a block, if it is one.
    pub(crate) drip: Option<(Option<Block>, u32)>,
    pub(crate) wake: Vec<(Duration, Alarm)>,
    pub(crate) leave: bool,
}

/// A peer on a connection.
#[derive(Debug)]
pub(crate) struct Remote {
    host: Host,
    choking: bool,
    sending: bool,
    /// Blocks that it sent.
    sent: usize,
    /// Bytes of the first block in its queue that dripped out.
    dripped: u32,
    queue: VecDeque<Block>,
    /// Pieces of ours that it knows of and lacks.
    offered: Vec<PieceIndex>,
    /// Blocks of metadata that we asked for.
    metadata: VecDeque<u32>,
    unchoked_by_us: bool,
    piece_length: u32,
}

impl Remote {
    pub(crate) fn new(host: Host, piece_length: u32) -> Self {
        Self {
            host,
            choking: true,
            sending: false,
            sent: 0,
            dripped: 0,
            queue: VecDeque::new(),
            offered: Vec::new(),
            metadata: VecDeque::new(),
            unchoked_by_us: false,
            piece_length,
        }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// The handshakes are done.
    pub(crate) fn open(&mut self, out: &mut Out) {
        if let Some(hello) = self.host.hello() {
            let payload = hello.encode().into();
            out.say.push(Message::Extended { id: EXTENDED_HANDSHAKE, payload });
        }
        match self.host.greeting {
            Greeting::Nothing => {}
            Greeting::Bitfield => {
                let bytes = Bytes::copy_from_slice(self.host.has.as_bytes());
                out.say.push(Message::Bitfield(bytes));
            }
            Greeting::HaveAll => out.say.push(Message::HaveAll),
            Greeting::HaveNone => out.say.push(Message::HaveNone),
        }
        let allowed = self.host.allows.iter().map(|piece| PieceIndex(*piece));
        out.say.extend(allowed.map(Message::AllowedFast));
        if self.host.wants {
            out.say.push(Message::Interested);
        }
        if self.host.super_seeds {
            out.say.push(Message::Have(PieceIndex(0)));
        }
        out.wake.push((KEEP_ALIVE, Alarm::KeepAlive));
        if matches!(self.host.drips, Some(Drip::Message(_))) {
            out.wake.push((DRIP, Alarm::Drip));
        }
        let lines = self.host.script.iter().enumerate();
        out.wake.extend(lines.map(|(n, (at, _))| (*at, Alarm::Script(n))));
    }

    /// A message of ours arrived.
    pub(crate) fn hear(&mut self, message: &Message, out: &mut Out) {
        match message {
            Message::Interested => {
                out.wake.extend(self.host.unchokes.map(|after| (after, Alarm::Unchoke)));
            }
            Message::Request(block) => {
                if !self.may_have(*block) || self.queue.len() >= self.host.queue {
                    if self.host.fast {
                        out.say.push(Message::Reject(*block));
                    }
                } else {
                    self.queue.push_back(*block);
                    self.send_by_and_by(out);
                }
            }
            // A block that has begun to drip goes on.
            Message::Cancel(block) if self.dripped > 0 && self.queue.front() == Some(block) => {}
            Message::Cancel(block) => {
                let before = self.queue.len();
                self.queue.retain(|queued| queued != block);
                if self.queue.len() < before && self.host.fast {
                    out.say.push(Message::Reject(*block));
                }
            }
            Message::Have(piece) => {
                self.learn(*piece);
                let next = PieceIndex(piece.0 + 1);
                if self.host.super_seeds && next.0 < self.host.has.len() {
                    out.say.push(Message::Have(next));
                }
            }
            Message::HaveAll => (0..self.host.has.len()).for_each(|n| self.learn(PieceIndex(n))),
            Message::Bitfield(bytes) => {
                let ours = Bitfield::from_wire(bytes, self.host.has.len()).unwrap();
                ours.iter_ones().for_each(|piece| self.learn(piece));
            }
            Message::Extended { id: METADATA_ID, payload } => {
                if let Some(Metadata::Gives(_, after)) = self.host.metadata
                    && let Ok(Some(MetadataMessage::Request { piece })) =
                        MetadataMessage::parse(payload)
                {
                    self.metadata.push_back(piece);
                    out.wake.push((after, Alarm::Metadata));
                }
            }
            Message::Unchoke => self.unchoked_by_us = true,
            Message::Choke => self.unchoked_by_us = false,
            Message::Piece { piece, .. } if self.host.has.set(*piece, true) => {
                out.say.push(Message::Have(*piece));
            }
            _ => {}
        }
        self.ask(out);
    }

    /// Something that was planned is due.
    pub(crate) fn wake(&mut self, alarm: Alarm, out: &mut Out) {
        match alarm {
            Alarm::Script(n) => match self.host.script[n].1.clone() {
                Line::Say(message) => {
                    out.say.push(message.clone());
                    match message {
                        Message::Choke => self.choke(out),
                        Message::Unchoke => self.choking = false,
                        _ => {}
                    }
                }
                Line::Gain(piece) => {
                    self.host.has.set(PieceIndex(piece), true);
                    out.say.push(Message::Have(PieceIndex(piece)));
                }
                Line::Leave => out.leave = true,
            },
            Alarm::KeepAlive => {
                out.say.push(Message::KeepAlive);
                out.wake.push((KEEP_ALIVE, Alarm::KeepAlive));
            }
            Alarm::Unchoke => {
                if self.choking {
                    self.choking = false;
                    out.say.push(Message::Unchoke);
                }
            }
            Alarm::Block => {
                self.sending = false;
                let mute = self.host.mute_after.is_some_and(|blocks| self.sent >= blocks);
                if mute {
                    return;
                }
                if let Some(Block { piece, begin, length }) = self.queue.pop_front() {
                    self.sent += 1;
                    let mut data = vec![0; length as usize];
                    data[0] = u8::from(self.host.lies_about.contains(&piece.0));
                    out.say.push(Message::Piece { piece, begin, data: data.into() });
                }
                self.send_by_and_by(out);
            }
            Alarm::Drip => self.drip(out),
            Alarm::Metadata => {
                if let Some(Metadata::Gives(whole, _)) = &self.host.metadata
                    && let Some(piece) = self.metadata.pop_front()
                {
                    let total_size = u32::try_from(whole.len()).unwrap();
                    let begin = (piece * BLOCK_LEN) as usize;
                    let length = metadata_block_len(total_size, piece) as usize;
                    let data = whole.slice(begin..begin + length);
                    let data = MetadataMessage::Data { piece, total_size, data };
                    // Ours, as it stands in our handshake.
                    out.say.push(Message::Extended { id: 1, payload: data.encode().into() });
                }
            }
        }
    }

    fn choke(&mut self, out: &mut Out) {
        self.choking = true;
        let queue = std::mem::take(&mut self.queue).into_iter();
        let (stay, go): (VecDeque<_>, VecDeque<_>) = queue.partition(|block| self.may_have(*block));
        self.queue = stay;
        if self.host.fast {
            out.say.extend(go.into_iter().map(Message::Reject));
        }
    }

    fn may_have(&self, block: Block) -> bool {
        !self.choking || self.host.allows.contains(&block.piece.0)
    }

    fn send_by_and_by(&mut self, out: &mut Out) {
        if let Some(every) = self.host.block_every
            && !self.sending
            && !self.queue.is_empty()
        {
            self.sending = true;
            out.wake.push((every, Alarm::Block));
        } else if let Some(Drip::Blocks(_)) = self.host.drips
            && !self.sending
        {
            self.sending = true;
            out.wake.push((DRIP, Alarm::Drip));
        }
    }

    fn drip(&mut self, out: &mut Out) {
        match self.host.drips {
            Some(Drip::Message(bytes)) => out.drip = Some((None, bytes)),
            Some(Drip::Blocks(bytes)) => {
                let Some(block) = self.queue.front().copied() else {
                    self.sending = false;
                    return;
                };
                let bytes = bytes.min(block.length - self.dripped);
                self.dripped += bytes;
                if self.dripped == block.length {
                    self.queue.pop_front();
                    self.dripped = 0;
                }
                out.drip = Some((Some(block), bytes));
            }
            None => return,
        }
        out.wake.push((DRIP, Alarm::Drip));
    }

    fn learn(&mut self, piece: PieceIndex) {
        if !self.host.has.get(piece) && !self.offered.contains(&piece) {
            self.offered.push(piece);
        }
    }

    fn ask(&mut self, out: &mut Out) {
        if !(self.host.requests && self.unchoked_by_us) {
            return;
        }
        for piece in self.offered.drain(..) {
            let block = Block { piece, begin: 0, length: self.piece_length };
            out.say.push(Message::Request(block));
        }
    }
}
