//! The store of a magnet link: opened when it is known what for, while the swarm lives on.

use std::path::{Path, PathBuf};

use ccbt_peer::store::{FileStore, StoreError};
use ccbt_peer::wire::{Bitfield, Metainfo};
use tokio::sync::oneshot;

use super::check;
use crate::exit::Failure;
use crate::report::Report;
use crate::signals::Signals;
use crate::state::Shelf;

/// A store that the swarm waits for.
pub(super) struct Opening {
    folder: PathBuf,
    shelf: Shelf,
    answer: oneshot::Sender<(FileStore, Bitfield)>,
}

impl Opening {
    /// The promise, and what the swarm calls to have it kept.
    pub(super) fn new(
        folder: &Path,
        shelf: Shelf,
    ) -> (Self, impl FnOnce(&Metainfo) -> Result<(FileStore, Bitfield), StoreError> + Send + use<>)
    {
        let (answer, opened) = oneshot::channel();
        let open = move |_: &Metainfo| opened.blocking_recv().map_err(|_| StoreError::GivenUp);
        (Self { folder: folder.to_owned(), shelf, answer }, open)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the metadata for later runs; a word comes back if that fails.
    pub(super) fn keep(&self, metainfo: &Metainfo) -> Option<String> {
        self.shelf.keep(metainfo)
    }

    /// Looks what lies in the folder already, and gives it to the swarm.
    ///
    /// # Errors
    /// A signal, or files that stand in the way.
    pub(super) async fn open(
        self,
        metainfo: &Metainfo,
        report: &mut Report,
        signals: &mut Signals,
    ) -> Result<Bitfield, Failure> {
        let (store, have) = check(metainfo, &self.folder, report, signals).await?;
        // A swarm that has stopped tells so itself.
        let _ = self.answer.send((store, have.clone()));
        Ok(have)
    }
}
