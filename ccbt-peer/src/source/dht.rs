//! The distributed hash table: peers without a tracker (BEP 5, 32, 42, 43).
//!
//! [`Dht`] is a node, one for all swarms of a process; [`Dht::source`] is what a swarm is given of it.
//! The decisions are a state machine in `core`, without socket and clock; `node` moves it.

mod announced;
mod core;
mod id;
mod known;
mod krpc;
mod lookup;
mod node;
mod source;
mod table;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use core::fuzzing::dht_node;
pub use known::{DhtNodes, DhtNodesError};
pub use node::{BOOTSTRAP, Dht, DhtConfig};
pub use source::DhtSource;
