//! Which pieces somebody has, in the layout of the wire.

mod iter;
#[cfg(test)]
mod tests;

use crate::PieceIndex;
use bitvec::order::Msb0;
use bitvec::vec::BitVec;
use std::fmt;

pub use iter::Pieces;

/// One bit per piece, laid out as the BITFIELD message is (BEP 3): the high bit of the first byte is
/// piece 0, and the spare bits of the last byte are zero.
///
/// Whole-field questions work on 64 bits at a time. Two fields that are compared need not be of one
/// length: pieces beyond the end of a field count as absent.
///
/// ```
/// use ccbt_wire::{Bitfield, PieceIndex};
///
/// let theirs = Bitfield::from_wire(&[0b1010_0000], 3)?;
/// let mut ours = Bitfield::new(3);
/// assert!(ours.set(PieceIndex(0), true));
/// assert_eq!(theirs.count_and_not(&ours), 1); // they have one piece that we lack
/// assert_eq!(theirs.iter_ones().collect::<Vec<_>>(), [PieceIndex(0), PieceIndex(2)]);
/// # Ok::<(), ccbt_wire::BitfieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Bitfield {
    // Never sliced: the head offset stays 0, so the raw bytes are what goes on the wire.
    bits: BitVec<u8, Msb0>,
}

/// Why bytes are no bitfield of a given torrent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BitfieldError {
    /// Not `ceil(pieces / 8)` bytes.
    #[error("a bitfield for {pieces} pieces has {expected} bytes, not {length}")]
    WrongLength {
        /// Bytes that came.
        length: usize,
        /// Bytes that the torrent needs.
        expected: usize,
        /// Pieces of the torrent.
        pieces: u32,
    },
    /// A bit behind the last piece is set.
    #[error(
        "the spare bits of a bitfield for {pieces} pieces are not zero (last byte {last_byte:#04x})"
    )]
    SpareBits {
        /// The offending byte.
        last_byte: u8,
        /// Pieces of the torrent.
        pieces: u32,
    },
}

impl Bitfield {
    /// A field for `len` pieces, none of them there.
    pub fn new(len: u32) -> Self {
        Self { bits: BitVec::repeat(false, len as usize) }
    }

    /// A field for `len` pieces, all of them there.
    pub fn full(len: u32) -> Self {
        let mut bits = BitVec::repeat(true, len as usize);
        bits.set_uninitialized(false);
        Self { bits }
    }

    /// Takes over the payload of a BITFIELD message for a torrent of `len` pieces.
    ///
    /// # Errors
    /// If `bytes` is not exactly `ceil(len / 8)` bytes long or a spare bit is set.
    pub fn from_wire(bytes: &[u8], len: u32) -> Result<Self, BitfieldError> {
        let expected = byte_len(len);
        if bytes.len() != expected {
            return Err(BitfieldError::WrongLength { length: bytes.len(), expected, pieces: len });
        }
        if let Some(&last_byte) = bytes.last()
            && last_byte & !tail_mask(len) != 0
        {
            return Err(BitfieldError::SpareBits { last_byte, pieces: len });
        }
        let mut bits = BitVec::from_vec(bytes.to_vec());
        bits.truncate(len as usize);
        Ok(Self { bits })
    }

    /// The payload of a BITFIELD message: `ceil(len / 8)` bytes, high bit first, spare bits zero.
    pub fn as_bytes(&self) -> &[u8] {
        self.bits.as_raw_slice()
    }

