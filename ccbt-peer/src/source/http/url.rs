//! URLs as torrents and servers write them.

use std::fmt::Write;

use hyper::Uri;

use crate::source::url_error::{UrlError, is_scheme, scheme};

/// Reads an absolute `http` or `https` URL; what may not stand in one is escaped.
pub(in crate::source) fn parse(url: &str) -> Result<Uri, UrlError> {
    let url = url.trim();
    let malformed = |why: &str| UrlError::malformed(url, why);
    let Some(scheme) = scheme(url) else {
        return Err(malformed("it does not begin with http:// or https://"));
    };
    if !is_http(scheme) {
        return Err(UrlError::Scheme { scheme: scheme.into(), known: "http and https" });
    }
    let uri: Uri = escaped(url).parse().map_err(|error| malformed(&format!("{error}")))?;
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => Err(UrlError::UserInfo),
        Some(authority) if !authority.host().is_empty() => Ok(uri),
        _ => Err(malformed("it names no host")),
    }
}

/// Whether it is a scheme that is asked over HTTP.
pub(in crate::source) fn is_http(scheme: &str) -> bool {
    ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Where a redirect leads (RFC 3986, section 5.2).
pub(in crate::source) fn resolve(base: &Uri, location: &str) -> Result<Uri, UrlError> {
    let location = location.trim();
    let location = location.split_once('#').map_or(location, |(before, _)| before);
    if location.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
        return parse(location);
    }
    let scheme = base.scheme_str().unwrap_or("http");
    if location.starts_with("//") {
        return parse(&format!("{scheme}:{location}"));
    }
    let host = base.authority().map_or("", |authority| authority.as_str());
    let (path, query) = match location.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (location, None),
    };
    let base_path = base.path();
    let (path, query) = match path {
        "" => (base_path.to_owned(), query.or(base.query())),
        _ if path.starts_with('/') => (path.to_owned(), query),
        _ => {
            let folder = base_path.rfind('/').map_or("/", |slash| &base_path[..=slash]);
            (format!("{folder}{path}"), query)
        }
    };
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    parse(&format!("{scheme}://{host}{}{query}", without_dots(&path)))
}

fn without_dots(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/').skip(1) {
        match name {
            "." => (),
            ".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        names.push("");
    }
    format!("/{}", names.join("/"))
}

fn escaped(url: &str) -> String {
    let mut escaped = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_wild_are_read() {
        for (url, read) in [
            ("http://t.example/announce", "http://t.example/announce"),
            (" HTTPS://t.example:8443/a?pass=1 ", "https://t.example:8443/a?pass=1"),
            ("http://t.example/my files/ü.torrent", "http://t.example/my%20files/%C3%BC.torrent"),
            ("http://[::1]:6969/announce", "http://[::1]:6969/announce"),
        ] {
            assert_eq!(parse(url).unwrap().to_string(), read);
        }
    }

    #[test]
    fn what_is_no_http_url_is_refused_with_the_reason() {
        for (url, error) in [
            ("udp://t.example:80/", "\"udp\" URLs are not supported, only http and https"),
            ("http://me:secret@t.example/", "URLs with a user name or password are not supported"),
            ("t.example", "\"t.example\" is no URL: it does not begin with http:// or https://"),
        ] {
            assert_eq!(parse(url).unwrap_err().to_string(), error);
        }
        for url in ["", "http://", "http:///path", "file.torrent", "/a/b.torrent", "http://a b/"] {
            assert!(parse(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn redirects_are_resolved_against_where_they_came_from() {
        let base = parse("http://a.example:81/b/c/d?q=1").unwrap();
        for (location, target) in [
            ("https://x.example/y", "https://x.example/y"),
            ("//x.example/y", "http://x.example/y"),
            ("/y?z", "http://a.example:81/y?z"),
            ("y", "http://a.example:81/b/c/y"),
            ("./y", "http://a.example:81/b/c/y"),
            ("../y/", "http://a.example:81/b/y/"),
            ("../../../..", "http://a.example:81/"),
            ("?r=2", "http://a.example:81/b/c/d?r=2"),
            ("y:z/..", "y"),
            ("#top", "http://a.example:81/b/c/d?q=1"),
        ] {
            match resolve(&base, location) {
                Ok(uri) => assert_eq!(uri.to_string(), target, "{location}"),
                Err(error) => assert_eq!(location, "y:z/..", "{error}"),
            }
        }
    }
}
