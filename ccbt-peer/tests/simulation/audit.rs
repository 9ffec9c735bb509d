//! Promises of the core that hold in every run, checked at every input and action.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ccbt_peer::EventKind;
use ccbt_peer::core::{Action, Announced, Input, PeerKey, SessionEvent, SwarmCore, Tell};
use ccbt_peer::wire::{Bitfield, Block, PieceIndex};

/// What the core was told of its connections, and what it did with them.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    peers: BTreeMap<PeerKey, Known>,
    addrs: BTreeSet<SocketAddr>,
    closed: BTreeSet<PeerKey>,
    connected: BTreeSet<SocketAddr>,
    stored: BTreeSet<PieceIndex>,
    announced: BTreeSet<PieceIndex>,
}

#[derive(Debug)]
struct Known {
    addr: SocketAddr,
    unchoked: bool,
    /// Pieces that may be asked for while it chokes us.
    allowed: BTreeSet<PieceIndex>,
    all: bool,
    has: BTreeSet<PieceIndex>,
    asked: BTreeSet<(PieceIndex, u32)>,
}

impl Audit {
    /// Of a swarm that has these pieces already.
    pub(crate) fn resumed(have: &Bitfield) -> Self {
        let stored: BTreeSet<_> = have.iter_ones().collect();
        Self { announced: stored.clone(), stored, ..Self::default() }
    }

    pub(crate) fn admitted(&mut self, key: PeerKey, addr: SocketAddr) {
        assert!(self.addrs.insert(addr), "{addr} is connected twice");
        let known = Known {
            addr,
            unchoked: false,
            allowed: BTreeSet::new(),
            all: false,
            has: BTreeSet::new(),
            asked: BTreeSet::new(),
        };
        assert!(self.peers.insert(key, known).is_none(), "{key:?} is used twice");
    }

    pub(crate) fn input(&mut self, input: &Input) {
        match input {
            Input::Stored(piece) => _ = self.stored.insert(*piece),
            Input::DialFailed { key, .. } | Input::NoDescriptor(key) => {
                if let Some(known) = self.peers.remove(key) {
                    self.addrs.remove(&known.addr);
                }
            }
            Input::Session { key, event } => {
                if let Some(known) = self.peers.get_mut(key) {
                    known.hear(event);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn action(&mut self, action: &Action) {
        match action {
            Action::Dial { key, addr } => self.admitted(*key, *addr),
            Action::Tell { key, tell } => {
                let known = self.peers.get_mut(key);
                known.unwrap_or_else(|| panic!("{key:?} is gone, but told {tell:?}")).told(tell);
                if let Tell::Request(blocks) = tell {
                    for block in blocks {
                        assert!(!self.stored.contains(&block.piece), "{block:?} is here already");
                    }
                }
            }
            Action::Announce(piece) => {
                assert!(self.stored.contains(piece), "{piece:?} is not stored");
                assert!(self.announced.insert(*piece), "{piece:?} is announced twice");
            }
            Action::Close { key, .. } => {
                assert!(self.closed.insert(*key), "{key:?} is closed twice");
                let known = self.peers.remove(key).expect("a connection that is there");
                self.addrs.remove(&known.addr);
            }
            Action::Emit(EventKind::PeerConnected { peer, .. }) => {
                assert!(self.connected.insert(*peer), "{peer} is connected twice");
            }
            Action::Emit(EventKind::PeerClosed { peer, .. }) => _ = self.connected.remove(peer),
            Action::Forget(_)
            | Action::ShowAll
            | Action::Emit(_)
            | Action::Metadata(_)
            | Action::DhtNode(_) => {}
        }
    }

    /// What the core says about its requests is what it asked for.
    pub(crate) fn compare(&self, core: &SwarmCore) {
        for (key, view) in core.views() {
            let asked = self.peers.get(&key).map_or(0, |known| known.asked.len());
            assert_eq!(view.in_flight as usize, asked, "requests of {key:?}");
            let told = core.view(key).unwrap();
            assert_eq!(told.am_interested, told.wanted > 0);
        }
    }

    /// Everything is over.
    pub(crate) fn end(&self) {
        assert!(self.connected.is_empty(), "without PeerClosed: {:?}", self.connected);
        assert!(self.peers.is_empty(), "never closed: {:?}", self.peers.keys());
    }
}

impl Known {
    fn hear(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::Has(announced) => {
                self.all = *announced == Announced::All;
                self.has = match announced {
                    Announced::Some(bits) => Bitfield::iter_ones(bits).collect(),
                    _ => BTreeSet::new(),
                };
            }
            SessionEvent::Have(piece) => _ = self.has.insert(*piece),
            SessionEvent::AllowedFast(piece) => _ = self.allowed.insert(*piece),
            SessionEvent::Unchoked => self.unchoked = true,
            SessionEvent::Choked => {
                self.unchoked = false;
                self.asked.retain(|(piece, _)| self.allowed.contains(piece));
            }
            SessionEvent::Rejected(block) | SessionEvent::Received { block, .. } => {
                self.asked.remove(&name(*block));
            }
            _ => {}
        }
    }

    fn told(&mut self, tell: &Tell) {
        match tell {
            Tell::Request(blocks) => {
                for block in blocks {
                    let may = self.unchoked || self.allowed.contains(&block.piece);
                    assert!(may, "{} chokes us and is asked for {block:?}", self.addr);
                    let has = self.all || self.has.contains(&block.piece);
                    assert!(has, "{} does not have {:?}", self.addr, block.piece);
                    let twice = !self.asked.insert(name(*block));
                    assert!(!twice, "{} is asked for {block:?} twice", self.addr);
                }
            }
            Tell::Cancel(blocks) => {
                for block in blocks {
                    assert!(self.asked.remove(&name(*block)), "{block:?} was not asked for");
                }
            }
            Tell::Interested(_)
            | Tell::Choke(_)
            | Tell::AllowFast(_)
            | Tell::Have(_)
            | Tell::UploadOnly(_)
            | Tell::Metadata
            | Tell::Pex(_)
            | Tell::AskMetadata(_) => {}
        }
    }
}

fn name(block: Block) -> (PieceIndex, u32) {
    (block.piece, block.begin)
}
