//! What we know of addresses, connected or not: who may be dialed, and when.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ccbt_policy::{Clears, Cooldown, Past, Source, Time};

/// Addresses that are remembered; a source that floods us with more is not believed.
const ADDRESSES: usize = 10_000;
/// First and longest wait for an address that the person gave or that was good to us.
const EAGER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// First and longest wait for any other address that failed.
const PATIENT: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(2 * 60 * 60));
/// An address that broke the protocol waits so long.
pub(super) const VIOLATION: Duration = Duration::from_secs(10 * 60);
/// An address that sent a wrong piece, or that is ourselves, waits so long.
pub(super) const BAN: Duration = Duration::from_secs(24 * 60 * 60);

/// All addresses of a swarm.
#[derive(Debug, Default)]
pub(super) struct Memory {
    records: HashMap<SocketAddr, Record>,
    /// Addresses that are neither connected nor dialed, by the time from which they may be. The number
    /// keeps the order of arrival.
    waiting: BTreeSet<(Time, u64, SocketAddr)>,
    arrivals: u64,
    /// Hosts that may not come in, from whatever port.
    hosts: HashMap<IpAddr, Time>,
    /// Causes for which some cool-down may be waiting: most pieces that come clear none.
    clearable: Vec<Clears>,
}

#[derive(Debug)]
struct Record {
    source: Source,
    /// We know that somebody listens there: a source said so, or the peer did.
    dialable: bool,
    busy: bool,
    /// Its key in `waiting`.
    waits: Option<(Time, u64)>,
    good: bool,
    failures: u32,
    cooldown: Option<Waiting>,
    banned_until: Option<Time>,
    past: Past,
}

/// A wait that a policy set.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    reason: &'static str,
    until: Time,
    wait: Duration,
    clears: Clears,
}

impl Memory {
    /// A source named the address. False if it was known.
    pub(super) fn found(&mut self, now: Time, addr: SocketAddr, source: Source) -> bool {
        let full = self.records.len() >= ADDRESSES;
        let addr = canonical(addr);
        if addr.port() == 0 || (full && !self.records.contains_key(&addr)) {
            return false;
        }
        let record = self.records.entry(addr).or_insert_with(|| Record::new(source));
        let known = record.dialable;
        if source == Source::Given {
            record.source = Source::Given;
        }
        record.dialable = true;
        // A source that names an address again neither shortens its wait nor costs it its place.
        if record.waits.is_none() {
            self.queue(now, addr);
        }
        !known
    }

    /// Takes the address that may be dialed and has waited longest.
    pub(super) fn next(&mut self, now: Time) -> Option<(SocketAddr, Source)> {
        let (at, _, addr) = *self.waiting.first()?;
        if at > now {
            return None;
        }
        let record = self.records.get_mut(&addr)?;
        let source = record.source;
        self.connect(addr);
        Some((addr, source))
    }

    /// The address is dialed or has come by itself. False if it is connected already.
    pub(super) fn connect(&mut self, addr: SocketAddr) -> bool {
        if self.records.len() >= 2 * ADDRESSES {
            // Peers come in from ever new ports; what nobody can dial is not remembered without end.
            self.records.retain(|_, record| record.busy || record.dialable);
        }
        let record = self.records.entry(addr).or_insert_with(|| Record::new(Source::Incoming));
        if record.busy {
            return false;
        }
        record.busy = true;
        if let Some((at, order)) = record.waits.take() {
            self.waiting.remove(&(at, order, addr));
        }
        true
    }

    /// The handshakes with the address are done.
    pub(super) fn connected(&mut self, addr: SocketAddr) {
        if let Some(record) = self.records.get_mut(&addr) {
            record.past.connections += 1;
        }
    }

    /// The address gave us a verified piece.
    pub(super) fn was_good(&mut self, addr: SocketAddr) {
        if let Some(record) = self.records.get_mut(&addr) {
            record.good = true;
            record.failures = 0;
        }
    }

    /// The connection to the address failed or was lost.
    pub(super) fn lost(&mut self, now: Time, addr: SocketAddr) {
        self.leave(now, addr, |record| {
            let (first, cap) = if record.is_dear() { EAGER } else { PATIENT };
            let wait = first.saturating_mul(1 << record.failures.min(16)).min(cap);
            record.failures += 1;
            now + wait
        });
    }

    /// The connection was closed by a policy: `reason` and `cooldown` are its words.
    pub(super) fn evicted(
        &mut self,
        now: Time,
        addr: SocketAddr,
        reason: &'static str,
        cooldown: Cooldown,
    ) {
        if !self.clearable.contains(&cooldown.clears) {
            self.clearable.push(cooldown.clears);
        }
        self.leave(now, addr, |record| {
            let again = record.cooldown.filter(|before| before.reason == reason);
            let wait = again.map_or(cooldown.first, |before| before.wait.saturating_mul(2));
            let wait = wait.min(cooldown.cap);
            record.past.evictions += 1;
            record.cooldown =
                Some(Waiting { reason, until: now + wait, wait, clears: cooldown.clears });
            now
        });
    }

