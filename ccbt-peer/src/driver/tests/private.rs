//! Private torrents (BEP 27) have peers from their trackers, from the person, and those that come.

use super::*;

/// A source of a kind, which must be run so many times.
fn source(kind: Source, times: usize) -> MockPeerSource {
    let mut source = MockPeerSource::new();
    source.expect_name().return_const("mock".to_owned());
    source.expect_kind().return_const(kind);
    source.expect_run().times(times).returning(|_| ());
    source
}

#[tokio::test(start_paused = true)]
async fn a_private_torrent_is_told_to_nobody_but_its_trackers() {
    for (private, times) in [(true, 0), (false, 1)] {
        let torrent = build::Builder::single("payload", PIECE, PIECE.into());
        let torrent = torrent.pieces([[7; 20]]).private(private).encode();
        let builder = Swarm::builder(Metainfo::parse(&torrent).unwrap())
            .source(source(Source::Tracker, 1))
            .source(source(Source::Given, 1))
            .source(source(Source::Lsd, times))
            .source(source(Source::Dht, times))
            .source(source(Source::Pex, times));
        let (swarm, mut events) = builder.start().unwrap();
        swarm.stop().await;
        until(&mut events, |kind| matches!(kind, EventKind::Stopped).then_some(())).await;
    }
}
