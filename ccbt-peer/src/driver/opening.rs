//! From a magnet link to a store: the metadata comes, the store is opened beside the connections, and the
//! download begins.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use ccbt_policy::Time;
use ccbt_wire::{Bitfield, Magnet, Metainfo, PieceIndex};
use tokio::sync::watch;

use super::assembly::Assemblies;
use super::swarm::Driver;
use super::writer::{Job, Writer};
use super::{Data, Report, Shared};
use crate::Geometry;
use crate::choice::Choice;
use crate::event::EventKind;
use crate::session::{Known, Metadata};
use crate::store::{PieceStore, StoreError};
use crate::swarm::Input;

/// What [`Swarm::magnet`](crate::Swarm::magnet) is to be given once its metadata has come: a store and the
/// verified pieces in it, and which files are wanted; without a choice, every file.
#[derive(Debug)]
pub struct Opened {
    store: Arc<dyn PieceStore>,
    have: Bitfield,
    choice: Option<Choice>,
}

impl Opened {
    pub(crate) fn new(store: Arc<dyn PieceStore>, have: Bitfield, choice: Option<Choice>) -> Self {
        Self { store, have, choice }
    }
}

impl<S: PieceStore + 'static> From<(S, Bitfield)> for Opened {
    fn from((store, have): (S, Bitfield)) -> Self {
        Self { store: Arc::new(store), have, choice: None }
    }
}

impl<S: PieceStore + 'static> From<(S, Bitfield, Choice)> for Opened {
    fn from((store, have, choice): (S, Bitfield, Choice)) -> Self {
        Self { store: Arc::new(store), have, choice: Some(choice) }
    }
}

/// Opens the store of a torrent whose metadata has come.
pub(crate) type Opener = Box<dyn FnOnce(&Metainfo) -> Result<Opened, StoreError> + Send>;

/// What a swarm begins with.
pub(crate) enum Begin {
    Torrent { metainfo: Arc<Metainfo>, opened: Opened },
    Magnet { magnet: Box<Magnet>, open: Opener },
}

/// What is to be done yet, and the thread that runs when it is.
#[derive(Default)]
pub(super) struct Opening {
    magnet: Option<(Box<Magnet>, Opener)>,
    pub(super) metainfo: Option<Arc<Metainfo>>,
    torrent: watch::Sender<Option<Arc<Metainfo>>>,
    pub(super) writer: Option<JoinHandle<()>>,
}

