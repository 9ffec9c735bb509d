//! Downloads a torrent with a rule of one's own.
//!
//! `cargo run --example download -- x.torrent downloads 192.0.2.1:6881 ...`

use std::time::Duration;

use ccbt_peer::policy::{
    Eviction, EvictionPolicy, PeerView, PolicySet, Reason, SwarmView, Time, Verdict,
};
use ccbt_peer::{EventKind, FileStore, Given, Swarm, wire::Metainfo};

/// Drops a peer that has let us wait for a first block for two minutes while it had what we need.
#[derive(Debug)]
struct Generous;

impl EvictionPolicy for Generous {
    fn name(&self) -> &str {
        "generous"
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _now: Time) -> Verdict {
        let gave = peer.last_block_at.is_some();
        if gave || !peer.am_interested || !swarm.leeching() {
            return Verdict::keep();
        }
        let at = peer.am_interested_since + Duration::from_secs(120);
        Verdict::evict(Eviction::new(at, Reason::new("never-gave")))
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(torrent), Some(folder)) = (args.next(), args.next()) else {
        println!("usage: download FILE.torrent FOLDER [HOST:PORT]...");
        return Ok(());
    };
    let metainfo = Metainfo::parse(&std::fs::read(torrent)?)?;
    let (store, have) = FileStore::resume(folder, &metainfo)?;
    if have.all() {
        println!("everything is there already");
        return Ok(());
    }
    let (swarm, mut events) = Swarm::builder(metainfo)
        .store(store)
        .have(have)
        .policy(PolicySet::standard().with(Generous))
        .source(Given::hosts(args.collect()))
        .listen("[::]:0".parse()?)
        .start()?;
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::Progress(now) => println!("{} of {} bytes", now.verified, now.total),
            EventKind::PeerClosed { peer, reason, .. } => println!("{peer} is gone: {reason}"),
            EventKind::Finished => swarm.stop().await,
            _ => {}
        }
    }
    Ok(())
}
