//! A store that fails is tried again, ever more seldom, until it works or the swarm stops.

use std::time::Duration;

use super::Report;
use super::swarm::Driver;
use crate::event::EventKind;
use crate::store::StoreError;
use crate::swarm::{Input, StoreUse};

/// The first wait, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(15);

/// How long to wait before each attempt.
#[derive(Debug)]
pub(super) struct Waits(Duration);

impl Waits {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    pub(super) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(MOST);
        now
    }
}

/// What fails at the moment; whoever watches hears of the first and of the end of the last.
#[derive(Debug, Default)]
pub(super) struct Failing {
    writing: bool,
    pub(super) reading: bool,
    finishing: bool,
    /// To settle what is finished is tried again now.
    pub(super) finish_due: bool,
    finish_waits: Option<Waits>,
}

impl Failing {
    pub(super) fn is_any(&self) -> bool {
        self.writing || self.reading || self.finishing
    }
}

impl Driver {
    pub(super) fn on_write_failed(&mut self, error: &StoreError) {
        self.fails(error.to_string(), |failing| &mut failing.writing);
        self.pause(StoreUse::Write, true);
    }

    pub(super) fn on_write_back(&mut self) {
        self.pause(StoreUse::Write, false);
        self.works(|failing| &mut failing.writing);
    }

    /// Nothing can be read. From now on nobody is told that he may ask.
    pub(super) fn on_nothing_read(&mut self, error: String) {
        self.fails(error, |failing| &mut failing.reading);
        self.pause(StoreUse::Read, true);
    }

    pub(super) fn on_read_back(&mut self) {
        self.pause(StoreUse::Read, false);
        self.works(|failing| &mut failing.reading);
    }

    /// Everything is here, but cannot be settled.
    pub(super) fn on_finish_failed(&mut self, error: &StoreError) {
        self.fails(error.to_string(), |failing| &mut failing.finishing);
        let reports = self.shared.reports.clone();
        let wait = self.failing.finish_waits.get_or_insert_with(Waits::new).next();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = reports.closed() => {}
                () = tokio::time::sleep(wait) => {
                    let _ = reports.send(Report::Finish).await;
                }
            }
        });
    }

    pub(super) fn on_finished(&mut self) {
        self.failing.finish_waits = None;
        self.works(|failing| &mut failing.finishing);
        self.emit(EventKind::Finished);
    }

    fn pause(&mut self, of: StoreUse, fails: bool) {
        self.core.handle(self.shared.clock.now(), Input::Store { of, fails });
    }

    fn fails(&mut self, error: String, what: impl Fn(&mut Failing) -> &mut bool) {
        if !self.failing.is_any() {
            self.emit(EventKind::StoreFailed { error });
        }
        *what(&mut self.failing) = true;
    }

    fn works(&mut self, what: impl Fn(&mut Failing) -> &mut bool) {
        let failed = std::mem::take(what(&mut self.failing));
        if failed && !self.failing.is_any() {
            self.emit(EventKind::StoreRecovered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_tried_again_ever_more_seldom() {
        let mut waits = Waits::new();
        let seconds: Vec<u64> = (0..7).map(|_| waits.next().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 15, 15, 15]);
    }
}
