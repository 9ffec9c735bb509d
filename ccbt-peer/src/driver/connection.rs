//! The task of one connection, from the first byte to the last.

use std::io;
use std::sync::Arc;

use bytes::Buf;
use ccbt_policy::Direction;
use ccbt_wire::HandshakeDecoder;
use tokio::time::Instant;

use super::mailbox::Mailbox;
use super::receive::{Fed, Receiver};
use super::scatter::Scattered;
use super::transport::{Ready, Transport};
use super::upload::{self, ReadResult, Upload};
use super::{CATCH_UP, LATE, Report, Shared};
use crate::CloseReason;
use crate::close::Violation;
use crate::session::Session;
use crate::swarm::PeerKey;

/// A connection that read so often in a row lets the others have a turn.
const TURN: usize = 4;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    mailbox: Arc<Mailbox>,
    transport: Transport,
    session: Session,
    handshake: Option<HandshakeDecoder>,
    receiver: Receiver,
    upload: Upload,
    /// Pieces of the log that the peer knows of.
    announced: usize,
}

/// A peer that does not take what we have to say is not listened to above so many bytes, and hears of no
/// further pieces: what it asks for in the meantime costs it its own memory.
const BACKLOG: usize = 64 << 10;

/// Why a connection has something to do.
enum Woke {
    Mail,
    Ready(Ready),
    Read(ReadResult),
    Time,
}

impl Connection {
    /// A connection that we dialed.
    pub(super) fn outgoing(
        shared: Arc<Shared>,
        key: PeerKey,
        mailbox: Arc<Mailbox>,
        transport: Transport,
    ) -> Self {
        Self::new(shared, key, mailbox, transport, Direction::Outgoing, HandshakeDecoder::new())
    }

    /// A connection that came in; `handshake` has read so far that it knew the torrent.
    pub(super) fn incoming(
        shared: Arc<Shared>,
        key: PeerKey,
        mailbox: Arc<Mailbox>,
        transport: Transport,
        handshake: HandshakeDecoder,
    ) -> Self {
        Self::new(shared, key, mailbox, transport, Direction::Incoming, handshake)
    }

    fn new(
        shared: Arc<Shared>,
        key: PeerKey,
        mailbox: Arc<Mailbox>,
        transport: Transport,
        direction: Direction,
        handshake: HandshakeDecoder,
    ) -> Self {
        let mut session = Session::new(shared.session.clone(), direction, shared.clock.now());
        session.send_handshake();
        Self {
            mailbox,
            transport,
            session,
            handshake: Some(handshake),
            receiver: Receiver::new(key, shared),
            upload: Upload::default(),
            announced: 0,
        }
    }

    /// Runs the connection and reports its end.
    pub(super) async fn run(mut self) {
        let reason = match self.serve().await {
            Ok(reason) | Err(reason) => reason,
        };
        self.receiver.release();
        // What came before the end counts.
        self.receiver.deliver().await;
        let key = self.receiver.key;
        self.receiver.shared.report(Report::Closed(key, reason)).await;
    }

    async fn serve(&mut self) -> Result<CloseReason, CloseReason> {
        let shared = self.receiver.shared.clone();
        let clock = shared.clock;
        let sleep = tokio::time::sleep_until(clock.instant(self.session.deadline()));
        tokio::pin!(sleep);
        loop {
            if let Some(reason) = self.take_mail() {
                // A last word, such as NOT_INTERESTED, is worth a try.
                let _ = self.flush();
                return Ok(reason);
            }
            self.announce(&shared);
            self.flush()?;
            // Behind the flush: a run that just went out makes room for the next.
            self.upload.start(&mut self.session, &shared);
            self.receiver.deliver().await;
            let (payload, reading) = self.upload.split();
            let queued = self.session.queued();
            let out = if queued.is_empty() { payload } else { queued };
            let listen = queued.len() < BACKLOG;
            let woke = tokio::select! {
                biased;
                () = self.mailbox.news() => Woke::Mail,
                ready = self.transport.ready(out, listen) => Woke::Ready(ready.map_err(lost)?),
                run = upload::done(reading) => Woke::Read(run),
                () = &mut sleep => Woke::Time,
            };
            match woke {
                Woke::Mail => {}
                Woke::Ready(Ready::Readable) => self.read().await?,
                Woke::Ready(Ready::Written(count)) => self.written(count),
                Woke::Read(run) => self.upload.read(&mut self.session, run),
                Woke::Time => {
                    let deadline = self.session.deadline();
                    if clock.now() >= deadline {
                        // What the peer sent while we did not run counts before its silence does; and
                        // after a pause the runtime has to look at the socket before we can.
                        if clock.now().saturating_since(deadline) > LATE {
                            tokio::time::sleep(CATCH_UP).await;
                        }
                        self.read().await?;
                        self.session.on_deadline(clock.now())?;
                    }
                    let next: Instant = clock.instant(self.session.deadline());
                    sleep.as_mut().reset(next);
                }
            }
        }
    }

