//! The one task that talks to the local network for all torrents.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ccbt_wire::InfoHash;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, sleep_until};

use super::sockets::{BUFFER, Sockets};
use super::talk::Talk;
use crate::Binding;
use crate::driver::Clock;

/// Addresses that wait for a swarm; more are dropped, and said again in time.
const WAITING: usize = 64;
/// When no group could be joined, or a socket failed, it is tried again after so long.
const RETRY: Duration = Duration::from_secs(60);

/// What torrents and the task share.
#[derive(Debug)]
pub(super) struct Hub {
    clock: Clock,
    state: Mutex<State>,
    /// Who takes part has changed.
    changed: Notify,
    binding: Binding,
}

#[derive(Debug)]
struct State {
    talk: Talk,
    ears: HashMap<u64, (InfoHash, mpsc::Sender<Heard>)>,
    seats: u64,
    is_running: bool,
}

/// An address, or why none can be heard of.
pub(super) type Heard = Result<SocketAddr, String>;

/// A torrent's place; it leaves when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    number: u64,
    torrent: InfoHash,
    heard: mpsc::Receiver<Heard>,
}

impl Hub {
    pub(super) fn new(binding: Binding) -> Self {
        let talk = Talk::new(fastrand::u64(..));
        let state = State { talk, ears: HashMap::new(), seats: 0, is_running: false };
        Self { clock: Clock::start(), state: Mutex::new(state), changed: Notify::new(), binding }
    }

    /// A torrent takes part; the first one starts the task.
    pub(super) fn join(self: &Arc<Self>, torrent: InfoHash, port: Option<u16>) -> Seat {
        let (ear, heard) = mpsc::channel(WAITING);
        let mut state = self.state();
        state.seats += 1;
        let number = state.seats;
        let port = port.filter(|port| *port != 0);
        state.talk.join(self.clock.now(), number, torrent, port);
        state.ears.insert(number, (torrent, ear));
        if !std::mem::replace(&mut state.is_running, true) {
            tokio::spawn(Arc::clone(self).run());
        }
        drop(state);
        self.changed.notify_one();
        Seat { hub: Arc::clone(self), number, torrent, heard }
    }

    async fn run(self: Arc<Self>) {
        let mut was_told = false;
        while self.goes_on() {
            let result = match Sockets::open(&self.binding) {
                Ok(sockets) => self.talk(&sockets).await,
                Err(error) => Err(error),
            };
            let Err(error) = result else { return };
            if !std::mem::replace(&mut was_told, true) {
                self.tell_all(&format!("cannot hear the local network: {error}"));
            }
            tokio::select! {
                () = sleep(RETRY) => (),
                () = self.is_alone() => (),
            }
        }
    }

    /// Speaks and listens until nobody takes part, or a socket fails.
    async fn talk(&self, sockets: &Sockets) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let mut announces = Vec::new();
            let deadline = {
                let mut state = self.state();
                let now = self.clock.now();
                announces.extend(std::iter::from_fn(|| state.talk.poll_announce(now)));
                state.talk.deadline()
            };
            for announce in &announces {
                sockets.send(announce).await;
            }
            let deadline = deadline.map(|at| self.clock.instant(at));
            tokio::select! {
                received = sockets.receive(&mut buffer) => match received {
                    Ok((length, from)) => self.hear(from, buffer.get(..length).unwrap_or_default()),
                    Err(error) if is_passing(&error) => (),
                    Err(error) => return Err(error),
                },
                () = async { match deadline {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                } } => (),
                () = self.changed.notified() => if !self.goes_on() { return Ok(()) },
            }
        }
    }

    fn hear(&self, from: SocketAddr, bytes: &[u8]) {
        let mut state = self.state();
        let found = state.talk.handle_datagram(self.clock.now(), from, bytes);
        for (torrent, peer) in found {
            for (_, ear) in state.ears.values().filter(|(of, _)| *of == torrent) {
                // A swarm that has no time for it hears of it again.
                let _ = ear.try_send(Ok(peer));
            }
        }
    }

    fn tell_all(&self, error: &str) {
        for (_, ear) in self.state().ears.values() {
            let _ = ear.try_send(Err(error.to_owned()));
        }
    }

    /// Whether somebody takes part. If not, the next one to join starts another task.
    fn goes_on(&self) -> bool {
        let mut state = self.state();
        state.is_running = !state.talk.is_empty();
        state.is_running
    }

    /// Resolves when nobody takes part.
    async fn is_alone(&self) {
        while !self.state().talk.is_empty() {
            self.changed.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What is heard next of the torrent.
    pub(super) async fn next(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        state.talk.leave(self.number, self.torrent);
        state.ears.remove(&self.number);
        drop(state);
        self.hub.changed.notify_one();
    }
}

/// What a socket says of one datagram, not of itself.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, Interrupted, WouldBlock};
    // Windows calls a datagram that does not fit an error.
    const TOO_LONG: i32 = 10_040;
    matches!(error.kind(), WouldBlock | Interrupted | ConnectionRefused | ConnectionReset)
        || cfg!(windows) && error.raw_os_error() == Some(TOO_LONG)
}
