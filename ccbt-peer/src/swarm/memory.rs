//! What we know of addresses, connected or not: who may be dialed, and when.

mod address;
mod kept;
mod outside;
mod record;
mod room;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ccbt_policy::{Candidate, Clears, Cooldown, Past, Source, Time};

pub(super) use address::{Prefix, canonical, is_local};
use outside::Outside;
use record::{Kind, Record, Spot, Standing, Wait};

/// Addresses that are remembered because somebody named them, and as many that came by themselves.
const ADDRESSES: usize = 10_000;
/// The waits of an address that the person gave or that was good to us.
const EAGER: Cooldown = Cooldown::new(Duration::from_secs(1), Duration::from_secs(60));
/// The waits of any other address that failed.
const PATIENT: Cooldown = Cooldown::new(Duration::from_secs(60), Duration::from_secs(2 * 60 * 60));
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why an address has to wait, if that is not a policy's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shun {
    reason: &'static str,
    cooldown: Cooldown,
}

/// It could not be reached, or the connection was lost.
const LOST: &str = "lost";
/// It broke the protocol.
pub(super) const VIOLATION: Shun = Shun::new("broke-protocol", 10 * 60, 2 * 60 * 60);
/// It sent a wrong piece.
pub(super) const BAN: Shun = Shun { reason: "sent-bad-piece", cooldown: Cooldown::BAN };
/// It is ourselves, or has another torrent.
pub(super) const STRANGER: Shun = Shun { reason: "stranger", cooldown: Cooldown::new(DAY, DAY) };
/// A newcomer that found no slot.
pub(super) const NO_SLOT: Shun = Shun::new("no-slot", 60, 60);
/// The same peer is connected from another address.
pub(super) const DUPLICATE: Shun = Shun::new("duplicate", 60, 60 * 60);
/// The blocklist names it; a new list ends the wait.
pub(super) const BLOCKED: Shun = Shun { reason: "blocked", cooldown: Cooldown::new(DAY, DAY) };
/// Its network has its share of the slots.
pub(super) const SAME_PREFIX: Shun = Shun::new("same-prefix", 60, 60);

impl Shun {
    const fn new(reason: &'static str, first: u64, cap: u64) -> Self {
        let (first, cap) = (Duration::from_secs(first), Duration::from_secs(cap));
        Self { reason, cooldown: Cooldown::new(first, cap) }
    }
}

/// All addresses of a swarm.
#[derive(Debug, Default)]
pub(super) struct Memory {
    records: HashMap<SocketAddr, Record>,
    /// How many of them are dialable, and whether one of these failed since room was made last.
    named: usize,
    failed: bool,
    /// Addresses that are neither connected nor dialed, by the time from which they may be. The number
    /// keeps the order of arrival.
    waiting: BTreeSet<(Time, u64, SocketAddr)>,
    /// Those of which the time has come, the best first.
    due: BTreeSet<(Rank, SocketAddr)>,
    due_at: Time,
    arrivals: u64,
    /// Hosts that may not come in, from whatever port.
    hosts: HashMap<IpAddr, Time>,
    /// Causes for which some cool-down may be waiting: most pieces that come clear none.
    clearable: Vec<Clears>,
    outside: Outside,
}

/// Which of two addresses is dialed first: the better standing, the greater priority of BEP 40, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    standing: Standing,
    priority: std::cmp::Reverse<u32>,
    arrival: u64,
}

impl Memory {
    /// A source named the address. False if it was known.
    pub(super) fn found(&mut self, now: Time, addr: SocketAddr, source: Source) -> bool {
        let addr = canonical(addr);
        let known = self.records.get(&addr).is_some_and(|record| record.dialable);
        if addr.port() == 0 || !(known || self.has_room_for(source)) {
            return false;
        }
        let record = self.records.entry(addr).or_insert_with(|| Record::new(source));
        // What we have from the peer itself, or from an earlier run, says nothing about where it is known.
        if source == Source::Given || !known {
            record.source = source;
        }
        record.dialable = true;
        self.named += usize::from(!known);
        // A source that names an address again neither shortens its wait nor costs it its place.
        if record.spot.is_none() {
            self.queue(now, addr);
        }
        !known
    }

    /// Where we listen ourselves: if others see us there, it decides who of equals is dialed first.
    pub(super) fn we_listen_at(&mut self, addr: SocketAddr) {
        if self.outside.listens_at(addr) {
            self.rank_anew();
        }
    }

    /// A peer at `from` says that it sees us at `ip`.
    pub(super) fn seen_at(&mut self, from: IpAddr, ip: IpAddr) {
        if self.outside.seen_at(from, ip) {
            self.rank_anew();
        }
    }

    /// Looks whose time has come.
    pub(super) fn wake(&mut self, now: Time) {
        while let Some((at, arrival, addr)) = self.waiting.first().copied().filter(|w| w.0 <= now) {
            self.waiting.remove(&(at, arrival, addr));
            self.due_at = self.due_at.max(at);
            let Some(record) = self.records.get_mut(&addr) else { continue };
            let rank = self.outside.rank(record.standing(), addr, arrival);
            record.spot = Some(Spot::Due(rank));
            self.due.insert((rank, addr));
        }
    }

