use std::time::Duration;

use ccbt_peer::source::dht::DhtNodes;
use ccbt_peer::{Addresses, Blocklist};

/// What a run remembers of addresses is the same when it is written again.
pub fn addresses(input: &[u8]) {
    const NOW: u64 = 1_700_000_000;
    const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    let addresses = match Addresses::parse(input, NOW) {
        Ok(addresses) => addresses,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    for wait in addresses.peers.iter().flat_map(|peer| &peer.waits) {
        assert!(wait.left <= YEAR && !wait.reason.is_empty());
    }
    assert!(addresses.hosts.iter().all(|(_, left)| *left <= YEAR));
    // Reasons are cut to a word on their way out.
    let once = Addresses::parse(&addresses.to_bytes(NOW), NOW).expect("what we write");
    assert_eq!((once.have, once.complete), (addresses.have, addresses.complete));
    assert_eq!(once.peers.len(), addresses.peers.len());
    assert_eq!(Addresses::parse(&once.to_bytes(NOW), NOW), Ok(once));
}

/// A list blocks what its lines name.
pub fn blocklist(input: &[u8]) {
    let list = match Blocklist::parse(input) {
        Ok(list) => list,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    assert!(list.len() <= input.split(|byte| *byte == b'\n').count());
    for line in String::from_utf8_lossy(input).lines() {
        if let Ok(ip) = line.trim().parse() {
            assert!(list.contains(ip), "{ip}");
        }
    }
}

/// What a run remembers of the DHT is the same when it is written again.
pub fn dht_nodes(input: &[u8]) {
    match DhtNodes::parse(input) {
        Ok(nodes) => {
            assert!(nodes.addresses().len() <= 200);
            assert_eq!(DhtNodes::parse(&nodes.to_bytes()), Ok(nodes));
        }
        Err(error) => super::assert_shows_well(&error.to_string()),
    }
}