    /// The address is not to be dialed for so long, and may come in neither if `ban` says so.
    pub(super) fn shun(&mut self, now: Time, addr: SocketAddr, wait: Duration, ban: bool) {
        if ban && stands_for_one(addr.ip()) {
            // A peer that comes in has another port each time.
            self.hosts.retain(|_, until| now < *until);
            if self.hosts.len() < ADDRESSES {
                self.hosts.insert(addr.ip(), now + wait);
            }
        }
        self.leave(now, addr, |record| {
            if ban {
                record.banned_until = Some(now + wait);
            }
            now + wait
        });
    }

    /// What the address did in a connection that is over.
    pub(super) fn remember(&mut self, addr: SocketAddr, down: u64, up: u64, have: u32) {
        if let Some(record) = self.records.get_mut(&addr) {
            record.past.downloaded += down;
            record.past.uploaded += up;
            record.past.highest_have = record.past.highest_have.max(have);
        }
    }

    pub(super) fn past(&self, addr: SocketAddr) -> Past {
        self.records.get(&addr).map(|record| record.past).unwrap_or_default()
    }

    /// Whether the address may come in.
    pub(super) fn is_banned(&self, now: Time, addr: SocketAddr) -> bool {
        let of_port = self.records.get(&addr).and_then(|record| record.banned_until);
        let of_host = self.hosts.get(&addr.ip()).copied();
        of_port.max(of_host).is_some_and(|until| now < until)
    }

    /// Whether a policy lets the address wait; it may come in then, but displaces nobody.
    pub(super) fn is_cooling(&self, now: Time, addr: SocketAddr) -> bool {
        let cooldown = self.records.get(&addr).and_then(|record| record.cooldown);
        cooldown.is_some_and(|cooldown| now < cooldown.until)
    }

    /// The cause of these waits is gone.
    pub(super) fn clear(&mut self, now: Time, cause: Clears) {
        if !self.clearable.contains(&cause) {
            return;
        }
        self.clearable.retain(|clearable| *clearable != cause);
        let cleared: Vec<SocketAddr> = (self.records.iter_mut())
            .filter(|(_, record)| {
                record.cooldown.is_some_and(|wait| wait.clears == cause && now < wait.until)
            })
            .map(|(addr, record)| {
                record.cooldown = None;
                *addr
            })
            .collect();
        for addr in cleared {
            self.queue(now, addr);
        }
    }

    /// How many addresses could be dialed now.
    pub(super) fn candidates(&self, now: Time) -> usize {
        self.waiting.iter().take_while(|(at, ..)| *at <= now).count()
    }

    /// When the next address may be dialed.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.waiting.first().map(|(at, ..)| *at)
    }

    /// The connection is over; `at` says when the address may be dialed again.
    fn leave(&mut self, now: Time, addr: SocketAddr, at: impl FnOnce(&mut Record) -> Time) {
        let Some(record) = self.records.get_mut(&addr) else { return };
        record.busy = false;
        let at = at(record).max(now);
        self.queue(at, addr);
    }

    /// Queues an idle address for `at`, or for when its cool-down is over.
    fn queue(&mut self, at: Time, addr: SocketAddr) {
        let Some(record) = self.records.get_mut(&addr) else { return };
        if record.busy || !record.dialable {
            return;
        }
        let mut at = record.cooldown.map_or(at, |cooldown| at.max(cooldown.until));
        at = record.banned_until.map_or(at, |until| at.max(until));
        if let Some((before, order)) = record.waits.take() {
            self.waiting.remove(&(before, order, addr));
        }
        self.arrivals += 1;
        record.waits = Some((at, self.arrivals));
        self.waiting.insert((at, self.arrivals, addr));
    }
}

impl Record {
    fn new(source: Source) -> Self {
        Self {
            source,
            dialable: false,
            busy: false,
            waits: None,
            good: false,
            failures: 0,
            cooldown: None,
            banned_until: None,
            past: Past::default(),
        }
    }

    /// The person wants it, or it has proved itself.
    fn is_dear(&self) -> bool {
        self.good || self.source == Source::Given
    }
}

