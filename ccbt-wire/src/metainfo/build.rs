//! Metainfo from hashes that you bring: canonical bytes, no I/O.
//!
//! ```
//! use ccbt_wire::Metainfo;
//! use ccbt_wire::metainfo::build::{Builder, PieceHasher};
//!
//! let mut hasher = PieceHasher::new(16 * 1024);
//! hasher.update(b"first file");
//! hasher.update(b"second file");
//! let bytes = Builder::multi("folder", 16 * 1024, [("a.txt", 10), ("sub/b.txt", 11)])
//!     .pieces(hasher.finish())
//!     .tracker("http://tracker.example/announce")
//!     .build()?;
//! assert_eq!(Metainfo::parse(&bytes)?.files()[1].offset, 10);
//! # Ok::<(), ccbt_wire::MetainfoError>(())
//! ```

mod hasher;

use super::parse::MAX_URLS;
use super::{Metainfo, MetainfoError, usable_url};
use crate::bencode::Owned;

pub use hasher::PieceHasher;

/// Gathers what goes into a metainfo file.
///
/// [`build`](Self::build) makes only what can be read again; [`encode`](Self::encode) writes what it is told.
#[derive(Debug, Clone)]
pub struct Builder {
    name: String,
    piece_length: u32,
    layout: Layout,
    pieces: Vec<u8>,
    private: bool,
    tiers: Vec<Vec<String>>,
    url_list: Vec<String>,
    comment: Option<String>,
    created_by: Option<String>,
    creation_date: Option<u64>,
    source: Option<String>,
}

#[derive(Debug, Clone)]
enum Layout {
    Single(u64),
    Multi(Vec<(String, u64)>),
}

impl Builder {
    /// A torrent of one file with so many bytes.
    pub fn single(name: &str, piece_length: u32, length: u64) -> Self {
        Self::new(name, piece_length, Layout::Single(length))
    }

    /// A torrent of files in a folder: paths within it, with `/` between components, and bytes.
    pub fn multi<P: Into<String>>(
        name: &str,
        piece_length: u32,
        files: impl IntoIterator<Item = (P, u64)>,
    ) -> Self {
        let files = files.into_iter().map(|(path, length)| (path.into(), length)).collect();
        Self::new(name, piece_length, Layout::Multi(files))
    }

    fn new(name: &str, piece_length: u32, layout: Layout) -> Self {
        Self {
            name: name.to_owned(),
            piece_length,
            layout,
            pieces: Vec::new(),
            private: false,
            tiers: Vec::new(),
            url_list: Vec::new(),
            comment: None,
            created_by: None,
            creation_date: None,
            source: None,
        }
    }

    /// Adds hashes of pieces, in their order.
    #[must_use]
    pub fn pieces(mut self, hashes: impl IntoIterator<Item = [u8; 20]>) -> Self {
        self.pieces.extend(hashes.into_iter().flatten());
        self
    }

    /// Adds a tracker in a tier of its own, to be asked when those before fail (BEP 12).
    #[must_use]
    pub fn tracker(self, url: &str) -> Self {
        self.tier([url])
    }

