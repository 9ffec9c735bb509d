//! `ccbt doctor`: joins a swarm, downloads nothing, and tells what holds the download back.

mod board;
mod facts;
mod findings;
mod journal;
mod text;

use std::time::Duration;

use ccbt_peer::source::dht::Dht;
use ccbt_peer::{EventKind, Events, Swarm};
use serde::Serialize;

use crate::args::Doctor;
use crate::exit::{Exit, Failure};
use crate::get::torrent;
use crate::network::{Beside, Setup};
use crate::print;
use crate::report::{Detail, Report, Stream, printable};
use crate::rules::Judges;
use crate::selection;
use crate::signals::{Resizes, Signals, stopped_by};
use crate::verify;
use board::Board;
use facts::{Facts, Subject};
use findings::Finding;
use journal::Journal;

/// Looks, and tells.
///
/// # Errors
/// A signal, when the diagnosis is printed; nobody could be reached; or whatever stands in the way.
pub(crate) async fn run(args: &Doctor, signals: &mut Signals) -> Result<(), Failure> {
    let stream = if args.json { Stream::BesideAnswer } else { Stream::Stdout };
    let mut report = Report::new(stream, Detail::Normal);
    let setup = Setup::to_look(&args.contact, &args.eviction, &mut report)?;
    let shelf = setup.shelf();
    let torrent = torrent::load(setup.binding(), &args.torrent, &shelf);
    let metainfo = signals.guard(torrent).await??;
    let content = verify::existing(&metainfo, &args.output, &mut report, signals).await?;
    let subject = Subject::of(&metainfo, content.in_the_way);
    // What is learnt here is not kept: whoever is only looked at shows little.
    let choice = selection::files(&metainfo, &[], torrent::only(&args.torrent))?;
    let beside = Beside { peers: torrent::peers(&args.torrent), ..Beside::default() };
    let (swarm, _) = setup.swarm(&metainfo, beside, &mut report);
    let swarm = swarm.store(content.store).have(content.have).choose(choice);
    let swarm = swarm.listen(args.contact.listen).observe();
    let (swarm, events) = swarm.start().map_err(|error| Failure::new(Exit::Failed, error))?;
    let dht = setup.dht().filter(|_| !metainfo.is_private());
    let judges = setup.judges.clone();
    let visit = Visit { swarm, events, subject, dht, judges, journal: Journal::default() };
    visit.run(args, signals).await
}

/// An end that nobody asked for.
const STOPPED: &str = "the swarm stopped";

/// A swarm that is looked at.
struct Visit {
    swarm: Swarm,
    events: Events,
    subject: Subject,
    dht: Option<Dht>,
    judges: Judges,
    journal: Journal,
}

/// What is seen, and what that means.
#[derive(Debug, Serialize)]
struct Diagnosis {
    #[serde(flatten)]
    facts: Facts,
    findings: Vec<Finding>,
}

impl Visit {
    async fn run(mut self, args: &Doctor, signals: &mut Signals) -> Result<(), Failure> {
        let mut board = Board::new(!args.json);
        let end = self.stay(args.time, &mut board, signals).await;
        let seen = self.look().await;
        board.clear();
        let Some(seen) = seen else {
            return end.and(Err(Failure::new(Exit::Failed, STOPPED)));
        };
        let nobody = seen.facts.totals.met == 0 && seen.facts.need > 0;
        tell(&seen, args.json)?;
        self.swarm.stop().await;
        while self.events.next().await.is_some() {}
        match end {
            Ok(()) if nobody => Err(Failure::new(Exit::Stalled, "nobody could be reached")),
            end => end,
        }
    }

    /// Watches for so long, and shows what is seen while it changes.
    async fn stay(
        &mut self,
        time: Duration,
        board: &mut Board,
        signals: &mut Signals,
    ) -> Result<(), Failure> {
        let mut resizes = Resizes::install();
        let up = tokio::time::sleep(time);
        tokio::pin!(up);
        loop {
            let event = tokio::select! {
                biased;
                exit = signals.first() => return Err(Failure::new(exit, stopped_by(exit))),
                () = &mut up => return Ok(()),
                () = resizes.next() => {
                    board.redraw();
                    continue;
                }
                event = self.events.next() => event,
            };
            let event = event.ok_or_else(|| Failure::new(Exit::Failed, STOPPED))?;
            self.journal.hear(&event.kind);
            match event.kind {
                EventKind::StoreFailed { error } => return Err(Failure::new(Exit::Disk, error)),
                EventKind::Progress(_) if board.lives() => {
                    if let Some(Diagnosis { facts, findings }) = self.look().await {
                        board.show(text::lines(&facts, &findings));
                    }
                }
                _ => {}
            }
        }
    }

    /// The swarm as it stands; `None` if it has stopped.
    async fn look(&mut self) -> Option<Diagnosis> {
        self.journal.troubles.extend(self.judges.new_troubles());
        let snapshot = self.swarm.snapshot().await?;
        let addresses = self.swarm.addresses().await?;
        let facts = Facts {
            dht_nodes: self.dht.as_ref().map(Dht::node_count),
            ..Facts::of(&self.subject, &snapshot, &addresses, &self.journal)
        };
        let findings = findings::of(&facts);
        Some(Diagnosis { facts, findings })
    }
}

fn tell(diagnosis: &Diagnosis, json: bool) -> Result<(), Failure> {
    if json {
        return print::json(diagnosis);
    }
    let lines = text::lines(&diagnosis.facts, &diagnosis.findings);
    let lines = lines.iter().flat_map(|line| [printable(line), "\n".to_owned()]);
    print::text(&lines.collect::<String>())
}
