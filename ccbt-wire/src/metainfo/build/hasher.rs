//! Payload into hashes.

use sha1::{Digest, Sha1};

/// Cuts a payload that is fed in any portions into pieces, and hashes them.
///
/// Several threads can share a payload: each takes runs of whole pieces with a hasher of its own, and the
/// hashes of the runs, one after the other, are those of the payload.
///
/// ```
/// use ccbt_wire::metainfo::build::PieceHasher;
///
/// let hashes = |part: &[u8]| {
///     let mut hasher = PieceHasher::new(4);
///     hasher.update(part);
///     hasher.finish()
/// };
/// let (first, second) = b"eight and a few".split_at(2 * 4);
/// assert_eq!([hashes(first), hashes(second)].concat(), hashes(b"eight and a few"));
/// ```
#[derive(Debug, Clone)]
pub struct PieceHasher {
    piece_length: usize,
    /// Bytes of the current piece.
    filled: usize,
    sha1: Sha1,
    hashes: Vec<[u8; 20]>,
}

impl PieceHasher {
    /// For pieces of so many bytes; 0 counts as 1.
    pub fn new(piece_length: u32) -> Self {
        let piece_length = piece_length.max(1) as usize;
        Self { piece_length, filled: 0, sha1: Sha1::new(), hashes: Vec::new() }
    }

    /// Takes the next bytes of the payload.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.piece_length - self.filled));
            self.sha1.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == self.piece_length {
                self.close();
            }
        }
    }

    /// The hashes of all pieces; the last may be of a short one.
    pub fn finish(mut self) -> Vec<[u8; 20]> {
        if self.filled > 0 {
            self.close();
        }
        self.hashes
    }

    fn close(&mut self) {
        self.hashes.push(self.sha1.finalize_reset().into());
        self.filled = 0;
    }
}
