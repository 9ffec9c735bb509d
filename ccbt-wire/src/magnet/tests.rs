use super::*;
use crate::metainfo::build::{Builder, multi_file};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::net::SocketAddr;

const HEX: &str = "d0d14c926e6e99761a2fdcff27b403d96376eff6";
const BASE32: &str = "2DIUZETON2MXMGRP3T7SPNAD3FRXN37W";
const SHA256: &str = "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e";

fn parse(parameters: &str) -> Result<Magnet, MagnetError> {
    format!("magnet:?{parameters}").parse()
}

/// A link with this behind its hash.
fn with(parameters: &str) -> Magnet {
    parse(&format!("xt=urn:btih:{HEX}&{parameters}")).unwrap()
}

#[test]
fn a_hash_is_read_in_both_alphabets_and_cases() {
    let magnet = Magnet::new(HEX.parse().unwrap());
    for digits in [HEX, &HEX.to_uppercase(), BASE32, &BASE32.to_lowercase()] {
        assert_eq!(parse(&format!("xt=urn:btih:{digits}")), Ok(magnet.clone()), "{digits}");
    }
    assert_eq!(format!("MAGNET:?xt=URN:BTIH:{HEX}").parse(), Ok(magnet.clone()));
    assert_eq!(parse(&format!("xt=urn%3Abtih%3A{HEX}")), Ok(magnet.clone()));
    assert_eq!(parse(&format!("xt.1=urn:btih:{HEX}")), Ok(magnet));
}

#[test]
fn every_digit_of_base32_has_its_place() {
    // The bits 0, 1, 2 ... of the alphabet in order: 00000 00001 00010 ... 11111.
    let magnet = parse("xt=urn:btih:abcdefghijklmnopqrstuvwxyz234567").unwrap();
    assert_eq!(magnet.info_hash.unwrap().to_string(), "00443214c74254b635cf84653a56d7c675be77df");
}

#[test]
fn a_hybrid_link_has_both_hashes() {
    let link = format!("magnet:?xt=urn:btih:{HEX}&xt=urn:btmh:1220{SHA256}");
    let magnet: Magnet = link.parse().unwrap();
    assert_eq!(magnet.info_hash, Some(HEX.parse().unwrap()));
    assert_eq!(magnet.info_hash_v2.map(|hash| (hash[0], hash[31])), Some((0xca, 0x2e)));
    assert_eq!(magnet.to_string(), link);
    let v2 = parse(&format!("xt=urn:btmh:1220{}", SHA256.to_uppercase())).unwrap();
    assert_eq!((v2.info_hash, v2.info_hash_v2), (None, magnet.info_hash_v2));
}

#[test]
fn every_known_parameter_is_read() {
    let magnet = with(
        "dn=a%20b+c%2Bd&xl=1234&tr=http%3A%2F%2Ft.example%2Fa%3Fx%3D1%26y&tr.1=udp://u.example:80/a+b\
         &ws=http://w.example/f&x.pe=10.0.0.1:6881&x.pe=%5B2001:db8::1%5D:6882&x.pe=[::1]:1\
         &x.pe=peer.example:6883&so=0,2,4-6",
    );
    assert_eq!(magnet.name.as_deref(), Some("a b c+d"));
    assert_eq!(magnet.length, Some(1234));
    assert_eq!(magnet.trackers, ["http://t.example/a?x=1&y", "udp://u.example:80/a+b"]);
    assert_eq!(magnet.web_seeds, ["http://w.example/f"]);
    let peers: Vec<_> = magnet.peers.iter().map(ToString::to_string).collect();
    assert_eq!(peers, ["10.0.0.1:6881", "[2001:db8::1]:6882", "[::1]:1", "peer.example:6883"]);
    assert_eq!(magnet.select_only.unwrap().ranges(), [0..=0, 2..=2, 4..=6]);
}

#[test]
fn unknown_empty_and_repeated_parameters_are_ignored() {
    let plain = with("dn=first");
    for parameters in [
        "dn=first&dn=second",
        "&&dn=&dn=first&=&=x&y&tr=&ws=&x.pe=&so=&xl=&xt=",
        "as=http://x/%zz&xs=1&kt=a&x.y=2&tree=1&dn=first",
        "xt=urn:sha1:YNCKHTQCWBTRNJIV4WNAE52SJUQCZO5C&dn=first",
    ] {
        assert_eq!(with(parameters), plain, "{parameters}");
    }
    assert_eq!(parse(&format!("xt=urn:btih:{HEX}&dn=first&xt=urn:btih:{BASE32}")), Ok(plain));
}

