//! Addresses in 6 or 18 bytes (BEP 23, BEP 7).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Peers as 6 bytes each: address and port, both in network order (BEP 23).
pub fn compact_v4(peers: impl IntoIterator<Item = SocketAddrV4>) -> Vec<u8> {
    let bytes =
        |peer: SocketAddrV4| peer.ip().octets().into_iter().chain(peer.port().to_be_bytes());
    peers.into_iter().flat_map(bytes).collect()
}

/// Peers as 18 bytes each: address and port, both in network order (BEP 7).
pub fn compact_v6(peers: impl IntoIterator<Item = SocketAddrV6>) -> Vec<u8> {
    let bytes =
        |peer: SocketAddrV6| peer.ip().octets().into_iter().chain(peer.port().to_be_bytes());
    peers.into_iter().flat_map(bytes).collect()
}

/// Whole entries of 6 bytes; what is left over is ignored.
pub(crate) fn parse_v4(bytes: &[u8]) -> impl Iterator<Item = SocketAddr> {
    bytes.as_chunks::<6>().0.iter().map(|&[a, b, c, d, high, low]| {
        SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
    })
}

/// Whole entries of 18 bytes; what is left over is ignored.
pub(crate) fn parse_v6(bytes: &[u8]) -> impl Iterator<Item = SocketAddr> {
    bytes.as_chunks::<18>().0.iter().map(|entry| {
        let ip: [u8; 16] = std::array::from_fn(|i| entry[i]);
        SocketAddr::from((Ipv6Addr::from(ip), u16::from_be_bytes([entry[16], entry[17]])))
    })
}
