use std::net::IpAddr;

use super::error::Problem;

/// Addresses as sorted ranges that do not touch, both ends included. IPv4 lies where IPv6 maps it
/// (`::ffff:0:0/96`), so both ways to write such an address are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    /// The union of single addresses and of ranges in CIDR form.
    pub(super) fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut ranges = texts
            .map(|text| range(text).ok_or_else(|| Problem::NoAddress { text: text.to_owned() }))
            .collect::<Result<Vec<_>, _>>()?;
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last)
                }
                _ => merged.push((first, last)),
            }
        }
        Ok(Self(merged))
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = number(address);
        let next = self.0.partition_point(|&(first, _)| first <= address);
        next.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|&(_, last)| address <= last)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn range(text: &str) -> Option<(u128, u128)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            (address, Some(prefix.parse::<u32>().ok()?))
        }
        Some(_) => return None,
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let free =
        width - prefix.filter(|&prefix| prefix <= width).or(prefix.is_none().then_some(width))?;
    let below = 1_u128.checked_shl(free).map_or(u128::MAX, |bit| bit - 1);
    let first = number(address) & !below;
    Some((first, first | below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> Ranges {
        Ranges::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn a_range_ends_where_its_prefix_says() {
        let private = ranges(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
        for (address, inside) in [
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
        ] {
            assert_eq!(private.contains(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn both_ways_to_write_an_ipv4_address_are_one() {
        let network = ranges(&["10.0.0.0/8"]);
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(ranges(&["::ffff:10.0.0.0/104"]).contains("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn what_touches_is_one_range_and_all_may_be_given() {
        assert_eq!(ranges(&["10.0.0.128/25", "10.0.0.0/25"]), ranges(&["10.0.0.0/24"]));
        assert_eq!(ranges(&["::/0", "10.0.0.0/8"]).0, [(0, u128::MAX)]);
        assert_eq!(ranges(&["0.0.0.0/0"]).0.len(), 1);
    }

    #[test]
    fn what_is_no_range_is_refused_by_name() {
        for text in
            ["", "10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/", "10.0.0.0/+8", "x/8", "1/2/3"]
        {
            let refused = Ranges::parse([text].into_iter());
            assert_eq!(refused, Err(Problem::NoAddress { text: text.to_owned() }));
        }
    }
}
