//! Fields of a datagram, one behind the other.

use super::DatagramError;

/// Reads fields in network order. It is made for so many bytes that no field can be missing.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// # Errors
    /// If there are fewer than `needed` bytes.
    pub(super) fn new(bytes: &'a [u8], needed: usize) -> Result<Self, DatagramError> {
        if bytes.len() < needed {
            return Err(DatagramError::TooShort { length: bytes.len(), needed });
        }
        Ok(Self { rest: bytes })
    }

    /// The next field; zeros beyond the end.
    pub(super) fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.rest.split_first_chunk::<N>() {
            Some((field, rest)) => {
                self.rest = rest;
                *field
            }
            None => [0; N],
        }
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    /// All that was not taken.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }
}
