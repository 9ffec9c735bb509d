//! Why a metainfo file is refused.

use crate::bencode::BencodeError;

/// The field of a metainfo file that breaks a rule, and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetainfoError {
    /// The file is larger than [`MAX_METAINFO_LEN`](super::MAX_METAINFO_LEN).
    #[error("a metainfo file of {length} bytes is over the limit of {limit}")]
    TooLarge {
        /// Bytes of the file.
        length: usize,
        /// Allowed bytes.
        limit: usize,
    },
    /// The file is not bencode.
    #[error("not a metainfo file: {0}")]
    Bencode(#[from] BencodeError),
    /// A key is missing.
    #[error("{field}: missing")]
    Missing {
        /// The field, such as `info.pieces`.
        field: String,
    },
    /// A value has the wrong type.
    #[error("{field}: not {expected}")]
    WrongType {
        /// The field.
        field: String,
        /// What belongs there, with its article.
        expected: &'static str,
    },
    /// `info` has neither or both of `length` and `files`.
    #[error("info: needs either length or files, has {}", if *.both { "both" } else { "neither" })]
    Layout {
        /// Whether it has both.
        both: bool,
    },
    /// A torrent for version 2 of the protocol alone (BEP 52).
    #[error("info: no v1 pieces (the torrent is for version 2 only)")]
    NoV1Pieces,
    /// A number is out of its range.
    #[error("{field}: {value} is not in {min} to {max}")]
    OutOfRange {
        /// The field.
        field: String,
        /// The number.
        value: i64,
        /// Least number.
        min: i64,
        /// Greatest number.
        max: i64,
    },
    /// The files' lengths do not add up to 63 bits.
    #[error("{field}: the sum of all lengths overflows")]
    LengthOverflow {
        /// The file that is too much.
        field: String,
    },
    /// No payload at all.
    #[error("info: the torrent has no payload (total length 0)")]
    Empty,
    /// `pieces` is no sequence of hashes.
    #[error("info.pieces: {length} bytes are not a multiple of 20")]
    PiecesLength {
        /// Bytes of the string.
        length: usize,
    },
    /// There are not as many hashes as pieces.
    #[error("info.pieces: {found} hashes, but {expected} pieces")]
    PieceCount {
        /// Hashes in the file.
        found: usize,
        /// Pieces that the lengths ask for.
        expected: u32,
    },
    /// More pieces or files than the limit.
    #[error("{field}: {count} are over the limit of {limit}")]
    TooMany {
        /// The field.
        field: &'static str,
        /// How many; for files, the first one too many.
        count: u64,
        /// Allowed.
        limit: u64,
    },
    /// A URL that could not be asked. [`Builder::build`](super::build::Builder::build) refuses it; of a file
    /// that is read it is left out.
    #[error("{field}: {url:?} is not a usable URL")]
    Url {
        /// The field.
        field: &'static str,
        /// The URL.
        url: String,
    },
    /// A path that may not be joined to an output folder.
    #[error("{field}: {error}")]
    Path {
        /// The field, such as `info.files[3].path`.
        field: String,
        /// The rule.
        error: PathError,
    },
    /// Two files at one place: names that differ in case, or in how Unicode writes their letters, are equal on
    /// some systems.
    #[error("info.files[{second}].path: the same as that of info.files[{first}]: {path:?}")]
    DuplicatePath {
        /// The earlier file.
        first: usize,
        /// The later file.
        second: usize,
        /// The path of the later file.
        path: String,
    },
    /// A file where another file needs a folder.
    #[error("info.files[{file}].path: {path:?} is a folder on the path of info.files[{other}]")]
    FileIsFolder {
        /// The file.
        file: usize,
        /// The file within.
        other: usize,
        /// The path of `file`.
        path: String,
    },
}

/// The rule that a path breaks. The rules hold on every system, so that a torrent that one can store all
/// can store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No components.
    #[error("is empty")]
    Empty,
    /// An empty component.
    #[error("an empty component is not allowed")]
    EmptyComponent,
    /// `.` or `..`.
    #[error("component {component:?} is not allowed")]
    Dots {
        /// The component.
        component: String,
    },
    /// `/` or `\` within a component, which may also make it absolute.
    #[error("component {component:?} has a separator")]
    Separator {
        /// The component.
        component: String,
    },
    /// NUL or another control character.
    #[error("component {component:?} has a control character")]
    Control {
        /// The component.
        component: String,
    },
    /// Begins with a drive such as `C:`.
    #[error("component {component:?} begins with a drive letter")]
    DriveLetter {
        /// The component.
        component: String,
    },
    /// A device name of Windows, with or without an extension.
    #[error("component {component:?} is a reserved name")]
    Reserved {
        /// The component.
        component: String,
    },
    /// A dot or a space at the end, which Windows drops.
    #[error("component {component:?} ends with a dot or a space")]
    TrailingDotOrSpace {
        /// The component.
        component: String,
    },
    /// A component longer than file systems take.
    #[error("a component of {length} bytes is over the limit of {limit}")]
    ComponentTooLong {
        /// Bytes.
        length: usize,
        /// Allowed bytes.
        limit: usize,
    },
    /// A path longer than systems take.
    #[error("a path of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// Bytes, a separator between components.
        length: usize,
        /// Allowed bytes.
        limit: usize,
    },
    /// A symbolic link (BEP 47 attribute `l`).
    #[error("symbolic links are not allowed")]
    Symlink,
}
