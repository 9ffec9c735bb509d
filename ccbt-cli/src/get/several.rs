//! Several torrents in one process: on one port, under one limit, each with an end of its own.

use ccbt_peer::{Event, Node};

use super::company::Company;
use super::order::Order;
use super::together::together;
use super::{Audience, Done, fetch, summary, torrent};
use crate::args::Get;
use crate::events::EventLog;
use crate::exit::{Exit, Failure};
use crate::report::{Report, units};
use crate::signals::{Signals, stopped_by};

/// Downloads all of them, and tells of each how it ended.
///
/// # Errors
/// Whatever stands in the way of all; a signal; or that some have failed, with the exit code of the first.
pub(super) async fn download(
    args: &Get,
    report: &mut Report,
    signals: &mut Signals,
) -> Result<(), Failure> {
    // A rule that is none is told before anything is fetched.
    let setup = args.network.prepare(args.torrents.len(), report)?;
    let shelf = setup.shelf();
    args.torrents.iter().for_each(|from| torrent::announce(from, report));
    let leads = together(args.torrents.iter().map(|from| async {
        let lead = torrent::follow(setup.binding(), from, &shelf).await?;
        Ok(Order::new(lead, from))
    }));
    let leads: Vec<Result<Order, Failure>> = signals.guard(leads).await?;
    let log = EventLog::open(args.events.as_deref())?;
    let addr = args.network.contact.listen;
    let node = Node::listen_through(addr, setup.binding())
        .map_err(Failure::of(Exit::Failed, format_args!("cannot listen at {addr}")))?;

    let (orders, mut failures) = each_once(leads, report);
    let torrents = orders.len() + failures.len();
    let company = Company::of(args, setup, torrents, node);
    let legs = orders.into_iter().map(|order| {
        let (company, log, mut signals) = (&company, log.clone(), signals.clone());
        let mut report = report.of_torrent(order.title());
        async move {
            let mut nobody = |_: &Event| None;
            let judges = company.setup.judges.clone();
            let audience = Audience::new(&mut report, log, &mut nobody, judges);
            let result = fetch::fetch(company, order, audience, &mut signals).await;
            tell(&mut report, result)
        }
    });
    let mut complete = 0;
    for ended in together(legs).await {
        complete += usize::from(ended.is_complete);
        failures.extend(ended.failure);
    }
    let Some(exit) = failures.iter().map(|failure| failure.exit).find(|exit| exit.is_signal())
    else {
        return outcome(&failures, torrents);
    };
    let so_far = match torrents - complete {
        0 => format!("all {torrents} torrents are complete"),
        _ => format!(
            "{complete} of {torrents} torrents are complete, and the same command goes on from there"
        ),
    };
    Err(Failure::new(exit, format_args!("{}; {so_far}", stopped_by(exit))))
}

/// Joins those that are the same torrent; what is none is told at once.
fn each_once(
    leads: Vec<Result<Order, Failure>>,
    report: &mut Report,
) -> (Vec<Order>, Vec<Failure>) {
    let (mut orders, mut failures) = (Vec::<Order>::new(), Vec::new());
    for lead in leads {
        match lead {
            Err(failure) => {
                report.complain(&failure.message);
                failures.push(failure);
            }
            Ok(order) => match orders.iter().position(|other| other.is_for_the_same(&order)) {
                Some(at) => {
                    let joined = orders.remove(at).and(order);
                    report.say(&format!("{}: given more than once, fetched once", joined.title()));
                    orders.insert(at, joined);
                }
                None => orders.push(order),
            },
        }
    }
    (orders, failures)
}

/// How one of them ended.
struct Ended {
    is_complete: bool,
    failure: Option<Failure>,
}

fn tell(report: &mut Report, result: Result<Done, Failure>) -> Ended {
    let is_complete = report.is_finished();
    let failure = match result {
        Ok(done) => {
            report.end();
            match done.shared {
                Some(shared) => report.tell(&format!("seeded: {}", shared.sum())),
                None if done.fetched > 0 => report.tell(&summary(&done)),
                None => {}
            }
            None
        }
        Err(failure) => {
            report.clear();
            // A signal is told once for all.
            if !failure.exit.is_signal() {
                report.accuse(&failure.message);
            }
            Some(failure)
        }
    };
    Ended { is_complete, failure }
}

/// The end of those that are told already.
fn outcome(failures: &[Failure], torrents: usize) -> Result<(), Failure> {
    let Some(first) = failures.first() else { return Ok(()) };
    let all = units::count(torrents, "torrent", "torrents");
    Err(Failure::new(first.exit, format_args!("{} of {all} failed", failures.len())))
}

/// The end of what was asked of so many torrents: a failure alone is the failure of the one there was.
pub(super) fn end(
    mut failures: Vec<Failure>,
    torrents: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    if torrents == 1 {
        return failures.pop().map_or(Ok(()), Err);
    }
    failures.iter().for_each(|failure| report.complain(&failure.message));
    outcome(&failures, torrents)
}
