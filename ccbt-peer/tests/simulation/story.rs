//! Questions about what happened in a world.

use std::net::SocketAddr;

use ccbt_peer::policy::Time;
use ccbt_peer::wire::Message;
use ccbt_peer::{CloseReason, EventKind};

use super::world::World;

impl World {
    /// When the peer's handshakes were done, for each of its connections.
    pub(crate) fn connects(&self, addr: SocketAddr) -> Vec<Time> {
        let events = self.log.iter();
        events
            .filter(|(_, event)| {
                matches!(event, EventKind::PeerConnected { peer, .. } if *peer == addr)
            })
            .map(|(at, _)| *at)
            .collect()
    }

    /// When and why each of its connections ended.
    pub(crate) fn closes(&self, addr: SocketAddr) -> Vec<(Time, CloseReason)> {
        let events = self.log.iter();
        events
            .filter_map(|(at, event)| match event {
                EventKind::PeerClosed { peer, reason, .. } if *peer == addr => {
                    Some((*at, reason.clone()))
                }
                _ => None,
            })
            .collect()
    }

    /// The peer's first connection: when it began.
    #[track_caller]
    pub(crate) fn connect(&self, addr: SocketAddr) -> Time {
        *self.connects(addr).first().unwrap_or_else(|| panic!("{addr} never connected"))
    }

    /// The peer's first connection: when it ended, and the policy and reason or the kind of end.
    #[track_caller]
    pub(crate) fn close(&self, addr: SocketAddr) -> (Time, String) {
        let closes = self.closes(addr);
        let (at, reason) = closes.first().unwrap_or_else(|| panic!("{addr} was never closed"));
        let why = match reason {
            CloseReason::Evicted { reason, evidence } => format!("{}: {reason}", evidence.policy),
            CloseReason::Displaced { reason, evidence } => {
                format!("displaced by {}: {reason}", evidence.policy)
            }
            other => other.code().to_owned(),
        };
        (*at, why)
    }

    /// Whether the peer is connected now.
    pub(crate) fn is_open(&self, addr: SocketAddr) -> bool {
        self.connects(addr).len() > self.closes(addr).len()
    }

    /// When we sent this message to the peer.
    pub(crate) fn told(&self, addr: SocketAddr, message: &Message) -> Vec<Time> {
        let said = self.said.iter().filter(|(_, to, what)| *to == addr && what == message);
        said.map(|(at, ..)| *at).collect()
    }

    /// When our interest in the peer became this, as events tell.
    pub(crate) fn interest(&self, addr: SocketAddr, interested: bool) -> Vec<Time> {
        let events = self.log.iter();
        events
            .filter(|(_, event)| {
                matches!(event, EventKind::Interest { peer, am_interested }
                    if *peer == addr && *am_interested == interested)
            })
            .map(|(at, _)| *at)
            .collect()
    }

    /// When the first event was for which `is` holds.
    pub(crate) fn first(&self, is: impl Fn(&EventKind) -> bool) -> Option<Time> {
        self.log.iter().find(|(_, event)| is(event)).map(|(at, _)| *at)
    }

    /// When the download was complete.
    #[track_caller]
    pub(crate) fn finished(&self) -> Time {
        self.first(|event| matches!(event, EventKind::Finished)).expect("a complete download")
    }

    /// When the piece was stored.
    #[track_caller]
    pub(crate) fn stored(&self, piece: u32) -> Time {
        let is =
            |event: &EventKind| matches!(event, EventKind::Piece { piece: p, .. } if *p == piece);
        self.first(is).unwrap_or_else(|| panic!("piece {piece} was not stored"))
    }
}