    fn take_mail(&mut self) -> Option<CloseReason> {
        let mail = self.mailbox.take();
        for tell in mail.tells {
            self.session.tell(tell);
        }
        mail.close
    }

    fn announce(&mut self, shared: &Shared) {
        if self.handshake.is_some() || self.session.queued().len() >= BACKLOG {
            return;
        }
        let session = &mut self.session;
        self.announced = shared.ours(|ours| {
            if self.announced < ours.log.len() {
                session.announce(&ours.log[self.announced..]);
            }
            ours.log.len()
        });
    }

    /// Writes as much as the socket takes.
    fn flush(&mut self) -> Result<(), CloseReason> {
        loop {
            let queued = self.session.queued();
            let out = if queued.is_empty() { self.upload.bytes() } else { queued };
            if out.is_empty() {
                return Ok(());
            }
            match self.transport.try_write(out) {
                Ok(count) => self.written(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.session.on_blocked(self.receiver.shared.clock.now());
                    return Ok(());
                }
                Err(error) => return Err(lost(error)),
            }
        }
    }

    fn written(&mut self, count: usize) {
        let out = self.session.outgoing();
        if out.is_empty() {
            if let Some(payload) = self.upload.sent(count) {
                self.receiver.events.push(crate::session::SessionEvent::Uploaded(payload));
            }
        } else {
            out.advance(count);
            if out.is_empty() {
                // An idle connection holds no buffer.
                *out = bytes::BytesMut::new();
            }
        }
        let waiting = !self.session.queued().is_empty() || !self.upload.bytes().is_empty();
        self.session.on_sent(self.receiver.shared.clock.now(), waiting);
    }

    /// Reads while there is something to read, some turns at the most.
    async fn read(&mut self) -> Result<(), CloseReason> {
        for _ in 0..TURN {
            let more = if self.handshake.is_none() && self.transport.is_tcp() {
                match self.receiver.scatter(&mut self.session, &mut self.transport)? {
                    Scattered::Unpredicted => self.read_plain().await?,
                    Scattered::Failed(error) if error.kind() == io::ErrorKind::WouldBlock => false,
                    Scattered::Failed(error) => return Err(lost(error)),
                    Scattered::Read(0, _) => return Err(CloseReason::PeerLeft),
                    Scattered::Read(_, rest) => {
                        self.take_in(&rest).await?;
                        true
                    }
                }
            } else {
                self.read_plain().await?
            };
            if !more {
                break;
            }
            self.receiver.deliver().await;
        }
        Ok(())
    }

    /// Reads into a borrowed buffer; false if there was nothing.
    async fn read_plain(&mut self) -> Result<bool, CloseReason> {
        let shared = self.receiver.shared.clone();
        let mut buffer = shared.buffers.take();
        let result = self.transport.try_read(&mut buffer);
        let taken = match result {
            Ok(0) => Err(CloseReason::PeerLeft),
            Ok(count) => self.take_in(&buffer[..count]).await.map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(lost(error)),
        };
        shared.buffers.put(buffer);
        taken
    }

    async fn take_in(&mut self, bytes: &[u8]) -> Result<(), CloseReason> {
        let mut input = bytes;
        if !self.shake_hands(&mut input)? {
            return Ok(());
        }
        loop {
            let fed = self.receiver.feed(&mut self.session, &mut input)?;
            if fed == Fed::All {
                return Ok(());
            }
            self.receiver.deliver().await;
            if fed == Fed::NoBuffer {
                self.receiver.find_place().await;
            }
            self.session.on_resumed(self.receiver.shared.clock.now());
            // What the swarm answers must not pile up while the peer keeps us busy.
            if let Some(reason) = self.take_mail() {
                return Err(reason);
            }
        }
    }

    /// Takes the peer's handshake from the front of `input`; true if it is done.
    fn shake_hands(&mut self, input: &mut &[u8]) -> Result<bool, CloseReason> {
        let Some(decoder) = &mut self.handshake else { return Ok(true) };
        let theirs =
            decoder.feed(input).map_err(|error| Violation::Handshake(error.to_string()))?;
        let Some(theirs) = theirs else { return Ok(false) };
        self.handshake = None;
        let shared = &self.receiver.shared;
        let (opened, announced) = shared.ours(|ours| {
            let now = shared.clock.now();
            (self.session.on_handshake(now, &theirs, &ours.have), ours.log.len())
        });
        self.announced = announced;
        self.receiver.events.push(opened?);
        Ok(true)
    }
}

/// What an error of the socket says about the peer.
fn lost(error: io::Error) -> CloseReason {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::UnexpectedEof => CloseReason::PeerLeft,
        kind => CloseReason::Failed(kind),
    }
}