    fn rank_anew(&mut self) {
        for (rank, addr) in std::mem::take(&mut self.due) {
            let Some(record) = self.records.get_mut(&addr) else { continue };
            let rank = self.outside.rank(rank.standing, addr, rank.arrival);
            record.spot = Some(Spot::Due(rank));
            self.due.insert((rank, addr));
        }
    }

    /// Takes the best of the addresses that may be dialed.
    pub(super) fn next(&mut self, now: Time) -> Option<(SocketAddr, Source)> {
        self.wake(now);
        let (_, addr) = *self.due.first()?;
        let source = self.records.get(&addr)?.source;
        self.connect(addr);
        Some((addr, source))
    }

    /// The address is dialed or has come by itself. False if it is connected already.
    pub(super) fn connect(&mut self, addr: SocketAddr) -> bool {
        if self.records.len() >= self.named + ADDRESSES {
            // Peers come in from ever new ports; what nobody can dial is not remembered without end.
            self.records.retain(|_, record| record.busy || record.dialable);
        }
        let record = self.records.entry(addr).or_insert_with(|| Record::new(Source::Incoming));
        if record.busy {
            return false;
        }
        record.busy = true;
        self.take_from_queue(addr);
        true
    }

    /// The peer that is connected at `addr` is also the one at `other`: as long as it is here, that address
    /// is neither dialed nor let in, and what the connection comes to holds for both. False if it cannot be.
    pub(super) fn is_also(&mut self, addr: SocketAddr, other: SocketAddr) -> bool {
        let other = canonical(other);
        let alone = self.records.get(&addr).is_some_and(|record| record.also.is_none());
        // Peers that come in name less than sources may.
        let room = self.named < ADDRESSES / 2 || self.records.contains_key(&other);
        if other == addr || other.port() == 0 || !alone || !room || !self.connect(other) {
            return false;
        }
        if let Some(record) = self.records.get_mut(&other) {
            record.waits.retain(|wait| wait.reason != DUPLICATE.reason);
        }
        if let Some(record) = self.records.get_mut(&addr) {
            record.also = Some(other);
        }
        true
    }

    /// The peer that is connected at `addr` says that it listens at `other`.
    pub(super) fn listens(&mut self, addr: SocketAddr, other: SocketAddr) {
        if self.is_also(addr, other)
            && let Some(record) = self.records.get_mut(&canonical(other))
        {
            self.named += usize::from(!record.dialable);
            record.dialable = true;
        }
    }

    /// The handshakes with the address are done.
    pub(super) fn connected(&mut self, addr: SocketAddr) {
        if let Some(record) = self.records.get_mut(&addr) {
            record.past.connections += 1;
        }
    }

    /// The address gave us a verified piece.
    pub(super) fn was_good(&mut self, addr: SocketAddr) {
        self.for_both(addr, |record| {
            record.good = true;
            record.waits.retain(|wait| wait.reason != LOST);
        });
    }

    /// The connection to the address failed or was lost.
    pub(super) fn lost(&mut self, now: Time, addr: SocketAddr) {
        self.failed = true;
        self.leave(now, addr, |record| {
            let cooldown = if record.is_dear() { EAGER } else { PATIENT };
            record.add_wait(now, LOST, cooldown, Kind::Other);
        });
    }

    /// The dial came to nothing, and not because of the address.
    pub(super) fn put_back(&mut self, now: Time, addr: SocketAddr) {
        self.leave(now, addr, |_| {});
    }

    /// The connection was closed by a policy: `reason` and `cooldown` are its words.
    pub(super) fn evicted(
        &mut self,
        now: Time,
        addr: SocketAddr,
        reason: &'static str,
        cooldown: Cooldown,
    ) {
        self.note_clears(cooldown.clears);
        self.leave(now, addr, |record| {
            record.past.evictions += 1;
            record.add_wait(now, reason, cooldown, Kind::Cooldown);
        });
    }

    /// The address is not to be dialed for a while, and may come in neither if it `bans`.
    pub(super) fn shun(&mut self, now: Time, addr: SocketAddr, why: Shun, bans: bool) {
        if bans && !is_local(addr.ip()) {
            // A peer that comes in has another port each time.
            self.hosts.retain(|_, until| now < *until);
            if self.hosts.len() < ADDRESSES {
                self.hosts.insert(addr.ip(), now + why.cooldown.first);
            }
        }
        let kind = if bans { Kind::Ban } else { Kind::Other };
        self.leave(now, addr, |record| record.add_wait(now, why.reason, why.cooldown, kind));
    }

    /// Those that waited for this reason need not any more.
    pub(super) fn pardon(&mut self, now: Time, why: Shun) {
        self.end_waits(now, |wait| wait.reason == why.reason);
    }

