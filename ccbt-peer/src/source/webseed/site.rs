//! Web seeds that are at one address.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Seed;

/// Web seeds at one address, such as mirrors behind one host or names of one server. To the swarm they are one
/// peer: one of them is asked, and when it fails the next.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// In the order of their turns.
    seeds: Mutex<VecDeque<Arc<Seed>>>,
}

impl Site {
    pub(super) fn add(&self, seed: Arc<Seed>) {
        self.seeds().push_back(seed);
    }

    /// The one to be asked, if not all have `failed`.
    pub(super) fn next(&self, failed: &[Arc<Seed>]) -> Option<Arc<Seed>> {
        let fresh = |seed: &&Arc<Seed>| !failed.iter().any(|failed| Arc::ptr_eq(failed, seed));
        self.seeds().iter().find(fresh).map(Arc::clone)
    }

    /// Its turn comes after all others, also for the next connection.
    pub(super) fn put_last(&self, seed: &Arc<Seed>) {
        let mut seeds = self.seeds();
        if let Some(at) = seeds.iter().position(|other| Arc::ptr_eq(other, seed)) {
            let seed = seeds.remove(at);
            seeds.extend(seed);
        }
    }

    fn seeds(&self) -> MutexGuard<'_, VecDeque<Arc<Seed>>> {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
