//! Scripted peers: what they do is a few lines in a scenario, what they saw is a diary with the time.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::torrent::Content;
use super::wire::{Heard, Message, Wire, is_closing};

/// How often a peer that holds requests back looks whether it may serve them.
const PACE_POLL: Duration = Duration::from_millis(50);

/// What one connection saw.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// This end's address, as ccbt sees it.
    pub(super) address: SocketAddr,
    /// When both handshakes were done.
    pub(super) ready_at: Instant,
    pub(super) heard: Vec<(Instant, Message)>,
    /// What we said and just before when; without the blocks' bytes.
    pub(super) said: Vec<(Instant, Message)>,
    /// When ccbt closed.
    pub(super) closed_at: Option<Instant>,
}

impl Visit {
    /// When we first said a message that `is` picks.
    pub(super) fn first_said(&self, is: impl Fn(&Message) -> bool) -> Option<Instant> {
        self.said.iter().find(|(_, message)| is(message)).map(|&(at, _)| at)
    }

    /// When we last sent a block.
    pub(super) fn last_block(&self) -> Option<Instant> {
        self.said
            .iter()
            .rev()
            .find(|(_, message)| matches!(message, Message::Piece { .. }))
            .map(|&(at, _)| at)
    }

    /// When we first heard `wanted` at `from` or later.
    pub(super) fn heard_after(&self, wanted: &Message, from: Instant) -> Option<Instant> {
        self.heard.iter().find(|(at, message)| *at >= from && message == wanted).map(|&(at, _)| at)
    }
}

type Diary = Arc<Mutex<Vec<Visit>>>;

/// A scripted peer; it goes when this is dropped.
pub(super) struct Peer {
    /// Where it listens, or where it dialed from.
    pub(super) address: SocketAddr,
    diary: Diary,
    stop: Arc<AtomicBool>,
    listens: bool,
}

impl Peer {
    /// Listens on a port of `host` and plays `script` with everyone who comes.
    pub(super) fn listening<S>(host: Ipv4Addr, content: &Arc<Content>, script: S) -> Result<Self>
    where
        S: Fn(&mut Link) -> Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((host, 0))?;
        let address = listener.local_addr()?;
        let (diary, stop) = (Diary::default(), Arc::new(AtomicBool::new(false)));
        let peer =
            Peer { address, diary: Arc::clone(&diary), stop: Arc::clone(&stop), listens: true };
        let (content, script) = (Arc::clone(content), Arc::new(script));
        let peer_id = peer_id();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (content, diary, script) =
                    (Arc::clone(&content), Arc::clone(&diary), Arc::clone(&script));
                thread::spawn(move || {
                    let link = Wire::accept(stream, &content.info_hash, &peer_id)
                        .map(|wire| Link::new(wire, address, content, diary));
                    play(link, script.as_ref());
                });
            }
        });
        Ok(peer)
    }

    /// Dials `to` and plays `script`.
    pub(super) fn dialing<S>(to: SocketAddr, content: &Arc<Content>, script: S) -> Result<Self>
    where
        S: Fn(&mut Link) -> Result<()> + Send + 'static,
    {
        let stream = TcpStream::connect(to).with_context(|| format!("nobody listens at {to}"))?;
        let address = stream.local_addr()?;
        let diary = Diary::default();
        let wire = Wire::dial(stream, &content.info_hash, &peer_id())?;
        let link = Link::new(wire, address, Arc::clone(content), Arc::clone(&diary));
        thread::spawn(move || play(Ok(link), &script));
        Ok(Peer { address, diary, stop: Arc::default(), listens: false })
    }

    /// All visits so far, in the order of their handshakes.
    pub(super) fn visits(&self) -> Vec<Visit> {
        lock(&self.diary).clone()
    }

    /// The first visit, once there was one.
    pub(super) fn first_visit(&self) -> Result<Visit> {
        self.visits()
            .into_iter()
            .next()
            .with_context(|| format!("no handshake with {}", self.address))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.listens {
            // Wakes the listener, so that it sees the flag; if it is gone already, all is well.
            let _ = TcpStream::connect(self.address);
        }
    }
}

/// A connection that fails is seen in its diary, by what is missing there.
fn play(link: Result<Link>, script: &dyn Fn(&mut Link) -> Result<()>) {
    let outcome = link.and_then(|mut link| script(&mut link));
    if let Err(error) = outcome {
        eprintln!("scripted peer: {error:#}");
    }
}

fn peer_id() -> [u8; 20] {
    let mut id = *b"-XT0001-............";
    id[8..].fill_with(|| fastrand::alphanumeric() as u8);
    id
}

/// How a stretch of serving ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// The time was over.
    TimeUp,
    /// The message that was waited for came.
    Told,
    /// ccbt closed.
    Closed,
}

/// How many blocks may have gone out after so long, over all connections of a peer.
pub(super) type Pace = Arc<dyn Fn(Duration) -> usize + Send + Sync>;

/// One connection of a scripted peer.
pub(super) struct Link {
    wire: Wire,
    content: Arc<Content>,
    diary: Diary,
    visit: usize,
    /// Unchokes whoever is interested.
    pub(super) generous: bool,
    pace: Option<(Pace, Instant, Arc<Mutex<usize>>)>,
    queue: VecDeque<(u32, u32, u32)>,
}

impl Link {
    fn new(wire: Wire, address: SocketAddr, content: Arc<Content>, diary: Diary) -> Self {
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
        Link { wire, content, diary, visit, generous: true, pace: None, queue: VecDeque::new() }
    }

    /// Serves no faster than `pace` from `since` on; `sent` counts over all connections.
    pub(super) fn keep_pace(&mut self, pace: Pace, since: Instant, sent: Arc<Mutex<usize>>) {
        self.pace = Some((pace, since, sent));
    }

    /// Says one message; true while ccbt is there.
    pub(super) fn say(&mut self, message: Message) -> Result<bool> {
        let at = Instant::now();
        let sent = self.wire.send(&message);
        self.note(|visit| visit.said.push((at, without_data(message))));
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
    pub(super) fn announce(&mut self, has: impl Fn(u32) -> bool) -> Result<bool> {
        let bits = self.content.bitfield(has);
        self.say(Message::Bitfield(bits))
    }

    /// Answers what it is asked, until ccbt closes.
    pub(super) fn serve(&mut self) -> Result<()> {
        let day = Duration::from_secs(86_400);
        self.serve_until(Instant::now() + day, |_| false).map(drop)
    }

    /// Answers what it is asked, until `until`, or `told` says that this was the message.
    pub(super) fn serve_until(
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

    fn answer(&mut self, message: &Message) -> Result<bool> {
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
            let data = block
                .with_context(|| format!("asked for {length} bytes at {begin} of piece {piece}"))?
                .to_vec();
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
