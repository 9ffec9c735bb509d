//! Nodes that are remembered from run to run.

use std::fmt::Write;
use std::net::SocketAddr;

/// The first line of the file.
const HEAD: &str = "ccbt-dht 1";
/// Nodes that are remembered: more than enough to find one that is still there.
const MOST: usize = 200;

/// Nodes as a text that can be kept: a line that names its form, then a line for each node.
///
/// ```
/// use ccbt_peer::source::dht::DhtNodes;
///
/// let nodes = DhtNodes::new(["192.0.2.1:6881".parse()?, "[2001:db8::1]:6881".parse()?]);
/// let text = nodes.to_bytes();
/// assert_eq!(text, b"ccbt-dht 1\n192.0.2.1:6881\n[2001:db8::1]:6881\n");
/// assert_eq!(DhtNodes::parse(&text)?, nodes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhtNodes(Vec<SocketAddr>);

/// Why a text is not that of [`DhtNodes`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DhtNodesError {
    /// It is something else, or of another version.
    #[error("line 1: not a file of DHT nodes")]
    Head,
    /// A line is no address.
    #[error("line {line}: not an address")]
    Line {
        /// Which line, from 1.
        line: usize,
    },
}

impl DhtNodes {
    /// The first 200 of these nodes.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self(nodes.into_iter().take(MOST).collect())
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// If it is something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, DhtNodesError> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, line)| line) != Some(HEAD) {
            return Err(DhtNodesError::Head);
        }
        let node = |(at, line): (usize, &str)| {
            line.parse().map_err(|_| DhtNodesError::Line { line: at + 1 })
        };
        lines.take(MOST).map(node).collect::<Result<_, _>>().map(Self)
    }

    /// The text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{HEAD}\n");
        for node in &self.0 {
            let _ = writeln!(text, "{node}");
        }
        text.into_bytes()
    }

    /// The nodes.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_nodes_is_refused_with_its_line() {
        for (text, expected) in [
            (&b""[..], DhtNodesError::Head),
            (b"ccbt-dht 2\n192.0.2.1:6881\n", DhtNodesError::Head),
            (b"ccbt-dht 1\n192.0.2.1:6881\nhere\n", DhtNodesError::Line { line: 3 }),
            (b"ccbt-dht 1\n\xff\n", DhtNodesError::Line { line: 2 }),
        ] {
            assert_eq!(DhtNodes::parse(text), Err(expected), "{}", text.escape_ascii());
        }
        assert_eq!(DhtNodes::parse(b"ccbt-dht 1\n"), Ok(DhtNodes::default()));
    }
}
