//! The task of one connection, from the first byte to the last.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use ccbt_policy::Direction;
use ccbt_wire::HandshakeDecoder;
use tokio::time::{Instant, Sleep};

use super::clock::Clock;
use super::limit::{Place, Turn};
use super::mailbox::Mailbox;
use super::receive::{Fed, Receiver};
use super::scatter::Scattered;
use super::transport::{Ready, Transport};
use super::upload::Upload;
use super::{CATCH_UP, LATE, Report, Shared};
use crate::CloseReason;
use crate::close::Violation;
use crate::session::{Session, SessionEvent, Tell};
use crate::swarm::{self, PeerKey};

/// A connection that read so often in a row lets the others have a turn.
const TURN: usize = 4;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    mailbox: Arc<Mailbox>,
    transport: Transport,
    session: Session,
    // Boxed: it is gone when the connection begins to live.
    handshake: Option<Box<HandshakeDecoder>>,
    receiver: Receiver,
    upload: Upload,
    /// Where it waits for its turn to read and to serve, under limits.
    to_read: Place,
    to_serve: Place,
    /// What was read and has to wait.
    rest: Option<Box<Rest>>,
    /// Pieces of the log that the peer knows of.
    announced: usize,
}

/// A peer that does not take what we have to say is not listened to above so many bytes, and hears of no
/// further pieces: what it asks for in the meantime costs it its own memory.
const BACKLOG: usize = 64 << 10;
/// A peer that has asked for so much that there is room for fewer further requests than this is not listened
/// to, if it has nothing to give: what it asks for waits on its way instead of being refused.
const ROOM: usize = 32;
/// Pieces that are announced at once; there are more when the files of a magnet link turn out to be here.
const ANNOUNCED: usize = 1024;
/// A REQUEST message.
const REQUEST: usize = 17;

/// What a connection that was waiting has to do.
enum Woke {
    /// Nothing but to look around; the rest is done.
    Done,
    Readable,
    Time,
}

