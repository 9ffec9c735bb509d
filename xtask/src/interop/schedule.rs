//! Runs scenarios side by side and counts how they ended.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::Scenario;
use super::place::Place;
use super::tools::Tool;

/// How the scenarios ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

/// A scenario that its own waits did not end is ended from outside, so long after its limit.
const HUNG: Duration = Duration::from_secs(10);

/// Runs all: those that wait at once, the others `jobs` at a time.
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
    thread::scope(|scope| {
        for (scenario, number) in waiting {
            let tally = &tally;
            scope.spawn(move || judge(scenario, number, binary, tally));
        }
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = lock(&short).pop_front();
                    let Some((scenario, number)) = next else {
                        break;
                    };
                    judge(scenario, number, binary, &tally);
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
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

fn judge(scenario: Scenario, number: u8, binary: &Path, tally: &Mutex<Tally>) {
    let started = Instant::now();
    let name = scenario.name.clone();
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
            lock(tally).passed += 1;
        }
        Err(error) => {
            let logs = place.map(|place| place.log_tails()).unwrap_or_default();
            println!("FAIL {name} ({seconds:.1} s): {error:#}\n{logs}");
            lock(tally).failed += 1;
        }
    }
}

/// Runs the scenario in a thread of its own, so that one that hangs can be given up.
fn attempt(scenario: Scenario, place: &Place) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    let (limit, inside) = (scenario.limit, place.clone());
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
        .unwrap_or_else(|_| Err(anyhow!("did not end within {} s", limit.as_secs())))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_missing_program_skips_here_and_fails_in_ci() {
        let scenarios = || vec![Scenario::new("seed", |_| Ok(())).needing([Tool::Aria2])];
        assert_eq!(tally(scenarios(), &[Tool::Aria2], false), (0, 0, 1));
        assert_eq!(tally(scenarios(), &[Tool::Aria2], true), (0, 1, 0));
        assert_eq!(tally(scenarios(), &[Tool::Mktorrent], true), (1, 0, 0));
    }
}
