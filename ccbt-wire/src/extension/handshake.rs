//! The dictionary that opens the extension protocol.

use crate::bencode::{BencodeError, Dict, Owned, Value};
use crate::text;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most names of `m` that are kept.
const MAX_NAMES: usize = 64;
/// Longest name of `m` that is kept, in bytes.
const MAX_NAME: usize = 64;
/// Characters of `v` that are kept.
const MAX_VERSION: usize = 64;

/// What a peer says in its extension handshake (BEP 10, 9 and 21). Every key is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtensionHandshake {
    /// Extension names with the ids under which the sender wants them; id 0 is off. From the wire at most 64
    /// names of at most 64 bytes, in the order in which they came.
    pub m: Vec<(String, u8)>,
    /// The port on which the sender listens.
    pub p: Option<u16>,
    /// The sender's client and version. From the wire it is printable and has at most 64 characters.
    pub v: Option<String>,
    /// The receiver's address as the sender sees it.
    pub yourip: Option<IpAddr>,
    /// The sender's IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// The sender's IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Requests that the sender keeps before it drops some.
    pub reqq: Option<u32>,
    /// Bytes of the `info` dictionary (BEP 9).
    pub metadata_size: Option<u32>,
    /// Whether the sender takes no pieces (BEP 21).
    pub upload_only: Option<bool>,
}

/// Why a payload is no extension handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// Not bencode.
    #[error("the extension handshake is not bencode: {0}")]
    Bencode(#[from] BencodeError),
    /// Bencode, but no dictionary.
    #[error("the extension handshake is not a dictionary")]
    NotADictionary,
}

impl ExtensionHandshake {
    /// Reads the payload of the extended message 0.
    ///
    /// Keys that are absent, ill-typed or out of range come out as `None`, and bytes behind the dictionary are
    /// ignored: no client is worth losing over them.
    ///
    /// # Errors
    /// If the payload does not begin with a bencoded dictionary.
    pub fn parse(payload: &[u8]) -> Result<Self, ExtensionError> {
        let (root, _) = Value::parse_prefix(payload)?;
        let root = root.as_dict().ok_or(ExtensionError::NotADictionary)?;
        let mut handshake = Self::default();
        for (key, value) in root {
            handshake.take(key, value);
        }
        Ok(handshake)
    }

    /// The payload of the extended message 0, keys in canonical order.
    pub fn encode(&self) -> Vec<u8> {
        let names = self.m.iter().map(|(name, id)| (name.as_str(), Owned::from(u32::from(*id))));
        let mut root = vec![("m", Owned::dict(names))];
        root.extend(self.ipv4.map(|ip| ("ipv4", ip.octets().to_vec().into())));
        root.extend(self.ipv6.map(|ip| ("ipv6", ip.octets().to_vec().into())));
        root.extend(self.metadata_size.map(|size| ("metadata_size", size.into())));
        root.extend(self.p.map(|port| ("p", u32::from(port).into())));
        root.extend(self.reqq.map(|depth| ("reqq", depth.into())));
        root.extend(self.upload_only.map(|only| ("upload_only", u32::from(only).into())));
        root.extend(self.v.as_deref().map(|version| ("v", version.into())));
        root.extend(self.yourip.map(|ip| ("yourip", octets(ip).into())));
        Owned::dict(root).encode()
    }

    /// Takes one entry over; the first of equal keys counts.
    fn take(&mut self, key: &[u8], value: Value<'_>) {
        match key {
            b"m" if self.m.is_empty() => self.m = value.as_dict().map(names).unwrap_or_default(),
            b"p" => self.p = self.p.or_else(|| number(value).filter(|&port| port != 0)),
            b"v" if self.v.is_none() => self.v = version(value),
            b"yourip" => self.yourip = self.yourip.or_else(|| address(value)),
            b"ipv4" => self.ipv4 = self.ipv4.or_else(|| v4(value)),
            b"ipv6" => self.ipv6 = self.ipv6.or_else(|| v6(value)),
            b"reqq" => self.reqq = self.reqq.or_else(|| number(value)),
            b"metadata_size" => self.metadata_size = self.metadata_size.or_else(|| number(value)),
            b"upload_only" => {
                self.upload_only =
                    self.upload_only.or_else(|| value.as_int().map(|flag| flag != 0));
            }
            _ => {}
        }
    }
}

fn names(m: Dict<'_>) -> Vec<(String, u8)> {
    m.iter()
        .filter_map(|(name, id)| {
            let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= MAX_NAME)?;
            Some((name.to_owned(), number(id)?))
        })
        .take(MAX_NAMES)
        .collect()
}

fn number<T: TryFrom<i64>>(value: Value<'_>) -> Option<T> {
    T::try_from(value.as_int()?).ok()
}

fn version(value: Value<'_>) -> Option<String> {
    Some(text::printable(value.as_bytes()?, MAX_VERSION)).filter(|text| !text.is_empty())
}

fn v4(value: Value<'_>) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value.as_bytes()?).ok().map(Ipv4Addr::from)
}

fn v6(value: Value<'_>) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(value.as_bytes()?).ok().map(Ipv6Addr::from)
}

fn address(value: Value<'_>) -> Option<IpAddr> {
    v4(value).map(IpAddr::V4).or_else(|| v6(value).map(IpAddr::V6))
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
