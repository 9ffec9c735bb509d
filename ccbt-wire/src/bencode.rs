//! Bencode (BEP 3): a reader that borrows and keeps spans, and a small writer.
//!
//! Reading checks the whole input once, without recursion and without memory of its own; values are then
//! walked in place. So a value knows its raw bytes, over which an info hash is taken, and a hostile input
//! costs no more than its own length.
//!
//! ```
//! use ccbt_wire::bencode::{Owned, Value};
//!
//! let root = Value::parse(b"d4:infod6:lengthi5ee5:nodesli1ei2eee")?;
//! let root = root.as_dict().expect("a dictionary");
//! let info = root.get("info").expect("the key");
//! assert_eq!(info.raw(), b"d6:lengthi5ee");
//!
//! let made = Owned::dict([("length", Owned::Int(5))]);
//! assert_eq!(made.encode(), info.raw());
//! # Ok::<(), ccbt_wire::bencode::BencodeError>(())
//! ```

mod owned;
mod scan;
#[cfg(test)]
mod tests;
mod value;

pub use owned::Owned;
pub use value::{Dict, DictIter, List, ListIter, Value};

/// How deep lists and dictionaries may be nested.
pub const DEPTH_LIMIT: u32 = 64;

/// Why bytes are not bencode; `at` is the offset of the fault in the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BencodeError {
    /// The input ends within a value.
    #[error("the input ends within a value, at byte {at}")]
    UnexpectedEnd {
        /// Bytes of the input.
        at: usize,
    },
    /// A byte that begins no value, or a dictionary key that is no string.
    #[error("unexpected byte {found:#04x} at byte {at}")]
    UnexpectedByte {
        /// Where.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// Lists or dictionaries nested deeper than [`DEPTH_LIMIT`].
    #[error("nested deeper than {limit} at byte {at}")]
    TooDeep {
        /// Where the level too many begins.
        at: usize,
        /// The limit.
        limit: u32,
    },
    /// An integer that is empty, has a leading zero or is minus zero.
    #[error("the integer at byte {at} is empty, has a leading zero or is minus zero")]
    BadInteger {
        /// Where the integer begins.
        at: usize,
    },
    /// An integer that does not fit 64 bits with sign.
    #[error("the integer at byte {at} does not fit 64 bits")]
    IntegerOverflow {
        /// Where the integer begins.
        at: usize,
    },
    /// A string's length has a leading zero.
    #[error("the string length at byte {at} has a leading zero")]
    BadLength {
        /// Where the string begins.
        at: usize,
    },
    /// A string is longer than what is left of the input.
    #[error("the string at byte {at} has {length} bytes, but only {remaining} are left")]
    StringTooLong {
        /// Where the string begins.
        at: usize,
        /// Announced bytes; the greatest number if it does not fit.
        length: u64,
        /// Bytes left behind the length.
        remaining: usize,
    },
    /// Bytes behind the value.
    #[error("{count} bytes behind the value that ends at byte {at}")]
    TrailingBytes {
        /// Where the value ends.
        at: usize,
        /// Bytes behind it.
        count: usize,
    },
}
