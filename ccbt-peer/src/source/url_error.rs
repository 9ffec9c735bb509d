//! What is wrong with a URL.

/// A URL that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is no absolute URL.
    #[error("{url:?} is no URL: {why}")]
    Malformed {
        /// The text.
        url: String,
        /// The rule that it breaks.
        why: String,
    },
    /// Its scheme is none of those that can be asked here.
    #[error("{scheme:?} URLs are not supported, only {known}")]
    Scheme {
        /// What stands before the colon.
        scheme: String,
        /// The schemes that can be asked, in words.
        known: &'static str,
    },
    /// It has a user name or password.
    #[error("URLs with a user name or password are not supported")]
    UserInfo,
    /// As many as are asked come before it.
    #[error("only the first {limit} are asked")]
    TooMany {
        /// How many are asked.
        limit: usize,
    },
}

impl UrlError {
    pub(crate) fn malformed(url: &str, why: impl Into<String>) -> Self {
        Self::Malformed { url: url.into(), why: why.into() }
    }
}

/// What stands before `://`, if it can be a scheme.
pub(super) fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once("://")?;
    is_scheme(scheme).then_some(scheme)
}

pub(super) fn is_scheme(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}
