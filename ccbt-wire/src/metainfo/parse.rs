//! Reading a metainfo file.

use super::files::{self, Layout};
use super::{
    MAX_METAINFO_LEN, MAX_PIECE_LENGTH, MAX_PIECES, Metainfo, MetainfoError, Outer, PathError,
    path, pieces,
};
use crate::bencode::{Dict, Value};
use crate::{InfoHash, text};
use bytes::Bytes;
use sha1::{Digest, Sha1};
use std::borrow::Cow;
use std::sync::Arc;

/// Most trackers, and most web seeds, that are kept.
pub(super) const MAX_URLS: usize = 200;
/// Longest URL that is kept, in bytes.
const MAX_URL: usize = 2048;
/// Characters of a comment that are kept.
const MAX_COMMENT: usize = 4096;

pub(super) fn metainfo(bytes: &[u8]) -> Result<Metainfo, MetainfoError> {
    if bytes.len() > MAX_METAINFO_LEN {
        return Err(MetainfoError::TooLarge { length: bytes.len(), limit: MAX_METAINFO_LEN });
    }
    let root = typed("the file", Value::parse(bytes)?, "a dictionary", Value::as_dict)?;
    let mut info = None;
    let mut announce = None;
    let mut announce_list = None;
    let mut url_list = None;
    let mut comment = None;
    let mut created_by = None;
    let mut creation_date = None;
    for (key, value) in root {
        let slot = match key {
            b"info" => &mut info,
            b"announce" => &mut announce,
            b"announce-list" => &mut announce_list,
            b"url-list" => &mut url_list,
            b"comment" => &mut comment,
            b"created by" => &mut created_by,
            b"creation date" => &mut creation_date,
            _ => continue,
        };
        slot.get_or_insert(value);
    }
    let announce = announce.and_then(url);
    let mut trackers = announce_list.map(tiers).unwrap_or_default();
    if trackers.is_empty() {
        trackers.extend(announce.clone().map(|url| vec![url]));
    }
    let outer = Outer {
        announce,
        trackers,
        url_list: url_list.map(urls).unwrap_or_default(),
        comment: comment.and_then(printable),
        created_by: created_by.and_then(printable),
        creation_date: creation_date.and_then(|date| u64::try_from(date.as_int()?).ok()),
    };
    torrent(info.ok_or_else(|| missing("info"))?, outer)
}

/// A torrent of which the `info` alone came, and what a magnet link says beside it.
pub(super) fn from_info(
    info: &[u8],
    trackers: Vec<Vec<String>>,
    url_list: Vec<String>,
) -> Result<Metainfo, MetainfoError> {
    if info.len() > MAX_METAINFO_LEN {
        return Err(MetainfoError::TooLarge { length: info.len(), limit: MAX_METAINFO_LEN });
    }
    let outer = Outer { trackers, url_list, ..Outer::default() };
    torrent(Value::parse(info)?, outer)
}

fn torrent(info: Value<'_>, outer: Outer) -> Result<Metainfo, MetainfoError> {
    let fields = Fields::of(typed("info", info, "a dictionary", Value::as_dict)?);
    let Some(hashes) = fields.pieces else {
        return Err(if fields.v2 { MetainfoError::NoV1Pieces } else { missing("info.pieces") });
    };
    let hashes = typed("info.pieces", hashes, "a string", Value::as_bytes)?;
    let name = name(&fields)?;
    let piece_length = fields.piece_length.ok_or_else(|| missing("info.piece length"))?;
    let piece_length = piece_length_of(piece_length)?;

    let layout = match (fields.length, fields.files) {
        (Some(length), None) => files::single(&name, length)?,
        (None, Some(list)) => files::multi(&name, list)?,
        (length, _) => {
            return Err(MetainfoError::Layout { both: length.is_some() });
        }
    };
    let Layout { files, total_len } = layout;
    check_hashes(hashes.len(), total_len, piece_length)?;

    // The hashes are most of `info`: share them with it.
    let begin = hashes.as_ptr().addr() - info.raw().as_ptr().addr();
    let info = Bytes::copy_from_slice(info.raw());
    Ok(Metainfo {
        info_hash: InfoHash(Sha1::digest(&info).into()),
        pieces: info.slice(begin..begin + hashes.len()),
        info,
        name,
        piece_length,
        total_len,
        files: files.into(),
        multi_file: fields.files.is_some(),
        private: fields.private,
        source: fields.source.and_then(printable),
        outer: Arc::new(outer),
    })
}

