//! Whole swarms: our own nodes and everybody else, on wires in virtual time, all drawn from one number.
//!
//! Nodes of ours talk to each other and to peers that lie, flood, drip and hang up, byte by byte, over wires
//! that are cut, die or stand still; nodes crash and begin again with what their disks had stored. Whatever is
//! drawn, the promises below hold at every step, and every node completes in [`BOUND`].

mod connection;
mod draw;
mod fate;
mod foe;
mod net;
mod node;
mod run;
mod truth;

use std::net::SocketAddr;
use std::time::Duration;

/// While an honest seed can be reached, a node completes in this time.
const BOUND: Duration = Duration::from_secs(900);

/// Where a place is.
fn addr_of(place: usize) -> SocketAddr {
    let [.., a, b] = place.to_be_bytes();
    SocketAddr::from(([80, a, b, 1], 6881))
}

/// Whether all inputs and actions of all nodes are printed.
fn traces() -> bool {
    static TRACES: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *TRACES.get_or_init(|| std::env::var_os("CCBT_SIMULATE_TRACE").is_some())
}

/// What a run came to.
#[derive(Debug, Default)]
struct Outcome {
    events: u64,
    /// The longest that a node needed, after the last trouble or its start.
    slowest: Duration,
}

#[test]
fn whole_swarms_keep_their_promises_and_complete_whatever_befalls_them() {
    many(draw::SMALL, 200);
}

/// The seeds of `cargo xtask simulate`.
#[test]
#[ignore = "as many seeds as the environment says: cargo xtask simulate"]
fn whole_swarms_of_the_seeds_that_are_asked_for() {
    let number = |name, otherwise| {
        let value = std::env::var(name).ok();
        value.map_or(otherwise, |value| value.parse().expect("a number"))
    };
    many(number("CCBT_SIMULATE_FROM", 0), number("CCBT_SIMULATE_SEEDS", 10_000));
}

/// What a node of ours can do wrong, to show that each promise would be seen to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sabotage {
    /// It takes pieces for stored that are not.
    Unstored,
    /// It closes connections twice.
    ClosedTwice,
    /// It never closes a connection that the other end has left.
    NeverClosed,
    /// It keeps what it has to say.
    Hoarding,
    /// What it serves is wrong, so that nobody completes.
    Lying,
}

#[test]
fn every_promise_that_a_node_breaks_is_seen_to_be_broken() {
    let broken = [
        (Sabotage::Unstored, "is announced, not stored"),
        (Sabotage::ClosedTwice, "is closed twice"),
        (Sabotage::NeverClosed, "never closed"),
        (Sabotage::Hoarding, "wait to be sent"),
        (Sabotage::Lying, "after the last trouble"),
    ];
    for (sabotage, seen) in broken {
        let sees = |seed| {
            let outcome = std::panic::catch_unwind(|| run::run(draw::SMALL + seed, Some(sabotage)));
            let words = outcome.err().and_then(|error| error.downcast::<String>().ok());
            words.is_some_and(|words| words.contains(seen))
        };
        assert!((0..20).any(sees), "{sabotage:?} goes unseen");
    }
}

/// Runs so many seeds on all cores; a failure names the command that repeats it.
fn many(from: u64, count: u64) {
    let next = std::sync::atomic::AtomicU64::new(from);
    let total = std::sync::Mutex::new((Outcome::default(), Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if seed >= from + count {
                return;
            }
            let outcome = std::panic::catch_unwind(|| run::run(seed, None));
            let mut total = total.lock().unwrap();
            match outcome {
                Ok(outcome) => {
                    total.0.events += outcome.events;
                    total.0.slowest = total.0.slowest.max(outcome.slowest);
                }
                Err(_) => {
                    println!(
                        "seed {seed} fails; repeat it: cargo xtask simulate --from {seed} --seeds 1"
                    );
                    total.1.push(seed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (0..cores).for_each(|_| _ = scope.spawn(work));
    });
    let (outcome, failed) = total.into_inner().unwrap();
    println!(
        "{count} swarms, {} events; the slowest node took {:?}",
        outcome.events, outcome.slowest
    );
    assert!(
        failed.is_empty(),
        "{} of {count} swarms fail; repeat one: cargo xtask simulate --from {} --seeds 1",
        failed.len(),
        failed[0]
    );
}
