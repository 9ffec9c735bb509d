//! Asking a tracker how large swarms are, without joining them (BEP 48).

use super::TrackerError;
use super::announce::{join, push_escaped};
use super::reply::{accepted, number};
use crate::InfoHash;
use crate::bencode::{Owned, Value};
use std::collections::BTreeMap;

/// Where a tracker answers scrapes, if its announce URL says that it does.
///
/// That is an HTTP or HTTPS URL whose last path segment begins with `announce`: `scrape` takes the place of
/// that word. What follows it stays, a query included; a fragment goes.
///
/// ```
/// use ccbt_wire::tracker::scrape_url;
///
/// let scrape = scrape_url("https://t.example/x/announce.php?pass=1");
/// assert_eq!(scrape.as_deref(), Some("https://t.example/x/scrape.php?pass=1"));
/// assert_eq!(scrape_url("https://t.example/a"), None);
/// ```
pub fn scrape_url(announce: &str) -> Option<String> {
    let (scheme, rest) = announce.split_once("://")?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let path_end = rest.find('?').unwrap_or(rest.len());
    let (folder, last) = rest[..path_end].rsplit_once('/')?;
    let suffix = last.strip_prefix("announce")?;
    Some(format!("{scheme}://{folder}/scrape{suffix}{}", &rest[path_end..]))
}

/// The URL to get for a scrape of these torrents; `None` if the tracker answers none.
///
/// Name at least one torrent: without any, trackers tell of all they have, or of none.
pub fn scrape_request(
    announce: &str,
    torrents: impl IntoIterator<Item = InfoHash>,
) -> Option<String> {
    let mut query = String::new();
    for hash in torrents {
        query.push_str(if query.is_empty() { "info_hash=" } else { "&info_hash=" });
        push_escaped(&hash.0, &mut query);
    }
    let url = scrape_url(announce)?;
    Some(if query.is_empty() { url } else { join(&url, &query) })
}

/// What a tracker answers to a scrape.
///
/// ```
/// use ccbt_wire::InfoHash;
/// use ccbt_wire::tracker::ScrapeReply;
///
/// let body = b"d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei5e10:downloadedi50e10:incompletei10eeee";
/// let reply = ScrapeReply::parse(body)?;
/// let counts = reply.files[&InfoHash([b'a'; 20])];
/// assert_eq!((counts.complete, counts.downloaded, counts.incomplete), (Some(5), Some(50), Some(10)));
/// # Ok::<(), ccbt_wire::tracker::TrackerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ScrapeReply {
    /// The torrents that the tracker told of: not always those that it was asked for.
    pub files: BTreeMap<InfoHash, ScrapeCounts>,
    /// Seconds before which no scrape is welcome (`flags`, `min_request_interval`).
    pub min_interval: Option<u32>,
}

/// How large a swarm is, as its tracker counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ScrapeCounts {
    /// Seeds.
    pub complete: Option<u32>,
    /// Downloads that ever became complete.
    pub downloaded: Option<u32>,
    /// Leechers.
    pub incomplete: Option<u32>,
}

impl ScrapeReply {
    /// Reads the body of the tracker's response. Ill-typed keys count as absent; of a torrent that is there
    /// twice the first counts.
    ///
    /// # Errors
    /// If the body is no bencoded dictionary, or has a failure reason.
    pub fn parse(body: &[u8]) -> Result<Self, TrackerError> {
        let mut reply = Self::default();
        for (key, value) in accepted(body)? {
            match key {
                b"files" => reply.add(value),
                b"flags" => {
                    let seconds =
                        value.as_dict().and_then(|flags| flags.get("min_request_interval"));
                    reply.min_interval = reply.min_interval.or(seconds.and_then(number));
                }
                _ => {}
            }
        }
        Ok(reply)
    }

    /// The reply as a tracker sends it.
    pub fn encode(&self) -> Vec<u8> {
        let files = self.files.iter().map(|(hash, counts)| (hash.0, counts.to_bencode()));
        let mut root = vec![("files", Owned::dict(files))];
        root.extend(self.min_interval.map(|seconds| {
            ("flags", Owned::dict([("min_request_interval", Owned::from(seconds))]))
        }));
        Owned::dict(root).encode()
    }

    fn add(&mut self, files: Value<'_>) {
        for (key, value) in files.as_dict().into_iter().flatten() {
            if let (Ok(hash), Some(counts)) = (<[u8; 20]>::try_from(key), ScrapeCounts::of(value)) {
                self.files.entry(InfoHash(hash)).or_insert(counts);
            }
        }
    }
}

