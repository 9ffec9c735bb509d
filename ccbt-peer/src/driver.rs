//! Tokio, sockets, threads and the clock: everything that moves the core.
//!
//! Each connection is a task that owns its socket and its [`Session`](crate::session::Session); one task
//! runs the [`SwarmCore`](crate::swarm::SwarmCore); one thread writes to the store. Connections and the
//! writer send [`Report`]s to the swarm through one bounded queue and wait when it is full. The swarm
//! never waits for any of them: what it wants lies in [`Mailbox`](mailbox::Mailbox)es. So there is no
//! circle of waiting.

mod announce;
mod assembly;
mod binding;
mod budget;
mod clock;
mod connection;
mod descriptors;
mod limit;
mod listener;
mod mailbox;
mod opening;
mod paused;
mod pool;
mod receive;
mod reserve;
mod scatter;
mod strangers;
mod swarm;
mod transport;
mod unreadable;
mod upload;
mod writer;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ccbt_wire::{Bitfield, PieceIndex};
use tokio::sync::{mpsc, oneshot};

use crate::CloseReason;
use crate::addresses::Addresses;
use crate::choice::Choice;
use crate::close::Refusal;
use crate::session::{Run, SessionConfig, SessionEvent};
use crate::snapshot::Snapshot;
use crate::store::{PieceStore, StoreError};
use crate::swarm::{Input, PeerKey, Print};
use assembly::Assemblies;
use mailbox::Mailbox;
use pool::Pool;
use writer::{Reply, Writer};

pub use binding::{Binding, BindingError};
pub use budget::Budget;
pub(crate) use clock::Clock;
pub use descriptors::Descriptors;
pub use limit::Limits;
pub use listener::Node;
pub use opening::Opened;
pub(crate) use opening::{Begin, Opener};
pub(crate) use reserve::is_lack;
pub(crate) use swarm::{OurNode, Setup, run};
pub use transport::{Dialer, TcpDialer, Transport};

/// A task that wakes so late was not running; what came meanwhile is to be heard first.
const LATE: Duration = Duration::from_millis(250);
/// How long there is then to read what lies in the sockets.
const CATCH_UP: Duration = Duration::from_millis(50);

/// What connections, the writer and the person tell the swarm's task.
#[derive(Debug)]
pub(crate) enum Report {
    /// A dialed connection stands.
    Dialed(PeerKey),
    /// A dial failed.
    DialFailed(PeerKey, io::Error),
    /// Somebody connected and wants this torrent.
    Incoming(SocketAddr, oneshot::Sender<Result<(PeerKey, Arc<Mailbox>), Refusal>>),
    /// What a connection learnt since its last report.
    Session(PeerKey, Vec<SessionEvent>),
    /// A connection ended.
    Closed(PeerKey, CloseReason),
    /// Who sent what of a piece, before it is told whether it is right.
    Prints(PieceIndex, Vec<Print>),
    /// These pieces are verified and stored.
    Stored(Vec<PieceIndex>),
    /// A piece is here and its hash is wrong.
    PieceFailed(PieceIndex),
    /// The store of a torrent whose metadata was fetched is open, or could not be opened.
    Opened(Result<Opened, StoreError>),
    /// The writer cannot write, and tries again.
    WriteFailed(StoreError),
    /// It could write again.
    WriteBack,
    /// What a peer asked for could not be read.
    ReadFailed(Run, StoreError),
    /// These pieces can be read again, and whether anything can be.
    Looked(Vec<PieceIndex>, bool),
    /// The store works, but not all that belongs to it.
    Trouble(String),
    /// All is here, and may be settled by now.
    Finish,
    /// The person wants something else: addresses, rules, slots.
    Wish(Input),
    /// The person wants other files.
    Choose(Choice, Reply),
    /// The person wants to keep what is known of addresses.
    Addresses(oneshot::Sender<Addresses>),
    /// The person wants to see everything.
    Look(oneshot::Sender<Snapshot>),
    /// The person wants an end.
    Stop,
}

/// What all connections of a swarm share.
#[derive(Debug)]
pub(crate) struct Shared {
    clock: Clock,
    session: Arc<SessionConfig>,
    data: OnceLock<Data>,
    ours: RwLock<Ours>,
    buffers: Pool,
    limits: Limits,
    reports: mpsc::Sender<Report>,
}

/// Where pieces come together and lie. It is there from the beginning, or once the metadata of a magnet link
/// is known and the store open; before that no block is asked for.
#[derive(Debug)]
struct Data {
    assemblies: Arc<Assemblies>,
    store: Arc<dyn PieceStore>,
    writer: Writer,
}

/// The pieces that we have, and the order in which they came: connections announce them from there, each
/// at its own pace.
#[derive(Debug)]
struct Ours {
    have: Bitfield,
    log: Vec<PieceIndex>,
    /// How many of them are for everybody to hear; the others are for peers that we unchoke.
    told: usize,
    /// Pieces of `have` that cannot be read at the moment: they are neither shown nor given.
    aside: BTreeSet<PieceIndex>,
    /// Nothing of it is said in greetings: the swarm shows each peer what it is to see (BEP 16).
    hidden: bool,
}

impl Ours {
    /// Whether a peer gets what it asks of the piece.
    fn gives(&self, piece: PieceIndex) -> bool {
        self.have.get(piece) && !self.aside.contains(&piece)
    }

    /// What a greeting says that we have.
    fn shown(&self) -> Cow<'_, Bitfield> {
        if self.hidden {
            return Cow::Owned(Bitfield::new(self.have.len()));
        }
        let mut shown = Cow::Borrowed(&self.have);
        for piece in &self.aside {
            shown.to_mut().set(*piece, false);
        }
        shown
    }
}

impl Shared {
    fn ours<T>(&self, look: impl FnOnce(&Ours) -> T) -> T {
        look(&self.ours.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn data(&self) -> Option<&Data> {
        self.data.get()
    }

    fn add_piece(&self, piece: PieceIndex) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        ours.have.set(piece, true);
        ours.log.push(piece);
    }

    fn set_aside(&self, piece: PieceIndex) {
        self.ours.write().unwrap_or_else(PoisonError::into_inner).aside.insert(piece);
    }

    /// Those who were greeted in the meantime hear of these pieces now.
    fn bring_back(&self, pieces: Vec<PieceIndex>) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        ours.aside.retain(|piece| !pieces.contains(piece));
        if !ours.hidden {
            ours.log.extend(pieces);
        }
    }

    /// Everything is for everybody to hear.
    fn tell_all(&self) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        ours.told = ours.log.len();
    }

    /// These pieces are here, all at once.
    fn set_pieces(&self, have: Bitfield, pieces: Vec<PieceIndex>) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        (ours.have, ours.log) = (have, pieces);
    }

    /// Greetings say all that we have from now on; whoever was greeted otherwise hears of everything.
    fn show_all(&self) {
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut ours.hidden) {
            let pieces: Vec<PieceIndex> = ours.have.iter_ones().collect();
            ours.log.extend(pieces);
        }
    }

    async fn report(&self, report: Report) {
        // When the swarm's task is gone there is nobody to tell.
        let _ = self.reports.send(report).await;
    }
}

#[cfg(test)]
mod tests;
