//! One connection as a state machine: messages and the time go in, facts come out.
//!
//! A [`Session`] knows the protocol and nothing else: which messages are allowed when, what we asked
//! for, what the peer asked for, when the connection is dead. What to ask for, whom to unchoke and whom
//! to close is the [swarm](crate::swarm)'s to say, through [`Tell`]. There is no socket and no clock in
//! here; the driver, the simulator and the tests bring them.

mod events;
mod extensions;
mod fast;
mod flood;
mod frame;
mod inbound;
mod liveness;
mod metadata;
mod requests;
mod uploads;

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use ccbt_policy::{Direction, Time};
use ccbt_wire::{
    Bitfield, Block, ExtensionHandshake, Handshake, InfoHash, Message, PeerId, PieceIndex, Reserved,
};

use crate::CloseReason;
use crate::close::Refusal;
pub use events::{Announced, SessionEvent, Tell};
use extensions::{Exchange, Theirs};
use fast::Allowed;
use flood::Floods;
pub use frame::FRAME_LIMIT;
use frame::Frame;
use metadata::Exchange as MetadataExchange;
pub use metadata::{Known, Metadata};
use requests::Requests;
pub use uploads::Run;
use uploads::Uploads;

/// The whole handshake has so long, from the moment the connection stands. Bytes do not extend it.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Without a byte from the peer for so long the connection is dead. BEP 3 asks for a keep-alive every
/// two minutes; some clients send theirs exactly then.
pub const IDLE_LIMIT: Duration = Duration::from_secs(150);
/// We send a keep-alive when we have sent nothing for so long.
pub const KEEP_ALIVE: Duration = Duration::from_secs(90);
/// Keep-alives are due at multiples of this, so that one wake-up does for many connections.
const KEEP_ALIVE_BEAT: Time = Time::from_millis(100);
/// rqbit gives up a connection on which it reads nothing for 10 seconds.
const KEEP_ALIVE_RQBIT: Duration = Duration::from_secs(8);
/// Bytes that wait to be written and do not move for so long end the connection.
pub const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// Requests of the peer that we keep; it is told so as `reqq` (BEP 10). Beside them at most 256 KiB of
/// payload and 64 KiB of messages wait to be sent, and above either the peer is not listened to.
pub const UPLOAD_QUEUE: usize = 250;

/// What is the same for all connections of a torrent.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The torrent.
    pub info_hash: InfoHash,
    /// Our peer id.
    pub peer_id: PeerId,
    /// The torrent's sizes and its `info` dictionary, known from the beginning or from some time on.
    pub metadata: Metadata,
    /// The port where we accept connections, told in the extension handshake.
    pub listen_port: Option<u16>,
    /// Peers are exchanged (BEP 11), unless the torrent is private.
    pub pex: bool,
    /// The UDP port of our DHT node, told to peers that have one (BEP 5), unless the torrent is private.
    pub dht_port: Option<u16>,
}

impl SessionConfig {
    /// The handshake that we send: fast extension, extension protocol, and the DHT if we have a node.
    #[must_use]
    pub fn handshake(&self) -> Handshake {
        let reserved = Reserved::NONE.with_fast().with_extended();
        let reserved = if self.dht().is_some() { reserved.with_dht() } else { reserved };
        Handshake { reserved, info_hash: self.info_hash, peer_id: self.peer_id }
    }

