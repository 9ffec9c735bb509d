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
//!     .encode();
//! assert_eq!(Metainfo::parse(&bytes)?.files()[1].offset, 10);
//! # Ok::<(), ccbt_wire::MetainfoError>(())
//! ```

use crate::bencode::Owned;
use sha1::{Digest, Sha1};

/// Gathers what goes into a metainfo file.
///
/// It writes what it is told; whether that is a torrent, [`Metainfo::parse`](crate::Metainfo::parse) says.
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

    /// The metainfo file. Equal input gives equal bytes.
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
        Owned::dict(info)
    }
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

/// Cuts a payload that is fed in any portions into pieces, and hashes them.
#[derive(Debug, Clone)]
pub struct PieceHasher {
    piece_length: usize,
    /// Bytes of the current piece.
    filled: usize,
    sha1: Sha1,
    hashes: Vec<[u8; 20]>,
}

impl PieceHasher {
    /// For pieces of so many bytes; 0 counts as 1.
    pub fn new(piece_length: u32) -> Self {
        let piece_length = piece_length.max(1) as usize;
        Self { piece_length, filled: 0, sha1: Sha1::new(), hashes: Vec::new() }
    }

    /// Takes the next bytes of the payload.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.piece_length - self.filled));
            self.sha1.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == self.piece_length {
                self.close();
            }
        }
    }

    /// The hashes of all pieces; the last may be of a short one.
    pub fn finish(mut self) -> Vec<[u8; 20]> {
        if self.filled > 0 {
            self.close();
        }
        self.hashes
    }

    fn close(&mut self) {
        self.hashes.push(self.sha1.finalize_reset().into());
        self.filled = 0;
    }
}

fn file((path, length): &(String, u64)) -> Owned {
    Owned::dict([("length", int(*length)), ("path", path.split('/').map(Owned::from).collect())])
}

fn strings(texts: &[String]) -> Owned {
    texts.iter().map(|text| Owned::from(text.as_str())).collect()
}

/// No file is longer than 63 bits can tell.
fn int(length: u64) -> Owned {
    Owned::Int(i64::try_from(length).unwrap_or(i64::MAX))
}
