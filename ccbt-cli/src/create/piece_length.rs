//! How large pieces are when nobody asks for a size.

use ccbt_peer::wire::BLOCK_LEN;
use ccbt_peer::wire::metainfo::MAX_PIECE_LENGTH;

/// More pieces than these are not needed to trade well ...
const ENOUGH: u64 = 2_048;
/// ... but larger pieces than these cost memory in every client, and waste after each error.
const LARGE: u32 = 8 << 20;
/// Hashes of so many pieces are 2 MB: beyond them even larger pieces are the lesser evil.
const MANY: u64 = 100_000;

/// A power of two that suits so many bytes of payload.
pub(super) fn fitting(total: u64) -> u32 {
    let mut length = BLOCK_LEN;
    while length < MAX_PIECE_LENGTH {
        let most = if length < LARGE { ENOUGH } else { MANY };
        if total.div_ceil(length.into()) <= most {
            break;
        }
        length *= 2;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_grow_with_the_payload_up_to_8_mib_and_then_by_need() {
        const KIB: u32 = 1 << 10;
        const MIB: u32 = 1 << 20;
        let cases = [
            (0, 16 * KIB),
            (1, 16 * KIB),
            (32 << 20, 16 * KIB),
            ((32 << 20) + 1, 32 * KIB),
            (700 << 20, 512 * KIB),
            (4 << 30, 2 * MIB),
            (16 << 30, 8 * MIB),
            (500 << 30, 8 * MIB),
            (1 << 40, 16 * MIB),
            (u64::MAX, 256 * MIB),
        ];
        for (total, length) in cases {
            assert_eq!(fitting(total), length, "{total}");
        }
    }
}
