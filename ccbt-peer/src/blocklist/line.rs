//! One line of a blocklist.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::BlocklistProblem as Problem;

/// Bytes of a line; names are short, and of a line without a known form every colon is looked at.
const LINE: usize = 1024;
/// DAT entries of this level and above are there to be let through.
const HARMLESS: u32 = 127;

/// First and last address, of one family.
type Range = (IpAddr, IpAddr);

/// The range that the line names; `None` if it blocks nothing.
pub(super) fn range(line: &[u8]) -> Result<Option<Range>, Problem> {
    if line.is_empty()
        || line.starts_with(b"#")
        || line.starts_with(b";")
        || line.starts_with(b"//")
    {
        return Ok(None);
    }
    if line.len() > LINE {
        return Err(Problem::TooLong { length: line.len(), limit: LINE });
    }
    let mut found = entry(line);
    if found.is_none()
        && let Some(end) = line.windows(2).position(|pair| pair == b" #")
    {
        found = entry(line[..end].trim_ascii());
    }
    match found.ok_or(Problem::NoRange)? {
        Entry::Harmless => Ok(None),
        Entry::Block((first, last)) => {
            let (first, last) = (first.to_canonical(), last.to_canonical());
            if first.is_ipv4() == last.is_ipv4() && first <= last {
                Ok(Some((first, last)))
            } else {
                Err(Problem::Backwards { first, last })
            }
        }
    }
}

enum Entry {
    Block(Range),
    Harmless,
}

fn entry(line: &[u8]) -> Option<Entry> {
    plain(line).map(Entry::Block).or_else(|| dat(line)).or_else(|| p2p(line).map(Entry::Block))
}

/// An address, a range, or a network.
fn plain(text: &[u8]) -> Option<Range> {
    if let Some((first, last)) = split(text, b'-') {
        return Some((address(first)?, address(last)?));
    }
    match split(text, b'/') {
        Some((network, bits)) => {
            let (network, bits) = (address(network)?, number(bits)?);
            match network {
                IpAddr::V4(ip) => {
                    let host = u32::MAX.checked_shr(bits).unwrap_or(0);
                    let first = ip.to_bits() & !host;
                    (bits <= 32).then(|| {
                        (
                            Ipv4Addr::from_bits(first).into(),
                            Ipv4Addr::from_bits(first | host).into(),
                        )
                    })
                }
                IpAddr::V6(ip) => {
                    let host = u128::MAX.checked_shr(bits).unwrap_or(0);
                    let first = ip.to_bits() & !host;
                    (bits <= 128).then(|| {
                        (
                            Ipv6Addr::from_bits(first).into(),
                            Ipv6Addr::from_bits(first | host).into(),
                        )
                    })
                }
            }
        }
        None => address(text).map(|ip| (ip, ip)),
    }
}

fn dat(line: &[u8]) -> Option<Entry> {
    let (range, rest) = split(line, b',')?;
    let range = plain(range)?;
    let level = split(rest, b',').map_or(rest, |(level, _)| level);
    Some(if number(level)? < HARMLESS { Entry::Block(range) } else { Entry::Harmless })
}

/// The name may have colons, and so has IPv6: the first colon behind which there is a range ends the name.
fn p2p(line: &[u8]) -> Option<Range> {
    let colons = line.iter().enumerate().filter(|(_, byte)| **byte == b':');
    colons.map(|(at, _)| line[at + 1..].trim_ascii()).find_map(plain)
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let middle = text.iter().position(|byte| *byte == at)?;
    Some((text[..middle].trim_ascii(), text[middle + 1..].trim_ascii()))
}

fn address(text: &[u8]) -> Option<IpAddr> {
    if text.contains(&b':') {
        return std::str::from_utf8(text).ok()?.parse::<Ipv6Addr>().ok().map(Into::into);
    }
    // The standard library refuses the leading zeros of DAT.
    let mut octets =
        text.split(|byte| *byte == b'.').map(|octet| u8::try_from(number(octet)?).ok());
    let ip = Ipv4Addr::new(octets.next()??, octets.next()??, octets.next()??, octets.next()??);
    octets.next().is_none().then(|| ip.into())
}

/// One to three decimal digits.
fn number(text: &[u8]) -> Option<u32> {
    let digits = (1..=3).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}
