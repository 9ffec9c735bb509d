//! What is said to the local network and heard from it: no socket, no clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ccbt_policy::Time;
use ccbt_wire::InfoHash;
use ccbt_wire::local::{LocalAnnounce, MAX_TORRENTS};

/// No torrent is announced twice within this (BEP 14).
const AT_LEAST: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Addresses that are taken for a torrent in a minute.
const MOST_HEARD: usize = 64;

/// All torrents that take part.
#[derive(Debug)]
pub(super) struct Talk {
    cookie: String,
    torrents: BTreeMap<InfoHash, Torrent>,
    /// Torrents that have left, and when they may be announced again.
    rests: BTreeMap<InfoHash, Time>,
}

#[derive(Debug)]
struct Torrent {
    seat: u64,
    /// `None`: it only listens.
    port: Option<u16>,
    next_at: Time,
    announced_at: Option<Time>,
    /// Who was heard of within the last minute, and when.
    heard: Vec<(SocketAddr, Time)>,
}

impl Talk {
    pub(super) fn new(seed: u64) -> Self {
        Self { cookie: format!("{seed:016x}"), torrents: BTreeMap::new(), rests: BTreeMap::new() }
    }

    /// A torrent takes part from now on. If it did already, it does so for this seat only.
    pub(super) fn join(&mut self, now: Time, seat: u64, torrent: InfoHash, port: Option<u16>) {
        self.rests.retain(|_, until| *until > now);
        if let Some(before) = self.torrents.get(&torrent).map(|before| before.seat) {
            self.leave(before, torrent);
        }
        let next_at = self.rests.get(&torrent).copied().unwrap_or(now);
        let joined = Torrent { seat, port, next_at, announced_at: None, heard: Vec::new() };
        self.torrents.insert(torrent, joined);
    }

