//! Several things at once, in one task, each of which is looked at only when it has something to do.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Does all of `work`, and gives the results in its order.
pub(super) async fn together<W: Future>(work: impl IntoIterator<Item = W>) -> Vec<W::Output> {
    let parent = Arc::new(Mutex::new(Waker::noop().clone()));
    let mut parts: Vec<Part<W>> = work.into_iter().map(|work| Part::new(work, &parent)).collect();
    std::future::poll_fn(|cx| {
        cx.waker().clone_into(&mut parent.lock().unwrap_or_else(PoisonError::into_inner));
        parts.iter_mut().for_each(Part::look);
        if parts.iter().any(|part| part.result.is_none()) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    parts.into_iter().filter_map(|part| part.result).collect()
}

struct Part<W: Future> {
    work: Pin<Box<W>>,
    result: Option<W::Output>,
    bell: Arc<Bell>,
}

/// Rung by whatever a part waits for.
struct Bell {
    rung: AtomicBool,
    parent: Arc<Mutex<Waker>>,
}

impl<W: Future> Part<W> {
    fn new(work: W, parent: &Arc<Mutex<Waker>>) -> Self {
        let bell = Bell { rung: AtomicBool::new(true), parent: Arc::clone(parent) };
        Self { work: Box::pin(work), result: None, bell: Arc::new(bell) }
    }

    fn look(&mut self) {
        if self.result.is_none() && self.bell.rung.swap(false, Ordering::AcqRel) {
            let waker = Waker::from(Arc::clone(&self.bell));
            if let Poll::Ready(result) = self.work.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.result = Some(result);
            }
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.parent.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn results_come_in_order_whoever_is_first() {
        let (first, wait) = oneshot::channel();
        let (wait, first) = (Cell::new(Some(wait)), Cell::new(Some(first)));
        let work = [0, 1].map(|number| {
            let (wait, first) = (wait.take(), if number == 1 { first.take() } else { None });
            async move {
                if let Some(first) = first {
                    tokio::task::yield_now().await;
                    first.send(5).unwrap();
                    return 1;
                }
                match wait {
                    Some(wait) => wait.await.unwrap(),
                    None => 7,
                }
            }
        });
        assert_eq!(together(work).await, [5, 1]);
        assert!(together(Vec::<std::future::Ready<()>>::new()).await.is_empty());
    }

    #[tokio::test]
    async fn only_those_that_have_something_to_do_are_looked_at() {
        let looks = Cell::new(0);
        let (done, wait) = oneshot::channel::<()>();
        let busy = async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            done.send(()).unwrap();
        };
        let mut wait = Box::pin(wait);
        let waits = std::future::poll_fn(|cx| {
            looks.set(looks.get() + 1);
            wait.as_mut().poll(cx).map(|done| done.unwrap())
        });
        let parts: [Pin<Box<dyn Future<Output = ()> + '_>>; 2] = [Box::pin(busy), Box::pin(waits)];
        together(parts).await;
        assert_eq!(looks.get(), 2);
    }
}