#[test]
fn hints_that_cannot_be_used_count_as_absent() {
    let plain = with("");
    for parameters in [
        "xl=-1",
        "xl=+1",
        "xl=99999999999999999999",
        "tr=two%20words",
        "tr=%zz",
        "ws=%ff",
        "x.pe=10.0.0.1",
        "x.pe=10.0.0.1:0&x.pe=:1&x.pe=::1:1&x.pe=[1.2.3.4]:1&x.pe=a%00b:1",
        "dn=%0a%1b",
    ] {
        assert_eq!(with(parameters), plain, "{parameters}");
    }
    assert_eq!(with("dn=100%+sure").name.as_deref(), Some("100% sure"));
    assert_eq!(with("dn=a%1b[2Jb").name.as_deref(), Some("a[2Jb"));
}

#[test]
fn what_is_refused_names_its_parameter() {
    let other = "0".repeat(40);
    for (parameters, words) in [
        (String::new(), "xt: missing, a magnet link needs urn:btih: or urn:btmh: and an info hash"),
        (
            "xt=urn:btih:abc".into(),
            "xt: urn:btih is followed by 40 hexadecimal or 32 base32 digits, not 3",
        ),
        (
            format!("xt=urn:btih:{}", "g".repeat(40)),
            "xt: the character at 0 behind urn:btih is no hexadecimal digit",
        ),
        (
            format!("xt=urn:btih:{}1", "a".repeat(31)),
            "xt: the character at 31 behind urn:btih is no base32 digit",
        ),
        (format!("xt=urn:btmh:1114{HEX}"), "xt: urn:btmh is a SHA-256 and begins with 1220"),
        ("xt=urn:btmh:1220ab".into(), "xt: urn:btmh is followed by 68 hexadecimal digits, not 6"),
        (
            format!("xt=urn:btmh:1220{SHA256}").replace("302e", "302x"),
            "xt: the character at 67 behind urn:btmh is no hexadecimal digit",
        ),
        (format!("xt=urn:btih:{HEX}&xt=urn:btih:{other}"), "xt: two different hashes of urn:btih"),
        ("xt=urn:btih:%4".into(), "xt: the % at 9 has no two hexadecimal digits behind it"),
        (
            format!("xt=urn:btih:{HEX}&so=1,x"),
            "so: \"x\" is neither a file number nor a range such as 4-6",
        ),
        (
            format!("xt=urn:btih:{HEX}&so=+1"),
            "so: \"+1\" is neither a file number nor a range such as 4-6",
        ),
        (
            format!("xt=urn:btih:{HEX}&so=1,,2"),
            "so: \"\" is neither a file number nor a range such as 4-6",
        ),
        (format!("xt=urn:btih:{HEX}&so=6-4"), "so: the range 6-4 ends before it begins"),
        (
            format!("xt=urn:btih:{HEX}&so=0-200000"),
            "so: file 200000 is beyond the limit of 200000 files",
        ),
        (
            format!("xt=urn:btih:{HEX}&so=%"),
            "so: the % at 0 has no two hexadecimal digits behind it",
        ),
    ] {
        let error = parse(&parameters).expect_err(&parameters);
        assert_eq!(error.to_string(), words, "{parameters}");
    }
}

#[test]
fn what_is_no_link_or_too_much_of_one_is_refused() {
    for text in ["", "magnet:", "magnet", HEX, "http://t.example/?xt=urn:btih:", "mägnet:?xt="] {
        assert_eq!(text.parse::<Magnet>(), Err(MagnetError::NotMagnet), "{text}");
    }
    let long = format!("magnet:?dn={}", "a".repeat(MAX_MAGNET_LEN));
    let (length, limit) = (long.len(), MAX_MAGNET_LEN);
    assert_eq!(long.parse::<Magnet>(), Err(MagnetError::TooLong { length, limit }));
    let many = "a&".repeat(MAX_PARAMETERS);
    let (count, limit) = (MAX_PARAMETERS + 1, MAX_PARAMETERS);
    assert_eq!(parse(&many), Err(MagnetError::TooManyParameters { count, limit }));
}

#[test]
fn a_peer_address_that_is_none_names_its_fault() {
    let fault = |text: &str| text.parse::<PeerAddress>().unwrap_err().to_string();
    assert_eq!(fault("10.0.0.1"), "\"10.0.0.1\" is not host:port");
    assert_eq!(fault("a:65536"), "port \"65536\" is not in 1 to 65535");
    assert_eq!(fault("a:+1"), "port \"+1\" is not in 1 to 65535");
    assert_eq!(fault("a:"), "port \"\" is not in 1 to 65535");
    assert_eq!(fault("::1:80"), "\"::1\" is not a host");
    assert_eq!(
        fault(&format!("{}:80", "a".repeat(254))),
        format!("\"{}\" is not a host", "a".repeat(64))
    );
    let peer = PeerAddress::try_from("[fe80::1%3]:80".parse::<SocketAddr>().unwrap()).unwrap();
    assert_eq!(peer.to_string(), "[fe80::1]:80");
    assert!(PeerAddress::try_from(SocketAddr::from(([1, 2, 3, 4], 0))).is_err());
    assert_eq!("t.example:80".parse::<PeerAddress>().unwrap().socket_addr(), None);
}

