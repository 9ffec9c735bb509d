//! How much of the metadata each host got, however many connections it makes for that.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ccbt_policy::Time;

/// A host gets the dictionary so often within `WINDOW`, as several peers may live behind its address, and ...
const COPIES: u32 = 5;
/// ... so many blocks besides.
const BLOCKS: u32 = 16;
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// Hosts that are counted at once; of more, the one that began first is forgotten.
const HOSTS: usize = 4096;

/// What was given to whom, for all connections of a torrent.
#[derive(Debug, Default)]
pub(super) struct Given(Mutex<HashMap<IpAddr, Share>>);

/// The blocks that a host got, and since when they are counted.
#[derive(Debug)]
struct Share {
    blocks: u32,
    since: Time,
}

impl Given {
    /// Whether the host may have one more block of a dictionary of `blocks`; counts it if so.
    pub(super) fn take(&self, now: Time, host: IpAddr, blocks: u32) -> bool {
        // No step between two states that belong together: one that panicked did no harm.
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(&host) && hosts.len() >= HOSTS {
            let first = hosts.iter().min_by_key(|(host, share)| (share.since, **host));
            if let Some(first) = first.map(|(host, _)| *host) {
                hosts.remove(&first);
            }
        }
        let share = hosts.entry(host).or_insert(Share { blocks: 0, since: now });
        if now.saturating_since(share.since) >= WINDOW {
            *share = Share { blocks: 0, since: now };
        }
        let may = share.blocks < COPIES * blocks + BLOCKS;
        share.blocks += u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(n: u32) -> IpAddr {
        IpAddr::V4((n + (1 << 24)).into())
    }

    fn taken(given: &Given, now: Time, host: IpAddr) -> usize {
        (0..200).filter(|_| given.take(now, host, 4)).count()
    }

    #[test]
    fn a_host_gets_five_copies_and_a_bit_in_an_hour() {
        let given = Given::default();
        assert_eq!(taken(&given, Time::ZERO, host(1)), 5 * 4 + 16);
        assert_eq!(taken(&given, Time::from_secs(3_599), host(1)), 0);
        assert_eq!(taken(&given, Time::from_secs(3_599), host(2)), 5 * 4 + 16);
        assert_eq!(taken(&given, Time::from_secs(3_600), host(1)), 5 * 4 + 16);
    }

    #[test]
    fn hosts_without_end_are_not_remembered_without_end() {
        let given = Given::default();
        for n in 0..5_000 {
            assert!(given.take(Time::from_secs(n.into()), host(n), 1));
        }
        assert_eq!(given.0.lock().unwrap().len(), HOSTS);
        assert_eq!(given.0.lock().unwrap().get(&host(4_999)).map(|share| share.blocks), Some(1));
    }
}
