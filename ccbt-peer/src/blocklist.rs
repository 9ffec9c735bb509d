//! Addresses that nobody is to have to do with, from the lists that people share.

mod line;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

/// Ranges of addresses that are neither dialed nor let in.
///
/// Lookups take O(log n); half a million IPv4 ranges take 4 MB.
///
/// ```
/// use ccbt_peer::Blocklist;
///
/// let list = Blocklist::parse(b"# three forms\n\
///     198.51.100.0/24\n\
///     Some company:192.0.2.1-192.0.2.9\n\
///     203.000.113.000 - 203.000.113.255 , 100 , another one\n")?;
/// assert!(list.contains("192.0.2.7".parse()?));
/// assert!(!list.contains("192.0.2.10".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocklist {
    four: Ranges<u32>,
    six: Ranges<u128>,
}

impl Blocklist {
    /// Reads a list, one entry a line. The forms may be mixed, each for IPv4 and IPv6:
    ///
    /// - an address, a range `first-last`, or a network in CIDR form;
    /// - P2P, as of PeerGuardian: `name:first-last`;
    /// - DAT, as of eMule: `first - last , level , name`, where octets may have leading zeros. Levels from
    ///   127 on block nothing.
    ///
    /// Empty lines and those that begin with `#`, `;` or `//` say nothing, nor does what follows ` #`.
    /// Names may be in any encoding. IPv4 in IPv6 clothes is IPv4.
    ///
    /// # Errors
    /// At the first line that has none of these forms.
    pub fn parse(list: &[u8]) -> Result<Self, BlocklistError> {
        let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
        let (mut four, mut six) = (Vec::new(), Vec::new());
        for (n, line) in list.split(|byte| *byte == b'\n').enumerate() {
            match line::range(line.trim_ascii()) {
                Ok(Some((IpAddr::V4(first), IpAddr::V4(last)))) => {
                    four.push((first.to_bits(), last.to_bits()));
                }
                Ok(Some((IpAddr::V6(first), IpAddr::V6(last)))) => {
                    six.push((first.to_bits(), last.to_bits()));
                }
                Ok(_) => {}
                Err(problem) => return Err(BlocklistError { line: n + 1, problem }),
            }
        }
        let four =
            Ranges::new(four, |before, first| before.checked_add(1).is_none_or(|at| first <= at));
        let six =
            Ranges::new(six, |before, first| before.checked_add(1).is_none_or(|at| first <= at));
        Ok(Self { four, six })
    }

    /// Whether the list names the address.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.four.contains(ip.to_bits()),
            IpAddr::V6(ip) => self.six.contains(ip.to_bits()),
        }
    }

    /// How many ranges it has; those that touch are one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.four.0.len() + self.six.0.len()
    }

    /// Whether it names nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a blocklist cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct BlocklistError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: BlocklistProblem,
}

/// What can be wrong with a line of a blocklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlocklistProblem {
    /// It has none of the known forms.
    #[error("no address, network or range")]
    NoRange,
    /// The range ends before it begins, or goes from IPv4 to IPv6.
    #[error("the range goes from {first} to {last}")]
    Backwards {
        /// Where it begins.
        first: IpAddr,
        /// Where it ends.
        last: IpAddr,
    },
    /// The line is longer than any entry.
    #[error("{length} bytes, but a line may have {limit}")]
    TooLong {
        /// Bytes of the line.
        length: usize,
        /// Bytes that it may have.
        limit: usize,
    },
}

/// Sorted ranges that do not touch, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges<T>(Box<[(T, T)]>);

impl<T: Copy + Ord> Ranges<T> {
    fn new(mut ranges: Vec<(T, T)>, touch: impl Fn(T, T) -> bool) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|(first, last), before| {
            let one = touch(before.1, *first);
            if one {
                before.1 = before.1.max(*last);
            }
            one
        });
        Self(ranges.into_boxed_slice())
    }

    fn contains(&self, address: T) -> bool {
        let next = self.0.partition_point(|(first, _)| *first <= address);
        next.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| address <= *last)
    }
}
