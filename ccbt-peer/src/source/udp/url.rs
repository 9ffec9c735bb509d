//! URLs of UDP trackers.

use ccbt_wire::tracker::udp::MAX_URL_DATA;

use crate::source::UrlError;
use crate::source::url_error::scheme;

/// Where a tracker is, and what it wants to hear of its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What follows them, such as `/announce?pass=1` (BEP 41); empty if that is nothing but a slash.
    pub(super) data: String,
}

/// Whether it is a scheme that is asked over UDP.
pub(super) fn is_udp(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("udp")
}

/// Reads `udp://host:port/path?query`.
pub(super) fn parse(url: &str) -> Result<Url, UrlError> {
    let url = url.trim();
    let malformed = |why: &str| UrlError::malformed(url, why);
    let Some(scheme) = scheme(url) else {
        return Err(malformed("it does not begin with udp://"));
    };
    if !is_udp(scheme) {
        return Err(UrlError::Scheme { scheme: scheme.into(), known: "udp" });
    }
    let rest = &url[scheme.len() + "://".len()..];
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (authority, data) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) if host.parse::<std::net::Ipv6Addr>().is_ok() => {
            (host, port.strip_prefix(':'))
        }
        Some(_) => return Err(malformed("there is no IPv6 address in its brackets")),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(malformed("it names no host"));
    }
    let port = port.filter(|port| port.bytes().all(|digit| digit.is_ascii_digit()));
    let Some(port) = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0) else {
        return Err(malformed("it names no port"));
    };
    if data.len() > MAX_URL_DATA {
        return Err(malformed("its path is too long for a datagram"));
    }
    let data = if data == "/" { "" } else { data };
    Ok(Url { host: host.to_owned(), port, data: data.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_wild_are_read() {
        for (url, host, port, data) in [
            ("udp://t.example:80", "t.example", 80, ""),
            (" UDP://t.example:6969/ ", "t.example", 6969, ""),
            ("udp://t.example:6969/announce", "t.example", 6969, "/announce"),
            ("udp://10.0.0.1:1/a?k=1&l=2#x", "10.0.0.1", 1, "/a?k=1&l=2"),
            ("udp://[2001:db8::1]:6969/announce", "2001:db8::1", 6969, "/announce"),
            ("udp://t.example:6969?k=1", "t.example", 6969, "?k=1"),
        ] {
            let read = Url { host: host.into(), port, data: data.into() };
            assert_eq!(parse(url), Ok(read), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_udp_tracker_is_refused_with_the_reason() {
        let long = format!("udp://t.example:1/{}", "x".repeat(MAX_URL_DATA));
        for (url, error) in [
            ("t.example:80", "it does not begin with udp://"),
            ("udp://t.example", "it names no port"),
            ("udp://t.example:/a", "it names no port"),
            ("udp://t.example:0", "it names no port"),
            ("udp://t.example:65536", "it names no port"),
            ("udp://t.example:+80", "it names no port"),
            ("udp://:80", "it names no host"),
            ("udp:///announce", "it names no host"),
            ("udp://a b:80", "it names no host"),
            ("udp://[::1]", "it names no port"),
            ("udp://[t.example]:80", "there is no IPv6 address in its brackets"),
            ("udp://::1:80", "it names no host"),
            ("udp://me@t.example:80", "user name"),
            ("http://t.example:80", "\"http\" URLs are not supported, only udp"),
            (&long, "its path is too long for a datagram"),
        ] {
            let told = parse(url).unwrap_err().to_string();
            assert!(told.contains(error), "{url}: {told}");
        }
    }
}
