//! Values to be written.

use std::collections::BTreeMap;

/// A bencoded value in the making. Dictionaries come out with sorted keys, as BEP 3 demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// `i5e`
    Int(i64),
    /// `4:spam`
    Bytes(Vec<u8>),
    /// `l...e`
    List(Vec<Owned>),
    /// `d...e`
    Dict(BTreeMap<Vec<u8>, Owned>),
    /// Bytes that are bencode already, such as the `info` of a metainfo file: written as they are.
    Raw(Vec<u8>),
}

impl Owned {
    /// A dictionary of these entries; of equal keys the last counts.
    pub fn dict<K: Into<Vec<u8>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Dict(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(number) => out.extend_from_slice(format!("i{number}e").as_bytes()),
            Self::Bytes(bytes) => write_string(bytes, out),
            Self::List(list) => {
                out.push(b'l');
                list.iter().for_each(|value| value.write(out));
                out.push(b'e');
            }
            Self::Dict(dict) => {
                out.push(b'd');
                for (key, value) in dict {
                    write_string(key, out);
                    value.write(out);
                }
                out.push(b'e');
            }
            Self::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }
}

fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
}

impl From<i64> for Owned {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Owned {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<&str> for Owned {
    fn from(text: &str) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<Vec<u8>> for Owned {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl FromIterator<Owned> for Owned {
    fn from_iter<I: IntoIterator<Item = Self>>(values: I) -> Self {
        Self::List(values.into_iter().collect())
    }
}
