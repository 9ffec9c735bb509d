//! What a check says: about pieces, and about files.

use std::path::Path;

use ccbt_peer::Choice;
use ccbt_peer::wire::{Bitfield, File, Metainfo, PieceIndex};
use serde::Serialize;

use super::disk::Found;
use crate::print::slashed;

/// Pieces that are not right, and files that are not what they should be.
#[derive(Debug, Serialize)]
pub(super) struct Findings<'a> {
    pub(super) name: &'a str,
    pub(super) info_hash: String,
    pub(super) complete: bool,
    pub(super) pieces: u32,
    /// Pieces whose hash is right.
    pub(super) right: u32,
    /// Pieces that can be read in full and have another hash.
    pub(super) wrong_pieces: Ranges,
    /// Pieces of which bytes are missing.
    pub(super) missing_pieces: Ranges,
    pub(super) files: Vec<FileFinding<'a>>,
}

/// What is known about one file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct FileFinding<'a> {
    #[serde(serialize_with = "text")]
    pub(super) path: &'a Path,
    pub(super) length: u64,
    /// Bytes of the file on the disk.
    pub(super) found: Option<u64>,
    pub(super) state: State,
    /// What stands in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is: Option<&'static str>,
    /// Its pieces that are wrong or missing.
    pub(super) bad_pieces: Ranges,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Right,
    Wrong,
    Missing,
    TooShort,
    TooLong,
    /// A folder, a link, a pipe.
    NoFile,
    /// Nobody asked for it.
    NotChosen,
    /// Its length is right, and nothing speaks against it but pieces that it shares with a file that
    /// is not there in full.
    Unproven,
}

impl State {
    fn is_bad(self) -> bool {
        !matches!(self, Self::Right | Self::NotChosen)
    }
}

/// Piece indices in growing order, as first and last of each run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Ranges(pub(super) Vec<(u32, u32)>);

impl Ranges {
    pub(crate) fn of(pieces: impl IntoIterator<Item = u32>) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for piece in pieces {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == piece => *last = piece,
                _ => ranges.push((piece, piece)),
            }
        }
        Self(ranges)
    }

    /// How many pieces these are.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|(first, last)| (last - first) as usize + 1).sum()
    }

    /// The ranges in words, at most `most` of them.
    pub(crate) fn words(&self, most: usize) -> String {
        let shown = self.0.iter().take(most).map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}-{last}"),
        });
        let mut text = shown.collect::<Vec<_>>().join(", ");
        if self.0.len() > most {
            let rest = Self(self.0[most..].to_vec()).count();
            text = format!("{text} and {rest} more");
        }
        text
    }
}

impl<'a> Findings<'a> {
    /// Draws the conclusions from what lies on the disk and which pieces are right. What is not chosen is
    /// neither right nor wrong.
    pub(super) fn of(
        metainfo: &'a Metainfo,
        found: &[Found],
        have: &Bitfield,
        choice: &Choice,
    ) -> Self {
        let lacking = Lacking::of(metainfo, found);
        let wanted = choice.pieces(metainfo);
        let bad = |piece: &u32| !have.get(PieceIndex(*piece)) && wanted.wants(PieceIndex(*piece));
        let pieces = 0..metainfo.piece_count();
        let (missing, wrong): (Vec<u32>, Vec<u32>) =
            pieces.filter(bad).partition(|&piece| lacking.has(piece));
        let files = metainfo.files().iter().zip(found).enumerate();
        let files: Vec<_> = files
            .filter(|(_, (file, _))| !file.pad)
            .map(|(index, (file, &found))| {
                let bad_pieces: Vec<u32> = pieces_of(metainfo, file).filter(bad).collect();
                let proven = bad_pieces.iter().any(|&piece| !lacking.has(piece));
                let state = match found {
                    _ if !choice.wants(index) => State::NotChosen,
                    Found::Nothing | Found::Pad => State::Missing,
                    Found::Other(_) => State::NoFile,
                    Found::File(found) if found < file.length => State::TooShort,
                    Found::File(found) if found > file.length => State::TooLong,
                    Found::File(_) if bad_pieces.is_empty() => State::Right,
                    Found::File(_) if proven => State::Wrong,
                    Found::File(_) => State::Unproven,
                };
                FileFinding {
                    path: &file.path,
                    length: file.length,
                    found: if let Found::File(found) = found { Some(found) } else { None },
                    state,
                    is: if let Found::Other(what) = found { Some(what) } else { None },
                    bad_pieces: Ranges::of(bad_pieces),
                }
            })
            .collect();
        Self {
            name: metainfo.name(),
            info_hash: metainfo.info_hash().to_string(),
            complete: wrong.is_empty()
                && missing.is_empty()
                && files.iter().all(|file| !file.state.is_bad()),
            pieces: metainfo.piece_count(),
            right: have.count_ones(),
            wrong_pieces: Ranges::of(wrong),
            missing_pieces: Ranges::of(missing),
            files,
        }
    }

    /// The files that are not right.
    pub(super) fn bad_files(&self) -> impl Iterator<Item = &FileFinding<'a>> {
        self.files.iter().filter(|file| file.state.is_bad())
    }

    /// How many files are in this state.
    pub(super) fn count(&self, state: State) -> usize {
        self.files.iter().filter(|file| file.state == state).count()
    }
}

/// The pieces that are right if every byte that is there is right.
pub(super) fn trusted(metainfo: &Metainfo, found: &[Found]) -> Bitfield {
    let lacking = Lacking::of(metainfo, found);
    let mut have = Bitfield::full(metainfo.piece_count());
    for piece in (0..metainfo.piece_count()).filter(|&piece| lacking.has(piece)) {
        have.set(PieceIndex(piece), false);
    }
    have
}

/// Pieces of which bytes are not on the disk.
struct Lacking(Vec<(u32, u32)>);

impl Lacking {
    fn of(metainfo: &Metainfo, found: &[Found]) -> Self {
        let files = metainfo.files().iter().zip(found);
        let gaps = files.filter_map(|(file, found)| {
            let readable = found.readable(file.length);
            let gap = (file.offset + readable, file.length - readable);
            (gap.1 > 0).then(|| span(metainfo, gap.0, gap.1)).flatten()
        });
        Self(gaps.collect())
    }

    /// Whether bytes of the piece are missing. Both ends of the spans only grow.
    fn has(&self, piece: u32) -> bool {
        let after = self.0.partition_point(|&(first, _)| first <= piece);
        after.checked_sub(1).is_some_and(|before| self.0[before].1 >= piece)
    }
}

fn pieces_of(metainfo: &Metainfo, file: &File) -> impl Iterator<Item = u32> + use<> {
    span(metainfo, file.offset, file.length).into_iter().flat_map(|(first, last)| first..=last)
}

/// First and last piece of so many bytes; `None` if there are none.
fn span(metainfo: &Metainfo, offset: u64, length: u64) -> Option<(u32, u32)> {
    let piece = |position: u64| u32::try_from(position / u64::from(metainfo.piece_length())).ok();
    Some((piece(offset)?, piece(offset + length.checked_sub(1)?)?))
}

fn text<S: serde::Serializer>(path: &&Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&slashed(path))
}

#[cfg(test)]
mod tests;
