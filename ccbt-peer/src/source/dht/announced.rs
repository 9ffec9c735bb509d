//! What others announced to us, and the tokens without which they cannot (BEP 5).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ccbt_policy::Time;
use ccbt_wire::InfoHash;
use sha1::{Digest, Sha1};

/// An announce that is not repeated is forgotten after so long.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// So often there is another secret; tokens of the one before still count.
const SECRET: Duration = Duration::from_secs(5 * 60);
const MOST_TORRENTS: usize = 1_000;
const MOST_PEERS: usize = 200;
/// Peers in one answer: with eight nodes it still fits a datagram that no router cuts.
const IN_ANSWER: usize = 30;

/// Peers of torrents, as they announced themselves.
#[derive(Debug)]
pub(super) struct Announced {
    torrents: HashMap<InfoHash, Vec<(SocketAddr, Time)>>,
    secrets: [[u8; 16]; 2],
    secret_since: Time,
}

impl Announced {
    pub(super) fn new(now: Time, rng: &mut fastrand::Rng) -> Self {
        let mut secrets = [[0; 16]; 2];
        secrets.iter_mut().for_each(|secret| rng.fill(secret));
        Self { torrents: HashMap::new(), secrets, secret_since: now }
    }

    /// What somebody has to show who wants to announce from this address.
    pub(super) fn token(&self, ip: IpAddr) -> Vec<u8> {
        token(&self.secrets[0], ip)
    }

    /// Whether we gave this token to this address, in the last ten minutes at the most.
    pub(super) fn knows(&self, ip: IpAddr, shown: &[u8]) -> bool {
        self.secrets.iter().any(|secret| token(secret, ip) == shown)
    }

    /// A peer has this torrent. Nothing happens if there is no room.
    pub(super) fn add(&mut self, now: Time, info_hash: InfoHash, peer: SocketAddr) {
        if self.torrents.len() >= MOST_TORRENTS && !self.torrents.contains_key(&info_hash) {
            return;
        }
        let peers = self.torrents.entry(info_hash).or_default();
        if let Some((_, at)) = peers.iter_mut().find(|(known, _)| *known == peer) {
            *at = now;
        } else if peers.len() < MOST_PEERS {
            peers.push((peer, now));
        }
    }

    /// Some of the peers of a torrent, of the family of the one who asks.
    pub(super) fn peers(
        &self,
        info_hash: InfoHash,
        is_ipv4: bool,
        rng: &mut fastrand::Rng,
    ) -> Vec<SocketAddr> {
        let peers = self.torrents.get(&info_hash).into_iter().flatten();
        let peers = peers.map(|(peer, _)| *peer).filter(|peer| peer.is_ipv4() == is_ipv4);
        rng.choose_multiple(peers, IN_ANSWER)
    }

    /// Forgets what is old.
    pub(super) fn tidy(&mut self, now: Time, rng: &mut fastrand::Rng) {
        if now.saturating_since(self.secret_since) >= SECRET {
            self.secret_since = now;
            self.secrets[1] = self.secrets[0];
            rng.fill(&mut self.secrets[0]);
        }
        self.torrents.retain(|_, peers| {
            peers.retain(|(_, at)| now.saturating_since(*at) < LIFETIME);
            !peers.is_empty()
        });
    }
}

fn token(secret: &[u8], ip: IpAddr) -> Vec<u8> {
    let hash = Sha1::new().chain_update(secret);
    let hash = match ip {
        IpAddr::V4(ip) => hash.chain_update(ip.octets()),
        IpAddr::V6(ip) => hash.chain_update(ip.octets()),
    };
    hash.finalize()[..8].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([7; 20]);

    fn peer(number: u16) -> SocketAddr {
        ([192, 0, 2, 1], number).into()
    }

    #[test]
    fn a_token_is_good_for_its_address_and_for_two_secrets() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut announced = Announced::new(Time::ZERO, &mut rng);
        let token = announced.token(peer(1).ip());
        assert!(announced.knows(peer(1).ip(), &token));
        assert!(!announced.knows([192, 0, 2, 2].into(), &token));
        announced.tidy(Time::from_secs(300), &mut rng);
        assert!(announced.knows(peer(1).ip(), &token));
        announced.tidy(Time::from_secs(600), &mut rng);
        assert!(!announced.knows(peer(1).ip(), &token));
    }

    #[test]
    fn an_announce_lasts_half_an_hour_from_its_last_time() {
        let mut rng = fastrand::Rng::with_seed(4);
        let mut announced = Announced::new(Time::ZERO, &mut rng);
        announced.add(Time::ZERO, HASH, peer(1));
        announced.add(Time::ZERO, HASH, peer(2));
        announced.add(Time::from_secs(60), HASH, peer(2));
        announced.tidy(Time::from_secs(1_800), &mut rng);
        assert_eq!(announced.peers(HASH, true, &mut rng), [peer(2)]);
        assert!(announced.peers(HASH, false, &mut rng).is_empty());
        announced.tidy(Time::from_secs(1_860), &mut rng);
        assert!(announced.torrents.is_empty());
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let mut rng = fastrand::Rng::with_seed(5);
        let mut announced = Announced::new(Time::ZERO, &mut rng);
        for torrent in 0..2_000_u16 {
            let mut hash = HASH;
            hash.0[..2].copy_from_slice(&torrent.to_be_bytes());
            announced.add(Time::ZERO, hash, peer(1));
        }
        assert_eq!(announced.torrents.len(), MOST_TORRENTS);
        let hash = *announced.torrents.keys().next().unwrap();
        (1..1_000).for_each(|port| announced.add(Time::ZERO, hash, peer(port)));
        assert_eq!(announced.torrents[&hash].len(), MOST_PEERS);
        assert_eq!(announced.peers(hash, true, &mut rng).len(), IN_ANSWER);
    }
}
