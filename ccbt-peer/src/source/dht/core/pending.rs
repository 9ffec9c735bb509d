//! Queries that wait for their answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::Time;

/// A node that has not answered after so long does not count on.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Queries that wait at once.
const MOST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Pending {
    queries: HashMap<u16, Asked>,
}

/// Who was asked, when, and for which search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) addr: SocketAddr,
    pub(super) search: Option<u64>,
    at: Time,
}

impl Pending {
    /// Whether one more may wait.
    pub(super) fn has_room(&self) -> bool {
        self.queries.len() < MOST
    }

    /// A query is on its way; gives the number by which its answer is known, if there is room.
    pub(super) fn add(
        &mut self,
        at: Time,
        addr: SocketAddr,
        search: Option<u64>,
        rng: &mut fastrand::Rng,
    ) -> Option<u16> {
        if !self.has_room() {
            return None;
        }
        let transaction = std::iter::repeat_with(|| rng.u16(..))
            .find(|transaction| !self.queries.contains_key(transaction))?;
        self.queries.insert(transaction, Asked { addr, search, at });
        Some(transaction)
    }

    /// The query that is answered, if it went to this address.
    pub(super) fn take(&mut self, from: SocketAddr, transaction: &[u8]) -> Option<Asked> {
        let transaction = u16::from_be_bytes(transaction.try_into().ok()?);
        self.queries.get(&transaction).filter(|asked| asked.addr == from)?;
        self.queries.remove(&transaction)
    }

    /// The queries for which nobody waits any more.
    pub(super) fn overdue(&mut self, now: Time) -> Vec<Asked> {
        let overdue = |asked: &Asked| now.saturating_since(asked.at) >= PATIENCE;
        self.queries.extract_if(|_, asked| overdue(asked)).map(|(_, asked)| asked).collect()
    }

    /// When the oldest is overdue.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.queries.values().map(|asked| asked.at).min().map(|at| at + PATIENCE)
    }
}
