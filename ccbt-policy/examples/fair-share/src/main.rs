//! `cargo run -p fair-share -- x.torrent 192.0.2.1:6881 ...` downloads into the working folder, with the
//! standard rules and [`FairShare`], and says why each peer went.

use std::error::Error;

use ccbt_peer::{EventKind, FileStore, Given, Swarm, wire::Metainfo};
use ccbt_policy::PolicySet;
use fair_share::FairShare;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let torrent = arguments.next().ok_or("usage: fair-share TORRENT ADDRESS...")?;
    let peers = arguments.map(|address| address.parse()).collect::<Result<Vec<_>, _>>()?;

    let metainfo = Metainfo::parse(&std::fs::read(torrent)?)?;
    let (store, have) = FileStore::resume(".", &metainfo)?;
    let (swarm, mut events) = Swarm::builder(metainfo)
        .store(store)
        .have(have)
        .policy(PolicySet::standard().with(FairShare::default()))
        .source(Given::new(peers))
        .start()?;

    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::PeerClosed { peer, reason, .. } => println!("{peer}: {reason}"),
            EventKind::Finished => swarm.stop().await,
            EventKind::StoreFailed { error } => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