/// Bytes that cannot be taken in at once.
#[derive(Debug)]
struct Rest {
    fed: Fed,
    bytes: Vec<u8>,
    /// How many were read with them.
    count: usize,
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
            handshake: Some(Box::new(handshake)),
            receiver: Receiver::new(key, shared),
            upload: Upload::default(),
            to_read: Place::default(),
            to_serve: Place::default(),
            rest: None,
            announced: 0,
        }
    }

    /// Runs the connection and reports its end.
    ///
    /// An idle connection is worth as much memory as this future, for hours. So it holds no other but the
    /// timer: what is awaited seldom is boxed when it comes to that, and what is waited for while idle is
    /// polled. `an_idle_connection_is_small` holds it to that.
    pub(super) fn run(self) -> impl Future<Output = ()> + Send {
        // An `async fn` would have room for its argument twice.
        let mut connection = self;
        async move {
            let reason = match connection.serve().await {
                Ok(reason) | Err(reason) => reason,
            };
            Box::pin(connection.end(reason)).await;
        }
    }

    async fn end(&mut self, reason: CloseReason) {
        self.receiver.release();
        self.to_read.leave();
        self.to_serve.leave();
        // What came before the end counts.
        self.receiver.deliver().await;
        let key = self.receiver.key;
        self.receiver.shared.report(Report::Closed(key, reason)).await;
    }

    async fn serve(&mut self) -> Result<CloseReason, CloseReason> {
        let mut sleep = pin!(tokio::time::sleep_until(self.deadline()));
        loop {
            if let Some(reason) = self.take_mail() {
                // A last word, such as NOT_INTERESTED, is worth a try.
                let _ = self.flush();
                return Ok(reason);
            }
            while self.announce() {
                self.flush()?;
            }
            self.flush()?;
            // Behind the flush: a run that just went out makes room for the next.
            self.serve_next();
            self.deliver().await;
            if self.listens() == self.session.is_held() {
                self.session.on_held(self.clock().now(), !self.session.is_held());
            }
            // The timer follows a deadline that moves away without a wake-up; left where it was, it would wake us.
            if self.deadline() != sleep.deadline() {
                sleep.as_mut().reset(self.deadline());
            }
            // Not in the `match`: the error would have its room in the future.
            let woke = poll_fn(|cx| self.poll_wake(cx, sleep.as_mut())).await?;
            if self.rest.is_some() {
                Box::pin(self.take_in_rest()).await?;
            }
            match woke {
                Woke::Done => {}
                Woke::Readable if self.has_to_queue() => {
                    self.to_read.queue(&self.receiver.shared.limits.down);
                    self.receiver.events.push(SessionEvent::Held(true));
                }
                Woke::Readable => self.read().await?,
                Woke::Time => {
                    if self.clock().now() >= self.session.deadline() {
                        Box::pin(self.on_deadline()).await?;
                    }
                    sleep.as_mut().reset(self.deadline());
                }
            }
        }
    }

    /// Ready when there is something to do; does at once what needs no waiting.
    fn poll_wake(
        &mut self,
        cx: &mut Context<'_>,
        sleep: Pin<&mut Sleep>,
    ) -> Poll<Result<Woke, CloseReason>> {
        if self.mailbox.poll_news(cx).is_ready() {
            return Poll::Ready(Ok(Woke::Done));
        }
        if let Poll::Ready(turn) = self.to_read.poll_turn(cx) {
            return Poll::Ready(self.read_in_turn(turn));
        }
        if let Poll::Ready(turn) = self.to_serve.poll_turn(cx) {
            let most = turn.share();
            turn.end(self.start_serving(most));
            return Poll::Ready(Ok(Woke::Done));
        }
        let listen = self.listens();
        let (out, what) = outgoing(&self.session, &self.upload);
        if let Poll::Ready(ready) = self.transport.poll_ready(cx, out, listen) {
            return Poll::Ready(match ready {
                Ok(Ready::Readable) => Ok(Woke::Readable),
                Ok(Ready::Written(count)) => {
                    self.written(count, what);
                    Ok(Woke::Done)
                }
                Err(error) => Err(lost(error)),
            });
        }
        if let Poll::Ready(run) = self.upload.poll_read(cx) {
            if let Some((run, error)) = self.upload.read(&mut self.session, run) {
                // If there is no room for it, the next one that fails will tell.
                let _ = self.receiver.shared.reports.try_send(Report::ReadFailed(run, error));
            }
            return Poll::Ready(Ok(Woke::Done));
        }
        sleep.poll(cx).map(|()| Ok(Woke::Time))
    }

    fn deadline(&self) -> Instant {
        self.clock().instant(self.session.deadline())
    }

    fn clock(&self) -> Clock {
        self.receiver.shared.clock
    }

    async fn on_deadline(&mut self) -> Result<(), CloseReason> {
        let clock = self.clock();
        // What the peer sent while we did not run counts before its silence does; and after a pause the
        // runtime has to look at the socket before we can.
        if clock.now().saturating_since(self.session.deadline()) > LATE {
            tokio::time::sleep(CATCH_UP).await;
        }
        if self.listens() {
            self.read().await?;
        }
        self.session.on_deadline(clock.now())
    }

    /// Hands on what came. Waits where the swarm or the writer is busy.
    async fn deliver(&mut self) {
        if self.receiver.has_news() {
            // As much work as one poll of a task may do before others get a turn.
            tokio::task::consume_budget().await;
            if !self.receiver.deliver_at_once() {
                Box::pin(self.to_serve.pass_while(self.receiver.deliver())).await;
            }
        }
    }

    fn take_mail(&mut self) -> Option<CloseReason> {
        let mail = self.mailbox.take();
        for tell in mail.tells {
            if tell != Tell::Metadata {
                self.session.tell(tell);
            } else if let Err(reason) = self.receiver.learn(&mut self.session) {
                return Some(reason);
            }
        }
        mail.close.map(|reason| *reason)
    }

    /// Announces pieces that the peer does not know of; true if there were any.
    fn announce(&mut self) -> bool {
        if self.handshake.is_some() || self.session.queued().len() >= BACKLOG {
            return false;
        }
        let (session, before) = (&mut self.session, self.announced);
        self.announced = self.receiver.shared.ours(|ours| {
            let known = if session.is_choking() { ours.told } else { ours.log.len() };
            let end = known.min(before + ANNOUNCED);
            if before < end {
                session.announce(&ours.log[before..end]);
            }
            end.max(before)
        });
        self.announced > before
    }

    /// Writes as much as the socket takes.
    fn flush(&mut self) -> Result<(), CloseReason> {
        loop {
            let (out, what) = outgoing(&self.session, &self.upload);
            if out.is_empty() {
                return Ok(());
            }
            match self.transport.try_write(out) {
                Ok(count) => self.written(count, what),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.session.on_blocked(self.clock().now());
                    return Ok(());
                }
                Err(error) => return Err(lost(error)),
            }
        }
    }

    fn written(&mut self, count: usize, what: Outgoing) {
        match what {
            Outgoing::Blocks => {
                if let Some(payload) = self.upload.sent(count) {
                    self.receiver.events.push(SessionEvent::Uploaded(payload));
                }
            }
            Outgoing::Messages => {
                let out = self.session.outgoing();
                out.advance(count);
                if out.is_empty() {
                    // An idle connection holds no buffer.
                    *out = bytes::BytesMut::new();
                }
            }
        }
        let waiting = !self.session.queued().is_empty() || !self.upload.bytes().is_empty();
        self.session.on_sent(self.clock().now(), waiting);
    }

    /// Reads while there is something to read, some turns at the most.
    async fn read(&mut self) -> Result<(), CloseReason> {
        let share = self.receiver.shared.limits.down.share();
        let (turns, most) = share.map_or((TURN, usize::MAX), |share| (1, share));
        for _ in 0..turns {
            let more = self.read_some(most, None)?;
            if !more {
                return Ok(());
            }
            if self.rest.is_some() {
                Box::pin(self.take_in_rest()).await?;
            }
            self.deliver().await;
        }
        // The swarm's task is one of the others, and nobody but this thread may have been told that it has work.
        Box::pin(tokio::task::yield_now()).await;
        Ok(())
    }

    /// Reads a share, under our limit.
    fn read_in_turn(&mut self, turn: Turn) -> Result<Woke, CloseReason> {
        self.session.on_held(self.clock().now(), false);
        self.receiver.events.push(SessionEvent::Held(false));
        self.read_some(turn.share(), Some(turn)).map(|_| Woke::Done)
    }

    /// Reads at most `most` bytes; false if there was nothing.
    fn read_some(&mut self, most: usize, turn: Option<Turn>) -> Result<bool, CloseReason> {
        if self.handshake.is_some() || !self.transport.is_tcp() {
            return self.read_plain(most, turn);
        }
        let (session, transport) = (&mut self.session, &mut self.transport);
        match self.receiver.scatter(session, transport, most)? {
            Scattered::Unpredicted => self.read_plain(most, turn),
            Scattered::Failed(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Scattered::Failed(error) => Err(lost(error)),
            Scattered::Read(0, _) => Err(CloseReason::PeerLeft),
            Scattered::Read(count, rest) => {
                self.pay(count, turn);
                self.take_in(&rest, count).map(|()| true)
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
    fn has_to_queue(&self) -> bool {
        self.owes() && self.receiver.shared.limits.down.share().is_some()
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

    /// Serves what the peer waits for next, or waits for the turn to.
    fn serve_next(&mut self) {
        let metadata = self.session.wants_metadata();
        if !metadata && !self.session.has_uploads() {
            self.upload.rest();
            return;
        }
        if !(metadata || self.upload.is_idle()) || self.to_serve.is_queued() {
            return;
        }
        let limit = &self.receiver.shared.limits.up;
        if limit.share().is_some() {
            self.to_serve.queue(limit);
        } else {
            self.start_serving(usize::MAX);
        }
    }

    /// Serves metadata, or else starts a run of blocks: about `most` bytes, but a block at least. Gives the
    /// payload in bytes.
    fn start_serving(&mut self, most: usize) -> usize {
        let (now, mut given) = (self.clock().now(), 0);
        while given < most && self.session.wants_metadata() {
            let host = self.transport.peer_ip().and_then(swarm::host);
            given += self.session.give_metadata(now, host);
        }
        if given > 0 || !self.upload.is_idle() {
            return given;
        }
        self.upload.start(&mut self.session, &self.receiver.shared, most)
    }

    /// Reads into a borrowed buffer; false if there was nothing.
    fn read_plain(&mut self, most: usize, turn: Option<Turn>) -> Result<bool, CloseReason> {
        let mut buffer = self.receiver.shared.buffers.take();
        // No more than what holds the requests for which there is room.
        let asks = if self.owes() { usize::MAX } else { self.session.upload_room() * REQUEST };
        let most = buffer.len().min(most).min(asks.saturating_sub(REQUEST - 1).max(1));
        let result = self.transport.try_read(&mut buffer[..most]);
        self.pay(*result.as_ref().unwrap_or(&0), turn);
        let taken = match result {
            Ok(0) => Err(CloseReason::PeerLeft),
            Ok(count) => self.take_in(&buffer[..count], count).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(lost(error)),
        };
        self.receiver.shared.buffers.put(buffer);
        taken
    }

    /// So many bytes came and were taken in.
    fn heard(&mut self, count: usize) {
        let now = self.clock().now();
        self.session.on_bytes(now, count, !self.receiver.decoder.at_boundary());
    }

    /// Takes in what is left of the `count` bytes that came, or keeps it as [`rest`](Self::rest).
    fn take_in(&mut self, bytes: &[u8], count: usize) -> Result<(), CloseReason> {
        let mut input = bytes;
        if self.shake_hands(&mut input)? {
            let fed = self.receiver.feed(&mut self.session, &mut input)?;
            if fed != Fed::All {
                self.rest = Some(Box::new(Rest { fed, bytes: input.to_vec(), count }));
                return Ok(());
            }
        }
        self.heard(count);
        Ok(())
    }

    /// Takes in what had to wait.
    async fn take_in_rest(&mut self) -> Result<(), CloseReason> {
        let Some(rest) = self.rest.take() else { return Ok(()) };
        let Rest { mut fed, bytes, count } = *rest;
        let mut input = &bytes[..];
        while fed != Fed::All {
            let clock = self.clock();
            self.session.on_held(clock.now(), true);
            self.to_serve.pass_while(self.receiver.deliver()).await;
            if fed == Fed::NoBuffer {
                self.to_serve.pass_while(self.receiver.find_place()).await;
            }
            self.session.on_held(clock.now(), false);
            // What the swarm answers must not pile up while the peer keeps us busy.
            if let Some(reason) = self.take_mail() {
                return Err(reason);
            }
            fed = self.receiver.feed(&mut self.session, &mut input)?;
        }
        self.heard(count);
        Ok(())
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
            (self.session.on_handshake(now, &theirs, &ours.shown()), ours.log.len())
        });
        self.announced = announced;
        self.receiver.events.push(opened?);
        Ok(true)
    }
}

/// What goes out.
#[derive(Clone, Copy, Debug)]
enum Outgoing {
    Messages,
    Blocks,
}

/// What goes out next: a message that is half sent, then short messages, then blocks.
fn outgoing<'a>(session: &'a Session, upload: &'a Upload) -> (&'a [u8], Outgoing) {
    let queued = session.queued();
    if queued.is_empty() {
        return (upload.bytes(), Outgoing::Blocks);
    }
    match upload.started() {
        [] => (queued, Outgoing::Messages),
        started => (started, Outgoing::Blocks),
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
