//! Work that reads everything: on threads of its own, with its progress told and signals heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ccbt_peer::wire::Metainfo;
use tokio::time::{MissedTickBehavior, interval};

use crate::exit::{Exit, Failure};
use crate::report::{Meter, Report};
use crate::signals::{Signals, stopped_by};

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(100);

/// Bytes that are done, counted by whoever works.
pub(crate) type Done = AtomicU64;

/// Does `work` on a blocking thread, and shows how far it is until it ends.
///
/// # Errors
/// Those of the work, and the first signal.
pub(crate) async fn run<T: Send + 'static>(
    verb: &'static str,
    total: u64,
    report: &mut Report,
    signals: &mut Signals,
    work: impl FnOnce(&Done) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = Arc::new(Done::new(0));
    let count = Arc::clone(&done);
    let mut work = tokio::task::spawn_blocking(move || work(&count));
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began_at = ticks.tick().await;
    let mut meter = Meter::new(verb, total);
    let result = loop {
        tokio::select! {
            biased;
            exit = signals.first() => break Err(Failure::new(exit, stopped_by(exit))),
            result = &mut work => {
                break result.map_err(Failure::of(Exit::Failed, verb)).flatten();
            }
            now = ticks.tick() => {
                let done = done.load(Ordering::Relaxed);
                report.meter(&mut meter, done, now.saturating_duration_since(began_at));
            }
        }
    };
    report.clear();
    result
}

/// The check of a torrent's content, with its progress in pieces, as all bytes of it.
///
/// # Errors
/// As [`run`].
pub(crate) async fn check<T: Send + 'static>(
    metainfo: &Metainfo,
    report: &mut Report,
    signals: &mut Signals,
    work: impl FnOnce(&mut dyn FnMut(u32, u32)) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (total, piece_length) = (metainfo.total_len(), u64::from(metainfo.piece_length()));
    run("checking", total, report, signals, move |done| {
        work(&mut |checked, _| {
            done.store(total.min(u64::from(checked) * piece_length), Ordering::Relaxed);
        })
    })
    .await
}
