//! The pieces that a peer may ask for while it is choked (BEP 6).

use crate::{InfoHash, PieceIndex};
use sha1::{Digest, Sha1};
use std::net::Ipv4Addr;

/// The allowed-fast set of a peer: `k` different pieces, by custom 10, in the order of BEP 6.
///
/// It depends on the first 24 bits of the peer's address as we see it, so that a peer cannot have more by
/// coming again. BEP 6 knows no set for IPv6. If there are no more than `k` pieces, all of them are in it.
///
/// Costs `k` squared in time: it is made for a handful.
///
/// ```
/// use ccbt_wire::{InfoHash, PieceIndex, allowed_fast};
///
/// let set = allowed_fast([80, 4, 4, 200].into(), InfoHash([0xaa; 20]), 1313, 3);
/// assert_eq!(set, [1059, 431, 808].map(PieceIndex));
/// ```
pub fn allowed_fast(ip: Ipv4Addr, info_hash: InfoHash, pieces: u32, k: usize) -> Vec<PieceIndex> {
    if usize::try_from(pieces).is_ok_and(|pieces| pieces <= k) {
        return (0..pieces).map(PieceIndex).collect();
    }
    let [a, b, c, _] = ip.octets();
    let mut hash = Sha1::new().chain_update([a, b, c, 0]).chain_update(info_hash.0).finalize();
    let mut set = Vec::with_capacity(k);
    while set.len() < k {
        for word in hash.as_chunks().0 {
            let piece = PieceIndex(u32::from_be_bytes(*word) % pieces);
            if set.len() < k && !set.contains(&piece) {
                set.push(piece);
            }
        }
        hash = Sha1::digest(hash);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: Ipv4Addr = Ipv4Addr::new(80, 4, 4, 200);
    const HASH: InfoHash = InfoHash([0xaa; 20]);

    #[test]
    fn the_examples_of_bep_6_come_out() {
        let nine = [1059, 431, 808, 1217, 287, 376, 1188, 353, 508].map(PieceIndex);
        assert_eq!(allowed_fast(IP, HASH, 1313, 7), nine[..7]);
        assert_eq!(allowed_fast(IP, HASH, 1313, 9), nine);
    }

    #[test]
    fn neighbours_in_a_network_of_256_share_their_set() {
        let neighbour = Ipv4Addr::new(80, 4, 4, 1);
        assert_eq!(allowed_fast(IP, HASH, 1313, 9), allowed_fast(neighbour, HASH, 1313, 9));
        let stranger = Ipv4Addr::new(80, 4, 5, 200);
        assert_ne!(allowed_fast(IP, HASH, 1313, 9), allowed_fast(stranger, HASH, 1313, 9));
    }

    #[test]
    fn a_small_torrent_is_allowed_whole() {
        assert_eq!(allowed_fast(IP, HASH, 0, 10), []);
        assert_eq!(allowed_fast(IP, HASH, 3, 10), [0, 1, 2].map(PieceIndex));
        assert_eq!(allowed_fast(IP, HASH, 3, 0), []);
        let mut all_but_one = allowed_fast(IP, HASH, 11, 10);
        all_but_one.sort_unstable();
        all_but_one.dedup();
        assert_eq!(all_but_one.len(), 10);
        assert!(all_but_one.iter().all(|piece| piece.0 < 11));
    }
}
