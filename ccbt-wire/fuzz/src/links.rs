use ccbt_wire::Magnet;
use ccbt_wire::magnet::MAX_PARAMETERS;

/// A link that is shown again says the same.
pub fn magnet(input: &[u8]) {
    let Ok(link) = std::str::from_utf8(input) else { return };
    let magnet: Magnet = match link.parse() {
        Ok(magnet) => magnet,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    assert!(magnet.info_hash.is_some() || magnet.info_hash_v2.is_some());
    assert!(magnet.trackers.len() + magnet.web_seeds.len() + magnet.peers.len() <= MAX_PARAMETERS);
    super::assert_shows_well(magnet.name.as_deref().unwrap_or_default());
    for peer in &magnet.peers {
        assert!(peer.port() != 0);
    }
    let shown = magnet.to_string();
    assert!(shown.is_ascii());
    // Escapes may make it longer than a link may be.
    if shown.len() <= ccbt_wire::magnet::MAX_MAGNET_LEN {
        assert_eq!(shown.parse(), Ok(magnet));
    }
}
