//! The store of a magnet link: opened when it is known what for, while the swarm lives on.

use ccbt_peer::Choice;
use ccbt_peer::store::{FileStore, StoreError};
use ccbt_peer::wire::magnet::FileSelection;
use ccbt_peer::wire::{Bitfield, Metainfo};
use tokio::sync::oneshot;

use super::company::Company;
use super::fetch::{Sum, check, choose, heading};
use crate::exit::Failure;
use crate::report::Report;
use crate::signals::Signals;

/// What the swarm waits for.
type Opened = (FileStore, Bitfield, Choice);

/// A store that the swarm waits for.
pub(super) struct Opening<'a> {
    company: &'a Company<'a>,
    only: Option<FileSelection>,
    /// As long as it is here the swarm waits, whatever came of the opening.
    answer: Option<oneshot::Sender<Opened>>,
}

impl<'a> Opening<'a> {
    /// The promise, and what the swarm calls to have it kept.
    pub(super) fn new(
        company: &'a Company<'a>,
        only: Option<FileSelection>,
    ) -> (Self, impl FnOnce(&Metainfo) -> Result<Opened, StoreError> + Send + use<>) {
        let (answer, opened) = oneshot::channel();
        let open = move |_: &Metainfo| opened.blocking_recv().map_err(|_| StoreError::GivenUp);
        (Self { company, only, answer: Some(answer) }, open)
    }

    /// Keeps the metadata for later runs; a word comes back if that fails.
    pub(super) fn keep(&self, metainfo: &Metainfo) -> Option<String> {
        self.company.setup.shelf().keep(metainfo)
    }

    /// Chooses the files, looks what of them lies in the folder already, and gives that to the swarm.
    ///
    /// # Errors
    /// Files that the torrent does not have, or that stand in the way; too little room; a signal.
    pub(super) async fn open(
        &mut self,
        metainfo: &Metainfo,
        report: &mut Report,
        signals: &mut Signals,
    ) -> Result<Sum, Failure> {
        let choice = choose(self.company, metainfo, self.only.as_ref())?;
        report.say(&heading(metainfo, &choice, &self.company.args.output));
        let (store, have) = check(self.company, metainfo, &choice, report, signals).await?;
        let sum = Sum::of(metainfo, &choice, &have);
        if let Some(answer) = self.answer.take() {
            // A swarm that has stopped tells so itself.
            let _ = answer.send((store, have, choice));
        }
        Ok(sum)
    }
}
