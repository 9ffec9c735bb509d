//! Values that borrow from the input.

use super::{BencodeError, scan};
use std::fmt;
use std::iter::FusedIterator;

/// One bencoded value: a span of the input, checked, and looked into on demand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    // Invariant: exactly one well-formed value.
    raw: &'a [u8],
}

impl<'a> Value<'a> {
    /// Reads an input that is one value and nothing else.
    ///
    /// Keys of dictionaries may come in any order and more than once: such files exist.
    ///
    /// # Errors
    /// With the offset of the first fault, or if bytes follow the value.
    pub fn parse(input: &'a [u8]) -> Result<Self, BencodeError> {
        let (value, rest) = Self::parse_prefix(input)?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err(BencodeError::TrailingBytes { at: value.raw.len(), count: rest.len() })
        }
    }

    /// Reads the value at the start of the input, and returns what follows it.
    ///
    /// # Errors
    /// With the offset of the first fault.
    pub fn parse_prefix(input: &'a [u8]) -> Result<(Self, &'a [u8]), BencodeError> {
        let (raw, rest) = input.split_at(scan::value(input, 0)?);
        Ok((Self { raw }, rest))
    }

    /// The bytes of the input that are this value.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self.raw.first()? {
            b'i' => scan::integer(self.raw, 0).ok().map(|(number, _)| number),
            _ => None,
        }
    }

    /// The content of the string, if it is one.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match self.raw.first()? {
            b'0'..=b'9' => scan::string(self.raw, 0).ok().map(|(text, _)| text),
            _ => None,
        }
    }

    /// The content of the string, if it is one and UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<List<'a>> {
        (*self.raw.first()? == b'l').then_some(List { raw: self.raw })
    }

    /// The dictionary, if it is one.
    pub fn as_dict(&self) -> Option<Dict<'a>> {
        (*self.raw.first()? == b'd').then_some(Dict { raw: self.raw })
    }
}

impl fmt::Debug for Value<'_> {
    /// The raw bytes, escaped, and cut after 64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.raw[..self.raw.len().min(64)];
        let dots = if shown.len() < self.raw.len() { "..." } else { "" };
        write!(f, "Value({}{dots})", shown.escape_ascii())
    }
}

/// A list, walked in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List<'a> {
    raw: &'a [u8],
}

impl<'a> List<'a> {
    /// The elements in their order. Each step costs the length of the element.
    pub fn iter(&self) -> ListIter<'a> {
        ListIter { rest: inside(self.raw) }
    }
}

impl<'a> IntoIterator for List<'a> {
    type Item = Value<'a>;
    type IntoIter = ListIter<'a>;

    fn into_iter(self) -> ListIter<'a> {
        self.iter()
    }
}

/// The elements of a [`List`].
#[derive(Debug, Clone)]
pub struct ListIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for ListIter<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        take(&mut self.rest)
    }
}

impl FusedIterator for ListIter<'_> {}

/// A dictionary, walked in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dict<'a> {
    raw: &'a [u8],
}

impl<'a> Dict<'a> {
    /// Keys and values in the order of the input. Each step costs the length of the entry.
    pub fn iter(&self) -> DictIter<'a> {
        DictIter { rest: inside(self.raw) }
    }

    /// The value of a key; of the first, if the key is there more than once. Walks over what stands before.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value<'a>> {
        let key = key.as_ref();
        self.iter().find_map(|(found, value)| (found == key).then_some(value))
    }
}

impl<'a> IntoIterator for Dict<'a> {
    type Item = (&'a [u8], Value<'a>);
    type IntoIter = DictIter<'a>;

    fn into_iter(self) -> DictIter<'a> {
        self.iter()
    }
}

/// The entries of a [`Dict`].
#[derive(Debug, Clone)]
pub struct DictIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for DictIter<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = take(&mut self.rest)?.as_bytes()?;
        Some((key, take(&mut self.rest)?))
    }
}

impl FusedIterator for DictIter<'_> {}

/// A container without its first and last byte.
fn inside(raw: &[u8]) -> &[u8] {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// Cuts the next value off a container's content.
fn take<'a>(rest: &mut &'a [u8]) -> Option<Value<'a>> {
    if rest.is_empty() {
        return None;
    }
    let (value, after) = Value::parse_prefix(rest).ok()?;
    *rest = after;
    Some(value)
}
