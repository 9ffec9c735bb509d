//! Client names from peer ids (BEP 20).

use std::fmt::Write as _;

/// How the four version characters of `-XX1234-` are meant.
#[derive(Clone, Copy)]
enum Version {
    /// One number per character, a fourth of zero left out: `4520` is 4.5.2.
    Dotted,
    /// Three numbers; the fourth character marks the build: `355W` is 3.5.5.
    Tagged,
    /// Transmission: `3000` is 3.00, from version 4 on `4050` is 4.0.5.
    Transmission,
}

/// Two-letter codes (BEP 20 and what clients send today).
const CLIENTS: &[(&[u8; 2], &str, Version)] = &[
    (b"7T", "aTorrent", Version::Dotted),
    (b"AG", "Ares", Version::Dotted),
    (b"AZ", "Azureus", Version::Dotted),
    (b"BC", "BitComet", Version::Dotted),
    (b"BE", "BitTorrent SDK", Version::Dotted),
    (b"BI", "BiglyBT", Version::Dotted),
    (b"BL", "BitLord", Version::Dotted),
    (b"BT", "BitTorrent", Version::Tagged),
    (b"CC", "ccbt", Version::Dotted),
    (b"CD", "CTorrent", Version::Dotted),
    (b"CT", "CTorrent", Version::Dotted),
    (b"DE", "Deluge", Version::Tagged),
    (b"FD", "Free Download Manager", Version::Dotted),
    (b"FW", "FrostWire", Version::Dotted),
    (b"GT", "anacrolix/torrent", Version::Dotted),
    (b"IT", "irontide", Version::Dotted),
    (b"KG", "KGet", Version::Dotted),
    (b"KT", "KTorrent", Version::Dotted),
    (b"LT", "libtorrent", Version::Dotted),
    (b"LW", "LimeWire", Version::Dotted),
    (b"MG", "MediaGet", Version::Dotted),
    (b"PI", "PicoTorrent", Version::Dotted),
    (b"QD", "QQDownload", Version::Dotted),
    (b"SD", "Xunlei", Version::Dotted),
    (b"TL", "Tribler", Version::Dotted),
    (b"TR", "Transmission", Version::Transmission),
    (b"TT", "TuoTu", Version::Dotted),
    (b"TX", "Tixati", Version::Dotted),
    (b"UM", "µTorrent Mac", Version::Tagged),
    (b"UT", "µTorrent", Version::Tagged),
    (b"UW", "µTorrent Web", Version::Tagged),
    (b"VG", "vortex", Version::Dotted),
    (b"WD", "WebTorrent Desktop", Version::Dotted),
    (b"WW", "WebTorrent", Version::Dotted),
    (b"XL", "Xunlei", Version::Dotted),
    (b"lt", "libTorrent (rakshasa)", Version::Dotted),
    (b"qB", "qBittorrent", Version::Dotted),
    (b"rQ", "rqbit", Version::Dotted),
];

pub(super) fn client(id: &[u8; 20]) -> Option<String> {
    azureus(id).or_else(|| dashed(id, b"A2-", "aria2")).or_else(|| dashed(id, b"M", "Mainline"))
}

/// `-XX1234-` and twelve random bytes.
fn azureus(id: &[u8; 20]) -> Option<String> {
    let [b'-', a, b, v0, v1, v2, v3, b'-', ..] = *id else {
        return None;
    };
    let code = [a, b];
    let version = [v0, v1, v2, v3];
    if !code.iter().chain(&version[..3]).all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let known = CLIENTS.iter().find(|(known, ..)| **known == code);
    let (name, style) =
        known.map_or((None, Version::Dotted), |&(_, name, style)| (Some(name), style));
    let mut text = match name {
        Some(name) => name.to_owned(),
        None => code.iter().map(|&byte| char::from(byte)).collect(),
    };
    let [n0, n1, n2, n3] = version.map(number);
    // Writing to a String cannot fail.
    let _ = match style {
        Version::Transmission if n0 < 4 => write!(text, " {n0}.{n1}{n2}"),
        Version::Transmission | Version::Tagged => write!(text, " {n0}.{n1}.{n2}"),
        Version::Dotted if n3 == 0 => write!(text, " {n0}.{n1}.{n2}"),
        Version::Dotted => write!(text, " {n0}.{n1}.{n2}.{n3}"),
    };
    Some(text)
}

/// `A2-1-36-0-` and `M7-10-5--`: numbers between dashes.
fn dashed(id: &[u8; 20], prefix: &[u8], name: &str) -> Option<String> {
    let rest = id.strip_prefix(prefix)?;
    let mut numbers = Vec::with_capacity(3);
    let mut parts = rest.split(|&byte| byte == b'-');
    while numbers.len() < 3 {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 4 || !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        numbers.push(std::str::from_utf8(part).ok()?);
    }
    // The last number must be closed by a dash: otherwise it runs into the random bytes.
    parts.next()?;
    Some(format!("{name} {}", numbers.join(".")))
}

/// A version character: 0-9, then A is 10; anything else counts as 0.
fn number(byte: u8) -> u32 {
    char::from(byte).to_digit(36).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(prefix: &[u8]) -> Option<String> {
        let mut id = *b"********************";
        id[..prefix.len()].copy_from_slice(prefix);
        client(&id)
    }

    #[test]
    fn known_ids_give_the_names_people_know() {
        for (prefix, expected) in [
            (&b"-qB4520-"[..], "qBittorrent 4.5.2"),
            (b"-qB4651-", "qBittorrent 4.6.5.1"),
            (b"-TR3000-", "Transmission 3.00"),
            (b"-TR2940-", "Transmission 2.94"),
            (b"-TR4050-", "Transmission 4.0.5"),
            (b"-LT20A0-", "libtorrent 2.0.10"),
            (b"-lt0D80-", "libTorrent (rakshasa) 0.13.8"),
            (b"-DE13F0-", "Deluge 1.3.15"),
            (b"-DE203s-", "Deluge 2.0.3"),
            (b"-UT355W-", "µTorrent 3.5.5"),
            (b"-CC0100-", "ccbt 0.1.0"),
            (b"-rQ0001-", "rqbit 0.0.0.1"),
            (b"A2-1-36-0-", "aria2 1.36.0"),
            (b"A2-1-7-15-", "aria2 1.7.15"),
            (b"M7-10-5--", "Mainline 7.10.5"),
        ] {
            assert_eq!(name(prefix).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_unknown_code_is_shown_as_it_is() {
        assert_eq!(name(b"-ZQ1230-").as_deref(), Some("ZQ 1.2.3"));
    }

    #[test]
    fn ids_that_follow_no_custom_have_no_name() {
        for prefix in
            [&b"-\x1b[1230-"[..], b"-qB452", b"A2-1-36-", b"A2-x-1-1-", b"M------", b"--------"]
        {
            assert_eq!(name(prefix), None, "{prefix:?}");
        }
    }

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(CLIENTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
