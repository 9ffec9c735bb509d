//! Scripted peers: what they do is a few lines in a scenario, what they saw is a diary with the time.

mod link;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

pub(super) use link::{Link, Metadata, Pace, Served};

use super::torrent::Content;
use super::wire::{Handshake, Message, Wire};

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

    /// When we first heard a message that `is` picks.
    pub(super) fn first_heard(&self, is: impl Fn(&Message) -> bool) -> Option<Instant> {
        self.heard.iter().find(|(_, message)| is(message)).map(|&(at, _)| at)
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
    dials: Arc<Mutex<Vec<Instant>>>,
    stop: Arc<AtomicBool>,
    listens: bool,
}

impl Peer {
    /// Listens on a port of `host` and plays `script` with everyone who comes.
    pub(super) fn listening<S>(host: Ipv4Addr, content: &Arc<Content>, script: S) -> Result<Self>
    where
        S: Fn(&mut Link) -> Result<()> + Send + Sync + 'static,
    {
        Self::listening_at((host, 0).into(), content, script)
    }

    /// The same at a known address.
    pub(super) fn listening_at<S>(at: SocketAddr, content: &Arc<Content>, script: S) -> Result<Self>
    where
        S: Fn(&mut Link) -> Result<()> + Send + Sync + 'static,
    {
        let handshake = Handshake::plain(content.info_hash, peer_id());
        Self::listen(TcpListener::bind(at)?, handshake, content, script)
    }

    /// The same as `listening`, but it knows more than BEP 3.
    pub(super) fn talkative<S>(host: Ipv4Addr, content: &Arc<Content>, script: S) -> Result<Self>
    where
        S: Fn(&mut Link) -> Result<()> + Send + Sync + 'static,
    {
        let handshake = Handshake::plain(content.info_hash, peer_id()).talkative();
        Self::listen(TcpListener::bind((host, 0))?, handshake, content, script)
    }

    fn listen<S>(
        listener: TcpListener,
        handshake: Handshake,
        content: &Arc<Content>,
        script: S,
    ) -> Result<Self>
    where
        S: Fn(&mut Link) -> Result<()> + Send + Sync + 'static,
    {
        let address = listener.local_addr()?;
        let peer = Peer {
            address,
            diary: Diary::default(),
            dials: Arc::default(),
            stop: Arc::default(),
            listens: true,
        };
        let (diary, dials) = (Arc::clone(&peer.diary), Arc::clone(&peer.dials));
        let (stop, content) = (Arc::clone(&peer.stop), Arc::clone(content));
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                lock(&dials).push(Instant::now());
                let (content, diary) = (Arc::clone(&content), Arc::clone(&diary));
                let (script, handshake) = (Arc::clone(&script), handshake.clone());
                thread::spawn(move || {
                    let link = Wire::accept(stream, &handshake)
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
        let wire = Wire::dial(stream, &Handshake::plain(content.info_hash, peer_id()))?;
        let link = Link::new(wire, address, Arc::clone(content), Arc::clone(&diary));
        thread::spawn(move || play(Ok(link), &script));
        Ok(Peer { address, diary, dials: Arc::default(), stop: Arc::default(), listens: false })
    }

    /// When somebody connected to it, whatever came of that.
    pub(super) fn dials(&self) -> Vec<Instant> {
        lock(&self.dials).clone()
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
