//! The task of one connection, from the first byte to the last.

use std::io;
use std::sync::Arc;

use bytes::Buf;
use ccbt_policy::Direction;
use ccbt_wire::HandshakeDecoder;

use super::limit::{Place, Turn};
use super::mailbox::Mailbox;
use super::receive::{Fed, Receiver};
use super::scatter::Scattered;
use super::transport::{Ready, Transport};
use super::upload::{self, ReadResult, Upload};
use super::{CATCH_UP, LATE, Report, Shared};
use crate::CloseReason;
use crate::close::Violation;
use crate::session::{Session, SessionEvent};
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
    /// Where it waits for its turn to read and to serve, under limits.
    to_read: Place,
    to_serve: Place,
    /// Pieces of the log that the peer knows of.
    announced: usize,
}

/// A peer that does not take what we have to say is not listened to above so many bytes, and hears of no
/// further pieces: what it asks for in the meantime costs it its own memory.
const BACKLOG: usize = 64 << 10;
/// A peer that has asked for so much that there is room for fewer further requests than this is not listened
/// to, if it has nothing to give: what it asks for waits on its way instead of being refused.
const ROOM: usize = 32;
/// A REQUEST message.
const REQUEST: usize = 17;

/// Why a connection has something to do.
enum Woke {
    Mail,
    Ready(Ready),
    Read(ReadResult),
    MayRead(Turn),
    MayServe(Turn),
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
            to_read: Place::default(),
            to_serve: Place::default(),
            announced: 0,
        }
    }

    /// Runs the connection and reports its end.
    pub(super) async fn run(mut self) {
        let reason = match self.serve().await {
            Ok(reason) | Err(reason) => reason,
        };
        self.receiver.release();
        self.to_read.leave();
        self.to_serve.leave();
        // What came before the end counts.
        self.receiver.deliver().await;
        let key = self.receiver.key;
        self.receiver.shared.report(Report::Closed(key, reason)).await;
    }

    async fn serve(&mut self) -> Result<CloseReason, CloseReason> {
        let shared = self.receiver.shared.clone();
        let clock = shared.clock;
        let mut alarm = self.session.deadline();
        let sleep = tokio::time::sleep_until(clock.instant(alarm));
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
            self.serve_next(&shared);
            self.receiver.deliver().await;
            let listen = self.listens();
            if listen == self.session.is_held() {
                self.session.on_held(clock.now(), !listen);
            }
            // A deadline that moves away is met when the old one comes; one that comes nearer is not.
            if self.session.deadline() < alarm {
                alarm = self.session.deadline();
                sleep.as_mut().reset(clock.instant(alarm));
            }
            let (payload, reading) = self.upload.split();
            let queued = self.session.queued();
            let out = if queued.is_empty() { payload } else { queued };
            let woke = tokio::select! {
                biased;
                () = self.mailbox.news() => Woke::Mail,
                turn = self.to_read.turn() => Woke::MayRead(turn),
                turn = self.to_serve.turn() => Woke::MayServe(turn),
                ready = self.transport.ready(out, listen), if listen || !out.is_empty() => {
                    Woke::Ready(ready.map_err(lost)?)
                }
                run = upload::done(reading) => Woke::Read(run),
                () = &mut sleep => Woke::Time,
            };
            match woke {
                Woke::Mail => {}
                Woke::Ready(Ready::Readable) if self.has_to_queue(&shared) => {
                    self.to_read.queue(&shared.limits.down);
                    self.receiver.events.push(SessionEvent::Held(true));
                }
                Woke::Ready(Ready::Readable) => self.read().await?,
                Woke::MayRead(turn) => {
                    self.session.on_held(clock.now(), false);
                    self.receiver.events.push(SessionEvent::Held(false));
                    self.read_some(turn.share(), Some(turn)).await?;
                }
                Woke::MayServe(turn) => {
                    let most = turn.share();
                    turn.end(self.upload.start(&mut self.session, &shared, most));
                }
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
                        if listen {
                            self.read().await?;
                        }
                        self.session.on_deadline(clock.now())?;
                    }
                    alarm = self.session.deadline();
                    sleep.as_mut().reset(clock.instant(alarm));
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
                self.receiver.events.push(SessionEvent::Uploaded(payload));
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
        let share = self.receiver.shared.limits.down.share();
        let (turns, most) = share.map_or((TURN, usize::MAX), |share| (1, share));
        for _ in 0..turns {
            if !self.read_some(most, None).await? {
                break;
            }
            self.receiver.deliver().await;
        }
        Ok(())
    }

    /// Reads at most `most` bytes; false if there was nothing.
    async fn read_some(&mut self, most: usize, turn: Option<Turn>) -> Result<bool, CloseReason> {
        if self.handshake.is_some() || !self.transport.is_tcp() {
            return self.read_plain(most, turn).await;
        }
        let (session, transport) = (&mut self.session, &mut self.transport);
        match self.receiver.scatter(session, transport, most)? {
            Scattered::Unpredicted => self.read_plain(most, turn).await,
            Scattered::Failed(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Scattered::Failed(error) => Err(lost(error)),
            Scattered::Read(0, _) => Err(CloseReason::PeerLeft),
            Scattered::Read(count, rest) => {
                self.pay(count, turn);
                self.take_in(&rest).await?;
                self.heard(count);
                Ok(true)
            }
        }
    }

    /// Counts what was read, and lets others have a turn.
    fn pay(&self, count: usize, turn: Option<Turn>) {
        match turn {
            Some(turn) => turn.end(count),
            None if self.handshake.is_none() => self.receiver.shared.limits.down.charge(count),
            None => {}
        }
    }

    /// Under a limit whoever owes us blocks waits for its turn. The others have little to say, and are
    /// judged by it: they are heard at once.
    fn has_to_queue(&self, shared: &Shared) -> bool {
        self.owes() && shared.limits.down.share().is_some()
    }

    /// Whether the peer has blocks to send to us.
    fn owes(&self) -> bool {
        self.receiver.landing.is_some() || self.session.expected().next().is_some()
    }

    /// Whether what the peer sends is read.
    fn listens(&self) -> bool {
        self.session.queued().len() < BACKLOG && !self.to_read.is_queued() && !self.is_deaf()
    }

    /// Whether the peer has asked for so much that it is not listened to. Two that give to each other must
    /// not both stop to listen, so this is for those who only take.
    fn is_deaf(&self) -> bool {
        self.session.upload_room() < ROOM && !self.owes()
    }

    /// Starts the next run of blocks, or waits for the turn to.
    fn serve_next(&mut self, shared: &Arc<Shared>) {
        if !self.upload.is_idle() || !self.session.has_uploads() || self.to_serve.is_queued() {
            return;
        }
        if shared.limits.up.share().is_some() {
            self.to_serve.queue(&shared.limits.up);
        } else {
            self.upload.start(&mut self.session, shared, usize::MAX);
        }
    }

    /// Reads into a borrowed buffer; false if there was nothing.
    async fn read_plain(&mut self, most: usize, turn: Option<Turn>) -> Result<bool, CloseReason> {
        let shared = self.receiver.shared.clone();
        let mut buffer = shared.buffers.take();
        // No more than what holds the requests for which there is room.
        let asks = if self.owes() { usize::MAX } else { self.session.upload_room() * REQUEST };
        let most = buffer.len().min(most).min(asks.saturating_sub(REQUEST - 1).max(1));
        let result = self.transport.try_read(&mut buffer[..most]);
        self.pay(*result.as_ref().unwrap_or(&0), turn);
        let taken = match result {
            Ok(0) => Err(CloseReason::PeerLeft),
            Ok(count) => self.take_in(&buffer[..count]).await.map(|()| {
                self.heard(count);
                true
            }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(lost(error)),
        };
        shared.buffers.put(buffer);
        taken
    }

    /// So many bytes came and were taken in.
    fn heard(&mut self, count: usize) {
        let now = self.receiver.shared.clock.now();
        self.session.on_bytes(now, count, !self.receiver.decoder.at_boundary());
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
            let clock = self.receiver.shared.clock;
            self.session.on_held(clock.now(), true);
            self.receiver.deliver().await;
            if fed == Fed::NoBuffer {
                self.receiver.find_place().await;
            }
            self.session.on_held(clock.now(), false);
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
