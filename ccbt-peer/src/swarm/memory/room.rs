//! Which addresses are remembered when there are more than there are places, and which make room.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ccbt_policy::Source;

use super::record::{Kind, Record};
use super::{ADDRESSES, Memory};

/// Of these, so many are from peers at most: whoever connects can make up as many as he likes.
pub(super) const FROM_PEERS: usize = ADDRESSES / 4;

/// How many addresses that may be dialed there are, and who of them goes first.
#[derive(Debug, Default)]
pub(super) struct Room {
    dialable: usize,
    from_peers: usize,
    /// Idle ones that came to nothing: the least, and of equals the oldest, first.
    spent: BTreeSet<(Loss, u64, SocketAddr)>,
}

/// What is lost when an address is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    /// A peer named it, and it failed.
    Hearsay,
    /// It failed.
    Failure,
    /// A policy's word on it.
    Judgement,
}

impl Room {
    fn add(&mut self, addr: SocketAddr, record: &Record) {
        self.dialable += usize::from(record.dialable);
        self.from_peers += usize::from(record.dialable && record.source == Source::Pex);
        self.spent.extend(place(addr, record));
    }

    fn remove(&mut self, addr: SocketAddr, record: &Record) {
        self.dialable -= usize::from(record.dialable);
        self.from_peers -= usize::from(record.dialable && record.source == Source::Pex);
        if let Some(place) = place(addr, record) {
            self.spent.remove(&place);
        }
    }
}

fn place(addr: SocketAddr, record: &Record) -> Option<(Loss, u64, SocketAddr)> {
    let arrival = record.spot?.arrival();
    let is = |kind| record.waits.iter().any(|wait| wait.kind == kind);
    if record.is_dear() || record.waits.is_empty() || is(Kind::Ban) {
        return None;
    }
    let loss = match record.source {
        _ if is(Kind::Cooldown) => Loss::Judgement,
        Source::Pex => Loss::Hearsay,
        _ => Loss::Failure,
    };
    Some((loss, arrival, addr))
}

impl Memory {
    /// Changes a record, and what is counted of it.
    pub(super) fn change(&mut self, addr: SocketAddr, change: impl FnOnce(&mut Record)) {
        let Some(record) = self.records.get_mut(&addr) else { return };
        self.room.remove(addr, record);
        change(record);
        self.room.add(addr, record);
    }

    /// Whether one more address from there may be remembered; one that came to nothing is forgotten for it.
    pub(super) fn make_room(&mut self, source: Source) -> bool {
        let hearsay = source == Source::Pex;
        let room = &self.room;
        if room.dialable < ADDRESSES && !(hearsay && room.from_peers >= FROM_PEERS) {
            return true;
        }
        // What peers name pushes out nothing but that.
        let gives_way = |loss: Loss| !hearsay || loss == Loss::Hearsay;
        let Some(addr) = room.spent.first().filter(|s| gives_way(s.0)).map(|s| s.2) else {
            return false;
        };
        self.forget(addr);
        true
    }

    /// Addresses that nobody but such sources named are dialed no more, and not kept for the next run.
    pub(in crate::swarm) fn disregard(&mut self, which: impl Fn(Source) -> bool) {
        let named = self.records.iter().filter(|(_, r)| r.dialable && which(r.source));
        for addr in named.map(|(addr, _)| *addr).collect::<Vec<_>>() {
            self.take_from_queue(addr);
            self.change(addr, |record| record.dialable = false);
        }
    }

    fn forget(&mut self, addr: SocketAddr) {
        self.take_from_queue(addr);
        if let Some(record) = self.records.remove(&addr) {
            self.room.remove(addr, &record);
        }
    }
}

#[cfg(test)]
mod tests;