    /// Pieces of the torrent (not: pieces that are there).
    #[expect(
        clippy::cast_possible_truncation,
        reason = "every constructor takes the length as u32"
    )]
    pub fn len(&self) -> u32 {
        self.bits.len() as u32
    }

    /// Whether the field is for no pieces at all.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Whether the piece is there. `false` for an index out of range.
    pub fn get(&self, piece: PieceIndex) -> bool {
        let byte = self.as_bytes().get(piece.as_usize() / 8);
        byte.is_some_and(|byte| byte & bit(piece) != 0)
    }

    /// Notes whether the piece is there, and says whether that is news.
    ///
    /// An index out of range changes nothing and returns `false`.
    pub fn set(&mut self, piece: PieceIndex, value: bool) -> bool {
        if piece.0 >= self.len() || self.get(piece) == value {
            return false;
        }
        self.bits.as_raw_mut_slice()[piece.as_usize() / 8] ^= bit(piece);
        true
    }

    /// How many pieces are there.
    pub fn count_ones(&self) -> u32 {
        words(self.as_bytes()).map(u64::count_ones).sum()
    }

    /// Whether every piece is there. `true` for a field of no pieces.
    pub fn all(&self) -> bool {
        match self.as_bytes().split_last() {
            Some((&last, rest)) => {
                last == tail_mask(self.len()) && rest.iter().all(|&byte| byte == 0xff)
            }
            None => true,
        }
    }

    /// Whether no piece is there.
    pub fn none(&self) -> bool {
        self.as_bytes().iter().all(|&byte| byte == 0)
    }

    /// How many pieces both have.
    pub fn count_and(&self, other: &Self) -> u32 {
        pairs(self.as_bytes(), other.as_bytes()).map(|(a, b)| (a & b).count_ones()).sum()
    }

    /// How many pieces are here and not in `other`.
    pub fn count_and_not(&self, other: &Self) -> u32 {
        pairs(self.as_bytes(), other.as_bytes()).map(|(a, b)| (a & !b).count_ones()).sum()
    }

    /// Whether any piece is here and not in `other`. Stops at the first.
    pub fn any_and_not(&self, other: &Self) -> bool {
        pairs(self.as_bytes(), other.as_bytes()).any(|(a, b)| a & !b != 0)
    }

    /// The pieces that are there, in ascending order.
    pub fn iter_ones(&self) -> Pieces<'_> {
        Pieces::ones(self.as_bytes(), self.len())
    }

    /// The pieces that are not there, in ascending order.
    pub fn iter_zeros(&self) -> Pieces<'_> {
        Pieces::zeros(self.as_bytes(), self.len())
    }
}

impl fmt::Debug for Bitfield {
    /// `Bitfield(12 of 100)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitfield({} of {})", self.count_ones(), self.len())
    }
}

fn byte_len(pieces: u32) -> usize {
    pieces.div_ceil(8) as usize
}

/// The bits of the last byte that stand for pieces.
fn tail_mask(pieces: u32) -> u8 {
    match pieces % 8 {
        0 => 0xff,
        used => !(0xff >> used),
    }
}

fn bit(piece: PieceIndex) -> u8 {
    0x80 >> (piece.0 % 8)
}

/// Up to eight bytes as a word whose high bit is the first piece; missing bytes are zero.
fn word(chunk: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..chunk.len()].copy_from_slice(chunk);
    u64::from_be_bytes(bytes)
}

/// The field eight bytes at a time.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    chunks.iter().map(|&chunk| u64::from_ne_bytes(chunk)).chain(std::iter::once(word(rest)))
}

/// Words of both, for as long as `a` lasts; where `b` is shorter it is zero.
fn pairs<'a>(a: &'a [u8], b: &'a [u8]) -> impl Iterator<Item = (u64, u64)> + 'a {
    let whole = a.len().min(b.len()) / 8 * 8;
    let (a_head, a_tail) = a.split_at(whole);
    let (b_head, b_tail) = b.split_at(whole);
    let head = a_head.as_chunks::<8>().0.iter().zip(b_head.as_chunks::<8>().0);
    let head = head.map(|(&a, &b)| (u64::from_ne_bytes(a), u64::from_ne_bytes(b)));
    let tail = a_tail.chunks(8).scan(b_tail, |rest, chunk| {
        let (own, after) = rest.split_at(rest.len().min(chunk.len()));
        *rest = after;
        Some((word(chunk), word(own)))
    });
    head.chain(tail)
}
