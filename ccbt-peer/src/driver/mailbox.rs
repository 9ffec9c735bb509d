//! What the swarm wants of a connection, until the connection has time for it.
//!
//! The swarm must never wait for a connection, and no queue may grow without bound. So this is no
//! queue of messages: requests are bounded by the window, and of a state that changes to and fro only the
//! last one is kept.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::CloseReason;
use crate::session::Tell;

/// One for each connection; the swarm puts in, the connection takes out.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    inner: Mutex<Inner>,
}

/// There is one that waits at the most, so its waker lies with the mail, under the same lock.
#[derive(Debug, Default)]
struct Inner {
    mail: Mail,
    news: bool,
    waiting: Option<Waker>,
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) tells: Vec<Tell>,
    // Boxed: it is large, and every connection has room for it all its life.
    pub(crate) close: Option<Box<CloseReason>>,
}

impl Mailbox {
    pub(crate) fn tell(&self, tell: Tell) {
        self.put(|mail| {
            match &tell {
                Tell::Interested(_) => mail.tells.retain(|old| !matches!(old, Tell::Interested(_))),
                Tell::Choke(_) => mail.tells.retain(|old| !matches!(old, Tell::Choke(_))),
                Tell::Request(_)
                | Tell::Cancel(_)
                | Tell::AllowFast(_)
                | Tell::Have(_)
                | Tell::UploadOnly(_)
                | Tell::Metadata
                | Tell::Pex(_)
                | Tell::AskMetadata(_) => {}
            }
            mail.tells.push(tell);
        });
    }

    pub(crate) fn close(&self, reason: CloseReason) {
        self.put(|mail| mail.close = Some(Box::new(reason)));
    }

    /// There are pieces to announce.
    pub(crate) fn wake(&self) {
        self.put(|_| {});
    }

    pub(crate) fn take(&self) -> Mail {
        std::mem::take(&mut self.lock().mail)
    }

    /// Ready once for whatever was put in since it was ready last.
    pub(crate) fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if std::mem::take(&mut inner.news) {
            return Poll::Ready(());
        }
        inner.wait(cx);
        Poll::Pending
    }

    /// Waits until the swarm no longer wants the connection.
    pub(crate) async fn closed(&self) {
        poll_fn(|cx| {
            let mut inner = self.lock();
            if inner.mail.close.is_some() {
                return Poll::Ready(());
            }
            inner.wait(cx);
            Poll::Pending
        })
        .await;
    }

    fn put(&self, put: impl FnOnce(&mut Mail)) {
        let mut inner = self.lock();
        put(&mut inner.mail);
        inner.news = true;
        let waiting = inner.waiting.take();
        drop(inner);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waiting {
            Some(waiting) => waiting.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }
}
