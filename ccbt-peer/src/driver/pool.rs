//! Read buffers that connections borrow while they have something to read. An idle one holds none.

use std::sync::{Mutex, PoisonError};

/// Bytes of a read buffer.
pub(super) const BUFFER: usize = 64 << 10;
/// Buffers that are kept for the next reader.
const SPARE: usize = 8;

/// Buffers of [`BUFFER`] bytes.
#[derive(Debug, Default)]
pub(super) struct Pool {
    spare: Mutex<Vec<Box<[u8]>>>,
}

impl Pool {
    pub(super) fn take(&self) -> Box<[u8]> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| vec![0; BUFFER].into_boxed_slice())
    }

    pub(super) fn put(&self, buffer: Box<[u8]>) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(buffer);
        }
    }
}
