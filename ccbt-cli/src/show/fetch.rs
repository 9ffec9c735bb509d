//! What is behind a magnet link, asked of its swarm.

use std::time::Duration;

use ccbt_peer::store::{MemoryStore, StoreError};
use ccbt_peer::wire::{Magnet, Metainfo};
use ccbt_peer::{EventKind, Events};

use crate::args::{Contact, Eviction};
use crate::exit::{Exit, Failure};
use crate::get::torrent;
use crate::network::Setup;
use crate::report::{Detail, Report, Stream, units};
use crate::signals::Signals;

/// How long the metadata is waited for, for ever by default, and the option that says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) wait: Option<Duration>,
    pub(crate) option: &'static str,
}

/// Joins the swarm until the metadata is here; the inner error is that nobody had it in time.
pub(crate) async fn metadata(
    contact: &Contact,
    magnet: &Magnet,
    patience: Patience,
    signals: &mut Signals,
) -> Result<Result<Metainfo, Failure>, Failure> {
    let mut report = Report::new(Stream::BesideAnswer, Detail::Normal);
    let setup = Setup::to_look(contact, &Eviction::default(), &mut report)?;
    // Nothing of the content is wanted.
    let open = |_: &Metainfo| Err::<(MemoryStore, _), _>(StoreError::GivenUp);
    let (swarm, _) = setup.magnet(magnet, open, &mut report);
    let swarm = swarm.listen(contact.listen).observe();
    let (swarm, events) = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
    let told = signals.guard(listen(patience.wait, events, &mut report)).await;
    report.clear();
    swarm.stop().await;
    let title = torrent::title(magnet);
    match told? {
        Told::Metadata(metainfo) => {
            if let Some(trouble) = setup.shelf().keep(&metainfo) {
                report.once(&trouble);
            }
            Ok(Ok(*metainfo))
        }
        Told::Refused(error) => {
            let message = format_args!("{title}: the metadata cannot be used: {error}");
            Err(Failure::new(Exit::Refused, message))
        }
        Told::Nothing => {
            let Patience { wait, option } = patience;
            let wait = wait.map_or_else(|| "time".to_owned(), units::passed);
            let message =
                format_args!("{title}: nobody told in {wait} what it leads to ({option})");
            Ok(Err(Failure::new(Exit::Stalled, message)))
        }
    }
}

/// What the swarm told in time.
enum Told {
    Metadata(Box<Metainfo>),
    Refused(String),
    Nothing,
}

async fn listen(wait: Option<Duration>, mut events: Events, report: &mut Report) -> Told {
    let told = async {
        while let Some(event) = events.next().await {
            match event.kind {
                EventKind::Metadata(metainfo) => return Told::Metadata(Box::new(metainfo)),
                EventKind::MetadataRefused { error } => return Told::Refused(error),
                EventKind::MetadataProgress { .. } | EventKind::SourceFailed { .. } => {
                    report.event(None, &event);
                }
                _ => {}
            }
        }
        Told::Nothing
    };
    match wait {
        Some(wait) => tokio::time::timeout(wait, told).await.unwrap_or(Told::Nothing),
        None => told.await,
    }
}