/// The values of `info` that we know, of each key the first.
#[derive(Default)]
struct Fields<'a> {
    name: Option<Value<'a>>,
    name_utf8: Option<Value<'a>>,
    piece_length: Option<Value<'a>>,
    pieces: Option<Value<'a>>,
    length: Option<Value<'a>>,
    files: Option<Value<'a>>,
    source: Option<Value<'a>>,
    private: bool,
    v2: bool,
}

impl<'a> Fields<'a> {
    fn of(info: Dict<'a>) -> Self {
        let mut fields = Self::default();
        let mut private = None;
        for (key, value) in info {
            let slot = match key {
                b"name" => &mut fields.name,
                b"name.utf-8" => &mut fields.name_utf8,
                b"piece length" => &mut fields.piece_length,
                b"pieces" => &mut fields.pieces,
                b"length" => &mut fields.length,
                b"files" => &mut fields.files,
                b"source" => &mut fields.source,
                b"private" => &mut private,
                b"file tree" => {
                    fields.v2 = true;
                    continue;
                }
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        fields.private = private.and_then(|value| value.as_int()).is_some_and(|flag| flag != 0);
        fields
    }
}

fn name(fields: &Fields<'_>) -> Result<String, MetainfoError> {
    let name = match fields.name_utf8.and_then(|name| name.as_str()) {
        Some(name) => Cow::Borrowed(name),
        None => {
            let name = fields.name.ok_or_else(|| missing("info.name"))?;
            String::from_utf8_lossy(typed("info.name", name, "a string", Value::as_bytes)?)
        }
    };
    match path::check_component(&name) {
        Ok(()) => Ok(name.into_owned()),
        Err(error) => {
            let error = if error == PathError::EmptyComponent { PathError::Empty } else { error };
            Err(MetainfoError::Path { field: "info.name".into(), error })
        }
    }
}

fn piece_length_of(value: Value<'_>) -> Result<u32, MetainfoError> {
    let field = "info.piece length";
    let number = typed(field, value, "an integer", Value::as_int)?;
    let length =
        u32::try_from(number).ok().filter(|length| (1..=MAX_PIECE_LENGTH).contains(length));
    length.ok_or_else(|| MetainfoError::OutOfRange {
        field: field.into(),
        value: number,
        min: 1,
        max: MAX_PIECE_LENGTH.into(),
    })
}

fn check_hashes(length: usize, total_len: u64, piece_length: u32) -> Result<(), MetainfoError> {
    if total_len == 0 {
        return Err(MetainfoError::Empty);
    }
    let expected = pieces(total_len, piece_length);
    if expected > MAX_PIECES {
        let count = total_len.div_ceil(piece_length.into());
        return Err(MetainfoError::TooMany {
            field: "info.pieces",
            count,
            limit: MAX_PIECES.into(),
        });
    }
    if !length.is_multiple_of(20) {
        return Err(MetainfoError::PiecesLength { length });
    }
    if length / 20 != expected as usize {
        return Err(MetainfoError::PieceCount { found: length / 20, expected });
    }
    Ok(())
}

fn tiers(value: Value<'_>) -> Vec<Vec<String>> {
    let mut left = MAX_URLS;
    let mut tiers = Vec::new();
    for tier in value.as_list().into_iter().flatten() {
        let tier: Vec<_> =
            tier.as_list().into_iter().flatten().filter_map(url).take(left).collect();
        left -= tier.len();
        if !tier.is_empty() {
            tiers.push(tier);
        }
    }
    tiers
}

/// `url-list` is one URL or a list of them (BEP 19).
fn urls(value: Value<'_>) -> Vec<String> {
    match value.as_list() {
        Some(list) => list.iter().filter_map(url).take(MAX_URLS).collect(),
        None => url(value).into_iter().collect(),
    }
}

fn url(value: Value<'_>) -> Option<String> {
    usable_url(value.as_str()?).map(str::to_owned)
}

/// A URL without blanks around it; `None` if nothing could be asked there.
pub(crate) fn usable_url(url: &str) -> Option<&str> {
    let url = url.trim();
    let fits = !url.is_empty()
        && url.len() <= MAX_URL
        && !url.contains(|c: char| c.is_control() || c == ' ');
    fits.then_some(url)
}

fn printable(value: Value<'_>) -> Option<String> {
    Some(text::printable(value.as_bytes()?, MAX_COMMENT)).filter(|text| !text.is_empty())
}

pub(super) fn missing(field: &str) -> MetainfoError {
    MetainfoError::Missing { field: field.to_owned() }
}

pub(super) fn typed<'a, T>(
    field: &str,
    value: Value<'a>,
    expected: &'static str,
    read: impl FnOnce(&Value<'a>) -> Option<T>,
) -> Result<T, MetainfoError> {
    read(&value).ok_or_else(|| MetainfoError::WrongType { field: field.to_owned(), expected })
}
