use std::net::SocketAddr;

use crate::{Past, Source};

/// An address that we could dial now: it is in no cool-down and we are not connected to it.
///
/// ```
/// use ccbt_policy::{Candidate, Source};
///
/// let known_seed = Candidate::new("192.0.2.7:6881".parse()?, Source::Pex).with(|c| c.seed = true);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The address.
    pub addr: SocketAddr,
    /// Where the address came from.
    pub source: Source,
    /// Somebody said that it has every piece or is upload-only (the flag `0x02` of BEP 11).
    pub seed: bool,
    /// How many of our last dials to it came to nothing, in a row.
    pub failures: u32,
    /// What earlier connections to the address have left behind.
    pub past: Past,
}

impl Candidate {
    /// An address of which nothing is known but where it came from.
    pub fn new(addr: SocketAddr, source: Source) -> Self {
        Self { addr, source, seed: false, failures: 0, past: Past::default() }
    }

    /// The same candidate after `change`; lets a test write one as one expression.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
