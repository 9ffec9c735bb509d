//! [`Addresses`] as text: one line each, words that a later version adds are skipped.

#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use ccbt_policy::Clears;

use super::{Addresses, KnownAddress, KnownWait, WaitKind};

/// First word of the first line, and the version behind it.
const MAGIC: &str = "ccbt-addresses";
const VERSION: u32 = 1;
/// A line is not longer: an address and its waits, each some dozen bytes.
const LINE: usize = 4096;
/// More lines than a swarm remembers addresses are not read.
const LINES: usize = 50_000;

const CLEARS: [(&str, Clears); 4] = [
    ("never", Clears::Never),
    ("wanted-grew", Clears::WantedGrew),
    ("offer-grew", Clears::OfferGrew),
    ("mode-changed", Clears::ModeChanged),
];

const KINDS: [(&str, WaitKind); 3] =
    [("wait", WaitKind::Other), ("cooldown", WaitKind::Cooldown), ("ban", WaitKind::Ban)];

impl Addresses {
    /// As text for a file. `unix` is the time of the snapshot in seconds since 1970: when it is read, the
    /// waits are shorter by what has passed.
    ///
    /// ```text
    /// ccbt-addresses 1 1732297200
    /// swarm have=12
    /// peer 192.0.2.1:6881 dialable good
    /// peer 192.0.2.2:6881 dialable cooldown=55,1,mode-changed,redundant wait=0,3,never,lost
    /// host 192.0.2.3 left=86000
    /// ```
    #[must_use]
    pub fn to_bytes(&self, unix: u64) -> Vec<u8> {
        let mut text = format!("{MAGIC} {VERSION} {unix}\nswarm have={}", self.have);
        text.push_str(if self.complete { " complete\n" } else { "\n" });
        for KnownAddress { addr, dialable, good, waits } in &self.peers {
            // Writing to a string cannot fail.
            let _ = write!(text, "peer {addr}");
            text.push_str(if *dialable { " dialable" } else { "" });
            text.push_str(if *good { " good" } else { "" });
            for KnownWait { reason, left, times, clears, kind } in waits {
                let (kind, clears) = (word(&KINDS, kind), word(&CLEARS, clears));
                let _ = write!(text, " {kind}={},{times},{clears},{}", whole(*left), plain(reason));
            }
            text.push('\n');
        }
        for (ip, left) in &self.hosts {
            let _ = writeln!(text, "host {ip} left={}", whole(*left));
        }
        text.into_bytes()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. `unix` is the present time in seconds since 1970; if
    /// the clock went backward meanwhile, no wait is shorter.
    ///
    /// # Errors
    /// At the first line that is not as it should be. What it does not know in a line is skipped, and so are
    /// lines of a kind that it does not know.
    pub fn parse(bytes: &[u8], unix: u64) -> Result<Self, AddressesError> {
        let mut addresses = Self::default();
        let mut elapsed = Duration::ZERO;
        for (n, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let fail = |problem| AddressesError { line: n + 1, problem };
            if line.len() > LINE || n >= LINES {
                return Err(fail(AddressesProblem::TooLong));
            }
            let line = std::str::from_utf8(line).map_err(|_| fail(AddressesProblem::NoText))?;
            if n == 0 {
                elapsed = Duration::from_secs(unix.saturating_sub(header(line).map_err(fail)?));
            } else {
                addresses.read(line).ok_or_else(|| fail(AddressesProblem::Value))?;
            }
        }
        Ok(addresses.after(elapsed))
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("swarm") => {
                for word in words {
                    match word.split_once('=') {
                        Some(("have", have)) => self.have = have.parse().ok()?,
                        _ => self.complete |= word == "complete",
                    }
                }
            }
            Some("peer") => {
                let addr: SocketAddr = words.next()?.parse().ok()?;
                let mut peer =
                    KnownAddress { addr, dialable: false, good: false, waits: Vec::new() };
                for word in words {
                    peer.dialable |= word == "dialable";
                    peer.good |= word == "good";
                    if let Some((kind, wait)) = word.split_once('=')
                        && let Some(kind) = value(&KINDS, kind)
                    {
                        peer.waits.push(read_wait(kind, wait)?);
                    }
                }
                self.peers.push(peer);
            }
            Some("host") => {
                let ip: IpAddr = words.next()?.parse().ok()?;
                let left = words.find_map(|word| word.strip_prefix("left="))?;
                self.hosts.push((ip, seconds(left)?));
            }
            _ => {}
        }
        Some(())
    }
}

/// The time at which it was written.
fn header(line: &str) -> Result<u64, AddressesProblem> {
    let mut words = line.split_whitespace();
    if words.next() != Some(MAGIC) {
        return Err(AddressesProblem::Foreign);
    }
    let version = words.next().and_then(|word| word.parse().ok());
    match version.ok_or(AddressesProblem::Foreign)? {
        VERSION => words.next().and_then(|word| word.parse().ok()).ok_or(AddressesProblem::Value),
        version => Err(AddressesProblem::Version { version, known: VERSION }),
    }
}

fn read_wait(kind: WaitKind, text: &str) -> Option<KnownWait> {
    let mut parts = text.splitn(4, ',');
    let left = seconds(parts.next()?)?;
    let times = parts.next()?.parse().ok()?;
    let clears = value(&CLEARS, parts.next()?)?;
    let reason = parts.next().filter(|reason| !reason.is_empty())?.to_owned();
    Some(KnownWait { reason, left, times, clears, kind })
}

/// Longer than any wait is not believed, and would be beyond the end of time.
fn seconds(text: &str) -> Option<Duration> {
    const YEAR: u64 = 366 * 24 * 60 * 60;
    u64::from_str(text).ok().map(|seconds| Duration::from_secs(seconds.min(YEAR)))
}

/// In seconds, rather too long than too short.
fn whole(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// A policy may call its reason as it likes; here it is one word.
fn plain(reason: &str) -> String {
    reason
        .chars()
        .map(|c| if c.is_whitespace() || c.is_control() { '-' } else { c })
        .take(64)
        .collect()
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, of)| of == value).map_or("", |(word, _)| word)
}

fn value<T: Copy>(words: &[(&'static str, T)], word: &str) -> Option<T> {
    words.iter().find(|(of, _)| *of == word).map(|(_, value)| *value)
}

/// Why a file of addresses cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct AddressesError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: AddressesProblem,
}

/// What can be wrong with a line of a file of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressesProblem {
    /// The file does not begin as one.
    #[error("not a file of addresses")]
    Foreign,
    /// The file is of a later version.
    #[error("version {version}, but {known} is the latest known")]
    Version {
        /// The version of the file.
        version: u32,
        /// The latest version that can be read.
        known: u32,
    },
    /// A number or an address is none, or is missing.
    #[error("a number or an address that is none")]
    Value,
    /// It is not UTF-8.
    #[error("not text")]
    NoText,
    /// The line, or the file, is longer than any that was written.
    #[error("too long")]
    TooLong,
}
