use bytes::Bytes;
use ccbt_wire::{
    BLOCK_LEN, ExtensionHandshake, Extensions, MAX_PEX_PEERS, MetadataMessage, PexMessage,
    metadata_block_len, metadata_blocks,
};

/// A handshake that is written again says the same, and costs us what our own names cost.
pub fn extension_handshake(input: &[u8]) {
    let hello = match ExtensionHandshake::parse(input) {
        Ok(hello) => hello,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    assert!(hello.m.len() <= 64 && hello.m.iter().all(|(name, _)| name.len() <= 64));
    let version = hello.v.as_deref().unwrap_or_default();
    assert!(version.chars().count() <= 64);
    super::assert_shows_well(version);
    assert!(hello.p != Some(0));

    // Names that were there twice are there once from then on.
    let once = ExtensionHandshake::parse(&hello.encode()).expect("what we write");
    let twice = ExtensionHandshake::parse(&once.encode()).expect("what we write");
    assert_eq!(once, twice);
    assert_eq!(ExtensionHandshake { m: Vec::new(), ..once }, {
        ExtensionHandshake { m: Vec::new(), ..hello.clone() }
    });

    let mut extensions = Extensions::new(&["ut_metadata", "ut_pex"]);
    extensions.apply(&hello);
    for name in ["ut_metadata", "ut_pex"] {
        let said = hello.m.iter().rev().find(|(said, _)| said == name).map(|(_, id)| *id);
        assert_eq!(extensions.theirs(name), said.filter(|id| *id != 0));
    }
}

/// A message of metadata that is written again says the same.
pub fn ut_metadata(input: &[u8]) {
    let message = match MetadataMessage::parse(&Bytes::copy_from_slice(input)) {
        Ok(Some(message)) => message,
        Ok(None) => return,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    if let MetadataMessage::Data { piece, total_size, data } = &message {
        assert!(data.len() <= BLOCK_LEN as usize && input.ends_with(data));
        // Neither number is to be believed, and counting with them does no harm.
        assert!(metadata_block_len(*total_size, *piece) <= BLOCK_LEN);
        let last = metadata_blocks(*total_size).saturating_sub(1);
        assert_eq!(metadata_block_len(*total_size, last) == 0, *total_size == 0);
    }
    let again = MetadataMessage::parse(&message.encode().into());
    assert_eq!(again, Ok(Some(message)));
}

/// A message of peers that is written again says the same, and names no more than is taken.
pub fn ut_pex(input: &[u8]) {
    let message = match PexMessage::parse(input) {
        Ok(message) => message,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    assert!(message.added.len() <= MAX_PEX_PEERS && message.dropped.len() <= MAX_PEX_PEERS);
    assert_eq!(PexMessage::parse(&message.encode()), Ok(message));
}