impl Begin {
    /// The pieces that are there.
    pub(super) fn have(&self) -> Bitfield {
        match self {
            Self::Torrent { opened, .. } => opened.have.clone(),
            Self::Magnet { .. } => Bitfield::new(0),
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        match self {
            Self::Torrent { metainfo, .. } => known(metainfo).into(),
            Self::Magnet { .. } => Metadata::unknown(),
        }
    }

    /// Starts what can be started. `torrent` is told which it is once there is a store for it.
    pub(super) fn start(
        self,
        shared: &Arc<Shared>,
        torrent: watch::Sender<Option<Arc<Metainfo>>>,
    ) -> io::Result<Opening> {
        let mut opening = Opening { torrent, ..Opening::default() };
        match self {
            Self::Torrent { metainfo, opened } => {
                opening.metainfo = Some(metainfo);
                opening.begin(shared, opened)?;
            }
            Self::Magnet { magnet, open } => opening.magnet = Some((magnet, open)),
        }
        Ok(opening)
    }
}

fn known(metainfo: &Metainfo) -> Known {
    let (geometry, private) = (Geometry::of(metainfo), metainfo.is_private());
    Known { geometry, info: metainfo.info(), private }
}

impl Opening {
    /// Makes the place where pieces come together, and starts the thread that writes them.
    fn begin(&mut self, shared: &Arc<Shared>, opened: Opened) -> io::Result<()> {
        let Some(metainfo) = self.metainfo.clone() else { return Ok(()) };
        let Opened { store, have, choice } = opened;
        let geometry = Geometry::of(&metainfo);
        let assemblies = Arc::new(Assemblies::new(metainfo.clone(), &have));
        let reports = shared.reports.clone();
        let (writer, thread) = Writer::start(geometry, store.clone(), assemblies.clone(), reports)?;
        self.writer = Some(thread);
        if let Some(choice) = choice {
            // The first job of all: no piece comes before it.
            writer.begin(Job::Choose(choice.wanted(), None));
        }
        // It is done once: from a torrent at the start, or with its metadata.
        let _ = shared.data.set(Data { assemblies, store, writer });
        self.torrent.send_replace(Some(metainfo));
        Ok(())
    }
}

impl Driver {
    /// The metadata is here: whoever watches hears of it, and the store is opened.
    pub(super) fn learn(&mut self, info: &Bytes) {
        let Some((magnet, open)) = self.opening.magnet.take() else { return };
        let metainfo = match Metainfo::from_info(info, &magnet) {
            Ok(metainfo) => Arc::new(metainfo),
            Err(error) => {
                self.emit(EventKind::MetadataRefused { error: error.to_string() });
                return self.stop();
            }
        };
        let private = metainfo.is_private();
        if private {
            // At once: nobody else is to hear of it.
            self.open_sources.send_replace(true);
        }
        let known = known(&metainfo);
        let geometry = known.geometry;
        self.shared.session.metadata.learn(known);
        let now = self.shared.clock.now();
        self.core.handle(now, Input::Metadata { geometry, private });
        self.emit(EventKind::Metadata(Metainfo::clone(&metainfo)));
        self.opening.metainfo = Some(metainfo.clone());
        let reports = self.shared.reports.clone();
        // It may read all that lies on the disk, or wait for others that do: a thread of its own, because those of
        // the runtime are a bounded number. Nobody waits for it when the swarm stops.
        let builder = std::thread::Builder::new().name("ccbt-open".to_owned());
        let started = builder.spawn(move || {
            let _ = reports.blocking_send(Report::Opened(open(&metainfo)));
        });
        if let Err(error) = started {
            self.emit(EventKind::StoreFailed { error: error.to_string() });
            self.stop();
        }
    }

    /// The store is open, or is not to be had.
    pub(super) fn opened(&mut self, now: Time, opened: Result<Opened, StoreError>) {
        let Some(metainfo) = self.opening.metainfo.clone() else { return };
        let begun = opened.map_err(|error| error.to_string()).and_then(|opened| {
            check(&opened, &metainfo)?;
            let choice = opened.choice.as_ref().map(|choice| choice.pieces(&metainfo));
            let (have, shared) = (opened.have.clone(), self.shared.clone());
            let begun = self.opening.begin(&shared, opened);
            begun.map(|()| (have, choice.unwrap_or_default())).map_err(|error| error.to_string())
        });
        let (have, choice) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.emit(EventKind::StoreFailed { error });
                return self.stop();
            }
        };
        let ones: Vec<PieceIndex> = have.iter_ones().collect();
        let (count, pieces) = (have.count_ones(), have.len());
        let wanted = have.iter_zeros().filter(|piece| choice.wants(*piece)).count();
        let need = u32::try_from(wanted).unwrap_or(u32::MAX);
        self.started_complete = need == 0;
        self.shared.set_pieces(have.clone(), ones);
        self.announce();
        self.emit(EventKind::Checked { have: count, need, pieces });
        self.core.handle(now, Input::Checked { have, choice: Arc::new(choice) });
    }
}

/// Whether what was opened is of this torrent.
fn check(opened: &Opened, metainfo: &Metainfo) -> Result<(), String> {
    let (bits, pieces) = (opened.have.len(), metainfo.piece_count());
    if bits != pieces {
        return Err(format!("a bitfield for {bits} pieces, the torrent has {pieces}"));
    }
    let files = metainfo.files().len();
    match opened.choice.as_ref().map(Choice::files).filter(|chosen| *chosen != files) {
        Some(chosen) => Err(format!("a choice among {chosen} files, the torrent has {files}")),
        None => Ok(()),
    }
}
