//! The rule in a real swarm, over sockets.

use ccbt_peer::{EventKind, Given, MemoryStore, Swarm};
use ccbt_policy::PolicySet;
use ccbt_wire::{Bitfield, Metainfo, metainfo::build};
use fair_share::FairShare;

#[tokio::test]
async fn a_download_with_the_rule_completes() {
    let payload: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let torrent = build::single_file("numbers", 1 << 16, &payload, None);
    let metainfo = Metainfo::parse(&torrent).unwrap();
    let (seed, _seed_events) = Swarm::builder(metainfo.clone())
        .store(MemoryStore::with(&metainfo, payload.clone()))
        .have(Bitfield::full(metainfo.piece_count()))
        .listen("127.0.0.1:0".parse().unwrap())
        .start()
        .unwrap();
    let store = std::sync::Arc::new(MemoryStore::new(&metainfo));
    let (_swarm, mut events) = Swarm::builder(metainfo)
        .store(store.clone())
        .policy(PolicySet::standard().with(FairShare::default()))
        .source(Given::new([seed.local_addr().unwrap()]))
        .start()
        .unwrap();
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::Finished) {
            break;
        }
    }
    assert!(store.to_vec() == payload);
}
