//! Where a redirect may lead: not to hosts on the blocklist.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::Uri;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{HttpError, PATIENCE};
use crate::Blocklist;

/// A blocklist that may be exchanged while others ask it.
#[derive(Debug, Default)]
pub(in crate::source) struct Guard(Mutex<Arc<Blocklist>>);

impl Guard {
    /// From now on it is this one.
    pub(in crate::source) fn set(&self, blocklist: Arc<Blocklist>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = blocklist;
    }

    /// Whether the host may be asked: none of its addresses is on the list.
    pub(super) async fn check(&self, uri: &Uri) -> Result<(), HttpError> {
        let blocklist = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if blocklist.is_empty() {
            return Ok(());
        }
        let (host, port) = host(uri);
        let found = timeout(PATIENCE, lookup_host((host, port))).await;
        let found = found.map_err(|_| HttpError::TimedOut { seconds: PATIENCE.as_secs() })?;
        let mut found = found.map_err(|error| HttpError::of(&error))?;
        match found.find(|addr| blocklist.contains(addr.ip())) {
            Some(_) => Err(HttpError::Blocked { host: host.into() }),
            None => Ok(()),
        }
    }
}

/// Host and port of a URL, as names are looked up.
pub(in crate::source) fn host(uri: &Uri) -> (&str, u16) {
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    (host, uri.port_u16().unwrap_or(usual))
}
