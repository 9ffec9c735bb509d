//! Reading a link.

use super::{MAX_MAGNET_LEN, MAX_PARAMETERS, Magnet, MagnetError};
use crate::hex::{self, HexError};
use crate::{InfoHash, metainfo, percent, text};
use std::str::FromStr;

const SCHEME: &str = "magnet:?";
/// Characters of a name that are kept: as many as a file name may have bytes.
const MAX_NAME: usize = 255;
/// Digits of a SHA-1 in base32.
const BASE32_LEN: usize = 32;
const BTIH: &str = "urn:btih";
const BTMH: &str = "urn:btmh";

impl FromStr for Magnet {
    type Err = MagnetError;

    fn from_str(link: &str) -> Result<Self, MagnetError> {
        if link.len() > MAX_MAGNET_LEN {
            return Err(MagnetError::TooLong { length: link.len(), limit: MAX_MAGNET_LEN });
        }
        let query = strip_prefix(link, SCHEME).ok_or(MagnetError::NotMagnet)?;
        let count = query.split('&').count();
        if count > MAX_PARAMETERS {
            return Err(MagnetError::TooManyParameters { count, limit: MAX_PARAMETERS });
        }
        let mut magnet = Self::default();
        for parameter in query.split('&') {
            match parameter.split_once('=') {
                Some((_, "")) | None => {}
                Some((key, value)) => magnet.take(without_number(key), value)?,
            }
        }
        if magnet.info_hash.is_none() && magnet.info_hash_v2.is_none() {
            return Err(MagnetError::NoInfoHash);
        }
        Ok(magnet)
    }
}

impl Magnet {
    fn take(&mut self, key: &str, value: &str) -> Result<(), MagnetError> {
        match key {
            "xt" => self.take_topic(&needed("xt", value)?)?,
            "dn" if self.name.is_none() => {
                // Forms write blanks as `+`; a name's own is `%2B`. In URLs a `+` is a `+`.
                let text = value.replace('+', " ");
                self.name = name(&percent::decode(&text).unwrap_or(text.into_bytes()));
            }
            "xl" if self.length.is_none() => self.length = number(value),
            "tr" => self.trackers.extend(url(value)),
            "ws" => self.web_seeds.extend(url(value)),
            "x.pe" => self.peers.extend(hint(value).and_then(|peer| peer.parse().ok())),
            "so" if self.select_only.is_none() => {
                self.select_only = Some(needed("so", value)?.parse()?);
            }
            _ => {}
        }
        Ok(())
    }

    /// A topic: topics of other networks may stand in a link too.
    fn take_topic(&mut self, topic: &str) -> Result<(), MagnetError> {
        if let Some(digits) = strip_prefix(topic, "urn:btih:") {
            set(&mut self.info_hash, sha1(digits)?, BTIH)
        } else if let Some(digits) = strip_prefix(topic, "urn:btmh:") {
            set(&mut self.info_hash_v2, sha256(digits)?, BTMH)
        } else {
            Ok(())
        }
    }
}

fn set<T: Copy + PartialEq>(
    slot: &mut Option<T>,
    hash: T,
    urn: &'static str,
) -> Result<(), MagnetError> {
    if *slot.get_or_insert(hash) != hash {
        return Err(MagnetError::TwoInfoHashes { urn });
    }
    Ok(())
}

/// The name for people: printable; `None` if nothing is left of it.
pub(super) fn name(bytes: &[u8]) -> Option<String> {
    Some(text::printable(bytes, MAX_NAME)).filter(|name| !name.is_empty())
}

fn sha1(digits: &str) -> Result<InfoHash, MagnetError> {
    if digits.len() == BASE32_LEN {
        return base32(digits);
    }
    match hex::decode(digits) {
        Ok(hash) => Ok(InfoHash(hash)),
        Err(error) => Err(hash_error(BTIH, "40 hexadecimal or 32 base32", 0, error)),
    }
}

fn sha256(digits: &str) -> Result<[u8; 32], MagnetError> {
    // A multihash: 0x12 is SHA-256, 0x20 its 32 bytes.
    let hash = digits.strip_prefix("1220").ok_or(MagnetError::NotSha256)?;
    hex::decode(hash).map_err(|error| hash_error(BTMH, "68 hexadecimal", 4, error))
}

/// `before`: digits that stand before those that are faulty.
fn hash_error(
    urn: &'static str,
    expected: &'static str,
    before: usize,
    error: HexError,
) -> MagnetError {
    match error {
        HexError::Length(length) => {
            MagnetError::HashLength { urn, expected, length: before + length }
        }
        HexError::Digit(at) => {
            MagnetError::HashDigit { urn, expected: "hexadecimal", at: before + at }
        }
    }
}

/// 32 digits of 5 bits, as the first links had them (RFC 4648, section 6).
fn base32(digits: &str) -> Result<InfoHash, MagnetError> {
    let mut hash = [0; 20];
    for (at, digit) in digits.bytes().enumerate() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return Err(MagnetError::HashDigit { urn: BTIH, expected: "base32", at }),
        };
        // The digit as the high bits of a 16-bit window that lies over the bytes it touches.
        let (byte, shift) = (at * 5 / 8, at * 5 % 8);
        let [high, low] = (u16::from(value) << 11 >> shift).to_be_bytes();
        hash[byte] |= high;
        if let Some(next) = hash.get_mut(byte + 1) {
            *next |= low;
        }
    }
    Ok(InfoHash(hash))
}

/// Not `parse` alone, which takes a `+`.
fn number(value: &str) -> Option<u64> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok() } else { None }
}

fn url(value: &str) -> Option<String> {
    metainfo::usable_url(&hint(value)?).map(str::to_owned)
}

/// A value that the link can do without.
fn hint(value: &str) -> Option<String> {
    String::from_utf8(percent::decode(value).ok()?).ok()
}

/// A value that the link means nothing without.
fn needed(parameter: &'static str, value: &str) -> Result<String, MagnetError> {
    let bytes = percent::decode(value).map_err(|at| MagnetError::Percent { parameter, at })?;
    // What is no UTF-8 is no digit either, and is refused as that.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `tr.1` is a `tr`: numbers tell equal parameters apart for those who need that.
fn without_number(key: &str) -> &str {
    match key.rsplit_once('.') {
        Some((key, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => key,
        _ => key,
    }
}

/// The rest behind a prefix of either case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
