//! Why a text is no magnet link.

use super::FileSelectionError;

/// The parameter of a magnet link that breaks a rule, and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MagnetError {
    /// The text does not begin with `magnet:?`.
    #[error("not a magnet link: it does not begin with magnet:?")]
    NotMagnet,
    /// The link is longer than [`MAX_MAGNET_LEN`](super::MAX_MAGNET_LEN).
    #[error("a magnet link of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// Bytes of the link.
        length: usize,
        /// Allowed bytes.
        limit: usize,
    },
    /// The link has more parameters than [`MAX_PARAMETERS`](super::MAX_PARAMETERS).
    #[error("a magnet link with {count} parameters is over the limit of {limit}")]
    TooManyParameters {
        /// How many it has.
        count: usize,
        /// Allowed parameters.
        limit: usize,
    },
    /// The link names no torrent.
    #[error("xt: missing, a magnet link needs urn:btih: or urn:btmh: and an info hash")]
    NoInfoHash,
    /// The link names two torrents.
    #[error("xt: two different hashes of {urn}")]
    TwoInfoHashes {
        /// `urn:btih` or `urn:btmh`.
        urn: &'static str,
    },
    /// A hash has too many or too few digits.
    #[error("xt: {urn} is followed by {expected} digits, not {length}")]
    HashLength {
        /// `urn:btih` or `urn:btmh`.
        urn: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// Bytes that are there.
        length: usize,
    },
    /// A character of a hash is no digit.
    #[error("xt: the character at {at} behind {urn} is no {expected} digit")]
    HashDigit {
        /// `urn:btih` or `urn:btmh`.
        urn: &'static str,
        /// `hexadecimal` or `base32`.
        expected: &'static str,
        /// Position of the first wrong byte, from the colon.
        at: usize,
    },
    /// A hash of version 2 that is no SHA-256.
    #[error("xt: urn:btmh is a SHA-256 and begins with 1220")]
    NotSha256,
    /// A `%` without two hexadecimal digits behind it.
    #[error("{parameter}: the % at {at} has no two hexadecimal digits behind it")]
    Percent {
        /// The parameter, `xt` or `so`.
        parameter: &'static str,
        /// Where in its value, in bytes.
        at: usize,
    },
    /// No list of files.
    #[error("so: {0}")]
    Selection(#[from] FileSelectionError),
}
