//! Values on the command line, each with an error that says what was expected.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ccbt_peer::policy::registry::parse_duration;
use ccbt_peer::wire::BLOCK_LEN;
use ccbt_peer::wire::magnet::MagnetError;
use ccbt_peer::wire::metainfo::MAX_PIECE_LENGTH;

use super::network::Rate;
use super::{Ratio, Tier, Torrent};
use crate::selection::FileSpec;

/// A file, the URL of one, a magnet link, or the info hash alone.
pub(super) fn torrent(text: &str) -> Result<Torrent, String> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => Ok(Torrent::Url(text.to_owned())),
        Some("magnet") => {
            let magnet = text.parse().map_err(|error: MagnetError| error.to_string())?;
            Ok(Torrent::Magnet(Box::new(magnet)))
        }
        _ if is_info_hash(text) => {
            let magnet = format!("magnet:?xt=urn:btih:{text}").parse();
            magnet
                .map(|magnet| Torrent::Magnet(Box::new(magnet)))
                .map_err(|error: MagnetError| error.to_string())
        }
        _ if text.is_empty() => Err("a file, a URL or a magnet link is needed".to_owned()),
        _ if Path::new(text).exists() => Ok(Torrent::File(PathBuf::from(text))),
        Some(scheme) if text[scheme.len()..].starts_with("://") => {
            Err(format!("{scheme:?} is none of http, https; a file is named by its path"))
        }
        _ if is_like_info_hash(text) => {
            let digits = text.len();
            Err(format!(
                "an info hash has 40 hexadecimal digits, or 32 of base32; here are {digits}"
            ))
        }
        _ => Ok(Torrent::File(PathBuf::from(text))),
    }
}

/// Whether this is an info hash as people hand it on: 40 hexadecimal or 32 base32 digits. A file of such a
/// name can be had as `./NAME`.
fn is_info_hash(text: &str) -> bool {
    match text.len() {
        40 => text.bytes().all(|digit| digit.is_ascii_hexdigit()),
        32 => {
            text.bytes().all(|digit| digit.is_ascii_alphabetic() || (b'2'..=b'7').contains(&digit))
        }
        _ => false,
    }
}

/// Digits and nothing else, about as many as an info hash has: some were lost on the way.
fn is_like_info_hash(text: &str) -> bool {
    (30..=64).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A time to wait, or none: `0` is not to wait.
pub(super) fn patience(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    parse_duration(text).map_err(|error| error.to_string())
}

/// Files of a torrent.
pub(super) fn files(text: &str) -> Result<FileSpec, String> {
    FileSpec::parse(text)
}

/// Trackers that are equal among themselves, with commas between them.
pub(super) fn tier(text: &str) -> Result<Tier, String> {
    const SCHEMES: [&str; 5] = ["http", "https", "udp", "ws", "wss"];
    text.split(',').map(|text| url(text, &SCHEMES)).collect::<Result<_, _>>().map(Tier)
}

/// The URL of content on a web server.
pub(super) fn web_seed(text: &str) -> Result<String, String> {
    url(text, &["http", "https", "ftp"])
}

/// An absolute URL of one of the schemes.
fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!("{text:?} is no URL, as in {}://host.example/", schemes[0]));
    };
    if !schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("{scheme:?} is none of {}", schemes.join(", ")));
    }
    if rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) {
        return Err(format!("{text:?} names no host"));
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(format!("{text:?} has a blank or control character in it"));
    }
    Ok(text.to_owned())
}

/// Bytes of a piece: a power of two, as every client takes it.
pub(super) fn piece_length(text: &str) -> Result<u32, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        unit => return Err(format!("unit {unit:?} is neither KiB nor MiB")),
    };
    let count: u32 =
        digits.parse().map_err(|_| format!("{text:?} is no size, as in 256KiB or 4MiB"))?;
    count
        .checked_mul(unit)
        .filter(|length| length.is_power_of_two())
        .filter(|length| (BLOCK_LEN..=MAX_PIECE_LENGTH).contains(length))
        .ok_or_else(|| format!("{text} is no power of two from 16KiB to 256MiB"))
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

/// Bytes a second: `50000`, `500K`, `1.5MiB/s`; or `off`.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    if text == "off" {
        return Ok(Rate(None));
    }
    let malformed = || format!("{text:?} is no rate, as in 500K, 1.5MiB/s or off");
    let amount = text.strip_suffix("/s").unwrap_or(text);
    let number = amount.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match amount[number.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        unit => return Err(format!("unit {unit:?} is none of K, M, G, KiB, MiB, GiB, kB, MB, GB")),
    };
    let number = number.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return Err(malformed());
    }
    let whole: u64 = whole.parse().map_err(|_| malformed())?;
    let billionths: u64 = format!("{fraction:0<9}").parse().map_err(|_| malformed())?;
    let part = u128::from(billionths) * u128::from(unit) / 1_000_000_000;
    let part = u64::try_from(part).map_err(|_| malformed())?;
    let rate = whole.checked_mul(unit).and_then(|rate| rate.checked_add(part));
    match rate.ok_or_else(malformed)? {
        0 => Err("a rate of nothing moves nothing; off is no limit".to_owned()),
        rate => Ok(Rate(Some(rate))),
    }
}