    /// The port of our DHT node, if peers may know of it (BEP 27).
    fn dht(&self) -> Option<u16> {
        let private = self.metadata.known().is_some_and(|known| known.private);
        self.dht_port.filter(|_| !private)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshaking,
    Open,
}

/// One connection, from its first byte to its last.
#[derive(Debug)]
pub struct Session {
    config: std::sync::Arc<SessionConfig>,
    direction: Direction,
    phase: Phase,
    fast: bool,
    extended: bool,
    theirs: Theirs,
    am_choking: bool,
    peer_choking: bool,
    requests: Requests,
    uploads: Uploads,
    allowed: Allowed,
    floods: Floods,
    /// Most connections have nothing to do with it.
    metadata: Option<Box<MetadataExchange>>,
    /// It has told all that it has.
    announced: bool,
    out: BytesMut,
    began_at: Time,
    received_at: Time,
    sent_at: Time,
    /// It is rqbit.
    is_rqbit: bool,
    /// A message that has begun to arrive.
    frame: Option<Frame>,
    /// Since when we do not read.
    held_since: Option<Time>,
    /// When bytes began to wait, or moved last.
    stuck_since: Option<Time>,
}

impl Session {
    /// A connection that stands since `now`. We have sent nothing yet.
    #[must_use]
    pub fn new(config: std::sync::Arc<SessionConfig>, direction: Direction, now: Time) -> Self {
        Self {
            floods: Floods::new(),
            metadata: config.metadata.known().is_none().then(MetadataExchange::pending),
            config,
            direction,
            phase: Phase::Handshaking,
            fast: false,
            extended: false,
            theirs: Theirs::default(),
            am_choking: true,
            peer_choking: true,
            requests: Requests::default(),
            uploads: Uploads::default(),
            allowed: Allowed::default(),
            announced: false,
            out: BytesMut::new(),
            began_at: now,
            received_at: now,
            sent_at: now,
            is_rqbit: false,
            frame: None,
            held_since: None,
            stuck_since: None,
        }
    }

    /// Who dialed.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Bytes that are to be sent, in order. The driver takes them from the front.
    pub fn outgoing(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// The same, to look at.
    #[must_use]
    pub fn queued(&self) -> &[u8] {
        &self.out
    }

    /// Queues our handshake. The initiator calls it at once; the other side when it knows the torrent.
    pub fn send_handshake(&mut self) {
        self.out.put_slice(&self.config.handshake().to_bytes());
    }

    /// Takes the peer's handshake and queues what follows on ours: the extension handshake and what we
    /// have. Nothing of that goes out before the peer's handshake is in; some clients hang up otherwise.
    ///
    /// # Errors
    /// If the peer is ourselves or speaks of another torrent.
    pub fn on_handshake(
        &mut self,
        now: Time,
        theirs: &Handshake,
        ours: &Bitfield,
    ) -> Result<SessionEvent, CloseReason> {
        if theirs.info_hash != self.config.info_hash {
            return Err(CloseReason::Refused(Refusal::WrongInfoHash));
        }
        if theirs.peer_id == self.config.peer_id {
            return Err(CloseReason::Refused(Refusal::Ourselves));
        }
        self.phase = Phase::Open;
        self.fast = theirs.reserved.fast();
        self.extended = theirs.reserved.extended();
        self.received_at = now;
        self.sent_at = now;
        self.is_rqbit = theirs.peer_id.0.starts_with(b"-rQ");
        self.greet(ours);
        if let Some(port) = self.config.dht().filter(|_| theirs.reserved.dht()) {
            self.send(&Message::Port(port));
        }
        Ok(SessionEvent::Opened {
            direction: self.direction,
            peer_id: theirs.peer_id,
            fast: self.fast,
            extended: self.extended,
            dht: theirs.reserved.dht(),
        })
    }

    fn greet(&mut self, ours: &Bitfield) {
        let complete = ours.all() && !ours.is_empty();
        self.say_hello(complete.then_some(true));
        if self.fast && complete {
            self.send(&Message::HaveAll);
        } else if self.fast && ours.none() {
            self.send(&Message::HaveNone);
        } else if !ours.none() {
            let bytes = bytes::Bytes::copy_from_slice(ours.as_bytes());
            self.send(&Message::Bitfield(bytes));
        }
    }

    fn exchange(&self) -> Exchange {
        match self.config.metadata.known() {
            _ if !self.config.pex => Exchange::Never,
            Some(known) if known.private => Exchange::SwitchedOff,
            _ => Exchange::On,
        }
    }

    /// Sends our extension handshake, for the first time or again (BEP 10).
    fn say_hello(&mut self, upload_only: Option<bool>) {
        if !self.extended {
            return;
        }
        let size = self.config.metadata.known().map_or(0, |known| known.info.len());
        let hello = ExtensionHandshake {
            m: extensions::ours(self.exchange()),
            metadata_size: u32::try_from(size).ok().filter(|size| *size > 0),
            v: Some(concat!("ccbt ", env!("CARGO_PKG_VERSION")).to_owned()),
            p: self.config.listen_port,
            reqq: u32::try_from(UPLOAD_QUEUE).ok(),
            upload_only,
            ..ExtensionHandshake::default()
        };
        let payload = hello.encode().into();
        self.send(&Message::Extended { id: ccbt_wire::EXTENDED_HANDSHAKE, payload });
    }

    /// Blocks that we wait for, in the order in which we asked.
    pub fn expected(&self) -> impl Iterator<Item = Block> + '_ {
        self.requests.live()
    }

