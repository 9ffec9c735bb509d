//! Room for addresses: nobody fills it for good.

use std::cmp::Reverse;
use std::net::SocketAddr;

use ccbt_policy::Source;

use super::record::{Kind, Record};
use super::{ADDRESSES, Memory};

/// What everybody may name together; the rest is left to the person and to trackers.
const HEARSAY: usize = ADDRESSES / 4 * 3;
/// So many that failed are forgotten at once.
const FORGOTTEN: usize = ADDRESSES / 10;

impl Memory {
    /// Whether one more address of this source is remembered. Where there is no room, those that cannot be
    /// reached give way: else whoever names enough of them would keep out every peer that comes later.
    pub(super) fn has_room_for(&mut self, source: Source) -> bool {
        let most = match source {
            Source::Given | Source::Tracker => ADDRESSES,
            _ => HEARSAY,
        };
        self.named < most || self.forget_failures()
    }

    /// Forgets addresses that failed, first those that did so most often; false if there is none.
    fn forget_failures(&mut self) -> bool {
        if !std::mem::take(&mut self.failed) {
            return false;
        }
        let failures = self.records.iter().filter(|(_, record)| record.is_forgettable());
        let mut failures: Vec<(Reverse<u32>, SocketAddr)> =
            failures.map(|(addr, record)| (Reverse(record.failures()), *addr)).collect();
        self.failed = failures.len() > FORGOTTEN;
        failures.sort_unstable();
        failures.truncate(FORGOTTEN);
        for (_, addr) in &failures {
            self.take_from_queue(*addr);
            self.records.remove(addr);
        }
        self.named -= failures.len();
        !failures.is_empty()
    }
}

impl Record {
    /// Nobody was there, nobody is now, and nothing that has to be remembered stands against it.
    fn is_forgettable(&self) -> bool {
        let idle = self.dialable && !self.busy && !self.is_dear();
        idle && self.failures() > 0 && self.waits.iter().all(|wait| wait.kind == Kind::Other)
    }
}

#[cfg(test)]
mod tests {
    use ccbt_policy::Time;

    use super::super::VIOLATION;
    use super::*;

    fn address(n: usize) -> SocketAddr {
        let [.., a, b, c] = n.to_be_bytes();
        SocketAddr::from(([203, a, b, c], 6881))
    }

    fn filled(source: Source, count: usize) -> Memory {
        let mut memory = Memory::default();
        let told = (0..count).filter(|n| memory.found(Time::ZERO, address(*n), source)).count();
        assert_eq!(told, count);
        memory
    }

    #[test]
    fn peers_that_come_in_by_the_thousand_take_no_room_from_those_that_are_named() {
        let mut memory = Memory::default();
        for n in 0..30_000 {
            memory.connect(address(n));
            memory.lost(Time::ZERO, address(n));
        }
        assert!(memory.records.len() <= ADDRESSES);
        assert!(memory.found(Time::ZERO, address(50_000), Source::Pex));
    }

    #[test]
    fn what_peers_name_leaves_room_for_what_trackers_name() {
        let mut memory = filled(Source::Pex, HEARSAY);
        assert!(!memory.found(Time::ZERO, address(50_000), Source::Pex));
        assert!(!memory.found(Time::ZERO, address(50_000), Source::Dht));
        assert!(memory.found(Time::ZERO, address(50_000), Source::Tracker));
    }

    #[test]
    fn addresses_that_fail_give_way_to_new_ones() {
        let mut memory = filled(Source::Tracker, ADDRESSES);
        let (now, new) = (Time::from_secs(1), address(50_000));
        assert!(!memory.found(now, new, Source::Tracker), "nobody has failed yet");
        let (failed, _) = memory.next(now).unwrap();
        memory.lost(now, failed);
        assert!(memory.found(now, new, Source::Tracker));
        assert!(!memory.records.contains_key(&failed));
        assert_eq!((memory.named, memory.records.len()), (ADDRESSES, ADDRESSES));
        assert!(!memory.found(now, address(50_001), Source::Tracker));
    }

    #[test]
    fn who_is_banned_or_was_good_is_not_forgotten_for_a_failure() {
        let mut memory = filled(Source::Tracker, ADDRESSES);
        let now = Time::from_secs(1);
        let (banned, _) = memory.next(now).unwrap();
        memory.shun(now, banned, VIOLATION, true);
        let (good, _) = memory.next(now).unwrap();
        memory.was_good(good);
        for addr in [banned, good] {
            memory.lost(now, addr);
        }
        assert!(!memory.found(now, address(50_000), Source::Tracker));
    }
}