    /// The cause of these waits is gone.
    pub(super) fn clear(&mut self, now: Time, cause: Clears) {
        if self.clearable.contains(&cause) {
            self.clearable.retain(|clearable| *clearable != cause);
            self.end_waits(now, |wait| wait.clears == cause && now < wait.until);
        }
    }

    fn end_waits(&mut self, now: Time, which: impl Fn(&Wait) -> bool) {
        let mut freed = Vec::new();
        for (addr, record) in &mut self.records {
            let before = record.waits.len();
            record.waits.retain(|wait| !which(wait));
            if record.waits.len() < before {
                freed.push((record.spot.map(Spot::arrival), *addr));
            }
        }
        // In an order that does not depend on the map's.
        freed.sort_unstable();
        for (_, addr) in freed {
            self.queue(now, addr);
        }
    }

    fn note_clears(&mut self, clears: Clears) {
        if clears != Clears::Never && !self.clearable.contains(&clears) {
            self.clearable.push(clears);
        }
    }

    /// What the address did in a connection that is over.
    pub(super) fn remember(&mut self, addr: SocketAddr, down: u64, up: u64, have: u32) {
        self.for_both(addr, |record| {
            record.past.downloaded += down;
            record.past.uploaded += up;
            record.past.highest_have = record.past.highest_have.max(have);
        });
    }

    pub(super) fn past(&self, addr: SocketAddr) -> Past {
        self.records.get(&addr).map(|record| record.past).unwrap_or_default()
    }

    /// Whether the address may not come in.
    pub(super) fn is_banned(&self, now: Time, addr: SocketAddr) -> bool {
        let of_port = self.records.get(&addr).and_then(Record::banned_until);
        let of_host = self.hosts.get(&addr.ip()).copied();
        of_port.max(of_host).is_some_and(|until| now < until)
    }

    /// Whether a policy lets the address wait; it may come in then, but displaces nobody.
    pub(super) fn is_cooling(&self, now: Time, addr: SocketAddr) -> bool {
        let cools = |wait: &Wait| wait.kind == Kind::Cooldown && now < wait.until;
        self.records.get(&addr).is_some_and(|record| record.waits.iter().any(cools))
    }

    /// How many addresses could be dialed now.
    pub(super) fn candidates(&self, now: Time) -> usize {
        self.due.len() + self.waiting.iter().take_while(|(at, ..)| *at <= now).count()
    }

    /// How many addresses could be dialed when [`wake`](Self::wake) was called last.
    pub(super) fn reserve(&self) -> usize {
        self.due.len()
    }

    /// Addresses that could be dialed now, at most so many, in the order in which they will be.
    pub(super) fn promising(&mut self, now: Time, most: usize) -> Vec<Candidate> {
        self.wake(now);
        let due = self.due.iter().take(most);
        let candidates = due.filter_map(|(_, addr)| {
            let record = self.records.get(addr)?;
            Some(Candidate::new(*addr, record.source).with(|candidate| {
                candidate.failures = record.failures();
                candidate.past = record.past;
            }))
        });
        candidates.collect()
    }

    /// When the next address may be dialed.
    pub(super) fn next_at(&self) -> Option<Time> {
        if self.due.is_empty() {
            self.waiting.first().map(|(at, ..)| *at)
        } else {
            Some(self.due_at)
        }
    }

    fn for_both(&mut self, addr: SocketAddr, change: impl Fn(&mut Record)) {
        let Some(record) = self.records.get_mut(&addr) else { return };
        change(record);
        if let Some(other) = record.also.and_then(|other| self.records.get_mut(&other)) {
            change(other);
        }
    }

    /// The connection is over.
    fn leave(&mut self, now: Time, addr: SocketAddr, change: impl Fn(&mut Record)) {
        self.for_both(addr, |record| {
            record.busy = false;
            change(record);
        });
        let also = self.records.get_mut(&addr).and_then(|record| record.also.take());
        for addr in [Some(addr), also].into_iter().flatten() {
            self.queue(now, addr);
        }
    }

    /// Queues an idle address for `at`, or for when all its waits are over.
    fn queue(&mut self, at: Time, addr: SocketAddr) {
        self.take_from_queue(addr);
        let Some(record) = self.records.get_mut(&addr).filter(|r| r.dialable && !r.busy) else {
            return;
        };
        let at = record.waits.iter().map(|wait| wait.until).fold(at, Time::max);
        self.arrivals += 1;
        record.spot = Some(Spot::Waiting(at, self.arrivals));
        self.waiting.insert((at, self.arrivals, addr));
    }

    fn take_from_queue(&mut self, addr: SocketAddr) {
        match self.records.get_mut(&addr).and_then(|record| record.spot.take()) {
            Some(Spot::Waiting(at, arrival)) => _ = self.waiting.remove(&(at, arrival, addr)),
            Some(Spot::Due(rank)) => _ = self.due.remove(&(rank, addr)),
            None => {}
        }
    }
}
