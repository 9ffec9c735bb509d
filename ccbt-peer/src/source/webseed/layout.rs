//! Which bytes of which URL a part of the payload is.

use std::fmt::Write;
use std::path::Component;

use ccbt_wire::Metainfo;
use hyper::Uri;

use crate::source::{UrlError, http};

/// The files of a torrent as a web seed has them.
#[derive(Debug)]
pub(super) struct Layout {
    /// In the order of the payload, none of them empty.
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    offset: u64,
    length: u64,
    /// `None`: zeros that nobody stores.
    uri: Option<Uri>,
}

/// A part of one file, or of zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) uri: Option<Uri>,
    /// Where it begins in the file.
    pub(super) first: u64,
    /// Bytes; never 0.
    pub(super) length: u64,
}

impl Layout {
    /// # Errors
    /// If a URL cannot be made of a file's name.
    pub(super) fn new(metainfo: &Metainfo, url: &str) -> Result<Self, UrlError> {
        let mut files = Vec::new();
        for file in metainfo.files().iter().filter(|file| file.length > 0) {
            let uri = if file.pad {
                None
            } else {
                Some(http::parse(&url_of(url, metainfo.is_multi_file(), &file.path))?)
            };
            files.push(File { offset: file.offset, length: file.length, uri });
        }
        Ok(Self { files })
    }

    /// The parts of files that `length` bytes of the payload from `begin` on are.
    pub(super) fn spans(&self, begin: u64, length: u64) -> Vec<Span> {
        let end = begin.saturating_add(length);
        let first = self.files.partition_point(|file| file.offset + file.length <= begin);
        let files = self.files.get(first..).unwrap_or_default().iter();
        let span = |file: &File| {
            let from = begin.max(file.offset);
            let to = end.min(file.offset + file.length);
            Span { uri: file.uri.clone(), first: from - file.offset, length: to - from }
        };
        files.take_while(|file| file.offset < end).map(span).collect()
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

    fn metainfo(builder: Builder) -> Metainfo {
        Metainfo::parse(&builder.pieces([[0; 20]]).encode()).unwrap()
    }

    fn text(spans: &[Span]) -> Vec<String> {
        let uri = |span: &Span| span.uri.as_ref().map_or("-".into(), Uri::to_string);
        spans.iter().map(|span| format!("{} {}+{}", uri(span), span.first, span.length)).collect()
    }

    #[test]
    fn a_single_file_is_the_url_or_lies_below_it() {
        let metainfo = metainfo(Builder::single("a b.bin", 16_384, 1000));
        for (url, file) in [
            ("http://w.example/x?y", "http://w.example/x?y 10+20"),
            ("http://w.example/d/", "http://w.example/d/a%20b.bin 10+20"),
        ] {
            let layout = Layout::new(&metainfo, url).unwrap();
            assert_eq!(text(&layout.spans(10, 20)), [file]);
        }
    }

    #[test]
    fn files_of_a_folder_are_cut_at_their_borders_and_empty_ones_left_out() {
        let files = [("one", 10), ("empty", 0), ("sub/zw\u{f6}lf #?", 5), ("last", 100)];
        let metainfo = metainfo(Builder::multi("folder", 16_384, files));
        for url in ["http://w.example/d", "http://w.example/d/"] {
            let layout = Layout::new(&metainfo, url).unwrap();
            let one = "http://w.example/d/folder/one";
            let two = "http://w.example/d/folder/sub/zw%C3%B6lf%20%23%3F";
            let last = "http://w.example/d/folder/last";
            for (begin, length, spans) in [
                (0, 10, vec![format!("{one} 0+10")]),
                (9, 2, vec![format!("{one} 9+1"), format!("{two} 0+1")]),
                (3, 112, vec![format!("{one} 3+7"), format!("{two} 0+5"), format!("{last} 0+100")]),
                (115, 1, vec![]),
            ] {
                assert_eq!(text(&layout.spans(begin, length)), spans, "{begin}+{length}");
            }
        }
    }
}
