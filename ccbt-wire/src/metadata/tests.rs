use super::*;

fn parse(payload: &[u8]) -> Result<Option<MetadataMessage>, MetadataError> {
    MetadataMessage::parse(&Bytes::copy_from_slice(payload))
}

#[test]
fn the_messages_of_the_document_are_read_and_written() {
    // The three examples of BEP 9; its block is shortened to "xxx".
    let examples: [(&[u8], MetadataMessage); 3] = [
        (b"d8:msg_typei0e5:piecei0ee", MetadataMessage::Request { piece: 0 }),
        (
            b"d8:msg_typei1e5:piecei0e10:total_sizei34256eexxx",
            MetadataMessage::Data { piece: 0, total_size: 34256, data: Bytes::from_static(b"xxx") },
        ),
        (b"d8:msg_typei2e5:piecei0ee", MetadataMessage::Reject { piece: 0 }),
    ];
    for (bytes, message) in examples {
        assert_eq!(message.encode(), bytes);
        assert_eq!(parse(bytes), Ok(Some(message)));
    }
}

#[test]
fn keys_in_any_order_and_unknown_ones_do_no_harm() {
    let bytes = b"d5:piecei7e5:usersi9e8:msg_typei0ee";
    assert_eq!(parse(bytes), Ok(Some(MetadataMessage::Request { piece: 7 })));
}

#[test]
fn types_to_come_are_ignored() {
    assert_eq!(parse(b"d8:msg_typei3ee"), Ok(None));
    assert_eq!(parse(b"d8:msg_typei200e5:piecei1eexyz"), Ok(None));
}

#[test]
fn what_is_no_message_is_refused_by_name() {
    assert!(matches!(parse(b""), Err(MetadataError::Bencode(_))));
    assert_eq!(parse(b"i5e"), Err(MetadataError::NotADictionary));
    assert_eq!(parse(b"de"), Err(MetadataError::Missing("msg_type")));
    assert_eq!(parse(b"d8:msg_typei-1ee"), Err(MetadataError::Missing("msg_type")));
    assert_eq!(parse(b"d8:msg_typei0ee"), Err(MetadataError::Missing("piece")));
    let huge = b"d8:msg_typei0e5:piecei4294967296ee";
    assert_eq!(parse(huge), Err(MetadataError::Missing("piece")));
    assert_eq!(parse(b"d8:msg_typei1e5:piecei0eexxx"), Err(MetadataError::Missing("total_size")));
}

#[test]
fn a_block_is_at_most_a_block() {
    let block = |length: usize| {
        let mut bytes = b"d8:msg_typei1e5:piecei0e10:total_sizei99999ee".to_vec();
        bytes.resize(bytes.len() + length, 0);
        parse(&bytes)
    };
    assert!(block(BLOCK_LEN as usize).is_ok());
    let length = BLOCK_LEN as usize + 1;
    assert_eq!(block(length), Err(MetadataError::TooLong { length }));
}

#[test]
fn a_dictionary_is_not_searched_beyond_what_one_can_have() {
    let mut bytes = format!("d4:junk{MAX_HEAD}:").into_bytes();
    bytes.resize(bytes.len() + MAX_HEAD, b'x');
    bytes.extend_from_slice(b"8:msg_typei0e5:piecei0ee");
    assert!(matches!(parse(&bytes), Err(MetadataError::Bencode(_))));
}

#[test]
fn blocks_divide_the_whole() {
    for size in [1, BLOCK_LEN - 1, BLOCK_LEN, BLOCK_LEN + 1, MAX_METADATA_LEN] {
        let blocks = metadata_blocks(size);
        let sum: u32 = (0..blocks).map(|piece| metadata_block_len(size, piece)).sum();
        assert_eq!(sum, size);
        assert_eq!(metadata_block_len(size, blocks), 0);
        assert_eq!(metadata_block_len(size, u32::MAX), 0);
    }
    assert_eq!(MAX_METADATA_LEN as usize, MAX_METAINFO_LEN);
}
