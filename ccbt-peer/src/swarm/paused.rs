//! While the store fails: nothing is asked for that could not be kept, nothing is offered that cannot be read.

use ccbt_policy::Time;

use super::{Action, PeerKey, SwarmCore};
use crate::session::Tell;

/// What is to be done with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreUse {
    /// Keep what comes in.
    Write,
    /// Give what peers ask for.
    Read,
}

/// Which uses of the store fail at the moment.
#[derive(Debug, Default)]
pub(super) struct Paused {
    pub(super) writes: bool,
    pub(super) reads: bool,
}

impl SwarmCore {
    /// A use of the store fails from now on, or works again.
    pub(super) fn on_store(&mut self, now: Time, of: StoreUse, fails: bool) {
        let paused = match of {
            StoreUse::Write => &mut self.paused.writes,
            StoreUse::Read => &mut self.paused.reads,
        };
        if std::mem::replace(paused, fails) == fails {
            return;
        }
        match (of, fails) {
            (StoreUse::Write, true) => self.ask_nobody(now),
            (StoreUse::Write, false) => {
                for key in self.open_peers() {
                    self.refill(now, key);
                }
            }
            (StoreUse::Read, true) => self.choke_all(now),
            (StoreUse::Read, false) => self.fill_slots(now),
        }
    }

    /// Takes back all requests. That they were not answered is nobody's fault.
    fn ask_nobody(&mut self, now: Time) {
        for key in self.open_peers() {
            let blocks = self.take_requests(key, |_| true);
            if !blocks.is_empty() {
                self.actions.push_back(Action::Tell { key, tell: Tell::Cancel(blocks) });
            }
            self.watch.update(key, now, |view| view.snubbed_since = None);
        }
    }

    fn choke_all(&mut self, now: Time) {
        let unchoked = self.watch.iter().filter(|(_, view)| !view.am_choking);
        for key in unchoked.map(|(key, _)| key).collect::<Vec<PeerKey>>() {
            self.choke(now, key, true);
        }
    }
}
