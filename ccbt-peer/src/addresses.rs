//! What a swarm has learnt of addresses, to be kept across restarts.

mod text;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ccbt_policy::Clears;

pub use text::{AddressesError, AddressesProblem};

/// Addresses that were good to a swarm, and those that have to wait, with the reasons.
///
/// [`Swarm::addresses`](crate::Swarm::addresses) gives them and
/// [`SwarmBuilder::addresses`](crate::SwarmBuilder::addresses) takes them back;
/// [`to_bytes`](Self::to_bytes) and [`parse`](Self::parse) are their form in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// Verified pieces that the swarm had. Waits that end when that changes are judged by it.
    pub have: u32,
    /// Whether that was every piece.
    pub complete: bool,
    /// The addresses.
    pub peers: Vec<KnownAddress>,
    /// Hosts that may not come in from whatever port, and for how long.
    pub hosts: Vec<(IpAddr, Duration)>,
}

/// One address of which there is something to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownAddress {
    /// The address.
    pub addr: SocketAddr,
    /// It listens there: it was dialed, or somebody said so.
    pub dialable: bool,
    /// It gave us a verified piece.
    pub good: bool,
    /// Why it has to wait, and how long.
    pub waits: Vec<KnownWait>,
}

/// A wait of an address for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownWait {
    /// The reason in one word, such as `no-interest` or `lost`.
    pub reason: String,
    /// How much of it is left; zero if it is over, but makes the next one longer.
    pub left: Duration,
    /// How often in a row it was for this reason.
    pub times: u32,
    /// What ends it early.
    pub clears: Clears,
    /// What it means beside that the address is not dialed.
    pub kind: WaitKind,
}

/// What a wait means beside that the address is not dialed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitKind {
    /// Nothing: a failure, or no room.
    Other,
    /// A policy closed the peer: it may come in, but takes nobody's slot.
    Cooldown,
    /// The address may not come in either.
    Ban,
}

impl Addresses {
    /// The same after `elapsed`: every wait is shorter by that.
    #[must_use]
    pub fn after(mut self, elapsed: Duration) -> Self {
        for wait in self.peers.iter_mut().flat_map(|peer| &mut peer.waits) {
            wait.left = wait.left.saturating_sub(elapsed);
        }
        self.hosts.iter_mut().for_each(|(_, left)| *left = left.saturating_sub(elapsed));
        self.hosts.retain(|(_, left)| !left.is_zero());
        self
    }
}
