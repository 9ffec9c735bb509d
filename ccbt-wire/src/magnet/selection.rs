//! Which files a link asks for.

use crate::metainfo::MAX_FILES;
use crate::text;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Characters of an entry that an error repeats.
const MAX_QUOTE: usize = 64;

/// Files by their numbers in the metainfo, from 0: `0,2,4-6` (BEP 53).
///
/// Kept in order, and as few ranges as possible, so two equal selections are equal however they were written.
///
/// ```
/// use ccbt_wire::magnet::FileSelection;
///
/// let files: FileSelection = "4-6,0,2,5-7".parse()?;
/// assert_eq!(files.ranges(), [0..=0, 2..=2, 4..=7]);
/// assert_eq!(files.to_string(), "0,2,4-7");
/// assert!(files.contains(6) && !files.contains(3));
/// # Ok::<(), ccbt_wire::magnet::FileSelectionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileSelection {
    // At least one; ascending, and at least one file lies between two ranges.
    ranges: Vec<RangeInclusive<u32>>,
}

impl FileSelection {
    /// The files of these ranges, which may overlap and come in any order.
    ///
    /// # Errors
    /// If there is no range, one is empty, or one goes beyond the [`MAX_FILES`] files of a torrent.
    pub fn new(
        ranges: impl IntoIterator<Item = RangeInclusive<u32>>,
    ) -> Result<Self, FileSelectionError> {
        let mut sorted: Vec<_> = ranges.into_iter().collect();
        for range in &sorted {
            let (first, last) = (*range.start(), *range.end());
            if first > last {
                return Err(FileSelectionError::Reversed { first, last });
            }
            if last as usize >= MAX_FILES {
                return Err(FileSelectionError::OutOfRange { file: last, limit: MAX_FILES });
            }
        }
        sorted.sort_unstable_by_key(|range| *range.start());
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for range in sorted {
            match ranges.last_mut() {
                // No overflow: MAX_FILES is far away from it.
                Some(before) if *range.start() <= before.end() + 1 => {
                    *before = *before.start()..=*before.end().max(range.end());
                }
                _ => ranges.push(range),
            }
        }
        if ranges.is_empty() { Err(FileSelectionError::Empty) } else { Ok(Self { ranges }) }
    }

    /// The ranges in order, at least one, with at least one file between two of them.
    pub fn ranges(&self) -> &[RangeInclusive<u32>] {
        &self.ranges
    }

    /// Whether the file of this number is selected. Costs the logarithm of the number of ranges.
    pub fn contains(&self, file: u32) -> bool {
        let behind = self.ranges.partition_point(|range| *range.start() <= file);
        behind > 0 && self.ranges[behind - 1].contains(&file)
    }
}

impl fmt::Display for FileSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, range) in self.ranges.iter().enumerate() {
            let joint = if number == 0 { "" } else { "," };
            let (first, last) = (range.start(), range.end());
            if first == last {
                write!(f, "{joint}{first}")?;
            } else {
                write!(f, "{joint}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

/// Why a text selects no files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileSelectionError {
    /// No files at all.
    #[error("no files are selected")]
    Empty,
    /// An entry is neither a number nor two with a dash.
    #[error("{entry:?} is neither a file number nor a range such as 4-6")]
    Entry {
        /// The entry, printable and cut.
        entry: String,
    },
    /// A range ends before it begins.
    #[error("the range {first}-{last} ends before it begins")]
    Reversed {
        /// The number before the dash.
        first: u32,
        /// The number behind it.
        last: u32,
    },
    /// No torrent has so many files.
    #[error("file {file} is beyond the limit of {limit} files")]
    OutOfRange {
        /// The file.
        file: u32,
        /// Most files of a torrent.
        limit: usize,
    },
}

impl FromStr for FileSelection {
    type Err = FileSelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(FileSelectionError::Empty);
        }
        let entries = text.split(',').map(|entry| {
            range(entry).ok_or_else(|| FileSelectionError::Entry {
                entry: text::printable(entry.as_bytes(), MAX_QUOTE),
            })
        });
        Self::new(entries.collect::<Result<Vec<_>, _>>()?)
    }
}

fn range(entry: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
    // Not `parse` alone, which takes a `+`.
    let number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten()
    };
    Some(number(first)?..=number(last)?)
}
