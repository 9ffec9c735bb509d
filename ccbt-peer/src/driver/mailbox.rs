//! What the swarm wants of a connection, until the connection has time for it.
//!
//! The swarm must never wait for a connection, and no queue may grow without bound. So this is no
//! queue of messages: requests are bounded by the window, and of a state that changes to and fro only the
//! last one is kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::CloseReason;
use crate::session::Tell;

/// One for each connection; the swarm puts in, the connection takes out.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    news: Notify,
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) tells: Vec<Tell>,
    pub(crate) close: Option<CloseReason>,
}

impl Mailbox {
    pub(crate) fn tell(&self, tell: Tell) {
        let mut mail = self.lock();
        match &tell {
            Tell::Interested(_) => mail.tells.retain(|old| !matches!(old, Tell::Interested(_))),
            Tell::Choke(_) => mail.tells.retain(|old| !matches!(old, Tell::Choke(_))),
            Tell::Request(_) | Tell::Cancel(_) | Tell::AllowFast(_) | Tell::UploadOnly => {}
        }
        mail.tells.push(tell);
        drop(mail);
        self.news.notify_one();
    }

    pub(crate) fn close(&self, reason: CloseReason) {
        self.lock().close = Some(reason);
        self.news.notify_one();
    }

    /// There are pieces to announce.
    pub(crate) fn wake(&self) {
        self.news.notify_one();
    }

    pub(crate) fn take(&self) -> Mail {
        std::mem::take(&mut *self.lock())
    }

    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// Waits until the swarm no longer wants the connection.
    pub(crate) async fn closed(&self) {
        while self.lock().close.is_none() {
            self.news().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
