//! Peers that tell each other of peers (BEP 11).

use std::net::SocketAddr;

use crate::bencode::{BencodeError, Dict, Owned, Value};
use crate::tracker::{compact_v4, compact_v6, parse_v4, parse_v6};

/// The name of the extension in the extension handshake.
pub const UT_PEX: &str = "ut_pex";
/// Most addresses of each kind that are taken from one message.
pub const MAX_PEX_PEERS: usize = 100;

/// A peer that somebody is connected to, as it tells others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PexPeer {
    /// Where it can be dialed.
    pub addr: SocketAddr,
    /// [`SEED`](Self::SEED), [`REACHABLE`](Self::REACHABLE) and others of BEP 11, joined.
    pub flags: u8,
}

impl PexPeer {
    /// It takes nothing any more.
    pub const SEED: u8 = 0x02;
    /// The sender has dialed it.
    pub const REACHABLE: u8 = 0x10;
}

/// The payload of an extended message for which both sides agreed on `ut_pex`.
///
/// ```
/// use ccbt_wire::{PexMessage, PexPeer};
///
/// let added = vec![PexPeer { addr: "1.2.3.4:258".parse().unwrap(), flags: PexPeer::SEED }];
/// let message = PexMessage { added, dropped: Vec::new() };
/// assert_eq!(message.encode(), b"d5:added6:\x01\x02\x03\x04\x01\x027:added.f1:\x02e");
/// assert_eq!(PexMessage::parse(&message.encode())?, message);
/// # Ok::<(), ccbt_wire::bencode::BencodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PexMessage {
    /// Peers that the sender has connected to since its last message.
    pub added: Vec<PexPeer>,
    /// Peers that it is no longer connected to.
    pub dropped: Vec<SocketAddr>,
}

impl PexMessage {
    /// Reads the payload of an extended message. What is absent or ill-typed counts as empty, flags that are
    /// missing as 0, and of each kind no more than [`MAX_PEX_PEERS`] are taken.
    ///
    /// # Errors
    /// If the payload does not begin with bencode.
    pub fn parse(payload: &[u8]) -> Result<Self, BencodeError> {
        let (root, _) = Value::parse_prefix(payload)?;
        let Some(root) = root.as_dict() else { return Ok(Self::default()) };
        let with_flags = |addrs: Vec<SocketAddr>, flags: &str| {
            let flags = text(root, flags).iter().copied().chain(std::iter::repeat(0));
            addrs.into_iter().zip(flags).map(|(addr, flags)| PexPeer { addr, flags })
        };
        let four = |key: &str| parse_v4(text(root, key)).collect::<Vec<_>>();
        let six = |key: &str| parse_v6(text(root, key)).collect::<Vec<_>>();
        let added =
            with_flags(four("added"), "added.f").chain(with_flags(six("added6"), "added6.f"));
        let dropped = four("dropped").into_iter().chain(six("dropped6"));
        Ok(Self {
            added: added.take(MAX_PEX_PEERS).collect(),
            dropped: dropped.take(MAX_PEX_PEERS).collect(),
        })
    }

    /// The payload of the extended message; kinds without an address are left out.
    pub fn encode(&self) -> Vec<u8> {
        let flags = |four: bool| {
            let added = self.added.iter().filter(|peer| peer.addr.is_ipv4() == four);
            added.map(|peer| peer.flags).collect::<Vec<u8>>()
        };
        let added: Vec<SocketAddr> = self.added.iter().map(|peer| peer.addr).collect();
        let entries = [
            ("added", four(&added)),
            ("added.f", flags(true)),
            ("added6", six(&added)),
            ("added6.f", flags(false)),
            ("dropped", four(&self.dropped)),
            ("dropped6", six(&self.dropped)),
        ];
        let entries = entries.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        Owned::dict(entries.map(|(key, bytes)| (key, Owned::Bytes(bytes)))).encode()
    }
}

fn text<'a>(root: Dict<'a>, key: &str) -> &'a [u8] {
    root.get(key).and_then(|value| value.as_bytes()).unwrap_or_default()
}

fn four(addrs: &[SocketAddr]) -> Vec<u8> {
    compact_v4(addrs.iter().filter_map(|addr| match addr {
        SocketAddr::V4(addr) => Some(*addr),
        SocketAddr::V6(_) => None,
    }))
}

fn six(addrs: &[SocketAddr]) -> Vec<u8> {
    compact_v6(addrs.iter().filter_map(|addr| match addr {
        SocketAddr::V6(addr) => Some(*addr),
        SocketAddr::V4(_) => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(addr: &str, flags: u8) -> PexPeer {
        PexPeer { addr: addr.parse().unwrap(), flags }
    }

    #[test]
    fn both_families_survive_the_wire() {
        let message = PexMessage {
            added: vec![peer("1.2.3.4:5", 2), peer("9.8.7.6:5", 16), peer("[2001:db8::1]:80", 18)],
            dropped: vec!["5.5.5.5:5".parse().unwrap(), "[::2]:7".parse().unwrap()],
        };
        assert_eq!(PexMessage::parse(&message.encode()), Ok(message));
        assert_eq!(PexMessage::default().encode(), b"de");
    }

    #[test]
    fn what_is_odd_counts_as_little_as_it_says() {
        let bytes = b"d5:added7:\x01\x02\x03\x04\x00\x05\x097:added.f0:7:droppedi3ee";
        let message = PexMessage::parse(bytes).unwrap();
        assert_eq!(message.added, [peer("1.2.3.4:5", 0)]);
        assert!(message.dropped.is_empty());
        assert_eq!(PexMessage::parse(b"i1e"), Ok(PexMessage::default()));
        assert!(PexMessage::parse(b"x").is_err());
    }

    #[test]
    fn of_very_many_only_some_are_taken() {
        let added = (0..1000u16).map(|n| peer(&format!("1.2.3.4:{}", n + 1), 0)).collect();
        let message = PexMessage { added, dropped: Vec::new() };
        assert_eq!(PexMessage::parse(&message.encode()).unwrap().added.len(), MAX_PEX_PEERS);
    }
}