/// A ratio that is not zero, as in `2` or `1.25`.
pub(super) fn ratio(text: &str) -> Result<Ratio, String> {
    let malformed = || format!("{text:?} is no ratio, as in 2 or 1.25");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(malformed());
    }
    if fraction.len() > 3 {
        return Err(format!("{text} is finer than a thousandth"));
    }
    let thousandths: u64 = format!("{whole}{fraction:0<3}").parse().map_err(|_| malformed())?;
    match thousandths {
        0 => Err("must be more than zero".to_owned()),
        _ => Ok(Ratio(thousandths)),
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
    fn a_piece_length_is_a_power_of_two_that_clients_take() {
        for (text, length) in [
            ("16KiB", 16_384),
            ("16384", 16_384),
            ("262144b", 262_144),
            ("256k", 262_144),
            ("4M", 4 << 20),
            ("256mib", 256 << 20),
        ] {
            assert_eq!(piece_length(text), Ok(length), "{text}");
        }
        for text in ["", "0", "8KiB", "16383", "48KiB", "512MiB", "1GiB", "KiB", "-1", "9999999M"] {
            assert!(piece_length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tier_is_one_or_more_urls_of_trackers() {
        let urls = ["http://a.example/announce", "udp://b.example:80"];
        assert_eq!(tier(&urls.join(",")), Ok(Tier(urls.map(str::to_owned).to_vec())));
        for text in
            ["", "a", "http://", "http:///x", "ftp://a", "http://a,", "http://a b", "http:a"]
        {
            assert!(tier(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_web_seed_is_the_url_of_a_file() {
        assert_eq!(web_seed("HTTPS://a/b"), Ok("HTTPS://a/b".to_owned()));
        for text in ["", "udp://a", "http://a/\tb", "/a/b"] {
            assert!(web_seed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_torrent_may_be_a_magnet_link_or_an_info_hash() {
        let link = "Magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6";
        let Ok(Torrent::Magnet(linked)) = torrent(link) else { panic!("{link} is a link") };
        for hash in ["d0d14c926e6e99761a2fdcff27b403d96376eff6", "2DIUZETON2MXMGRP3T7SPNAD3FRXN37W"]
        {
            assert_eq!(torrent(hash), Ok(Torrent::Magnet(linked.clone())), "{hash}");
        }
        assert!(torrent("magnet:?dn=a").is_err());
        for file in ["a.torrent", "./d0d14c926e6e99761a2fdcff27b403d96376eff6", "abc"] {
            assert!(matches!(torrent(file), Ok(Torrent::File(_))), "{file}");
        }
    }

    #[test]
    fn no_patience_is_a_zero() {
        assert_eq!(patience("0"), Ok(Duration::ZERO));
        assert_eq!(patience("90s"), Ok(Duration::from_secs(90)));
        assert!(patience("soon").is_err());
    }

    #[test]
    fn a_torrent_is_a_file_or_an_http_url() {
        assert_eq!(torrent("a.torrent"), Ok(Torrent::File("a.torrent".into())));
        assert_eq!(torrent("HTTP://h/a"), Ok(Torrent::Url("HTTP://h/a".to_owned())));
        assert_eq!(torrent("C:\\a.torrent"), Ok(Torrent::File("C:\\a.torrent".into())));
        assert!(torrent("magnet:?xt=urn:btih:0").is_err());
        assert!(torrent("").is_err());
    }

    #[test]
    fn a_rate_is_bytes_a_second_or_off() {
        for (text, bytes) in [
            ("50000", 50_000),
            ("500K", 512_000),
            ("500kB", 500_000),
            ("2M", 2 << 20),
            ("1.5MiB/s", 3 << 19),
            ("0.5 k", 512),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(rate(text), Ok(Rate(Some(bytes))), "{text}");
        }
        assert_eq!(rate("off"), Ok(Rate(None)));
        for text in
            ["", "0", "0.0001K", "K", "-1", "1.", ".5M", "1e3", "5Mbit", "/s", "99999999999G"]
        {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_ratio_is_a_decimal_that_is_not_zero() {
        for (text, thousandths) in [("2", 2_000), ("1.25", 1_250), ("0.001", 1), ("10.0", 10_000)] {
            assert_eq!(ratio(text), Ok(Ratio(thousandths)));
        }
        for text in
            ["", "0", "0.0", "-1", "1.", ".5", "1.2345", "1e3", "inf", "99999999999999999999"]
        {
            assert!(ratio(text).is_err(), "{text}");
        }
    }
}