    /// Adds trackers that are equal among themselves.
    #[must_use]
    pub fn tier<'a>(mut self, urls: impl IntoIterator<Item = &'a str>) -> Self {
        self.tiers.push(urls.into_iter().map(str::to_owned).collect());
        self
    }

    /// Whether peers may only be learned from the trackers (BEP 27).
    #[must_use]
    pub fn private(mut self, private: bool) -> Self {
        self.private = private;
        self
    }

    /// Adds a web seed (BEP 19).
    #[must_use]
    pub fn web_seed(mut self, url: &str) -> Self {
        self.url_list.push(url.to_owned());
        self
    }

    /// Adds a comment.
    #[must_use]
    pub fn comment(mut self, comment: &str) -> Self {
        self.comment = Some(comment.to_owned());
        self
    }

    /// Names the program that makes the file.
    #[must_use]
    pub fn created_by(mut self, program: &str) -> Self {
        self.created_by = Some(program.to_owned());
        self
    }

    /// Says when the file was made, in seconds since the beginning of 1970, UTC. Without it equal content gives
    /// equal files.
    #[must_use]
    pub fn creation_date(mut self, seconds: u64) -> Self {
        self.creation_date = Some(seconds);
        self
    }

    /// Names where the torrent is at home. It changes the info hash, so that one content can have a torrent for
    /// each tracker.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// The metainfo file, if it can be read again with every URL in it. Equal input gives equal bytes.
    ///
    /// # Errors
    /// As [`Metainfo::parse`]; and for a URL, or so many, that reading would leave out.
    pub fn build(&self) -> Result<Vec<u8>, MetainfoError> {
        check_urls("announce-list", self.tiers.iter().flatten())?;
        check_urls("url-list", &self.url_list)?;
        let bytes = self.encode();
        Metainfo::parse(&bytes)?;
        Ok(bytes)
    }

    /// The metainfo file, unchecked. Equal input gives equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut root = vec![("info", self.info())];
        let trackers: Vec<&str> = self.tiers.iter().flatten().map(String::as_str).collect();
        root.extend(trackers.first().map(|&url| ("announce", url.into())));
        if trackers.len() > 1 {
            let tiers = self.tiers.iter().filter(|tier| !tier.is_empty()).map(|tier| strings(tier));
            root.push(("announce-list", tiers.collect()));
        }
        if !self.url_list.is_empty() {
            root.push(("url-list", strings(&self.url_list)));
        }
        root.extend(self.comment.as_deref().map(|text| ("comment", text.into())));
        root.extend(self.created_by.as_deref().map(|text| ("created by", text.into())));
        root.extend(self.creation_date.map(|seconds| ("creation date", int(seconds))));
        Owned::dict(root).encode()
    }

    fn info(&self) -> Owned {
        let mut info = vec![
            ("name", Owned::from(self.name.as_str())),
            ("piece length", self.piece_length.into()),
            ("pieces", self.pieces.clone().into()),
            match &self.layout {
                Layout::Single(length) => ("length", int(*length)),
                Layout::Multi(files) => ("files", files.iter().map(file).collect()),
            },
        ];
        if self.private {
            info.push(("private", Owned::Int(1)));
        }
        info.extend(self.source.as_deref().map(|text| ("source", text.into())));
        Owned::dict(info)
    }
}

fn check_urls<'a>(
    field: &'static str,
    urls: impl IntoIterator<Item = &'a String>,
) -> Result<(), MetainfoError> {
    let mut count = 0;
    for url in urls {
        count += 1;
        if usable_url(url) != Some(url) {
            return Err(MetainfoError::Url { field, url: url.clone() });
        }
    }
    if count > MAX_URLS {
        let (count, limit) = (count as u64, MAX_URLS as u64);
        return Err(MetainfoError::TooMany { field, count, limit });
    }
    Ok(())
}

/// A torrent of one file whose content is at hand.
pub fn single_file(
    name: &str,
    piece_length: u32,
    content: &[u8],
    announce: Option<&str>,
) -> Vec<u8> {
    let builder = Builder::single(name, piece_length, content.len() as u64);
    finish(builder, [content], announce)
}

/// A torrent of files in a folder (path within it, content) that are at hand.
pub fn multi_file(
    name: &str,
    piece_length: u32,
    files: &[(&str, &[u8])],
    announce: Option<&str>,
) -> Vec<u8> {
    let lengths = files.iter().map(|&(path, content)| (path, content.len() as u64));
    let builder = Builder::multi(name, piece_length, lengths);
    finish(builder, files.iter().map(|&(_, content)| content), announce)
}

fn finish<'a>(
    builder: Builder,
    contents: impl IntoIterator<Item = &'a [u8]>,
    announce: Option<&str>,
) -> Vec<u8> {
    let mut hasher = PieceHasher::new(builder.piece_length);
    contents.into_iter().for_each(|content| hasher.update(content));
    let builder = builder.pieces(hasher.finish());
    match announce {
        Some(url) => builder.tracker(url).encode(),
        None => builder.encode(),
    }
}

fn file((path, length): &(String, u64)) -> Owned {
    Owned::dict([("length", int(*length)), ("path", path.split('/').map(Owned::from).collect())])
}

fn strings(texts: &[String]) -> Owned {
    texts.iter().map(|text| Owned::from(text.as_str())).collect()
}

/// No file is longer, and no date later, than 63 bits can tell.
fn int(number: u64) -> Owned {
    Owned::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
