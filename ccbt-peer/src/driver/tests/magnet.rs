//! From a magnet link to a download, over streams in memory.

use async_trait::async_trait;
use ccbt_wire::Magnet;

use super::*;
use crate::source::{PeerSource, SourceContext, Totals};
use crate::store::StoreError;
use crate::{Events, StartError};

fn link(metainfo: &Metainfo) -> Magnet {
    format!("magnet:?xt=urn:btih:{}", metainfo.info_hash()).parse().unwrap()
}

/// A seed, and how to come to it.
fn seed(metainfo: &Metainfo) -> (Swarm, Events) {
    let have = Bitfield::full(metainfo.piece_count());
    let seed = Swarm::builder(metainfo.clone()).have(have);
    let seed = seed.store(MemoryStore::with(metainfo, payload())).listen(loopback());
    seed.start().unwrap()
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn into_memory(metainfo: &Metainfo) -> Result<(Arc<MemoryStore>, Bitfield), StoreError> {
    Ok((Arc::new(MemoryStore::new(metainfo)), Bitfield::new(metainfo.piece_count())))
}

/// The kinds of what happens, in order, until it ends.
async fn story(events: &mut Events, swarm: &Swarm) -> Vec<&'static str> {
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        told.push(match event.kind {
            EventKind::Started { pieces, .. } => {
                if pieces == 0 {
                    "started"
                } else {
                    "known"
                }
            }
            EventKind::Metadata(_) => "metadata",
            EventKind::MetadataRefused { .. } => "refused",
            EventKind::Checked { .. } => "checked",
            EventKind::Finished => {
                swarm.stop().await;
                "finished"
            }
            EventKind::StoreFailed { .. } => "store failed",
            EventKind::Stopped => "stopped",
            _ => continue,
        });
    }
    told
}

#[tokio::test]
async fn a_link_becomes_a_download() {
    let metainfo = torrent();
    let (seed, _events) = seed(&metainfo);
    let store = Arc::new(MemoryStore::new(&metainfo));
    let given = store.clone();
    let open = move |metainfo: &Metainfo| Ok((given, Bitfield::new(metainfo.piece_count())));
    let source = Given::new([seed.local_addr().unwrap()]);
    let (swarm, mut events) = Swarm::magnet(link(&metainfo), open).source(source).start().unwrap();
    let told = story(&mut events, &swarm).await;
    assert_eq!(told, ["started", "metadata", "checked", "finished", "stopped"]);
    assert_eq!(store.to_vec(), payload());
}

#[tokio::test]
async fn what_is_there_already_is_announced_and_a_swarm_that_has_all_is_finished() {
    let metainfo = torrent();
    let (seed, _events) = seed(&metainfo);
    let open = |metainfo: &Metainfo| {
        let store = MemoryStore::with(metainfo, payload());
        Ok((store, Bitfield::full(metainfo.piece_count())))
    };
    let source = Given::new([seed.local_addr().unwrap()]);
    let resumed = Swarm::magnet(link(&metainfo), open).source(source).listen(loopback());
    let (resumed, mut events) = resumed.start().unwrap();
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    // Somebody else has it from there, and the metadata, too.
    let source = Given::new([resumed.local_addr().unwrap()]);
    let (other, mut events) =
        Swarm::magnet(link(&metainfo), into_memory).source(source).start().unwrap();
    let told = story(&mut events, &other).await;
    assert_eq!(told, ["started", "metadata", "checked", "finished", "stopped"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_ends_it() {
    let metainfo = torrent();
    let (seed, _events) = seed(&metainfo);
    let fails = |_: &Metainfo| Err::<(MemoryStore, _), _>(StoreError::GivenUp);
    let short = |metainfo: &Metainfo| Ok((MemoryStore::new(metainfo), Bitfield::new(1)));
    let addr = seed.local_addr().unwrap();
    let swarms = [Swarm::magnet(link(&metainfo), fails), Swarm::magnet(link(&metainfo), short)];
    for swarm in swarms {
        let (swarm, mut events) = swarm.source(Given::new([addr])).start().unwrap();
        let told = story(&mut events, &swarm).await;
        assert_eq!(told, ["started", "metadata", "store failed", "stopped"]);
    }
}

#[tokio::test]
async fn a_link_without_a_hash_of_version_1_or_with_a_store_is_refused() {
    let v2: Magnet = format!("magnet:?xt=urn:btmh:1220{}", "ab".repeat(32)).parse().unwrap();
    let refused = Swarm::magnet(v2, into_memory).start();
    assert!(matches!(refused, Err(StartError::NoInfoHash)));
    let metainfo = torrent();
    let swarm = Swarm::magnet(link(&metainfo), into_memory).store(MemoryStore::new(&metainfo));
    assert!(matches!(swarm.start(), Err(StartError::StoreOfMagnet)));
}

/// A source that tells what became of it.
struct Watched {
    kind: Source,
    totals: tokio::sync::mpsc::UnboundedSender<(Source, &'static str, Totals)>,
}

#[async_trait]
impl PeerSource for Watched {
    fn name(&self) -> String {
        "watched".to_owned()
    }

    fn kind(&self) -> Source {
        self.kind
    }

    async fn run(self: Box<Self>, context: SourceContext) {
        let _ = self.totals.send((self.kind, "begins", context.totals()));
        context.stopped().await;
        let _ = self.totals.send((self.kind, "stops", context.totals()));
    }
}

#[tokio::test]
async fn sources_in_the_open_stop_when_the_torrent_turns_out_to_be_private() {
    let metainfo = Metainfo::parse(&private_torrent()).unwrap();
    assert!(metainfo.is_private());
    let (seed, _events) = seed(&metainfo);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watched = |kind| Watched { kind, totals: tell.clone() };
    let swarm = Swarm::magnet(link(&metainfo), into_memory)
        .source(watched(Source::Dht))
        .source(watched(Source::Tracker));
    let (swarm, mut events) = swarm.start().unwrap();
    for _ in 0..2 {
        let (_, what, totals) = told.recv().await.unwrap();
        // A tracker that hears of 0 bytes names no seeds.
        assert_eq!((what, totals.left), ("begins", 16_384));
    }
    swarm.add_peers(vec![seed.local_addr().unwrap()]);
    let (kind, what, _) = told.recv().await.unwrap();
    assert_eq!((kind, what), (Source::Dht, "stops"));
    until(&mut events, |kind| matches!(kind, EventKind::Finished).then_some(())).await;
    swarm.stop().await;
    let (kind, what, _) = told.recv().await.unwrap();
    assert_eq!((kind, what), (Source::Tracker, "stops"));
}

/// The torrent, but private.
fn private_torrent() -> Vec<u8> {
    let info = torrent().info_bytes().to_vec();
    // "private" is the last key of all.
    [b"d4:info", &info[..info.len() - 1], b"7:privatei1eee"].concat()
}
