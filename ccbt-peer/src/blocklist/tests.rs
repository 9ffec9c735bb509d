use super::*;

fn blocks(list: &str, ip: &str) -> bool {
    Blocklist::parse(list.as_bytes()).unwrap().contains(ip.parse().unwrap())
}

fn refused(list: &[u8]) -> String {
    Blocklist::parse(list).unwrap_err().to_string()
}

/// Asserts that the list blocks from `first` to `last` and neither neighbour.
fn covers(list: &str, [before, first, last, behind]: [&str; 4]) {
    assert!(!blocks(list, before) && !blocks(list, behind), "{list}");
    assert!(blocks(list, first) && blocks(list, last), "{list}");
}

#[test]
fn each_form_blocks_its_range_and_no_neighbour() {
    let net = ["198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"];
    covers("198.51.100.0/24", net);
    covers("198.51.100.7/24 # a host names its network", net);
    covers("198.51.100.0-198.51.100.255", net);
    covers("198.051.100.000 - 198.051.100.255 , 000 , Somebody", net);
    covers("198.51.100.0 - 198.51.100.255,126", net);
    covers("Somebody, Inc: 2 - of them #1:198.51.100.0-198.51.100.255\r", net);
    covers("198.51.100.0/25\n198.51.100.128/25", net);
    covers("::ffff:198.51.100.0/120", net);
    let one = ["192.0.2.6", "192.0.2.7", "192.0.2.7", "192.0.2.8"];
    covers("192.0.2.7", one);
    covers("192.0.2.7/32", one);
    covers("\u{feff}a:192.0.2.7-192.0.2.7", one);
}

#[test]
fn each_form_takes_ipv6() {
    let net = ["2001:db7:ffff::", "2001:db8::", "2001:db8::ffff:0", "2001:db8::1:0:0"];
    covers("2001:db8::/96", net);
    covers("2001:db8::-2001:db8::ffff:ffff", net);
    covers("2001:db8:: - 2001:db8::ffff:ffff , 5 , x", net);
    covers("Some: one:2001:db8::-2001:db8::ffff:ffff", net);
}

#[test]
fn all_addresses_of_a_family_can_be_blocked() {
    assert!(blocks("0.0.0.0/0", "255.255.255.255") && !blocks("0.0.0.0/0", "::1"));
    assert!(blocks("::/0", "ffff::1") && !blocks("::/0", "192.0.2.1"));
}

#[test]
fn what_is_harmless_or_a_comment_blocks_nothing() {
    let list = "# a\n\n; b\n// c\r\n1.0.0.0 - 1.0.0.255 , 127 , let through\n  \n";
    assert!(Blocklist::parse(list.as_bytes()).unwrap().is_empty());
    assert!(Blocklist::parse(b"").unwrap().is_empty());
}

#[test]
fn ranges_that_touch_or_overlap_are_one() {
    let len = |list: &[u8]| Blocklist::parse(list).unwrap().len();
    assert_eq!(len(b"1.0.0.3-1.0.0.9\n1.0.0.0-1.0.0.2\n1.0.0.4\n1.0.0.11"), 2);
    assert_eq!(len(b"255.255.255.255\n255.255.255.0/24\n255.255.255.255"), 1);
    assert_eq!(len(b"net:1::-2::\n1::/16\n3::"), 2);
}

#[test]
fn ipv4_in_ipv6_clothes_is_blocked_as_ipv4() {
    assert!(blocks("192.0.2.0/24", "::ffff:192.0.2.1"));
}

#[test]
fn what_is_no_entry_is_refused_with_its_line() {
    assert_eq!(refused(b"1.2.3.4\n\nnobody"), "line 3: no address, network or range");
    for line in [
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4/33",
        "::/129",
        "1.2.3.4/",
        "1.2.3.4/+8",
        "1.2.3.4-",
        "a:b",
        "1.2.3.4 - 1.2.3.5 , many , x",
        "1.2.3.0004",
    ] {
        assert_eq!(refused(line.as_bytes()), "line 1: no address, network or range", "{line}");
    }
    assert_eq!(refused(b"x:1.2.3.9-1.2.3.4"), "line 1: the range goes from 1.2.3.9 to 1.2.3.4");
    assert_eq!(refused(b"1.2.3.4-2001:db8::"), "line 1: the range goes from 1.2.3.4 to 2001:db8::");
    assert_eq!(refused(&[b'x'; 1025]), "line 1: 1025 bytes, but a line may have 1024");
}

#[test]
fn names_may_be_in_any_encoding() {
    let list = Blocklist::parse(b"Soci\xe9t\xe9:192.0.2.1-192.0.2.2").unwrap();
    assert!(list.contains("192.0.2.2".parse().unwrap()));
}

#[test]
fn of_half_a_million_ranges_each_is_found_in_8_bytes() {
    let mut list = String::new();
    for n in 0..500_000_u32 {
        let first = std::net::Ipv4Addr::from_bits(n.rotate_left(16) ^ (n << 4));
        list.push_str(&format!("name {n}:{first}-{first}\n"));
    }
    let list = Blocklist::parse(list.as_bytes()).unwrap();
    assert!(list.len() > 400_000 && size_of_val(&*list.four.0) == 8 * list.len());
    assert!(list.contains(std::net::Ipv4Addr::from_bits(7_u32.rotate_left(16) ^ (7 << 4)).into()));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
        let _ = Blocklist::parse(&bytes);
    }

    #[test]
    fn an_address_is_blocked_if_and_only_if_a_range_has_it(
        ranges in proptest::collection::vec((0_u8.., 0_u8..), 0..20),
        probe in 0_u8..,
    ) {
        let ranges: Vec<_> = ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        let line = |(a, b): &(u8, u8)| format!("10.0.0.{a}-10.0.0.{b}\n");
        let list: String = ranges.iter().map(line).collect();
        let blocked = blocks(&list, &format!("10.0.0.{probe}"));
        let expected = ranges.iter().any(|(a, b)| (*a..=*b).contains(&probe));
        proptest::prop_assert_eq!(blocked, expected);
    }
}
