//! One connection as the swarm sees it, beside the facts that policies see.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use ccbt_policy::{Source, Time};
use ccbt_wire::{Bitfield, Block, PeerId, PieceIndex};

use super::PeerKey;
use super::memory::Prefix;
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

/// All connections of a swarm, and how many stand where: those counts are asked for at every event.
#[derive(Debug, Default)]
pub(super) struct Roster {
    // Boxed: a third of a tree's places is empty.
    peers: BTreeMap<PeerKey, Box<Peer>>,
    slots: u32,
    /// Dials that do not stand yet, by when they began.
    dialing: BTreeSet<(Time, PeerKey)>,
    /// Connections that wait for a handshake, by when they, or the dial, began.
    shaking: BTreeSet<(Time, PeerKey)>,
    lobby: BTreeSet<(Time, PeerKey)>,
    /// How many of each network there are.
    prefixes: HashMap<Prefix, u32>,
    ids: BTreeSet<([u8; 20], PeerKey)>,
}

impl Roster {
    pub(super) fn insert(&mut self, key: PeerKey, peer: Peer) {
        self.count(key, peer.place, peer.began_at, true);
        *self.prefixes.entry(Prefix::of(peer.addr.ip())).or_default() += 1;
        self.peers.insert(key, Box::new(peer));
    }

    pub(super) fn remove(&mut self, key: PeerKey) -> Option<Peer> {
        let peer = self.peers.remove(&key)?;
        self.count(key, peer.place, peer.began_at, false);
        let prefix = Prefix::of(peer.addr.ip());
        if let Some(count) = self.prefixes.get_mut(&prefix) {
            *count -= 1;
            if *count == 0 {
                self.prefixes.remove(&prefix);
            }
        }
        if let Some(id) = peer.id {
            self.ids.remove(&(id.0, key));
        }
        Some(*peer)
    }

    pub(super) fn set_place(&mut self, key: PeerKey, place: Place) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        let before = std::mem::replace(&mut peer.place, place);
        let began_at = peer.began_at;
        self.count(key, before, began_at, false);
        self.count(key, place, began_at, true);
    }

    pub(super) fn set_id(&mut self, key: PeerKey, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&key) else { return };
        if let Some(before) = peer.id.replace(id) {
            self.ids.remove(&(before.0, key));
        }
        self.ids.insert((id.0, key));
    }

    /// The connections to peers that call themselves so.
    pub(super) fn with_id(&self, id: PeerId) -> impl Iterator<Item = PeerKey> {
        self.ids.range((id.0, PeerKey(0))..=(id.0, PeerKey(u32::MAX))).map(|(_, key)| *key)
    }

    /// How many connections there are to the network of this host.
    pub(super) fn of_network(&self, ip: IpAddr) -> u32 {
        self.prefixes.get(&Prefix::of(ip)).copied().unwrap_or(0)
    }

    /// How many there are to this host alone; a walk over all of them.
    pub(super) fn of_host(&self, ip: IpAddr) -> u32 {
        let of_host = self.peers.values().filter(|peer| peer.addr.ip() == ip).count();
        u32::try_from(of_host).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, key: PeerKey) -> Option<&Peer> {
        self.peers.get(&key).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, key: PeerKey) -> Option<&mut Peer> {
        self.peers.get_mut(&key).map(Box::as_mut)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&PeerKey, &Peer)> {
        self.peers.iter().map(|(key, peer)| (key, &**peer))
    }

    pub(super) fn keys(&self) -> Vec<PeerKey> {
        self.peers.keys().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Connections that have a slot.
    pub(super) fn slots(&self) -> u32 {
        self.slots
    }

    /// Dials and handshakes under way.
    pub(super) fn half_open(&self) -> usize {
        self.dialing.len() + self.shaking.len()
    }

    /// Dials that do not stand yet, by when they began.
    pub(super) fn dialing(&self) -> &BTreeSet<(Time, PeerKey)> {
        &self.dialing
    }

    /// Connections that wait for a handshake, by when they, or their dial, began.
    pub(super) fn shaking(&self) -> &BTreeSet<(Time, PeerKey)> {
        &self.shaking
    }

    /// Connections that wait for a slot, by the time until which they do.
    pub(super) fn lobby(&self) -> &BTreeSet<(Time, PeerKey)> {
        &self.lobby
    }

    fn count(&mut self, key: PeerKey, place: Place, began_at: Time, here: bool) {
        let (set, at) = match place {
            Place::Slot if here => return self.slots += 1,
            Place::Slot => return self.slots -= 1,
            Place::Dialing => (&mut self.dialing, began_at),
            Place::Handshaking => (&mut self.shaking, began_at),
            Place::Lobby { until } => (&mut self.lobby, until),
        };
        if here {
            set.insert((at, key));
        } else {
            set.remove(&(at, key));
        }
    }
}

/// A connection, or one to be.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) addr: SocketAddr,
    pub(super) source: Source,
    place: Place,
    /// When it was dialed or came.
    began_at: Time,
    /// What it calls itself, once it said so.
    id: Option<PeerId>,
    /// What it has, if that is neither everything nor nothing.
    pub(super) bits: Option<Bitfield>,
    /// What we told it last: INTERESTED or not.
    pub(super) told_interested: bool,
    /// It was allowed pieces while we choke it.
    pub(super) allows: bool,
    /// Pieces that it allows us while it chokes us.
    pub(super) allowed: Vec<PieceIndex>,
    /// NOT_INTERESTED was sent since it became useless.
    pub(super) told_useless: bool,
    /// It has told what it has, and that was shown.
    pub(super) shown: bool,
    /// The rounds look at it.
    pub(super) awake: bool,
    pub(super) in_flight: VecDeque<Asked>,
    pub(super) window: Window,
    pub(super) working: Option<PieceIndex>,
    /// Since when it choked us before it let us ask.
    pub(super) choked_us_since: Time,
    /// It refused a block; it is asked again from then on.
    pub(super) hold_until: Time,
    /// How often in a row it did so.
    pub(super) refusals: u32,
    /// Payload sent when the rate was measured last.
    pub(super) uploaded_before: u64,
    /// Since when we do not read it, and how much later than its own our clock was before that.
    held_since: Option<Time>,
    held: Time,
}

/// A block that we asked a peer for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) block: Block,
    /// By the peer's own clock.
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
            began_at: now,
            id: None,
            bits: None,
            told_interested: false,
            allows: false,
            allowed: Vec::new(),
            told_useless: false,
            shown: false,
            awake: false,
            in_flight: VecDeque::new(),
            window: Window::new(now),
            working: None,
            choked_us_since: now,
            hold_until: now,
            refusals: 0,
            uploaded_before: 0,
            held_since: None,
            held: Time::ZERO,
        }
    }

    /// From `now` on its bytes are left unread, or are read again.
    pub(super) fn hold(&mut self, now: Time, held: bool) {
        if let Some(since) = self.held_since.take() {
            self.held = self.held + now.saturating_since(since);
        }
        self.held_since = held.then_some(now);
    }

    /// The time by the peer's own clock: it stands still while we do not read what it sent, so that our
    /// limit is not taken for the peer's slowness.
    pub(super) fn clock(&self, now: Time) -> Time {
        let heard_at = self.held_since.unwrap_or(now);
        Time::ZERO + heard_at.saturating_since(self.held)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.place, Place::Lobby { .. } | Place::Slot)
    }

    pub(super) fn place(&self) -> Place {
        self.place
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_small() {
        assert!(size_of::<Peer>() <= 280, "{} bytes", size_of::<Peer>());
    }
}
