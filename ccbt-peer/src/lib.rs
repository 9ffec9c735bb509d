//! BitTorrent connections, swarms and pieces on disk, with evidence for every dropped peer.
//!
//! Three things to take from here:
//!
//! - [`Swarm`]: downloads (and seeds) one torrent. Rules of your own decide who stays; events tell
//!   everything that happens.
//! - [`Connection`]: one peer over any stream of bytes, with no swarm and no decisions.
//! - [`core`]: the decisions alone, as state machines without socket and clock, for simulators and for
//!   other runtimes.
//!
//! A download with a rule of one's own:
//!
//! ```no_run
//! use ccbt_peer::policy::{Eviction, PolicySet, Reason, Verdict, policy_fn};
//! use ccbt_peer::{EventKind, FileStore, Given, Swarm, wire::Metainfo};
//!
//! # async fn download() -> Result<(), Box<dyn std::error::Error>> {
//! let metainfo = Metainfo::parse(&std::fs::read("x.torrent")?)?;
//! let (store, have) = FileStore::resume("downloads", &metainfo)?;
//! let no_free_riders = policy_fn("no-free-riders", |peer, _swarm, _now| {
//!     let took_much = peer.uploaded > 1 << 24 && peer.downloaded == 0;
//!     let at = peer.connected_at + std::time::Duration::from_secs(300);
//!     let eviction = Eviction::new(at, Reason::new("free-rider"));
//!     if took_much { Verdict::evict(eviction) } else { Verdict::keep() }
//! });
//! let (swarm, mut events) = Swarm::builder(metainfo)
//!     .store(store)
//!     .have(have)
//!     .policy(PolicySet::standard().with(no_free_riders))
//!     .source(Given::new(["192.0.2.1:6881".parse()?]))
//!     .start()?;
//! while let Some(event) = events.next().await {
//!     match event.kind {
//!         EventKind::PeerClosed { peer, reason, .. } => println!("{peer} is gone: {reason}"),
//!         EventKind::Finished => swarm.stop().await,
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! - `dht`: a node of the DHT (`source::dht`): the mainline network, or one of your own.
//! - `http`: trackers, scrapes and downloads over HTTP and HTTPS (`TrackerTiers`, `HttpTracker`,
//!   `source::scrape`, `source::http`).
//! - `lsd`: peers in the local network (`LocalDiscovery`).
//! - `nat`: a port of the router that leads to us (`source::nat`).
//! - `script`: eviction rules as expressions in TOML (`policy::script`).
//! - `udp`: trackers and scrapes over UDP (`TrackerTiers`, `source::scrape`).
//! - `webseed`: web servers that have the files (`SwarmBuilder::web_seeds`).

mod addresses;
mod blocklist;
mod budget;
mod builder;
mod choice;
pub mod close;
mod connection;
#[cfg(test)]
mod corpus;
mod driver;
mod event;
mod events;
mod geometry;
mod priority;
mod session;
mod snapshot;
pub mod source;
pub mod store;
mod swarm;

pub use ccbt_policy as policy;
pub use ccbt_wire as wire;

pub use addresses::{
    Addresses, AddressesError, AddressesProblem, KnownAddress, KnownWait, WaitKind,
};
pub use blocklist::{Blocklist, BlocklistError, BlocklistProblem};
pub use builder::{ChooseError, StartError, Swarm, SwarmBuilder};
pub use choice::{Choice, Priority};
pub use close::CloseReason;
pub use connection::{Connection, ConnectionError, ConnectionOptions, Reader, Writer};
pub use driver::{
    Binding, BindingError, Budget, Descriptors, Dialer, Limits, Node, Opened, TcpDialer, Transport,
};
pub use event::{Event, EventKind, Progress};
pub use events::Events;
pub use geometry::Geometry;
pub use priority::priority;
pub use snapshot::{Notice, NoticeKind, PeerStatus, Snapshot};
#[cfg(feature = "http")]
pub use source::HttpTracker;
#[cfg(feature = "lsd")]
pub use source::LocalDiscovery;
#[cfg(any(feature = "http", feature = "udp"))]
pub use source::TrackerTiers;
pub use source::{Given, PeerSource, SourceContext, Totals};
pub use store::{FileStore, MemoryStore, PieceStore, StoreError};

/// The decisions of a swarm and of its connections, without socket, thread or clock.
pub mod core {
    pub use crate::choice::PieceChoice;
    pub use crate::session::{
        Announced, FRAME_LIMIT, HANDSHAKE_LIMIT, IDLE_LIMIT, KEEP_ALIVE, Known, Metadata, Run,
        Session, SessionConfig, SessionEvent, Tell, UPLOAD_QUEUE, WRITE_LIMIT,
    };
    pub use crate::swarm::{Action, Input, PeerKey, Print, StoreUse, SwarmConfig, SwarmCore};
}
