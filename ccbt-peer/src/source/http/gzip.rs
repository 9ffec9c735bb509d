//! Unpacking while the length is watched: a thousand bytes may hold a million.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::HttpError;

/// What `packed` holds, if that is at most `limit` bytes.
pub(super) fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, HttpError> {
    if packed.is_empty() {
        return Ok(Bytes::new());
    }
    let mut bytes = Vec::new();
    let one_too_many = (limit as u64).saturating_add(1);
    let mut unpacked = MultiGzDecoder::new(packed).take(one_too_many);
    unpacked
        .read_to_end(&mut bytes)
        .map_err(|error| HttpError::Failed(format!("cannot unpack the answer: {error}")))?;
    if bytes.len() > limit { Err(HttpError::TooLong { limit }) } else { Ok(bytes.into()) }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    pub(in crate::source::http) fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_packed_comes_out_up_to_the_limit() {
        let packed = pack(b"some bytes");
        assert_eq!(unpack(&packed, 10).unwrap(), "some bytes");
        assert_eq!(unpack(&packed, 9), Err(HttpError::TooLong { limit: 9 }));
        assert_eq!(unpack(b"", 9).unwrap(), "");
        assert_eq!(unpack(&pack(b""), 0).unwrap(), "");
    }

    #[test]
    fn a_small_body_that_unpacks_to_a_large_one_is_refused() {
        let packed = pack(&vec![0; 64 << 20]);
        assert!(packed.len() < 1 << 20);
        assert_eq!(unpack(&packed, 1 << 20), Err(HttpError::TooLong { limit: 1 << 20 }));
    }

    #[test]
    fn parts_that_were_packed_one_by_one_come_out_as_one() {
        let packed = [pack(b"some "), pack(b"bytes")].concat();
        assert_eq!(unpack(&packed, 10).unwrap(), "some bytes");
        assert_eq!(unpack(&packed, 9), Err(HttpError::TooLong { limit: 9 }));
    }

    #[test]
    fn what_is_cut_or_damaged_is_an_error() {
        let packed = pack(b"some bytes");
        for length in 1..packed.len() {
            let result = unpack(&packed[..length], 100);
            assert!(matches!(result, Err(HttpError::Failed(_))), "{length}: {result:?}");
        }
        let mut damaged = packed.clone();
        damaged[packed.len() - 8] ^= 1;
        assert!(matches!(unpack(&damaged, 100), Err(HttpError::Failed(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_exceed_the_limit(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), limit in 0_usize..50,
        ) {
            let with_magic = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], bytes.as_slice()].concat();
            for bytes in [&bytes, &with_magic] {
                if let Ok(unpacked) = unpack(bytes, limit) {
                    prop_assert!(unpacked.len() <= limit);
                }
            }
        }
    }
}
