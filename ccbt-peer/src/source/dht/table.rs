//! Whom a node knows: at most eight for each bit that they share with it (BEP 5, the routing table).

use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::Time;

use super::id::{NodeId, is_local};
use super::krpc::Contact;

/// Nodes in a bucket, and nodes that a reply names.
pub(super) const BUCKET: usize = 8;
/// A node that was not heard for so long has to show that it is still there.
const QUESTIONABLE: Duration = Duration::from_secs(15 * 60);
/// A node that did not answer so often in a row is gone.
const FAILURES: u8 = 3;

/// The nodes of one address family that have answered us.
#[derive(Debug)]
pub(super) struct Table {
    ours: NodeId,
    buckets: Vec<Vec<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    contact: Contact,
    heard_at: Time,
    /// Queries without an answer since then.
    failures: u8,
}

impl Table {
    pub(super) fn new(ours: NodeId) -> Self {
        Self { ours, buckets: vec![Vec::new(); 160] }
    }

    pub(super) fn ours(&self) -> NodeId {
        self.ours
    }

    /// The same nodes as they are seen from another place.
    pub(super) fn move_to(&mut self, ours: NodeId) {
        let old = std::mem::replace(self, Self::new(ours));
        for entry in old.buckets.into_iter().flatten() {
            self.heard(entry.heard_at, entry.contact);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.iter().map(Vec::len).sum()
    }

    /// All of them, those that were heard last first.
    pub(super) fn contacts(&self) -> Vec<Contact> {
        let mut entries: Vec<&Entry> = self.buckets.iter().flatten().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.heard_at));
        entries.into_iter().map(|entry| entry.contact).collect()
    }

    /// Whether a node that we do not know would find room.
    pub(super) fn has_room_for(&self, contact: Contact) -> bool {
        let Some(bucket) = self.bucket(contact.id) else { return false };
        let bucket = &self.buckets[bucket];
        bucket.iter().all(|entry| entry.contact.id != contact.id)
            && (bucket.len() < BUCKET || bucket.iter().any(|entry| entry.failures > 0))
    }

    /// A node answered. It has a place if its bucket has room, or somebody in it does not answer; and if
    /// nobody else is at its address, unless that is a local one.
    pub(super) fn heard(&mut self, now: Time, contact: Contact) {
        let Some(at) = self.bucket(contact.id) else { return };
        if let Some(entry) =
            self.buckets[at].iter_mut().find(|entry| entry.contact.id == contact.id)
        {
            // A name that is somewhere else now has to wait until it no longer answers where it was.
            if entry.contact.addr == contact.addr {
                (entry.heard_at, entry.failures) = (now, 0);
            }
            return;
        }
        let ip = contact.addr.ip();
        let same_host = |entry: &Entry| {
            entry.contact.addr == contact.addr || (!is_local(ip) && entry.contact.addr.ip() == ip)
        };
        if self.buckets.iter().flatten().any(same_host) {
            return;
        }
        let entry = Entry { contact, heard_at: now, failures: 0 };
        let bucket = &mut self.buckets[at];
        if bucket.len() < BUCKET {
            bucket.push(entry);
        } else if let Some(silent) = bucket.iter_mut().max_by_key(|entry| entry.failures)
            && silent.failures > 0
        {
            *silent = entry;
        }
    }

    /// Whoever is at this address did not answer.
    pub(super) fn silent(&mut self, addr: SocketAddr) {
        for bucket in &mut self.buckets {
            bucket.iter_mut().filter(|entry| entry.contact.addr == addr).for_each(|entry| {
                entry.failures = entry.failures.saturating_add(1);
            });
            bucket.retain(|entry| entry.failures < FAILURES);
        }
    }

    /// So many nodes at the most that are nearest to `target`, those that answer first.
    pub(super) fn nearest(&self, target: NodeId, count: usize) -> Vec<Contact> {
        let mut entries: Vec<&Entry> = self.buckets.iter().flatten().collect();
        entries.sort_by_key(|entry| (entry.failures > 0, entry.contact.id.distance(target)));
        entries.into_iter().take(count).map(|entry| entry.contact).collect()
    }

    /// So many nodes at the most that have to show that they are still there.
    pub(super) fn questionable(&self, now: Time, count: usize) -> Vec<SocketAddr> {
        let old = |entry: &&Entry| {
            entry.failures > 0 || now.saturating_since(entry.heard_at) >= QUESTIONABLE
        };
        let entries = self.buckets.iter().flatten().filter(old);
        entries.take(count).map(|entry| entry.contact.addr).collect()
    }

    /// `None` is the place of our own name, where nobody else can be.
    fn bucket(&self, id: NodeId) -> Option<usize> {
        Some(self.ours.common_bits(id)).filter(|bits| *bits < self.buckets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: NodeId = NodeId([0; 20]);

    fn far(number: u8) -> Contact {
        let mut id = [0x80; 20];
        id[19] = number;
        Contact { id: NodeId(id), addr: ([203, 0, 113, number], 6881).into() }
    }

    fn full() -> Table {
        let mut table = Table::new(OURS);
        (1..=8).for_each(|number| table.heard(Time::ZERO, far(number)));
        table
    }

    #[test]
    fn a_full_bucket_takes_somebody_only_for_one_who_does_not_answer() {
        let mut table = full();
        assert!(!table.has_room_for(far(9)));
        table.heard(Time::ZERO, far(9));
        assert_eq!(table.len(), 8);
        table.silent(far(3).addr);
        assert!(table.has_room_for(far(9)));
        table.heard(Time::ZERO, far(9));
        let known = table.contacts();
        assert!(known.contains(&far(9)) && !known.contains(&far(3)));
        assert_eq!(known.len(), 8);
    }

    #[test]
    fn one_that_does_not_answer_three_times_in_a_row_is_gone() {
        let mut table = full();
        for _ in 0..2 {
            table.silent(far(1).addr);
            table.silent(far(1).addr);
            table.heard(Time::ZERO, far(1));
        }
        assert_eq!(table.len(), 8);
        (0..3).for_each(|_| table.silent(far(1).addr));
        assert_eq!(table.len(), 7);
    }

    #[test]
    fn a_public_host_has_one_place_and_a_local_one_many() {
        let mut table = Table::new(OURS);
        for (number, ip) in [(1, [203, 0, 113, 1]), (2, [203, 0, 113, 1])] {
            table.heard(
                Time::ZERO,
                Contact { addr: (ip, 6880 + u16::from(number)).into(), ..far(number) },
            );
        }
        assert_eq!(table.len(), 1);
        for number in 3..6 {
            let addr = ([127, 0, 0, 1], u16::from(number)).into();
            table.heard(Time::ZERO, Contact { addr, ..far(number) });
        }
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn a_name_keeps_its_address_and_our_own_has_no_place() {
        let mut table = full();
        let thief = Contact { addr: ([198, 51, 100, 1], 1).into(), ..far(1) };
        table.heard(Time::ZERO, thief);
        assert!(!table.contacts().contains(&thief));
        let mirror = Contact { id: OURS, addr: ([198, 51, 100, 2], 1).into() };
        table.heard(Time::ZERO, mirror);
        assert_eq!(table.len(), 8);
        assert!(!table.has_room_for(mirror));
    }

    #[test]
    fn after_a_quarter_of_an_hour_a_node_has_to_show_itself() {
        let table = full();
        assert!(table.questionable(Time::from_millis(899_999), 99).is_empty());
        assert_eq!(table.questionable(Time::from_secs(900), 3).len(), 3);
    }

    #[test]
    fn the_nearest_come_first_and_those_who_do_not_answer_last() {
        let mut table = full();
        table.silent(far(2).addr);
        let nearest = table.nearest(far(2).id, 8);
        assert_eq!(nearest[0], far(3));
        assert_eq!(nearest[7], far(2));
        let moved = NodeId([0x80; 20]);
        table.move_to(moved);
        assert_eq!(table.ours(), moved);
        assert_eq!(table.len(), 8);
    }
}
