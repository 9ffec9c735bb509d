//! The canonical peer priority (BEP 40): both ends of a possible connection rank it alike.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};

/// How dear a connection between `ours` and `theirs` is to both (BEP 40); the greater, the dearer.
///
/// `ours` is our address as others see it. `None` if one address is IPv4 and the other IPv6. IPv4 in
/// IPv6 clothes counts as IPv4.
///
/// ```
/// let [ours, theirs] = ["123.213.32.10:51413", "98.76.54.32:6881"].map(|addr| addr.parse().unwrap());
/// assert_eq!(ccbt_peer::priority(ours, theirs), Some(0xec2d_7224));
/// ```
#[must_use]
pub fn priority(ours: SocketAddr, theirs: SocketAddr) -> Option<u32> {
    match (ours.ip().to_canonical(), theirs.ip().to_canonical()) {
        (a, b) if a == b => Some(of_pair(ours.port().to_be_bytes(), theirs.port().to_be_bytes())),
        // A /16 of IPv4 and a /48 of IPv6 is what one network has.
        (IpAddr::V4(a), IpAddr::V4(b)) => Some(of_addresses(a.octets(), b.octets(), 2)),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some(of_addresses(a.octets(), b.octets(), 6)),
        _ => None,
    }
}

/// Hides half of the bits behind the first `network` octets, or, of neighbours, behind the first octet in
/// which they differ.
fn of_addresses<const N: usize>(a: [u8; N], b: [u8; N], network: usize) -> u32 {
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let whole = if common < network { network } else { common + 1 };
    let masked = |mut octets: [u8; N]| {
        octets.iter_mut().skip(whole).for_each(|octet| *octet &= 0x55);
        octets
    };
    of_pair(masked(a), masked(b))
}

fn of_pair<const N: usize>(a: [u8; N], b: [u8; N]) -> u32 {
    let (first, second) = if a.cmp(&b) == Ordering::Less { (a, b) } else { (b, a) };
    crc32c(first.into_iter().chain(second))
}

/// CRC-32C (Castagnoli), bit by bit: the input is 32 bytes at most, and a table would be longer than this.
fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_of_the_digits_is_the_published_check_value() {
        assert_eq!(crc32c("123456789".bytes()), 0xe306_9283);
    }

    #[test]
    fn the_published_vectors_hold_for_both_ends() {
        let six = "[2a03:2880:f177:1cd:face:b00c:0:167]:51413";
        for (ours, theirs, expected) in [
            ("123.213.32.10:51413", "98.76.54.32:6881", 0xec2d_7224),
            ("123.213.32.10:51413", "123.213.33.234:6881", 0xf618_50a9),
            ("123.213.32.10:51413", "123.213.32.234:6881", 0x9956_8189),
            ("123.213.32.10:51413", "123.213.32.10:6881", 0x9f85_2e9f),
            (
                "[2a03:2880:f277:1cd:face:b00c:0:167]:51413",
                "[2a03:2880:f177:185:face:b00c:0:25de]:6881",
                0xe4d0_f2e2,
            ),
            (
                "[2a03:2880:f177:f1cd:face:b00c:0:167]:51413",
                "[2a03:2880:f177:f285:face:b00c:0:25de]:6881",
                0xcd99_3d35,
            ),
            (six, "[2a03:2880:f177:185:face:b00c:0:25de]:6881", 0xf47e_9889),
            (six, "[2a03:2880:f177:1cd:fbce:b00c:0:25de]:6881", 0x2bc3_5c30),
            (six, "[2a03:2880:f177:1cd:facf:b00c:0:25de]:6881", 0x04bf_aa11),
            (
                "[2a03:2880:f177:1cd:face:b50c:0:167]:51413",
                "[2a03:2880:f177:1cd:face:b00d:0:25de]:6881",
                0xa0f9_6012,
            ),
            (six, "[2a03:2880:f177:1cd:face:b00d:0:25de]:6881", 0x47fc_5342),
            (
                "[2a03:2880:f177:1cd:face:b00c:ff00:167]:51413",
                "[2a03:2880:f177:1cd:face:b00c:ff:25de]:6881",
                0x51bb_5b16,
            ),
            (six, "[2a03:2880:f177:1cd:face:b00c:1:25de]:6881", 0xdaac_ae90),
            (six, "[2a03:2880:f177:1cd:face:b00c:0:25de]:6881", 0x0066_dfec),
            (six, "[2a03:2880:f177:1cd:face:b00c:0:16de]:6881", 0x74cf_65f6),
            (
                "[2a03:2880:f177:1cd:face:b00c:0:167]:6882",
                "[2a03:2880:f177:1cd:face:b00c:0:167]:6881",
                0x67f8_fe57,
            ),
        ] {
            let [ours, theirs] = [ours, theirs].map(|addr| addr.parse().unwrap());
            assert_eq!(priority(ours, theirs), Some(expected), "{ours} {theirs}");
            assert_eq!(priority(theirs, ours), Some(expected), "{theirs} {ours}");
        }
    }

    #[test]
    fn mapped_addresses_count_as_ipv4_and_families_do_not_compare() {
        let [four, mapped, six, theirs] =
            ["123.213.32.10:1", "[::ffff:123.213.32.10]:1", "[2001:db8::1]:1", "98.76.54.32:6881"]
                .map(|addr| addr.parse().unwrap());
        assert_eq!(priority(mapped, theirs), priority(four, theirs));
        assert_eq!(priority(six, theirs), None);
    }
}
