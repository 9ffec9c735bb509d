//! The files of a torrent.

use super::folding::fold;
use super::parse::{missing, typed};
use super::{File, MAX_FILES, MetainfoError, PathError, path};
use crate::bencode::{List, Value};
use std::borrow::Cow;
use std::path::PathBuf;

pub(super) struct Layout {
    pub(super) files: Vec<File>,
    pub(super) total_len: u64,
}

/// The one file of a torrent with `info.length`.
pub(super) fn single(name: &str, length: Value<'_>) -> Result<Layout, MetainfoError> {
    let length = length_of(|| "info.length".into(), length)?;
    let file = File { path: PathBuf::from(name), length, offset: 0, pad: false };
    Ok(Layout { files: vec![file], total_len: length })
}

/// The files of a torrent with `info.files`, in a folder of its name.
pub(super) fn multi(name: &str, list: Value<'_>) -> Result<Layout, MetainfoError> {
    let list = typed("info.files", list, "a list", Value::as_list)?;
    let mut layout = Layout { files: Vec::new(), total_len: 0 };
    let mut places = Vec::new();
    for (index, value) in list.iter().enumerate() {
        if index == MAX_FILES {
            return Err(MetainfoError::TooMany {
                field: "info.files",
                count: index as u64 + 1,
                limit: MAX_FILES as u64,
            });
        }
        let entry = Entry::of(index, value)?;
        let offset = layout.total_len;
        layout.total_len =
            offset.checked_add(entry.length).filter(|&sum| i64::try_from(sum).is_ok()).ok_or_else(
                || MetainfoError::LengthOverflow { field: format!("info.files[{index}].length") },
            )?;
        let path = if entry.pad {
            // Never stored, often at the same path or none: not worth a refusal.
            [name, ".pad", &entry.length.to_string()].iter().collect()
        } else {
            let components = entry.components(index)?;
            let path = path::join(name, components.iter().map(AsRef::as_ref));
            let path = path.map_err(|error| path_error(index, error))?;
            places.push((place(&components), index));
            path
        };
        layout.files.push(File { path, length: entry.length, offset, pad: entry.pad });
    }
    check_places(places, &layout.files)?;
    Ok(layout)
}

struct Entry<'a> {
    length: u64,
    path: Option<Value<'a>>,
    path_utf8: Option<Value<'a>>,
    pad: bool,
}

impl<'a> Entry<'a> {
    fn of(index: usize, value: Value<'a>) -> Result<Self, MetainfoError> {
        let Some(dict) = value.as_dict() else {
            let field = format!("info.files[{index}]");
            return Err(MetainfoError::WrongType { field, expected: "a dictionary" });
        };
        let (mut length, mut path, mut path_utf8, mut attr) = (None, None, None, None);
        for (key, value) in dict {
            let slot = match key {
                b"length" => &mut length,
                b"path" => &mut path,
                b"path.utf-8" => &mut path_utf8,
                b"attr" => &mut attr,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        let attr = attr.and_then(|attr| attr.as_bytes()).unwrap_or_default();
        if attr.contains(&b'l') {
            return Err(path_error(index, PathError::Symlink));
        }
        let field = || format!("info.files[{index}].length");
        let length = length_of(field, length.ok_or_else(|| missing(&field()))?)?;
        Ok(Self { length, path, path_utf8, pad: attr.contains(&b'p') })
    }

    /// The components of the path, of `path.utf-8` if that is there and well-formed.
    fn components(&self, index: usize) -> Result<Vec<Cow<'a, str>>, MetainfoError> {
        let utf8 = self.path_utf8.and_then(|path| {
            let components =
                path.as_list()?.iter().map(|component| component.as_str().map(Cow::Borrowed));
            components.collect::<Option<Vec<_>>>().filter(|components| !components.is_empty())
        });
        if let Some(components) = utf8 {
            return Ok(components);
        }
        let field = || format!("info.files[{index}].path");
        let path = self.path.ok_or_else(|| missing(&field()))?;
        let wrong = || MetainfoError::WrongType { field: field(), expected: "a list of strings" };
        let lossy = |component: Value<'a>| component.as_bytes().map(String::from_utf8_lossy);
        let list: List<'a> = path.as_list().ok_or_else(wrong)?;
        list.iter().map(|component| lossy(component).ok_or_else(wrong)).collect()
    }
}

fn length_of(field: impl Fn() -> String, value: Value<'_>) -> Result<u64, MetainfoError> {
    let wrong = || MetainfoError::WrongType { field: field(), expected: "an integer" };
    let number = value.as_int().ok_or_else(wrong)?;
    u64::try_from(number).map_err(|_| MetainfoError::OutOfRange {
        field: field(),
        value: number,
        min: 0,
        max: i64::MAX,
    })
}

fn path_error(index: usize, error: PathError) -> MetainfoError {
    MetainfoError::Path { field: format!("info.files[{index}].path"), error }
}

/// Where a file lies on a file system that takes names for equal that differ in case or in how letters are
/// written. Components end with a
/// NUL, the least byte, so that in sorted order what lies within a folder follows it at once.
fn place(components: &[Cow<'_, str>]) -> String {
    let mut place = String::new();
    for component in components {
        fold(component, &mut place);
        place.push('\0');
    }
    place
}

/// Refuses two files at one place, and a file on the path of another.
fn check_places(mut places: Vec<(String, usize)>, files: &[File]) -> Result<(), MetainfoError> {
    places.sort_unstable();
    for pair in places.windows(2) {
        let [(outer, first), (inner, second)] = pair else {
            continue;
        };
        let path = |index: usize| files[index].path.display().to_string();
        if outer == inner {
            let (first, second) = (*first, *second);
            return Err(MetainfoError::DuplicatePath { first, second, path: path(second) });
        }
        if inner.starts_with(outer) {
            let (file, other) = (*first, *second);
            return Err(MetainfoError::FileIsFolder { file, other, path: path(file) });
        }
    }
    Ok(())
}
