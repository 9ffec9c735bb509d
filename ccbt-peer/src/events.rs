//! The stream of events: bounded, and never in the swarm's way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccbt_policy::Time;
use tokio::sync::Notify;

use crate::{Event, EventKind};

/// Events that wait for a reader. A reader that is slower than this loses the oldest ones, and is told.
const WAITING: usize = 16 * 1024;

/// The events of a swarm, in order.
///
/// Dropping it is fine: the swarm goes on. A reader that falls far behind finds
/// [`EventKind::Lagged`] in place of what it lost.
#[derive(Debug)]
pub struct Events {
    queue: Arc<Queue>,
}

/// The end into which the swarm puts its events.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Event>,
    missed: u64,
    closed: bool,
    unread: bool,
}

pub(crate) fn channel() -> (Sink, Events) {
    let queue = Arc::new(Queue::default());
    (Sink { queue: queue.clone() }, Events { queue })
}

impl Events {
    /// The next event; `None` when the swarm has stopped and everything is read.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let news = self.queue.news.notified();
            {
                let mut state = self.queue.lock();
                if state.missed > 0 {
                    let missed = std::mem::take(&mut state.missed);
                    let at = state.waiting.front().map_or(Time::ZERO, |event| event.at);
                    return Some(Event { at, kind: EventKind::Lagged { missed } });
                }
                if let Some(event) = state.waiting.pop_front() {
                    return Some(event);
                }
                if state.closed {
                    return None;
                }
            }
            news.await;
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.unread = true;
        state.waiting = VecDeque::new();
    }
}

impl Sink {
    pub(crate) fn emit(&self, at: Time, kind: EventKind) {
        let mut state = self.queue.lock();
        if state.unread {
            return;
        }
        if state.waiting.len() == WAITING {
            state.waiting.pop_front();
            state.missed += 1;
        }
        state.waiting.push_back(Event { at, kind });
        drop(state);
        self.queue.news.notify_one();
    }

    pub(crate) fn close(&self) {
        self.queue.lock().closed = true;
        self.queue.news.notify_one();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
