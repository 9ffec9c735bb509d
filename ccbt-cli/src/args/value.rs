//! Values on the command line, each with an error that says what was expected.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ccbt_peer::policy::registry::parse_duration;

use super::Torrent;

/// A file, or the URL of one.
pub(super) fn torrent(text: &str) -> Result<Torrent, String> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => Ok(Torrent::Url(text.to_owned())),
        Some("magnet") => {
            Err("magnet links are not spoken yet; a .torrent file or its URL is needed".to_owned())
        }
        _ if text.is_empty() => Err("a file or a URL is needed".to_owned()),
        _ => Ok(Torrent::File(PathBuf::from(text))),
    }
}

/// `HOST:PORT`, with an IPv6 address in brackets.
pub(super) fn host(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').ok_or("the port is missing, as in 192.0.2.7:6881")?;
    if host.is_empty() {
        return Err("the host is missing, as in 192.0.2.7:6881".to_owned());
    }
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.contains(':') && !bracketed {
        return Err("an IPv6 address needs brackets, as in [2001:db8::7]:6881".to_owned());
    }
    if bracketed && text.parse::<SocketAddr>().is_err() {
        return Err("not an IPv6 address and port, as in [2001:db8::7]:6881".to_owned());
    }
    match port.parse::<u16>() {
        Ok(1..) => Ok(text.to_owned()),
        _ => Err(format!("port {port:?} is not a number from 1 to 65535")),
    }
}

/// `ADDR:PORT` of ours; the port may be 0.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an address and port, as in 0.0.0.0:6881 or [::]:0".to_owned())
}

/// A time to wait that is not zero: `500ms`, `1.5s`, `10m`, `2h`.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than zero".to_owned()),
        Ok(wait) => Ok(wait),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_has_a_unit_and_is_not_zero() {
        assert_eq!(wait("1.5s"), Ok(Duration::from_millis(1_500)));
        for text in ["", "10", "0s", "-1s"] {
            assert!(wait(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_peer_is_a_host_and_a_port() {
        for text in ["192.0.2.7:6881", "peer.example:1", "[2001:db8::7]:65535"] {
            assert_eq!(host(text), Ok(text.to_owned()));
        }
        for text in [
            "",
            ":1",
            "192.0.2.7",
            "192.0.2.7:",
            "192.0.2.7:0",
            "a:65536",
            "2001:db8::7:1",
            "[::x]:1",
            "[]:1",
        ] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_torrent_is_a_file_or_an_http_url() {
        assert_eq!(torrent("a.torrent"), Ok(Torrent::File("a.torrent".into())));
        assert_eq!(torrent("HTTP://h/a"), Ok(Torrent::Url("HTTP://h/a".to_owned())));
        assert_eq!(torrent("C:\\a.torrent"), Ok(Torrent::File("C:\\a.torrent".into())));
        assert!(torrent("magnet:?xt=urn:btih:0").is_err());
        assert!(torrent("").is_err());
    }
}