#[test]
fn ranges_of_files_are_joined() {
    let ranges = [5..=7, 0..=0, 2..=3, 6..=6, 8..=9, 4..=4];
    let files = FileSelection::new(ranges).unwrap();
    assert_eq!(files.ranges(), [0..=0, 2..=9]);
    let selected: Vec<_> = (0..12).filter(|&file| files.contains(file)).collect();
    assert_eq!(selected, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(FileSelection::new([]), Err(FileSelectionError::Empty));
    assert_eq!("".parse::<FileSelection>(), Err(FileSelectionError::Empty));
}

#[test]
fn the_link_of_a_metainfo_has_all_that_finds_the_swarm() {
    let bytes = Builder::multi("some name", 16 * 1024, [("a", 5)])
        .pieces([[9; 20]])
        .tier(["http://one.example/a", "udp://two.example:80"])
        .tracker("http://one.example/a")
        .web_seed("http://seed.example/")
        .encode();
    let metainfo = Metainfo::parse(&bytes).unwrap();
    assert_eq!(
        Magnet::of(&metainfo).to_string(),
        format!(
            "magnet:?xt=urn:btih:{}&dn=some%20name&xl=5&tr=http%3A%2F%2Fone.example%2Fa\
             &tr=udp%3A%2F%2Ftwo.example%3A80&ws=http%3A%2F%2Fseed.example%2F",
            metainfo.info_hash()
        )
    );
}

#[test]
fn the_link_of_any_metainfo_parses() {
    let url = |number: u32| format!("http://t.example/{number}/{}", "é".repeat(1000));
    let mut builder = Builder::multi(&"🧲".repeat(63), 16 * 1024, [("a", 5)]).pieces([[9; 20]]);
    for number in 0..100 {
        builder = builder.tracker(&url(number)).web_seed(&url(number));
    }
    let magnet = Magnet::of(&Metainfo::parse(&builder.encode()).unwrap());
    assert!(!magnet.trackers.is_empty() && magnet.trackers.len() < 100);
    assert_eq!(magnet.to_string().parse(), Ok(magnet));

    let plain = Metainfo::parse(&multi_file("n", 16 * 1024, &[("a", b"x")], None)).unwrap();
    let magnet = Magnet::of(&plain);
    assert_eq!(magnet.to_string().parse(), Ok(magnet));
}

fn url() -> impl Strategy<Value = String> {
    "[a-z]{2,5}://[^\\s\\p{C}]{1,20}"
        .prop_filter("usable", |url| crate::metainfo::usable_url(url) == Some(url))
}

fn peer() -> impl Strategy<Value = PeerAddress> {
    let literal = (any::<std::net::IpAddr>(), 1..=u16::MAX)
        .prop_map(|(ip, port)| PeerAddress::try_from(SocketAddr::new(ip, port)).unwrap());
    let named = "[a-z][a-z0-9.-]{0,20}:[1-9][0-9]{0,3}".prop_map(|text| text.parse().unwrap());
    prop_oneof![literal, named]
}

fn files() -> impl Strategy<Value = FileSelection> {
    vec((0u32..1000, 0u32..20), 1..8).prop_map(|ranges| {
        FileSelection::new(ranges.into_iter().map(|(first, more)| first..=first + more)).unwrap()
    })
}

fn hashes() -> impl Strategy<Value = (Option<[u8; 20]>, Option<[u8; 32]>)> {
    (any::<Option<[u8; 20]>>(), any::<Option<[u8; 32]>>())
        .prop_filter("a hash", |(v1, v2)| v1.is_some() || v2.is_some())
}

prop_compose! {
    fn magnet()(
        (v1, v2) in hashes(),
        name in option::of(".{1,30}"),
        length in any::<Option<u64>>(),
        trackers in vec(url(), 0..4),
        web_seeds in vec(url(), 0..3),
        peers in vec(peer(), 0..4),
        select_only in option::of(files()),
    ) -> Magnet {
        Magnet {
            info_hash: v1.map(InfoHash),
            info_hash_v2: v2,
            name: name.and_then(|name| parse::name(name.as_bytes())),
            length, trackers, web_seeds, peers, select_only,
        }
    }
}

proptest! {
    #[test]
    fn a_link_survives_its_text(magnet in magnet()) {
        let link = magnet.to_string();
        prop_assert!(link.bytes().all(|byte| byte.is_ascii_graphic()), "{link}");
        prop_assert_eq!(link.parse(), Ok(magnet));
    }

    #[test]
    fn any_text_is_an_answer_never_a_crash(text in ".{0,80}", tail in "(&?(xt|dn|tr|x\\.pe|so|xl)=.{0,12}){0,5}") {
        let _ = text.parse::<Magnet>();
        if let Ok(magnet) = parse(&format!("xt=urn:btih:{HEX}&{tail}")) {
            prop_assert_eq!(magnet.to_string().parse(), Ok(magnet));
        }
        let _ = text.parse::<PeerAddress>();
        let _ = text.parse::<FileSelection>();
    }
}
