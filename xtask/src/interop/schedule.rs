//! Runs scenarios side by side and counts how they ended.
//!
//! Some have bars of a tenth of a second, and thirty programs run on as few as two cores. Who is late
//! there, and wrong in nothing else, has one more run with the machine to itself.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::Scenario;
use super::late::{Late, is_late};
use super::place::Place;
use super::tools::Tool;

/// How the scenarios ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// Who passed in a second run, alone.
    pub(super) alone: Vec<String>,
}

/// A scenario that its own waits did not end is ended from outside, so long after its limit.
const HUNG: Duration = Duration::from_secs(10);

/// When more than these are late, it is not for want of a quiet moment.
const MOST_LATE: usize = 6;

/// Runs all: those that wait at once, the others `jobs` at a time; then those that were late, one by one.
pub(super) fn run(
    scenarios: Vec<Scenario>,
    missing: &[Tool],
    binary: &Path,
    jobs: usize,
    in_ci: bool,
) -> Tally {
    let tally = Mutex::new(Tally::default());
    let (able, unable): (Vec<_>, Vec<_>) = scenarios
        .into_iter()
        .partition(|scenario| !scenario.needs.iter().any(|tool| missing.contains(tool)));
    for scenario in &unable {
        skip(scenario, missing, in_ci, &tally);
    }
    let (waiting, short): (VecDeque<_>, VecDeque<_>) =
        able.into_iter().zip(1..).partition(|(scenario, _)| scenario.waits);
    let short = Mutex::new(short);
    let late = Mutex::new(Vec::new());
    let beside_others = |scenario: Scenario, number| {
        let scenario = Arc::new(scenario);
        match judge(&scenario, number, binary) {
            Verdict::Passed => lock(&tally).passed += 1,
            Verdict::Failed => lock(&tally).failed += 1,
            Verdict::Late => lock(&late).push(scenario),
        }
    };
    thread::scope(|scope| {
        for (scenario, number) in waiting {
            scope.spawn(move || beside_others(scenario, number));
        }
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = lock(&short).pop_front();
                    let Some((scenario, number)) = next else {
                        break;
                    };
                    beside_others(scenario, number);
                }
            });
        }
    });
    let late = late.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    if late.len() > MOST_LATE {
        tally.failed += late.len();
        return tally;
    }
    for (scenario, number) in late.into_iter().zip((1..=u8::MAX - 1).rev()) {
        match judge(&scenario, number, binary) {
            Verdict::Passed => {
                tally.passed += 1;
                tally.alone.push(scenario.name.clone());
            }
            Verdict::Late | Verdict::Failed => tally.failed += 1,
        }
    }
    tally
}

enum Verdict {
    Passed,
    /// Its only fault is one of time.
    Late,
    Failed,
}

fn skip(scenario: &Scenario, missing: &[Tool], in_ci: bool, tally: &Mutex<Tally>) {
    let lacks: Vec<&str> = scenario
        .needs
        .iter()
        .filter(|tool| missing.contains(tool))
        .map(|tool| tool.name())
        .collect();
    let lacks = lacks.join(", ");
    let could_be_there =
        scenario.needs.iter().any(|tool| missing.contains(tool) && tool.is_installable());
    if in_ci && could_be_there {
        println!("FAIL {}: in CI every client must be there; missing: {lacks}", scenario.name);
        lock(tally).failed += 1;
    } else {
        println!("SKIP {}: missing: {lacks}", scenario.name);
        lock(tally).skipped += 1;
    }
}

