//! Asking trackers over UDP (BEP 15, 41): one conversation at a time, over IPv4 and IPv6.

mod exchange;
mod tracker;
mod url;

#[cfg(test)]
pub(super) mod server;
#[cfg(test)]
mod tests;

pub(super) use self::tracker::{PATIENCE, UdpTracker};

/// A UDP tracker did not answer as it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UdpError {
    /// No answer came in time.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// The time that was allowed.
        seconds: u64,
    },
    /// The tracker refused, for this reason (printable).
    #[error("the tracker refused: {reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
    /// The name or the network failed.
    #[error("{0}")]
    Failed(String),
}
