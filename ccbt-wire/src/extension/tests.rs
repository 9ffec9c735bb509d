use super::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[test]
fn a_full_handshake_survives_the_wire_in_canonical_order() {
    let handshake = ExtensionHandshake {
        m: vec![("lt_donthave".into(), 7), ("ut_metadata".into(), 3), ("ut_pex".into(), 1)],
        p: Some(6881),
        v: Some("ccbt 0.1".into()),
        yourip: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1))),
        ipv4: Some(Ipv4Addr::new(10, 0, 0, 1)),
        ipv6: Some(Ipv6Addr::LOCALHOST),
        reqq: Some(250),
        metadata_size: Some(31235),
        upload_only: Some(true),
    };
    let bytes = handshake.encode();
    assert_eq!(ExtensionHandshake::parse(&bytes), Ok(handshake));
    let expected: &[u8] = b"d4:ipv44:\x0a\0\0\x014:ipv616:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\
        1:md11:lt_donthavei7e11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei31235e1:pi6881e4:reqqi250e11:upload_onlyi1e1:v8:ccbt 0.1\
        6:yourip4:\x7f\0\0\x01e";
    assert_eq!(bytes, expected);
}

#[test]
fn the_example_of_bep_10_is_read() {
    let bytes = b"d1:md11:LT_metadatai1e7:\xc2\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e";
    let handshake = ExtensionHandshake::parse(bytes).unwrap();
    assert_eq!(handshake.m, [("LT_metadata".to_owned(), 1), ("µT_PEX".to_owned(), 2)]);
    assert_eq!(handshake.p, Some(6881));
    assert_eq!(handshake.v.as_deref(), Some("µTorrent 1.2"));
}

#[test]
fn ill_typed_and_wild_keys_count_as_absent() {
    let bytes = b"d1:mi3e1:pi70000e1:vi5e4:ipv43:abc4:ipv64:abcd4:reqqi-1e13:metadata_size1:x\
        11:upload_only1:y6:yourip5:abcdee";
    assert_eq!(ExtensionHandshake::parse(bytes), Ok(ExtensionHandshake::default()));
    assert_eq!(ExtensionHandshake::parse(b"de"), Ok(ExtensionHandshake::default()));
    let ids = ExtensionHandshake::parse(b"d1:md1:ai256e1:bi-1e1:c1:x1:di255eee").unwrap();
    assert_eq!(ids.m, [("d".to_owned(), 255)]);
}

#[test]
fn a_payload_that_is_no_dictionary_is_refused() {
    assert_eq!(ExtensionHandshake::parse(b"le"), Err(ExtensionError::NotADictionary));
    assert!(matches!(ExtensionHandshake::parse(b"d1:m"), Err(ExtensionError::Bencode(_))));
    assert!(ExtensionHandshake::parse(b"").is_err());
    assert!(ExtensionHandshake::parse("l".repeat(200_000).as_bytes()).is_err());
}

#[test]
fn bytes_behind_the_dictionary_are_ignored() {
    assert_eq!(
        ExtensionHandshake::parse(b"d4:reqqi9ee\0\0").map(|handshake| handshake.reqq),
        Ok(Some(9))
    );
}

#[test]
fn a_version_is_short_and_printable() {
    let bytes = format!("d1:v300:{}e", "\x1b[31m\u{7}x".repeat(43)[..300].to_owned());
    let version = ExtensionHandshake::parse(bytes.as_bytes()).unwrap().v.unwrap();
    assert_eq!(version.chars().count(), 64);
    assert!(!version.contains(char::is_control));
}

#[test]
fn names_are_limited_in_number_and_length() {
    let names: String = (0..1000).map(|i| format!("5:x{i:04}i1e")).collect();
    let bytes = format!("d1:md100:{}i9e{names}ee", "n".repeat(100));
    let m = ExtensionHandshake::parse(bytes.as_bytes()).unwrap().m;
    assert_eq!(m.len(), 64);
    assert!(m.iter().all(|(name, _)| name.len() == 5));
}

fn extensions() -> Extensions {
    Extensions::new(&["ut_metadata", "ut_pex", "lt_donthave"])
}

fn said(names: &[(&str, u8)]) -> ExtensionHandshake {
    let m = names.iter().map(|&(name, id)| (name.to_owned(), id)).collect();
    ExtensionHandshake { m, ..Default::default() }
}

#[test]
fn ids_differ_by_direction() {
    let mut extensions = extensions();
    extensions.apply(&said(&[("ut_pex", 1), ("ut_metadata", 20), ("unheard_of", 2)]));
    assert_eq!(extensions.theirs("ut_pex"), Some(1));
    assert_eq!(extensions.theirs("ut_metadata"), Some(20));
    assert_eq!(extensions.theirs("lt_donthave"), None);
    assert_eq!(extensions.theirs("unheard_of"), None);
    assert_eq!(extensions.name_of(1), Some("ut_metadata"));
    assert_eq!(extensions.name_of(3), Some("lt_donthave"));
    assert_eq!(extensions.name_of(EXTENDED_HANDSHAKE), None);
    assert_eq!(extensions.name_of(4), None);
    assert_eq!(extensions.name_of(255), None);
}

#[test]
fn a_later_handshake_changes_only_what_it_names() {
    let mut extensions = extensions();
    extensions.apply(&said(&[("ut_pex", 1), ("ut_metadata", 2)]));
    extensions.apply(&said(&[("ut_pex", 0)]));
    assert_eq!(extensions.theirs("ut_pex"), None);
    assert_eq!(extensions.theirs("ut_metadata"), Some(2));
    extensions.apply(&said(&[("ut_pex", 5)]));
    assert_eq!(extensions.theirs("ut_pex"), Some(5));
}

#[test]
fn only_255_names_have_ids() {
    let names: Vec<String> = (0..300).map(|i| format!("x{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let extensions = Extensions::new(&names);
    assert_eq!(extensions.ours().count(), 255);
    assert_eq!(extensions.name_of(255), Some("x254"));
}
