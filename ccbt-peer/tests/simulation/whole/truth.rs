//! The payload that everybody wants: every byte is known from its place.

use std::sync::LazyLock;

use ccbt_peer::wire::{BLOCK_LEN, Block, encode_piece_header};

/// Bytes of which every block is a part, each at another place.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut rng = fastrand::Rng::with_seed(7);
    (0..PLACES + BLOCK_LEN as usize).map(|_| rng.u8(..)).collect()
});
const PLACES: usize = 1 << 15;

/// The right bytes of a block.
fn right(block: Block) -> &'static [u8] {
    let place = (block.piece.0 as usize * 31 + block.begin as usize * 7) % PLACES;
    &BYTES[place..place + block.length as usize]
}

/// 0 if the bytes are the right ones; else equal for equal bytes.
pub(super) fn digest(block: Block, data: &[u8]) -> u64 {
    if data == right(block) {
        return 0;
    }
    let add = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    data.iter().fold(0xcbf2_9ce4_8422_2325, add).max(1)
}

/// A PIECE message with the right bytes.
pub(super) fn message(block: Block) -> Vec<u8> {
    let mut message = Vec::with_capacity(13 + block.length as usize);
    encode_piece_header(block, &mut message);
    message.extend_from_slice(right(block));
    message
}

/// The same, with `wrong` at some place.
pub(super) fn lie(block: Block, wrong: u8) -> Vec<u8> {
    let mut message = message(block);
    if let Some(last) = message.last_mut() {
        *last ^= wrong.max(1);
    }
    message
}
