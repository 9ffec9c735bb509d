//! Where others see us, for the canonical priority (BEP 40).

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};

use super::record::Standing;
use super::{Prefix, Rank, is_local};
use crate::priority;

/// So many more peers must name one address than another before it is believed (BEP 40: a hint, not to be
/// trusted blindly).
const BELIEVED: u32 = 2;
/// More assent than this is not counted, so that a new address of ours is believed some day.
const CERTAIN: u32 = 8;

#[derive(Debug, Default)]
pub(super) struct Outside {
    port: u16,
    four: Vote,
    six: Vote,
}

/// The address of one family that most name, kept as a majority vote in constant space.
#[derive(Debug, Default)]
struct Vote {
    favourite: Option<IpAddr>,
    lead: u32,
    believed: Option<IpAddr>,
    /// The network of the last voter: one network has no two votes in a row.
    last: Option<Prefix>,
}

impl Outside {
    /// True if this changes what is believed.
    pub(super) fn listens_at(&mut self, addr: SocketAddr) -> bool {
        self.port = addr.port();
        let ip = addr.ip().to_canonical();
        let public = !is_local(ip) && !ip.is_unspecified();
        if public {
            let vote = self.vote(ip);
            (vote.favourite, vote.believed, vote.lead) = (Some(ip), Some(ip), CERTAIN);
        }
        public
    }

    /// True if this changes what is believed.
    pub(super) fn seen_at(&mut self, from: IpAddr, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if is_local(ip) || ip.is_unspecified() || is_local(from) {
            return false;
        }
        self.vote(ip).count(Prefix::of(from), ip)
    }

    /// An address that others may compare with ours ranks by what both know; one of a family in which we do
    /// not know ours stands in the middle.
    pub(super) fn rank(&self, standing: Standing, addr: SocketAddr, arrival: u64) -> Rank {
        let ours = if addr.is_ipv4() { &self.four } else { &self.six };
        let ours = ours.believed.map(|ip| SocketAddr::new(ip, self.port));
        let priority = ours.and_then(|ours| priority(ours, addr)).unwrap_or(u32::MAX / 2);
        Rank { standing, priority: Reverse(priority), arrival }
    }

    fn vote(&mut self, ip: IpAddr) -> &mut Vote {
        if ip.is_ipv4() { &mut self.four } else { &mut self.six }
    }
}

impl Vote {
    fn count(&mut self, voter: Prefix, ip: IpAddr) -> bool {
        if self.last.replace(voter) == Some(voter) {
            return false;
        }
        if self.favourite == Some(ip) {
            self.lead = (self.lead + 1).min(CERTAIN);
        } else if self.lead <= 1 {
            (self.favourite, self.lead) = (Some(ip), 1);
        } else {
            self.lead -= 1;
        }
        let before = self.believed;
        if self.lead >= BELIEVED {
            self.believed = self.favourite;
        }
        before != self.believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "198.51.100.7";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn believed(says: &[(&str, &str)]) -> Option<IpAddr> {
        let mut outside = Outside::default();
        says.iter().for_each(|(from, seen)| _ = outside.seen_at(ip(from), ip(seen)));
        outside.four.believed
    }

    #[test]
    fn one_peer_alone_is_not_believed_and_two_networks_are() {
        assert_eq!(believed(&[("192.0.2.1", OURS)]), None);
        assert_eq!(believed(&[("192.0.2.1", OURS), ("192.0.2.9", OURS)]), None);
        assert_eq!(believed(&[("192.0.2.1", OURS), ("203.0.113.1", OURS)]), Some(ip(OURS)));
        assert_eq!(believed(&[("192.0.2.1", OURS), ("10.0.0.1", OURS)]), None);
    }

    #[test]
    fn a_lie_among_truths_changes_nothing_and_a_new_address_is_believed_in_the_end() {
        let (a, b) = (("192.0.2.1", OURS), ("203.0.113.1", OURS));
        let (lie, other) = (("192.0.3.1", "8.8.8.8"), ("192.0.4.1", "8.8.8.8"));
        assert_eq!(believed(&[a, lie, b, a]), Some(ip(OURS)));
        let moved: Vec<_> = [a, b].into_iter().chain([lie, other].repeat(3)).collect();
        assert_eq!(believed(&moved), Some(ip("8.8.8.8")));
    }

    #[test]
    fn a_public_address_at_which_we_listen_is_ours() {
        let mut outside = Outside::default();
        assert!(!outside.listens_at("0.0.0.0:6881".parse().unwrap()));
        assert!(!outside.listens_at("192.168.0.7:6881".parse().unwrap()));
        assert!(outside.listens_at(SocketAddr::new(ip(OURS), 6881)));
        assert_eq!(outside.four.believed, Some(ip(OURS)));
    }
}
