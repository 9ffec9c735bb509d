//! Which bytes of which URL a part of the payload is.

use std::fmt::Write;
use std::path::Component;
use std::sync::Arc;

use ccbt_wire::Metainfo;
use hyper::Uri;

use crate::source::{UrlError, http};

/// The files of a torrent as a web seed has them.
///
/// A URL is made when its file is asked for: a torrent may name many servers and many more files.
#[derive(Debug)]
pub(super) struct Layout {
    metainfo: Arc<Metainfo>,
    base: String,
}

/// A part of one file, or of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The number of the file.
    file: usize,
    /// Where it begins in the file.
    pub(super) first: u64,
    /// Bytes; never 0.
    pub(super) length: u64,
}

impl Layout {
    pub(super) fn new(metainfo: Arc<Metainfo>, base: &str) -> Self {
        Self { metainfo, base: base.to_owned() }
    }

    pub(super) fn metainfo(&self) -> &Metainfo {
        &self.metainfo
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The parts of files that `length` bytes of the payload from `begin` on are.
    pub(super) fn spans(&self, begin: u64, length: u64) -> Vec<Span> {
        let end = begin.saturating_add(length);
        let files = self.metainfo.files();
        let first = files.partition_point(|file| file.offset + file.length <= begin);
        let files = files.iter().enumerate().skip(first);
        let files = files.take_while(|(_, file)| file.offset < end);
        let spans = files.filter(|(_, file)| file.length > 0).map(|(at, file)| {
            let from = begin.max(file.offset);
            let to = end.min(file.offset + file.length);
            Span { file: at, first: from - file.offset, length: to - from }
        });
        spans.collect()
    }

    /// Where the server has a part; `None`: zeros that nobody stores.
    ///
    /// # Errors
    /// If a URL cannot be made of the file's name.
    pub(super) fn uri(&self, span: Span) -> Result<Option<Uri>, UrlError> {
        let file = self.metainfo.files().get(span.file).filter(|file| !file.pad);
        let url = |path| url_of(&self.base, self.metainfo.is_multi_file(), path);
        file.map(|file| http::parse(&url(&file.path))).transpose()
    }
}

/// The URL of a file (BEP 19): that of a torrent with many files names the folder that the torrent's lies in;
/// so does that of a single file if it ends in a slash.
fn url_of(base: &str, is_multi_file: bool, path: &std::path::Path) -> String {
    if !is_multi_file && !base.ends_with('/') {
        return base.to_owned();
    }
    let mut url = base.trim_end_matches('/').to_owned();
    for component in path.components() {
        if let Component::Normal(name) = component {
            url.push('/');
            push_escaped(&name.to_string_lossy(), &mut url);
        }
    }
    url
}

fn push_escaped(name: &str, url: &mut String) {
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use ccbt_wire::metainfo::build::Builder;

    use super::*;

    fn metainfo(builder: Builder) -> Arc<Metainfo> {
        Arc::new(Metainfo::parse(&builder.pieces([[0; 20]]).encode()).unwrap())
    }

    fn text(layout: &Layout, begin: u64, length: u64) -> Vec<String> {
        let spans = layout.spans(begin, length).into_iter();
        let uri = |span| layout.uri(span).unwrap().map_or("-".into(), |uri| uri.to_string());
        spans.map(|span| format!("{} {}+{}", uri(span), span.first, span.length)).collect()
    }

    #[test]
    fn web_seeds_share_what_they_know_of_the_files() {
        let files: Vec<(String, u64)> = (0..1_000).map(|n| (format!("file-{n}"), 16)).collect();
        let files = files.iter().map(|(name, length)| (name.as_str(), *length));
        let metainfo = metainfo(Builder::multi("folder", 16_384, files));
        let layouts: Vec<Layout> =
            (0..16).map(|_| Layout::new(Arc::clone(&metainfo), "http://w.example/")).collect();
        assert_eq!(Arc::strong_count(&metainfo), 1 + layouts.len());
        let last = "http://w.example/folder/file-999 0+16";
        assert!(layouts.iter().all(|layout| text(layout, 15_984, 16) == [last]));
    }

    #[test]
    fn a_single_file_is_the_url_or_lies_below_it() {
        let metainfo = metainfo(Builder::single("a b.bin", 16_384, 1000));
        for (url, file) in [
            ("http://w.example/x?y", "http://w.example/x?y 10+20"),
            ("http://w.example/d/", "http://w.example/d/a%20b.bin 10+20"),
        ] {
            let layout = Layout::new(Arc::clone(&metainfo), url);
            assert_eq!(text(&layout, 10, 20), [file]);
        }
    }

    #[test]
    fn files_of_a_folder_are_cut_at_their_borders_and_empty_ones_left_out() {
        let files = [("one", 10), ("empty", 0), ("sub/zw\u{f6}lf #?", 5), ("last", 100)];
        let metainfo = metainfo(Builder::multi("folder", 16_384, files));
        for url in ["http://w.example/d", "http://w.example/d/"] {
            let layout = Layout::new(Arc::clone(&metainfo), url);
            let one = "http://w.example/d/folder/one";
            let two = "http://w.example/d/folder/sub/zw%C3%B6lf%20%23%3F";
            let last = "http://w.example/d/folder/last";
            for (begin, length, spans) in [
                (0, 10, vec![format!("{one} 0+10")]),
                (9, 2, vec![format!("{one} 9+1"), format!("{two} 0+1")]),
                (3, 112, vec![format!("{one} 3+7"), format!("{two} 0+5"), format!("{last} 0+100")]),
                (115, 1, vec![]),
            ] {
                assert_eq!(text(&layout, begin, length), spans, "{begin}+{length}");
            }
        }
    }
}
