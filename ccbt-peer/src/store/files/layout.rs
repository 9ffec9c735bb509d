//! Which files a stretch of the payload lies in.

use std::path::PathBuf;

use ccbt_wire::Metainfo;

/// The files of a torrent, in the order of their bytes.
#[derive(Debug)]
pub(super) struct Layout {
    files: Vec<Entry>,
}

/// One file of the torrent.
#[derive(Debug)]
pub(super) struct Entry {
    /// Relative to the output folder, of checked components.
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) offset: u64,
    /// Filling between files (BEP 47): zeros that are never stored.
    pub(super) pad: bool,
}

/// A stretch of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) file: usize,
    pub(super) at: u64,
    pub(super) length: usize,
}

impl Layout {
    pub(super) fn of(metainfo: &Metainfo) -> Self {
        let files = metainfo.files().iter().map(|file| Entry {
            path: file.path.clone(),
            length: file.length,
            offset: file.offset,
            pad: file.pad,
        });
        Self { files: files.collect() }
    }

    pub(super) fn file(&self, index: usize) -> &Entry {
        &self.files[index]
    }

    /// Every file that is stored, with its index.
    pub(super) fn stored(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.files.iter().enumerate().filter(|(_, entry)| !entry.pad)
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The stretch, if all of it lies in one file that is stored.
    pub(super) fn only_span(&self, position: u64, length: usize) -> Option<Span> {
        let span = self.spans(position, length).next()?;
        (span.length == length && !self.file(span.file).pad).then_some(span)
    }

    /// The stretches of files that hold `length` bytes of payload from `position` on.
    pub(super) fn spans(&self, position: u64, length: usize) -> impl Iterator<Item = Span> {
        let first = self.files.partition_point(|entry| entry.offset + entry.length <= position);
        let mut position = position;
        let mut rest = length;
        self.files[first..]
            .iter()
            .enumerate()
            .map_while(move |(i, entry)| {
                if rest == 0 {
                    return None;
                }
                let at = position - entry.offset;
                let length = usize::try_from(entry.length - at).unwrap_or(usize::MAX).min(rest);
                position += length as u64;
                rest -= length;
                Some(Span { file: first + i, at, length })
            })
            .filter(|span| span.length > 0)
    }
}
