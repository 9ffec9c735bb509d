//! From a magnet link to a store: the metadata comes, the store is opened beside the connections, and the
//! download begins.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use ccbt_policy::Time;
use ccbt_wire::{Bitfield, Magnet, Metainfo, PieceIndex};

use super::assembly::Assemblies;
use super::swarm::Driver;
use super::writer::Writer;
use super::{Data, Report, Shared};
use crate::Geometry;
use crate::event::EventKind;
use crate::session::{Known, Metadata};
use crate::store::{PieceStore, StoreError};
use crate::swarm::Input;

/// A store, and the pieces in it.
pub(crate) type Opened = (Arc<dyn PieceStore>, Bitfield);
/// Opens the store of a torrent whose metadata has come.
pub(crate) type Opener = Box<dyn FnOnce(&Metainfo) -> Result<Opened, StoreError> + Send>;

/// What a swarm begins with.
pub(crate) enum Begin {
    Torrent { metainfo: Arc<Metainfo>, store: Arc<dyn PieceStore>, have: Bitfield },
    Magnet { magnet: Box<Magnet>, open: Opener },
}

/// The same without what is there already.
pub(super) enum Beginning {
    Torrent { metainfo: Arc<Metainfo>, store: Arc<dyn PieceStore>, have: Bitfield },
    Magnet(Box<Magnet>, Opener),
}

/// What is to be done yet, and the thread that runs when it is.
#[derive(Default)]
pub(super) struct Opening {
    magnet: Option<(Box<Magnet>, Opener)>,
    metainfo: Option<Arc<Metainfo>>,
    pub(super) writer: Option<JoinHandle<()>>,
}

impl Begin {
    /// What is to be started, and the pieces that are there.
    pub(super) fn split(self) -> (Beginning, Bitfield) {
        match self {
            Self::Torrent { metainfo, store, have } => {
                (Beginning::Torrent { metainfo, store, have: have.clone() }, have)
            }
            Self::Magnet { magnet, open } => (Beginning::Magnet(magnet, open), Bitfield::new(0)),
        }
    }
}

impl Beginning {
    pub(super) fn metadata(&self) -> Metadata {
        match self {
            Self::Torrent { metainfo, .. } => known(metainfo).into(),
            Self::Magnet(..) => Metadata::unknown(),
        }
    }

    /// Starts what can be started.
    pub(super) fn start(self, shared: &Arc<Shared>) -> io::Result<Opening> {
        match self {
            Self::Torrent { metainfo, store, have } => {
                let writer = Some(begin(shared, metainfo, store, &have)?);
                Ok(Opening { writer, ..Opening::default() })
            }
            Self::Magnet(magnet, open) => {
                Ok(Opening { magnet: Some((magnet, open)), ..Opening::default() })
            }
        }
    }
}

fn known(metainfo: &Metainfo) -> Known {
    let (geometry, private) = (Geometry::of(metainfo), metainfo.is_private());
    Known { geometry, info: metainfo.info(), private }
}

/// Makes the place where pieces come together, and starts the thread that writes them.
fn begin(
    shared: &Arc<Shared>,
    metainfo: Arc<Metainfo>,
    store: Arc<dyn PieceStore>,
    have: &Bitfield,
) -> io::Result<JoinHandle<()>> {
    let geometry = Geometry::of(&metainfo);
    let assemblies = Arc::new(Assemblies::new(metainfo, have));
    let reports = shared.reports.clone();
    let (writer, thread) = Writer::start(geometry, store.clone(), assemblies.clone(), reports)?;
    // It is done once: from a torrent at the start, or with its metadata.
    let _ = shared.data.set(Data { assemblies, store, writer });
    Ok(thread)
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
        // It may read all that lies on the disk. Nobody waits for it when the swarm stops.
        tokio::task::spawn_blocking(move || {
            let _ = reports.blocking_send(Report::Opened(open(&metainfo)));
        });
    }

    /// The store is open, or is not to be had.
    pub(super) fn opened(&mut self, now: Time, opened: Result<Opened, StoreError>) {
        let Some(metainfo) = self.opening.metainfo.take() else { return };
        let (pieces, shared) = (metainfo.piece_count(), self.shared.clone());
        let begun = opened.map_err(|error| error.to_string()).and_then(|(store, have)| {
            if have.len() != pieces {
                let bits = have.len();
                return Err(format!("a bitfield for {bits} pieces, the torrent has {pieces}"));
            }
            let writer = begin(&shared, metainfo, store, &have);
            writer.map(|writer| (writer, have)).map_err(|error| error.to_string())
        });
        let (writer, have) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.emit(EventKind::StoreFailed { error });
                return self.stop();
            }
        };
        self.opening.writer = Some(writer);
        self.started_complete = have.all();
        let ones: Vec<PieceIndex> = have.iter_ones().collect();
        let count = have.count_ones();
        shared.set_pieces(have.clone(), ones);
        self.announce();
        self.emit(EventKind::Checked { have: count, pieces });
        self.core.handle(now, Input::Checked(have));
    }
}
