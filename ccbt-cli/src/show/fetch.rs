//! What is behind a magnet link, asked of its swarm.

use std::time::Duration;

use ccbt_peer::store::{MemoryStore, StoreError};
use ccbt_peer::wire::{Magnet, Metainfo};
use ccbt_peer::{EventKind, Events};

use crate::args::{Eviction, Show};
use crate::exit::{Exit, Failure};
use crate::get::torrent;
use crate::network::Setup;
use crate::report::{Detail, Report, Stream, units};
use crate::signals::Signals;

/// Joins the swarm until the metadata is here; the inner error is that nobody had it in time.
pub(super) async fn metadata(
    args: &Show,
    magnet: &Magnet,
    signals: &mut Signals,
) -> Result<Result<Metainfo, Failure>, Failure> {
    let mut report = Report::new(Stream::BesideAnswer, Detail::Normal);
    let setup = Setup::to_look(&args.contact, &Eviction::default(), &mut report)?;
    // Nothing of the content is wanted.
    let open = |_: &Metainfo| Err::<(MemoryStore, _), _>(StoreError::GivenUp);
    let (swarm, _) = setup.magnet(magnet, open, &mut report);
    let swarm = swarm.listen(args.contact.listen).observe();
    let (swarm, events) = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
    let told = signals.guard(listen(args.wait, events, &mut report)).await;
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
            let wait = units::passed(args.wait);
            let message = format_args!("{title}: nobody told in {wait} what it leads to (--wait)");
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

async fn listen(wait: Duration, mut events: Events, report: &mut Report) -> Told {
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
    tokio::time::timeout(wait, told).await.unwrap_or(Told::Nothing)
}
