//! What can go wrong at fetching.

use std::error::Error;

use crate::source::UrlError;

/// A fetch failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The URL, or one that it was redirected to, cannot be fetched.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The server has nothing for us.
    #[error("http status {0}")]
    Status(u16),
    /// The body is longer than it may be.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// The bytes that were allowed.
        limit: usize,
    },
    /// The server sent us from one URL to the next.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// The redirects that are followed.
        limit: u32,
    },
    /// A redirect would have left the encrypted connection.
    #[error("refused a redirect from https to http")]
    Downgrade,
    /// A redirect would have led to a host on the blocklist.
    #[error("refused a redirect to {host}, which is on the blocklist")]
    Blocked {
        /// The host.
        host: String,
    },
    /// The body is compressed in a way that was not asked for and that we cannot read.
    #[error("unsupported content encoding {0:?}")]
    Encoding(String),
    /// A part of a file was asked for, and the server does not send parts.
    #[error("the server sends no parts of files")]
    NoRange,
    /// Nothing came for too long, or not all in time.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// The time that was allowed.
        seconds: u64,
    },
    /// The name, the connection, its encryption or the server's HTTP failed.
    #[error("{0}")]
    Failed(String),
}

impl HttpError {
    /// An error of a library, with all of its causes in one line.
    pub(super) fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let part = error.to_string();
            if !text.ends_with(&part) {
                text = format!("{text}: {part}");
            }
            cause = error.source();
        }
        Self::Failed(text)
    }
}
