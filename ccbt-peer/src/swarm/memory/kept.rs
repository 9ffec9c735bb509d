//! What is kept of addresses across restarts.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ccbt_policy::{Clears, Source, Time};

use super::record::{Kind, Record, Wait};
use super::{
    ADDRESSES, BLOCKED, DUPLICATE, Memory, NO_METADATA, NO_SLOT, SAME_PREFIX, STRANGER, canonical,
};
use crate::addresses::{Addresses, KnownAddress, KnownWait};

/// Reasons that lie in one run, or that each run finds out anew.
const PASSING: [&str; 6] = [
    NO_SLOT.reason,
    DUPLICATE.reason,
    SAME_PREFIX.reason,
    BLOCKED.reason,
    STRANGER.reason,
    NO_METADATA.reason,
];

impl Memory {
    /// Who was good and who has to wait, the good ones first; and which hosts are banned, for how long.
    pub(in crate::swarm) fn known(
        &self,
        now: Time,
    ) -> (Vec<KnownAddress>, Vec<(IpAddr, Duration)>) {
        let known = self.records.iter().filter_map(|(addr, record)| record.known(now, *addr));
        let mut peers: Vec<_> = known.collect();
        peers.sort_unstable_by_key(|peer| (!peer.good, peer.addr));
        let hosts = self.hosts.iter().filter(|(_, until)| now < **until);
        let mut hosts: Vec<_> =
            hosts.map(|(ip, until)| (*ip, until.saturating_since(now))).collect();
        hosts.sort_unstable();
        (peers, hosts)
    }

    /// Takes in what an earlier run wrote down; what `gone` says has come about since. The
    /// half of our places is left to those that sources name.
    pub(in crate::swarm) fn recall(&mut self, now: Time, addresses: &Addresses, gone: &[Clears]) {
        for (ip, left) in addresses.hosts.iter().take(ADDRESSES) {
            self.hosts.insert(ip.to_canonical(), now + *left);
        }
        for peer in addresses.peers.iter().take(ADDRESSES / 2) {
            let addr = canonical(peer.addr);
            if self.records.contains_key(&addr) {
                continue;
            }
            let mut record = Record::new(Source::Other);
            record.good = peer.good;
            for wait in peer.waits.iter().filter(|wait| !gone.contains(&wait.clears)) {
                if record.waits.iter().all(|kept| kept.reason != wait.reason) {
                    self.note_clears(wait.clears);
                    record.keep(Wait {
                        reason: Cow::Owned(wait.reason.clone()),
                        until: now + wait.left,
                        times: wait.times,
                        clears: wait.clears,
                        kind: wait.kind,
                    });
                }
            }
            self.records.insert(addr, record);
            // The others are dialed when a source names them: they may be others by now.
            if peer.good && peer.dialable {
                self.found(now, addr, Source::Other);
            }
        }
    }
}

impl Record {
    fn known(&self, now: Time, addr: SocketAddr) -> Option<KnownAddress> {
        let waits = self.waits.iter().filter(|wait| !PASSING.contains(&&*wait.reason));
        let waits = waits.map(|wait| KnownWait {
            reason: wait.reason.clone().into_owned(),
            left: wait.until.saturating_since(now),
            times: wait.times,
            clears: wait.clears,
            kind: wait.kind,
        });
        let waits: Vec<_> = waits.collect();
        // A peer that came by itself has another port next time.
        let worth = (self.dialable && (self.good || !waits.is_empty()))
            || waits.iter().any(|wait| wait.kind == Kind::Ban);
        worth.then_some(KnownAddress { addr, dialable: self.dialable, good: self.good, waits })
    }
}