    pub(super) fn leave(&mut self, seat: u64, torrent: InfoHash) {
        if self.torrents.get(&torrent).is_none_or(|torrent| torrent.seat != seat) {
            return;
        }
        let left = self.torrents.remove(&torrent);
        if let Some(at) = left.and_then(|torrent| torrent.announced_at) {
            self.rests.insert(torrent, at + AT_LEAST);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.torrents.is_empty()
    }

    /// When there is something to say.
    pub(super) fn deadline(&self) -> Option<Time> {
        let speaking = self.torrents.values().filter(|torrent| torrent.port.is_some());
        speaking.map(|torrent| torrent.next_at).min()
    }

    /// What is to be said now, if there is something: one datagram, for torrents with the same port.
    pub(super) fn poll_announce(&mut self, now: Time) -> Option<LocalAnnounce> {
        let is_due = |torrent: &Torrent| torrent.port.is_some() && torrent.next_at <= now;
        let port = self.torrents.values().find(|torrent| is_due(torrent))?.port?;
        let mut info_hashes = Vec::new();
        let due = self.torrents.iter_mut().filter(|(_, torrent)| is_due(torrent));
        for (hash, torrent) in
            due.filter(|(_, torrent)| torrent.port == Some(port)).take(MAX_TORRENTS)
        {
            let wait = if torrent.announced_at.is_none() { AT_LEAST } else { INTERVAL };
            torrent.next_at = now + wait;
            torrent.announced_at = Some(now);
            info_hashes.push(*hash);
        }
        Some(LocalAnnounce { port, info_hashes, cookie: Some(self.cookie.clone()) })
    }

    /// A datagram; gives the peers of our torrents that were not heard of within the last minute.
    pub(super) fn handle_datagram(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Vec<(InfoHash, SocketAddr)> {
        let Ok(said) = LocalAnnounce::parse(bytes) else { return Vec::new() };
        if said.cookie.as_deref() == Some(self.cookie.as_str()) {
            return Vec::new();
        }
        let mut peer = from;
        peer.set_port(said.port);
        let mut found = Vec::new();
        for hash in said.info_hashes {
            let Some(torrent) = self.torrents.get_mut(&hash) else { continue };
            torrent.heard.retain(|(_, at)| now.saturating_since(*at) < AT_LEAST);
            let is_known = torrent.heard.iter().any(|(heard, _)| *heard == peer);
            if !is_known && torrent.heard.len() < MOST_HEARD {
                torrent.heard.push((peer, now));
                found.push((hash, peer));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([0xab; 20]);
    const OTHER: InfoHash = InfoHash([0xcd; 20]);

    fn at(seconds: u64) -> Time {
        Time::from_secs(seconds)
    }

    fn from() -> SocketAddr {
        ([192, 168, 1, 7], 6771).into()
    }

    fn peer() -> SocketAddr {
        ([192, 168, 1, 7], 7000).into()
    }

    fn said(hashes: &[InfoHash]) -> Vec<u8> {
        LocalAnnounce { port: 7000, info_hashes: hashes.to_vec(), cookie: Some("other".into()) }
            .encode("239.192.152.143:6771")
    }

    /// The seconds of all announces until `end`.
    fn announces(talk: &mut Talk, end: u64) -> Vec<u64> {
        let mut all = Vec::new();
        while let Some(next) = talk.deadline().filter(|next| *next <= at(end)) {
            assert!(talk.poll_announce(next).is_some());
            assert_eq!(talk.poll_announce(next), None);
            all.push(next.as_millis() / 1000);
        }
        all
    }

    #[test]
    fn a_torrent_is_announced_when_it_joins_a_minute_later_and_every_5_minutes() {
        let mut talk = Talk::new(1);
        assert_eq!(talk.deadline(), None);
        talk.join(at(5), 1, HASH, Some(6881));
        assert_eq!(announces(&mut talk, 1000), [5, 65, 365, 665, 965]);
        talk.leave(1, HASH);
        assert_eq!(talk.deadline(), None);
    }

    #[test]
    fn who_leaves_and_joins_again_within_a_minute_waits_for_its_end() {
        let mut talk = Talk::new(1);
        talk.join(at(0), 1, HASH, Some(6881));
        assert_eq!(announces(&mut talk, 10), [0]);
        talk.leave(1, HASH);
        talk.join(at(20), 2, HASH, Some(6881));
        assert_eq!(talk.deadline(), Some(at(60)));
        // A second swarm takes the place of the first, whose end then means nothing.
        talk.join(at(30), 3, HASH, Some(6882));
        talk.leave(2, HASH);
        assert!(!talk.is_empty());
        assert_eq!(announces(&mut talk, 70), [60]);
    }

    #[test]
    fn torrents_with_one_port_share_a_datagram_and_20_fit() {
        let mut talk = Talk::new(1);
        for number in 0..25 {
            talk.join(at(0), number, InfoHash([u8::try_from(number).unwrap(); 20]), Some(6881));
        }
        talk.join(at(0), 30, HASH, Some(6882));
        talk.join(at(0), 31, OTHER, None);
        let mut sizes = Vec::new();
        while let Some(announce) = talk.poll_announce(at(0)) {
            sizes.push((announce.port, announce.info_hashes.len()));
        }
        assert_eq!(sizes, [(6881, 20), (6881, 5), (6882, 1)]);
    }

    #[test]
    fn a_peer_has_the_address_of_the_datagram_and_the_port_of_the_message() {
        let mut talk = Talk::new(1);
        talk.join(at(0), 1, HASH, None);
        assert_eq!(talk.handle_datagram(at(1), from(), &said(&[OTHER, HASH])), [(HASH, peer())]);
        let six: SocketAddr = "[fe80::1%3]:6771".parse().unwrap();
        let six_peer: SocketAddr = "[fe80::1%3]:7000".parse().unwrap();
        assert_eq!(talk.handle_datagram(at(1), six, &said(&[HASH])), [(HASH, six_peer)]);
    }

    #[test]
    fn our_own_datagrams_foreign_torrents_and_nonsense_are_ignored() {
        let mut talk = Talk::new(1);
        talk.join(at(0), 1, HASH, Some(6881));
        let own = talk.poll_announce(at(0)).unwrap().encode("239.192.152.143:6771");
        assert_eq!(talk.handle_datagram(at(0), from(), &own), []);
        assert_eq!(talk.handle_datagram(at(0), from(), &said(&[OTHER])), []);
        assert_eq!(talk.handle_datagram(at(0), from(), b"BT-SEARCH"), []);
    }

    #[test]
    fn the_same_peer_counts_once_a_minute_and_so_many_peers_at_most() {
        let mut talk = Talk::new(1);
        talk.join(at(0), 1, HASH, Some(6881));
        let hear = |talk: &mut Talk, second, last| {
            let from = ([10, 0, 0, last], 6771).into();
            talk.handle_datagram(at(second), from, &said(&[HASH])).len()
        };
        assert_eq!(hear(&mut talk, 0, 1), 1);
        assert_eq!(hear(&mut talk, 59, 1), 0);
        assert_eq!(hear(&mut talk, 60, 1), 1);
        let taken: usize = (2..=200).map(|last| hear(&mut talk, 61, last)).sum();
        assert_eq!(taken, MOST_HEARD - 1);
        assert_eq!(hear(&mut talk, 121, 250), 1);
    }
}