impl ScrapeCounts {
    fn of(value: Value<'_>) -> Option<Self> {
        let dict = value.as_dict()?;
        let count = |key| dict.get(key).and_then(number);
        Some(Self {
            complete: count("complete"),
            downloaded: count("downloaded"),
            incomplete: count("incomplete"),
        })
    }

    fn to_bencode(self) -> Owned {
        let counts = [
            ("complete", self.complete),
            ("downloaded", self.downloaded),
            ("incomplete", self.incomplete),
        ];
        Owned::dict(counts.into_iter().filter_map(|(key, count)| Some((key, count?.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([b'a'; 20]);

    #[test]
    fn only_an_announce_segment_at_the_end_of_the_path_has_a_scrape_beside_it() {
        for (announce, scrape) in [
            ("http://t.example/announce", Some("http://t.example/scrape")),
            ("http://t.example/x/announce", Some("http://t.example/x/scrape")),
            ("http://t.example/announce.php", Some("http://t.example/scrape.php")),
            ("http://t.example/announce?x=2%0644", Some("http://t.example/scrape?x=2%0644")),
            ("http://t.example/announce?x=2/4", Some("http://t.example/scrape?x=2/4")),
            ("http://t.example/announce/announce", Some("http://t.example/announce/scrape")),
            ("HTTPS://t.example:8443/announce#x", Some("HTTPS://t.example:8443/scrape")),
            ("http://t.example/a", None),
            ("http://t.example/x%064announce", None),
            ("http://t.example/announce/key", None),
            ("http://t.example/a?to=/announce", None),
            ("http://announce", None),
            ("udp://t.example/announce", None),
            ("announce", None),
            ("", None),
        ] {
            assert_eq!(scrape_url(announce).as_deref(), scrape, "{announce}");
        }
    }

    #[test]
    fn a_request_names_each_torrent() {
        let hashes = [InfoHash([b'a'; 20]), InfoHash([0; 20])];
        let zeros = "%00".repeat(20);
        assert_eq!(
            scrape_request("http://t.example/announce?k=1", hashes),
            Some(format!(
                "http://t.example/scrape?k=1&info_hash=aaaaaaaaaaaaaaaaaaaa&info_hash={zeros}"
            ))
        );
        assert_eq!(
            scrape_request("http://t.example/announce", []).as_deref(),
            Some("http://t.example/scrape")
        );
        assert_eq!(scrape_request("http://t.example/a", hashes), None);
    }

    #[test]
    fn a_scrape_reply_survives_the_wire() {
        let some = ScrapeCounts { complete: Some(1), downloaded: Some(u32::MAX), incomplete: None };
        let files = [(HASH, some), (InfoHash([0xff; 20]), ScrapeCounts::default())];
        let reply = ScrapeReply { files: files.into(), min_interval: Some(600) };
        assert_eq!(ScrapeReply::parse(&reply.encode()), Ok(reply));
    }

    #[test]
    fn ill_typed_parts_of_a_scrape_reply_count_as_absent() {
        let body = b"d5:filesd\
            3:abcd8:completei1ee\
            20:aaaaaaaaaaaaaaaaaaaad8:complete1:x10:downloadedi-1e10:incompletei7ee\
            20:aaaaaaaaaaaaaaaaaaaad8:completei9ee\
            20:bbbbbbbbbbbbbbbbbbbbi1e\
            e5:flagsi1ee";
        let reply = ScrapeReply::parse(body).unwrap();
        let counts = ScrapeCounts { incomplete: Some(7), ..ScrapeCounts::default() };
        assert_eq!(reply.files, [(HASH, counts)].into());
        assert_eq!(reply.min_interval, None);
        assert_eq!(ScrapeReply::parse(b"d5:filesi1ee"), Ok(ScrapeReply::default()));
    }

    #[test]
    fn a_refused_scrape_is_an_error_with_the_trackers_words() {
        let refused = TrackerError::Refused { reason: "no scrapes here".into(), retry_in: None };
        let body = b"d14:failure reason15:no scrapes heree";
        assert_eq!(ScrapeReply::parse(body), Err(refused));
        assert_eq!(ScrapeReply::parse(b"le"), Err(TrackerError::NotADictionary));
        assert!(matches!(ScrapeReply::parse(b"<html>"), Err(TrackerError::Bencode(_))));
    }
}
