//! What there is to tell, in lines for people.

use super::about::{About, Torrent};
use super::scrape::Answer;
use super::{date, tree};
use crate::report::units;

/// Columns of the words in front.
const LABEL: usize = 12;

/// Everything, a line each.
pub(super) fn lines(about: &About) -> Vec<String> {
    let mut rows = Rows(Vec::new());
    rows.add("name", about.name.clone());
    rows.add("info hash", about.info_hash.map(|hash| hash.to_string()));
    let link = about.link.as_ref();
    rows.add("v2 hash", link.and_then(|link| link.info_hash_v2.clone()));
    rows.add("magnet", Some(about.magnet.clone()));
    rows.add("size", about.length.map(|length| size(about, length)));
    if let Some(torrent) = &about.torrent {
        rows.torrent(torrent);
    }
    for (number, tier) in about.trackers.iter().enumerate() {
        for url in tier {
            rows.add(&format!("tracker {}", number + 1), Some(url.clone()));
        }
    }
    rows.all("web seed", &about.web_seeds);
    if let Some(link) = link {
        rows.all("peer", &link.peers);
        rows.add("only files", link.select_only.clone());
    }
    rows.all("scrape", about.scrape.iter().flatten().map(Answer::words).collect::<Vec<_>>());
    if let Some(torrent) = &about.torrent {
        rows.add("files", Some(String::new()));
        rows.0.extend(tree::lines(&torrent.files));
    }
    rows.0
}

struct Rows(Vec<String>);

impl Rows {
    fn torrent(&mut self, torrent: &Torrent) {
        let length = units::bytes(torrent.piece_length.into());
        self.add("pieces", Some(format!("{} of {length}", torrent.pieces)));
        self.add("flags", flags(torrent));
        self.add("comment", torrent.comment.clone());
        self.add("created by", torrent.created_by.clone());
        self.add("created", torrent.creation_date.and_then(date::utc));
        self.add("source", torrent.source.clone());
    }

    fn all<T: AsRef<str>>(&mut self, label: &str, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.add(label, Some(value.as_ref().to_owned())));
    }

    fn add(&mut self, label: &str, value: Option<String>) {
        if let Some(value) = value {
            self.0.push(format!("{label:<LABEL$}{value}").trim_end().to_owned());
        }
    }
}

fn size(about: &About, length: u64) -> String {
    let files = about.torrent.as_ref().map(|torrent| {
        let files = torrent.files.iter().filter(|file| !file.pad).count();
        format!(" in {}", units::count(files, "file", "files"))
    });
    format!("{} ({length} bytes){}", units::bytes(length), files.unwrap_or_default())
}

fn flags(torrent: &Torrent) -> Option<String> {
    let mut flags = Vec::new();
    if torrent.private {
        flags.push("private (peers only from its trackers)");
    }
    if torrent.files.iter().any(|file| file.pad) {
        flags.push("pad files");
    }
    (!flags.is_empty()).then(|| flags.join(", "))
}

#[cfg(test)]
mod tests {
    use ccbt_peer::wire::metainfo::build::Builder;
    use ccbt_peer::wire::{Magnet, Metainfo};

    use super::*;

    #[test]
    fn a_torrent_tells_everything_in_one_look() {
        let builder = Builder::multi("n", 16_384, [("a", 16_384), ("s/b", 1)]);
        let builder = builder.pieces([[0; 20]; 2]).private(true).source("S").comment("C");
        let builder = builder.tier(["http://a/1", "http://b/2"]).tracker("http://c/3");
        let builder = builder.web_seed("http://w/").created_by("P").creation_date(0);
        let metainfo = Metainfo::parse(&builder.encode()).unwrap();
        let hash = metainfo.info_hash();
        let expected = format!(
            "\
name        n
info hash   {hash}
magnet      {}
size        16.0 KiB (16385 bytes) in 2 files
pieces      2 of 16.0 KiB
flags       private (peers only from its trackers)
comment     C
created by  P
created     1970-01-01 00:00 UTC
source      S
tracker 1   http://a/1
tracker 1   http://b/2
tracker 2   http://c/3
web seed    http://w/
files
  16.0 KiB  n/
  16.0 KiB    a
       1 B    s/
       1 B      b",
            Magnet::of(&metainfo)
        );
        assert_eq!(lines(&About::torrent(&metainfo)).join("\n"), expected);
    }

    #[test]
    fn a_magnet_link_tells_its_own_fields() {
        let link = "magnet:?xt=urn:btih:d0d14c926e6e99761a2fdcff27b403d96376eff6&dn=a%20b&xl=2048\
                    &tr=http%3A%2F%2Ft%2Fannounce&x.pe=10.0.0.1:6881&so=0,4-6";
        let lines = lines(&About::magnet(&link.parse().unwrap()));
        let expected = [
            "name        a b",
            "info hash   d0d14c926e6e99761a2fdcff27b403d96376eff6",
            "size        2.00 KiB (2048 bytes)",
            "tracker 1   http://t/announce",
            "peer        10.0.0.1:6881",
            "only files  0,4-6",
        ];
        for line in expected {
            assert!(lines.iter().any(|told| told == line), "{line} is not in {lines:?}");
        }
        assert_eq!(lines.len(), expected.len() + 1);
    }
}