fn judge(scenario: &Arc<Scenario>, number: u8, binary: &Path) -> Verdict {
    let started = Instant::now();
    let name = &scenario.name;
    let (outcome, place) = match Place::new(number, binary, scenario.limit) {
        Ok(place) => (attempt(scenario, &place), Some(place)),
        Err(error) => (Err(error), None),
    };
    let seconds = started.elapsed().as_secs_f64();
    if let Some(place) = &place {
        place.end_all();
    }
    match outcome {
        Ok(()) => {
            println!("ok   {name} ({seconds:.1} s)");
            Verdict::Passed
        }
        Err(error) => {
            let logs = place.map(|place| place.log_tails()).unwrap_or_default();
            let (word, verdict) = match is_late(&error) {
                true => ("LATE", Verdict::Late),
                false => ("FAIL", Verdict::Failed),
            };
            println!("{word} {name} ({seconds:.1} s): {error:#}\n{logs}");
            verdict
        }
    }
}

/// Runs the scenario in a thread of its own, so that one that hangs can be given up.
fn attempt(scenario: &Arc<Scenario>, place: &Place) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    let (limit, inside) = (scenario.limit, place.clone());
    let scenario = Arc::clone(scenario);
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| (scenario.run)(&inside)));
        let outcome = outcome.unwrap_or_else(|_| Err(anyhow!("the scenario panicked")));
        // The folder goes with the last one who knows the place: that is to be the schedule.
        drop(inside);
        // Nobody listens any more to a scenario that was given up.
        let _ = sender.send(outcome);
    });
    receiver
        .recv_timeout(limit + HUNG)
        .unwrap_or_else(|_| Err(Late(format!("did not end within {} s", limit.as_secs())).into()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::interop::late::in_time;

    fn tally(scenarios: Vec<Scenario>, missing: &[Tool], in_ci: bool) -> (usize, usize, usize) {
        let tally = run(scenarios, missing, Path::new("ccbt"), 2, in_ci);
        (tally.passed, tally.failed, tally.skipped)
    }

    #[test]
    fn outcomes_are_counted_and_a_panic_is_a_failure() {
        let scenarios = vec![
            Scenario::new("good", |_| Ok(())),
            Scenario::new("bad", |_| Err(anyhow!("no"))),
            Scenario::new("panics", |_| panic!("on purpose")),
            Scenario::new("waits", |_| Ok(())).waiting(5),
        ];
        assert_eq!(tally(scenarios, &[], false), (2, 2, 0));
    }

    /// Late in as many of its runs as `times`.
    fn late(name: &str, times: usize) -> Scenario {
        let runs = AtomicUsize::new(0);
        Scenario::new(name, move |_| {
            in_time!(runs.fetch_add(1, Ordering::Relaxed) >= times, "not in time");
            Ok(())
        })
    }

    #[test]
    fn who_is_late_has_one_more_run_and_is_named() {
        let scenarios = vec![late("once", 1), late("always", 2), Scenario::new("good", |_| Ok(()))];
        let tally = run(scenarios, &[], Path::new("ccbt"), 2, true);
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert_eq!(tally.alone, ["once"]);
    }

    #[test]
    fn who_is_wrong_has_no_other_run() {
        let runs = AtomicUsize::new(0);
        let wrong = Scenario::new("wrong", move |_| {
            anyhow::ensure!(runs.fetch_add(1, Ordering::Relaxed) > 0, "not the payload");
            Ok(())
        });
        assert_eq!(tally(vec![wrong], &[], true), (0, 1, 0));
    }

    #[test]
    fn when_many_are_late_nobody_has_another_run() {
        let scenarios = (0..=MOST_LATE).map(|number| late(&number.to_string(), 1)).collect();
        assert_eq!(tally(scenarios, &[], true), (0, MOST_LATE + 1, 0));
    }

    #[test]
    fn a_missing_program_skips_here_and_fails_in_ci() {
        let scenarios = || vec![Scenario::new("seed", |_| Ok(())).needing([Tool::Aria2])];
        assert_eq!(tally(scenarios(), &[Tool::Aria2], false), (0, 0, 1));
        assert_eq!(tally(scenarios(), &[Tool::Aria2], true), (0, 1, 0));
        assert_eq!(tally(scenarios(), &[Tool::Mktorrent], true), (1, 0, 0));
    }
}
