//! How fast bytes come and go, over all peers.
//!
//! Whoever wants to read or to serve under a limit takes its place in a queue. Whose turn it is waits
//! until all that went before is paid for, moves a share, pays for it and goes to the back of the queue
//! with its next wish. So those who always want more get the same, and nobody waits longer than for one
//! share of each of the others.
//!
//! Swarms that share limits take turns in the same way: each has a queue of its own, and only the first in
//! it stands in the common one. So a swarm of two peers gets as much as one of fifty, if it wants so much.

mod pace;

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::clock::Clock;
use pace::Pace;

/// Limits of the rates at which payload is received and sent, for one swarm or for several together.
///
/// Several swarms get equal shares, however many peers each has, and so do the peers of one; what one does
/// not use goes to the others. Clones are the same limits. They can be changed at any time; the new rate counts
/// from then on. Received is everything that peers send after their handshakes, sent are the blocks that we
/// serve, of pieces and of metadata. A block always
/// goes whole, so below 16 KiB/s the average over some blocks is what is right.
///
/// ```
/// use ccbt_peer::Limits;
///
/// let limits = Limits::none();
/// limits.set_up(Some(50 << 10));
/// assert_eq!((limits.down(), limits.up()), (None, Some(51_200)));
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) down: Arc<Limit>,
    pub(super) up: Arc<Limit>,
}

impl Limits {
    /// No limits, yet.
    #[must_use]
    pub fn none() -> Self {
        let clock = Clock::start();
        Self { down: Arc::new(Limit::new(clock)), up: Arc::new(Limit::new(clock)) }
    }

    /// The same limits for one more swarm, which has its own place among the others.
    pub(crate) fn of_swarm(&self) -> Self {
        Self { down: Arc::new(self.down.beside()), up: Arc::new(self.up.beside()) }
    }

    /// Bytes a second that are received at the most; `None` is no limit, and 0 counts as 1.
    pub fn set_down(&self, rate: Option<u64>) {
        self.down.set(rate);
    }

    /// Bytes a second that are sent at the most; `None` is no limit, and 0 counts as 1.
    pub fn set_up(&self, rate: Option<u64>) {
        self.up.set(rate);
    }

    /// Bytes a second that are received at the most.
    #[must_use]
    pub fn down(&self) -> Option<u64> {
        self.down.pace().map(|pace| pace.rate())
    }

    /// Bytes a second that are sent at the most.
    #[must_use]
    pub fn up(&self) -> Option<u64> {
        self.up.pace().map(|pace| pace.rate())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::none()
    }
}

/// The limit of one direction, as one swarm sees it.
pub(super) struct Limit {
    common: Arc<Common>,
    /// The queue of the swarm's connections.
    gate: Gate,
}

/// One permit, and a queue that is first come, first served.
type Gate = Arc<Semaphore>;

/// What all swarms share.
struct Common {
    clock: Clock,
    /// Says without the lock whether there is a pace: most have none.
    limited: AtomicBool,
    pace: Mutex<Option<Pace>>,
    changed: Notify,
    /// The queue of the swarms.
    gate: Gate,
}

impl Limit {
    fn new(clock: Clock) -> Self {
        let common = Common {
            clock,
            limited: AtomicBool::new(false),
            pace: Mutex::new(None),
            changed: Notify::new(),
            gate: gate(),
        };
        Self { common: Arc::new(common), gate: gate() }
    }

    fn beside(&self) -> Self {
        Self { common: Arc::clone(&self.common), gate: gate() }
    }

    fn set(&self, rate: Option<u64>) {
        self.common.set(rate);
    }

    /// Bytes to move at once at the most; `None` if there is no limit.
    pub(super) fn share(&self) -> Option<usize> {
        self.pace().map(|pace| pace.share())
    }

    /// So many bytes were moved.
    pub(super) fn charge(&self, bytes: usize) {
        self.common.charge(bytes);
    }

    fn pace(&self) -> Option<Pace> {
        self.common.pace()
    }

    async fn turn(self: Arc<Self>) -> Turn {
        // The gates are never closed; if they were, there would be no queue.
        let ours = self.gate.clone().acquire_owned().await.ok();
        let all = self.common.gate.clone().acquire_owned().await.ok();
        self.common.paid().await;
        Turn { limit: self, _permits: (all, ours) }
    }
}

fn gate() -> Gate {
    Arc::new(Semaphore::new(1))
}

impl Common {
    fn set(&self, rate: Option<u64>) {
        let now = self.clock.now();
        let mut pace = self.lock();
        if rate.map(|rate| rate.max(1)) == pace.map(|pace| pace.rate()) {
            return;
        }
        *pace = rate.map(|rate| Pace::new(rate, now));
        self.limited.store(rate.is_some(), Ordering::Release);
        drop(pace);
        self.changed.notify_waiters();
    }

    fn charge(&self, bytes: usize) {
        if self.limited.load(Ordering::Acquire)
            && let Some(pace) = &mut *self.lock()
        {
            pace.charge(self.clock.now(), bytes);
        }
    }

    fn pace(&self) -> Option<Pace> {
        if self.limited.load(Ordering::Acquire) { *self.lock() } else { None }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pace>> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all that went is paid for.
    async fn paid(&self) {
        loop {
            let changed = self.changed.notified();
            let next_at = self.pace().map(|pace| pace.next_at());
            let Some(next_at) = next_at.filter(|at| *at > self.clock.now()) else { return };
            tokio::select! {
                () = tokio::time::sleep_until(self.clock.instant(next_at)) => {}
                () = changed => {}
            }
        }
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limit").field(&self.pace()).finish()
    }
}

/// The right to move bytes now. Others wait for it to end, so nothing is awaited in between.
#[derive(Debug)]
pub(super) struct Turn {
    limit: Arc<Limit>,
    _permits: (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>),
}

impl Turn {
    /// Bytes to move at the most.
    pub(super) fn share(&self) -> usize {
        self.limit.share().unwrap_or(usize::MAX)
    }

    /// So many bytes were moved, and others may.
    pub(super) fn end(self, bytes: usize) {
        self.limit.charge(bytes);
    }
}

/// A connection's place in the queue of a limit.
#[derive(Default)]
pub(super) struct Place(Option<Pin<Box<dyn Future<Output = Turn> + Send>>>);

impl Place {
    /// Takes a place at the end, if it has none.
    pub(super) fn queue(&mut self, limit: &Arc<Limit>) {
        self.0.get_or_insert_with(|| Box::pin(limit.clone().turn()));
    }

    pub(super) fn is_queued(&self) -> bool {
        self.0.is_some()
    }

    /// Ready when it is its turn; never without a place.
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let Some(turn) = &mut self.0 else { return Poll::Pending };
        let turn = ready!(turn.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(turn)
    }

    /// Does work that may wait for something else. A turn that comes meanwhile goes to the next at once: it would
    /// keep all others waiting, too.
    pub(super) async fn pass_while<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        std::future::poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            if done.is_pending()
                && let Poll::Ready(turn) = self.poll_turn(cx)
            {
                turn.end(0);
            }
            done
        })
        .await
    }

    /// Leaves the queue.
    pub(super) fn leave(&mut self) {
        self.0 = None;
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.is_queued()).finish()
    }
}

#[cfg(test)]
mod tests;