    /// Carries out what the swarm decided.
    pub fn tell(&mut self, tell: Tell) {
        match tell {
            Tell::Interested(am_interested) => {
                self.floods.allow_flips(1);
                let message =
                    if am_interested { Message::Interested } else { Message::NotInterested };
                self.send(&message);
            }
            Tell::Choke(true) => {
                self.am_choking = true;
                self.send(&Message::Choke);
                let allowed = &self.allowed;
                for block in self.uploads.remove(|block| !allowed.is_given(block.piece)) {
                    self.reject(block);
                }
            }
            Tell::Choke(false) => {
                self.am_choking = false;
                self.send(&Message::Unchoke);
            }
            Tell::AllowFast(pieces) => {
                let Some(geometry) = self.geometry() else { return };
                for piece in pieces {
                    if self.allowed.give(piece, geometry.piece_len(piece)) {
                        self.send(&Message::AllowedFast(piece));
                    }
                }
            }
            Tell::Request(blocks) => {
                for block in blocks {
                    // The swarm has yet to hear of the CHOKE, and takes those requests back then.
                    if self.peer_choking && !self.allowed.may_ask(block.piece) {
                        continue;
                    }
                    self.requests.ask(block);
                    self.send(&Message::Request(block));
                }
            }
            Tell::Have(piece) => self.announce(&[piece]),
            Tell::UploadOnly(upload_only) => self.say_hello(Some(upload_only)),
            // Its answer is an event or an error, so it goes another way.
            Tell::Metadata => {}
            Tell::Pex(message) => {
                if let Some(id) = self.theirs.pex().filter(|_| self.exchange() == Exchange::On) {
                    let payload = message.encode().into();
                    self.send(&Message::Extended { id, payload });
                }
            }
            Tell::AskMetadata(blocks) => self.ask_metadata(blocks),
            Tell::Cancel(blocks) => {
                for block in blocks {
                    if self.requests.cancel(block) {
                        self.send(&Message::Cancel(block));
                    }
                }
            }
        }
    }

    /// Tells the peer that we have these pieces now.
    pub fn announce(&mut self, pieces: &[PieceIndex]) {
        self.floods.allow_flips(pieces.len());
        self.out.reserve(9 * pieces.len());
        for piece in pieces {
            self.send(&Message::Have(*piece));
        }
    }

    /// Whether we choke the peer.
    #[must_use]
    pub fn is_choking(&self) -> bool {
        self.am_choking
    }

    /// The next run of blocks that the peer waits for, at most `limit` bytes. The caller sends them,
    /// or rejects them with [`Session::reject`].
    pub fn next_upload(&mut self, limit: u32) -> Option<Run> {
        self.uploads.next_run(limit)
    }

    /// Whether the peer waits for blocks.
    #[must_use]
    pub fn has_uploads(&self) -> bool {
        !self.uploads.is_empty()
    }

    /// How many more requests of the peer are kept. Further ones are refused, or lost on a peer without the
    /// fast extension.
    #[must_use]
    pub fn upload_room(&self) -> usize {
        self.uploads.room()
    }

    /// Refuses a block that the peer asked for. Says nothing without the fast extension (BEP 6).
    pub fn reject(&mut self, block: Block) {
        if self.fast {
            self.send(&Message::Reject(block));
        }
    }

    /// Tells that we cannot give a piece that the peer asks for: without it (BEP 54) some ask again at once, for
    /// ever. Those that do not know it hear nothing.
    pub fn take_back(&mut self, piece: PieceIndex) {
        if let Some(id) = self.theirs.dont_have() {
            let payload = piece.0.to_be_bytes().to_vec().into();
            self.send(&Message::Extended { id, payload });
        }
    }

    fn send(&mut self, message: &Message) {
        self.out.reserve(message.encoded_len());
        message.encode(&mut self.out);
    }
}

#[cfg(test)]
mod tests;
