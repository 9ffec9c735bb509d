//! What a test does to the world.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ccbt_peer::core::{Input, PieceChoice};
use ccbt_peer::policy::EvictionPolicy;

use super::super::host::Host;
use super::{Happening, World};

impl World {
    /// A peer that dials us, now.
    pub(crate) fn come(&mut self, host: Host) -> SocketAddr {
        let addr = self.place(host);
        self.later(Duration::ZERO, Happening::Incoming(addr));
        addr
    }

    /// The peer, another one by now, dials us from the address that we know.
    pub(crate) fn come_back(&mut self, addr: SocketAddr, host: Host) {
        self.hosts.insert(addr, host);
        self.later(Duration::ZERO, Happening::Incoming(addr));
    }

    pub(crate) fn set_policy(&mut self, policy: impl EvictionPolicy + 'static) {
        self.tell_core(Input::Policy(Arc::new(policy)));
    }

    pub(crate) fn choose(&mut self, choice: PieceChoice) {
        self.tell_core(Input::Choose(Arc::new(choice)));
    }
}
