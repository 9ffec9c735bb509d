//! Names of nodes, how far they are from each other, and how they follow from an address (BEP 42).

use std::net::IpAddr;

/// The name of a node, in the space of the info hashes (BEP 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) [u8; 20]);

impl NodeId {
    /// An id that no address asks for.
    pub(super) fn random(rng: &mut fastrand::Rng) -> Self {
        let mut id = [0; 20];
        rng.fill(&mut id);
        Self(id)
    }

    /// An id that fits the address under which others see us (BEP 42).
    pub(super) fn of_address(ip: IpAddr, rng: &mut fastrand::Rng) -> Self {
        let mut id = Self::random(rng);
        let seed = rng.u8(..);
        let crc = checksum(ip, seed).to_be_bytes();
        id.0[0] = crc[0];
        id.0[1] = crc[1];
        id.0[2] = (crc[2] & 0xf8) | (id.0[2] & 0x07);
        id.0[19] = seed;
        id
    }

    /// Whether a node at this address may have this id (BEP 42). In a local network every id is right.
    pub(super) fn fits(self, ip: IpAddr) -> bool {
        if is_local(ip) {
            return true;
        }
        let crc = checksum(ip, self.0[19]).to_be_bytes();
        self.0[..2] == crc[..2] && (self.0[2] ^ crc[2]) & 0xf8 == 0
    }

    /// How far it is from `other`: less is nearer.
    pub(super) fn distance(self, other: Self) -> [u8; 20] {
        std::array::from_fn(|at| self.0[at] ^ other.0[at])
    }

    /// How many bits from the first on are those of `other`, 160 if all are.
    pub(super) fn common_bits(self, other: Self) -> usize {
        let distance = self.distance(other);
        let zeros = distance.iter().take_while(|byte| **byte == 0).count();
        let bits = distance.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
        zeros * 8 + bits
    }

    /// Some id that shares exactly this many bits with ours, of which there are fewer than 160.
    pub(super) fn sharing(self, bits: usize, rng: &mut fastrand::Rng) -> Self {
        let mut id = Self::random(rng);
        let at = (bits / 8).min(19);
        id.0[..at].copy_from_slice(&self.0[..at]);
        let bit = 0x80_u8 >> (bits % 8);
        let kept = !(bit | (bit - 1));
        id.0[at] = (self.0[at] & kept) | (!self.0[at] & bit) | (id.0[at] & (bit - 1));
        id
    }
}

/// Whether an address means something in one place only.
pub(super) fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The checksum of which an id's first 21 bits are taken (BEP 42).
fn checksum(ip: IpAddr, seed: u8) -> u32 {
    const V4: [u8; 4] = [0x03, 0x0f, 0x3f, 0xff];
    const V6: [u8; 8] = [0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff];
    let masked = |bytes: &[u8], mask: &[u8]| {
        let mut bytes: Vec<u8> = bytes.iter().zip(mask).map(|(byte, mask)| byte & mask).collect();
        bytes[0] |= (seed & 0x07) << 5;
        crc32c(&bytes)
    };
    match ip {
        IpAddr::V4(ip) => masked(&ip.octets(), &V4),
        IpAddr::V6(ip) => masked(&ip.octets()[..8], &V6),
    }
}

/// CRC-32 with Castagnoli's polynomial, the one of iSCSI.
fn crc32c(bytes: &[u8]) -> u32 {
    let rest = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 }
        })
    });
    !rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(hex: &str) -> NodeId {
        NodeId(hex.parse::<ccbt_wire::InfoHash>().unwrap().0)
    }

    #[test]
    fn the_checksum_is_that_of_iscsi() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn ids_fit_the_addresses_of_the_bep_and_no_others() {
        for (ip, text) in [
            ("124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"),
            ("21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"),
            ("65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"),
            ("84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"),
            ("43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"),
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            assert!(id(text).fits(ip), "{ip}");
            assert!(!id(text).fits("8.8.8.8".parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn an_id_that_is_made_for_an_address_fits_it() {
        let mut rng = fastrand::Rng::with_seed(1);
        for ip in ["124.31.75.21", "2001:db8::1"] {
            let ip: IpAddr = ip.parse().unwrap();
            assert!(NodeId::of_address(ip, &mut rng).fits(ip));
            assert!(!id("00000000000000000000000000000000000000ff").fits(ip));
        }
        assert!(NodeId::random(&mut rng).fits("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn an_id_shares_as_many_bits_as_it_is_to() {
        let mut rng = fastrand::Rng::with_seed(2);
        let ours = NodeId::random(&mut rng);
        for bits in 0..160 {
            assert_eq!(ours.sharing(bits, &mut rng).common_bits(ours), bits);
        }
        assert_eq!(ours.common_bits(ours), 160);
    }
}
