//! One connection as the swarm sees it, beside the facts that policies see.

use std::collections::VecDeque;
use std::net::SocketAddr;

use ccbt_policy::{Source, Time};
use ccbt_wire::{Bitfield, Block, PieceIndex};

use super::window::Window;

/// Where a connection stands on its way to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Dialing,
    Handshaking,
    /// Connected, waits for a slot.
    Lobby {
        until: Time,
    },
    Slot,
}

/// A connection, or one to be.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) addr: SocketAddr,
    pub(super) source: Source,
    pub(super) place: Place,
    /// What it has, if that is neither everything nor nothing.
    pub(super) bits: Option<Bitfield>,
    /// What we told it last: INTERESTED or not.
    pub(super) told_interested: bool,
    /// NOT_INTERESTED was sent since it became useless.
    pub(super) told_useless: bool,
    /// It has told what it has, and that was shown.
    pub(super) shown: bool,
    pub(super) in_flight: VecDeque<Asked>,
    pub(super) window: Window,
    pub(super) working: Option<PieceIndex>,
    /// It refused a block; it is asked again from then on.
    pub(super) hold_until: Time,
    /// Payload sent when the rate was measured last.
    pub(super) uploaded_before: u64,
}

/// A block that we asked a peer for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) block: Block,
    pub(super) at: Time,
    /// Others are asked for it too, since it did not come in time.
    pub(super) overdue: bool,
}

impl Peer {
    pub(super) fn new(addr: SocketAddr, source: Source, place: Place, now: Time) -> Self {
        Self {
            addr,
            source,
            place,
            bits: None,
            told_interested: false,
            told_useless: false,
            shown: false,
            in_flight: VecDeque::new(),
            window: Window::new(now),
            working: None,
            hold_until: now,
            uploaded_before: 0,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.place, Place::Lobby { .. } | Place::Slot)
    }

    pub(super) fn waits_until(&self) -> Option<Time> {
        match self.place {
            Place::Lobby { until } => Some(until),
            _ => None,
        }
    }

    /// Takes a block from those that are in flight.
    pub(super) fn landed(&mut self, block: Block) -> Option<Asked> {
        let at = self.in_flight.iter().position(|asked| asked.block == block)?;
        let asked = self.in_flight.remove(at);
        if self.in_flight.is_empty() {
            self.in_flight.shrink_to_fit();
        }
        asked
    }
}
