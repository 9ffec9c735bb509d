//! ccbt-peer
mod builder;
pub mod close;
mod driver;
mod event;
mod events;
mod geometry;
mod session;
pub mod source;
pub mod store;
mod swarm;
pub use builder::{StartError, Swarm, SwarmBuilder};
pub use close::CloseReason;
pub use driver::{Dialer, Node, TcpDialer, Transport};
pub use event::{Event, EventKind, Progress};
pub use events::Events;
pub use geometry::Geometry;
pub use ccbt_policy as policy;
pub use ccbt_wire as wire;
#[cfg(feature = "http")]
pub use source::HttpTracker;
pub use source::{Given, PeerSource, SourceContext};
pub use store::{FileStore, MemoryStore, PieceStore, StoreError};
/// core
pub mod core { pub use crate::swarm::{Action, Input, PeerKey, SwarmConfig, SwarmCore};  pub use crate::session::*; }