/// Whether a host is most likely one peer: many may live on this machine and behind one router's network.
fn stands_for_one(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// One address, one form: IPv4 in IPv6 clothes is IPv4.
pub(super) fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V6(ip) => SocketAddr::new(ip.to_canonical(), addr.port()),
        IpAddr::V4(_) => addr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDR: &str = "10.0.0.1:6881";
    const USELESS: Cooldown = Cooldown {
        first: Duration::from_secs(60),
        cap: Duration::from_secs(3600),
        clears: Clears::ModeChanged,
    };

    fn known(source: Source) -> (Memory, SocketAddr) {
        let mut memory = Memory::default();
        let addr = ADDR.parse().unwrap();
        memory.found(Time::ZERO, addr, source);
        assert_eq!(memory.next(Time::ZERO), Some((addr, source)));
        (memory, addr)
    }

    #[test]
    fn a_given_address_that_was_lost_is_tried_after_1_2_4_and_at_most_60_seconds() {
        let (mut memory, addr) = known(Source::Given);
        let mut now = Time::ZERO;
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            memory.lost(now, addr);
            assert_eq!(memory.next_at(), Some(now + Duration::from_secs(wait)));
            now = now + Duration::from_secs(wait);
            assert!(memory.next(now).is_some());
        }
    }

    #[test]
    fn an_evicted_address_waits_60_seconds_and_then_twice_as_long_each_time() {
        let (mut memory, addr) = known(Source::Given);
        let mut now = Time::ZERO;
        for wait in [60, 120, 240] {
            memory.evicted(now, addr, "no-interest", USELESS);
            assert!(memory.is_cooling(now, addr));
            // Neither the person nor a tracker shortens the wait.
            memory.found(now, addr, Source::Tracker);
            now = now + Duration::from_secs(wait);
            assert_eq!(memory.next_at(), Some(now));
            assert!(memory.next(now).is_some());
        }
    }

    #[test]
    fn what_clears_the_reason_clears_the_wait() {
        let (mut memory, addr) = known(Source::Tracker);
        memory.evicted(Time::ZERO, addr, "redundant", USELESS);
        memory.clear(Time::from_secs(1), Clears::WantedGrew);
        assert_eq!(memory.next(Time::from_secs(1)), None);
        memory.clear(Time::from_secs(1), Clears::ModeChanged);
        assert!(!memory.is_cooling(Time::from_secs(1), addr));
    }

    #[test]
    fn what_clears_the_reason_clears_the_wait_of_an_address_that_failed_before() {
        let (mut memory, addr) = known(Source::Tracker);
        memory.lost(Time::ZERO, addr);
        let now = memory.next_at().unwrap();
        assert!(memory.next(now).is_some());
        memory.evicted(now, addr, "no-interest", USELESS);
        memory.clear(now, Clears::ModeChanged);
        assert_eq!(memory.next_at(), Some(now));
    }

    #[test]
    fn a_source_that_names_an_address_again_neither_hurries_it_nor_costs_it_its_place() {
        let (mut memory, shunned) = known(Source::Tracker);
        memory.shun(Time::ZERO, shunned, VIOLATION, false);
        memory.found(Time::from_secs(1), shunned, Source::Tracker);
        assert_eq!(memory.next_at(), Some(Time::ZERO + VIOLATION));

        let mut memory = Memory::default();
        let [first, second] = [1, 2].map(|n| SocketAddr::from(([10, 0, 0, n], 6881)));
        for (at, addr) in [(0, first), (1, second), (2, first)] {
            memory.found(Time::from_secs(at), addr, Source::Tracker);
        }
        assert_eq!(memory.next(Time::from_secs(3)).map(|(addr, _)| addr), Some(first));
    }

    #[test]
    fn a_banned_address_comes_back_neither_way() {
        let (mut memory, addr) = known(Source::Tracker);
        memory.shun(Time::ZERO, addr, BAN, true);
        assert!(memory.is_banned(Time::from_secs(1), addr));
        memory.found(Time::from_secs(1), addr, Source::Given);
        assert_eq!(memory.next(Time::from_secs(86_399)), None);
    }

    #[test]
    fn a_banned_host_comes_in_from_no_port_but_neighbours_on_this_machine_do() {
        let mut memory = Memory::default();
        let out: SocketAddr = "192.0.2.1:1000".parse().unwrap();
        let here: SocketAddr = "127.0.0.1:1000".parse().unwrap();
        for addr in [out, here] {
            memory.connect(addr);
            memory.shun(Time::ZERO, addr, BAN, true);
        }
        let banned = |addr: &str| memory.is_banned(Time::from_secs(1), addr.parse().unwrap());
        assert!(banned("192.0.2.1:2000") && banned("127.0.0.1:1000"));
        assert!(!banned("127.0.0.1:2000"));
    }

    #[test]
    fn ipv4_in_ipv6_is_the_same_address() {
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:6881".parse().unwrap();
        assert_eq!(canonical(mapped), ADDR.parse().unwrap());
    }

    #[test]
    fn a_flood_of_peers_that_come_and_go_is_not_remembered_without_end() {
        let (mut memory, known) = known(Source::Tracker);
        for n in 0..5 * u32::try_from(ADDRESSES).unwrap() {
            let addr = SocketAddr::from((n.to_be_bytes(), 50_000));
            memory.connect(addr);
            memory.lost(Time::ZERO, addr);
        }
        assert!(memory.records.len() <= 2 * ADDRESSES);
        assert!(memory.records.contains_key(&known));
    }

    #[test]
    fn a_peer_that_came_by_itself_is_not_dialed() {
        let mut memory = Memory::default();
        let addr: SocketAddr = ADDR.parse().unwrap();
        assert!(memory.connect(addr));
        assert!(!memory.connect(addr), "one connection for each address");
        memory.lost(Time::ZERO, addr);
        assert_eq!(memory.next_at(), None);
    }
}
