//! Announces to the local network (BEP 14): one datagram that says who wants which torrents.

use crate::InfoHash;

/// Most torrents that one datagram names, ours and those of others.
pub const MAX_TORRENTS: usize = 20;
/// Longer datagrams are refused, as BEP 14 says.
pub const MAX_LENGTH: usize = 1400;
/// Longest cookie that is read, in bytes.
const MAX_COOKIE: usize = 256;

/// What somebody in the local network says.
///
/// ```
/// use ccbt_wire::{InfoHash, local::LocalAnnounce};
///
/// let ours = LocalAnnounce { port: 6881, info_hashes: vec![InfoHash([0xab; 20])], cookie: Some("c1".into()) };
/// assert_eq!(LocalAnnounce::parse(&ours.encode("239.192.152.143:6771")), Ok(ours));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAnnounce {
    /// Where the sender accepts connections, at the address that the datagram came from; never 0.
    pub port: u16,
    /// The torrents that it takes part in, at most [`MAX_TORRENTS`].
    pub info_hashes: Vec<InfoHash>,
    /// By this a sender knows its own datagrams.
    pub cookie: Option<String>,
}

/// Why a datagram is no announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// It has more bytes than an announce may have.
    #[error("{length} bytes, {MAX_LENGTH} are allowed")]
    TooLong {
        /// Its bytes.
        length: usize,
    },
    /// It does not begin with `BT-SEARCH * HTTP/1.1`, or is no text.
    #[error("it is no BT-SEARCH")]
    NoSearch,
    /// It names no port, or none that one can connect to.
    #[error("it names no port")]
    NoPort,
    /// It names no torrent.
    #[error("it names no torrent")]
    NoTorrent,
}

impl LocalAnnounce {
    /// The datagram for the group at `host`. Torrents beyond [`MAX_TORRENTS`] are left out.
    pub fn encode(&self, host: &str) -> Vec<u8> {
        let mut text = format!("BT-SEARCH * HTTP/1.1\r\nHost: {host}\r\nPort: {}\r\n", self.port);
        for hash in self.info_hashes.iter().take(MAX_TORRENTS) {
            text.push_str(&format!("Infohash: {hash}\r\n"));
        }
        if let Some(cookie) = &self.cookie {
            text.push_str(&format!("cookie: {cookie}\r\n"));
        }
        text.push_str("\r\n\r\n");
        text.into_bytes()
    }

    /// Reads a datagram. Headers come in any order and case; unknown ones, and hashes that are none, are
    /// passed over.
    ///
    /// # Errors
    /// If it is too long or no announce, or names no port or torrent.
    pub fn parse(bytes: &[u8]) -> Result<Self, LocalError> {
        if bytes.len() > MAX_LENGTH {
            return Err(LocalError::TooLong { length: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|_| LocalError::NoSearch)?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim_end();
        if !first.eq_ignore_ascii_case("BT-SEARCH * HTTP/1.1") {
            return Err(LocalError::NoSearch);
        }
        let (mut port, mut info_hashes, mut cookie) = (None, Vec::new(), None);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            if name.eq_ignore_ascii_case("Port") {
                port = value.parse().ok().filter(|port| *port != 0);
            } else if name.eq_ignore_ascii_case("Infohash") {
                if let Ok(hash) = value.parse()
                    && info_hashes.len() < MAX_TORRENTS
                {
                    info_hashes.push(hash);
                }
            } else if name.eq_ignore_ascii_case("cookie") && value.len() <= MAX_COOKIE {
                cookie = Some(value.to_owned());
            }
        }
        let port = port.ok_or(LocalError::NoPort)?;
        if info_hashes.is_empty() {
            return Err(LocalError::NoTorrent);
        }
        Ok(Self { port, info_hashes, cookie })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: InfoHash = InfoHash([0xab; 20]);

    fn text(lines: &[&str]) -> Vec<u8> {
        lines.join("\r\n").into_bytes()
    }

    #[test]
    fn an_announce_has_the_lines_of_bep_14() {
        let hashes = vec![HASH, InfoHash([1; 20])];
        let ours = LocalAnnounce { port: 6881, info_hashes: hashes, cookie: Some("x".into()) };
        let expected = format!(
            "BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\nPort: 6881\r\n\
             Infohash: {}\r\nInfohash: {}\r\ncookie: x\r\n\r\n\r\n",
            "ab".repeat(20),
            "01".repeat(20)
        );
        assert_eq!(ours.encode("[ff15::efc0:988f]:6771"), expected.into_bytes());
    }

    #[test]
    fn headers_come_in_any_order_and_case_and_unknown_ones_are_passed_over() {
        let hash = "AB".repeat(20);
        let bytes = text(&[
            "BT-SEARCH * HTTP/1.1",
            "Cookie:  some cookie ",
            &format!("INFOHASH:{hash}"),
            "no header at all",
            "X-Other: 1",
            "Infohash: abc",
            "port: 1",
        ]);
        let read = LocalAnnounce::parse(&bytes).unwrap();
        assert_eq!(
            read,
            LocalAnnounce { port: 1, info_hashes: vec![HASH], cookie: Some("some cookie".into()) }
        );
    }

    #[test]
    fn no_more_than_20_torrents_are_named_and_read_and_they_fit() {
        let all: Vec<InfoHash> = (0..30).map(|byte| InfoHash([byte; 20])).collect();
        let ours = LocalAnnounce { port: 65535, info_hashes: all.clone(), cookie: None };
        let bytes = ours.encode("[ff15::efc0:988f]:6771");
        assert!(bytes.len() < MAX_LENGTH - 100, "{}", bytes.len());
        assert_eq!(LocalAnnounce::parse(&bytes).unwrap().info_hashes, all[..MAX_TORRENTS]);
        let short = "BT-SEARCH * HTTP/1.1\nPort: 1\n".to_owned();
        let many = format!("{short}{}", format!("Infohash:{HASH}\n").repeat(22));
        let read = LocalAnnounce::parse(many.as_bytes()).unwrap();
        assert_eq!(read.info_hashes.len(), MAX_TORRENTS);
    }

    #[test]
    fn what_is_no_announce_is_refused_with_the_reason() {
        let hash = format!("Infohash: {HASH}");
        for (lines, error) in [
            (&["M-SEARCH * HTTP/1.1", "Port: 1", &hash][..], LocalError::NoSearch),
            (&[], LocalError::NoSearch),
            (&["BT-SEARCH * HTTP/1.1", &hash], LocalError::NoPort),
            (&["BT-SEARCH * HTTP/1.1", "Port: 0", &hash], LocalError::NoPort),
            (&["BT-SEARCH * HTTP/1.1", "Port: 65536", &hash], LocalError::NoPort),
            (&["BT-SEARCH * HTTP/1.1", "Port: 1"], LocalError::NoTorrent),
            (&["BT-SEARCH * HTTP/1.1", "Port: 1", "Infohash: x"], LocalError::NoTorrent),
        ] {
            assert_eq!(LocalAnnounce::parse(&text(lines)), Err(error), "{lines:?}");
        }
        assert_eq!(LocalAnnounce::parse(b"\xff"), Err(LocalError::NoSearch));
        let long = vec![b' '; MAX_LENGTH + 1];
        assert_eq!(
            LocalAnnounce::parse(&long),
            Err(LocalError::TooLong { length: MAX_LENGTH + 1 })
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(BT-SEARCH \\* HTTP/1.1\r\n)?(([pP]ort|Infohash|cookie):.{0,50}\r\n){0,5}.{0,50}") {
            let _ = LocalAnnounce::parse(text.as_bytes());
        }
    }
}
