use super::*;

fn sample() -> Handshake {
    Handshake {
        reserved: Reserved::NONE.with_extended().with_fast().with_dht(),
        info_hash: InfoHash(*b"ABCDEFGHIJKLMNOPQRST"),
        peer_id: PeerId(*b"-CC0100-abcdefghijkl"),
    }
}

#[test]
fn a_handshake_has_the_bytes_of_bep_3() {
    let expected =
        b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05ABCDEFGHIJKLMNOPQRST-CC0100-abcdefghijkl";
    assert_eq!(&sample().to_bytes(), expected);
}

#[test]
fn a_handshake_may_be_split_at_any_two_bytes() {
    let mut bytes = sample().to_bytes().to_vec();
    bytes.extend_from_slice(b"\0\0\0\x01\x02");
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let mut decoder = HandshakeDecoder::new();
            let mut found = Vec::new();
            let mut left = 0;
            for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                let mut input = part;
                found.extend(decoder.feed(&mut input).unwrap());
                left += input.len();
            }
            assert_eq!(found, [sample()]);
            assert_eq!(left, 5, "what is glued on stays with the caller");
        }
    }
}

#[test]
fn the_info_hash_is_known_after_48_bytes() {
    let bytes = sample().to_bytes();
    let mut decoder = HandshakeDecoder::new();
    decoder.feed(&mut &bytes[..47]).unwrap();
    assert_eq!(decoder.info_hash(), None);
    decoder.feed(&mut &bytes[47..48]).unwrap();
    assert_eq!(decoder.info_hash(), Some(sample().info_hash));
    assert_eq!(decoder.received(), 48);
}

#[test]
fn the_first_wrong_byte_is_an_error() {
    for at in 0..20 {
        let mut bytes = sample().to_bytes();
        let expected = bytes[at];
        bytes[at] ^= 0x20;
        let mut input = &bytes[..=at];
        let error = HandshakeDecoder::new().feed(&mut input);
        assert_eq!(error, Err(HandshakeError::NotBitTorrent { at, found: bytes[at], expected }));
        assert_eq!(input.len(), 1);
    }
}

#[test]
fn a_request_of_another_protocol_is_refused_at_once() {
    let error = HandshakeDecoder::new().feed(&mut &b"GET / HTTP/1.1\r\n"[..]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not the BitTorrent protocol: byte 0 of the handshake is 0x47, not 0x13"
    );
}

#[test]
fn reserved_bits_are_read_one_by_one() {
    let bits =
        |reserved: Reserved| (reserved.fast(), reserved.extended(), reserved.dht(), reserved.v2());
    assert_eq!(bits(Reserved::NONE), (false, false, false, false));
    assert_eq!(bits(Reserved::NONE.with_fast()), (true, false, false, false));
    assert_eq!(bits(Reserved::NONE.with_extended()), (false, true, false, false));
    assert_eq!(bits(Reserved::NONE.with_dht()), (false, false, true, false));
    assert_eq!(bits(Reserved::from([0, 0, 0, 0, 0, 0, 0, 0x10])), (false, false, false, true));
    let foreign = [0x80, 1, 2, 3, 4, 5, 6, 7];
    assert_eq!(<[u8; 8]>::from(Reserved::from(foreign)), foreign, "unknown bits survive");
}
