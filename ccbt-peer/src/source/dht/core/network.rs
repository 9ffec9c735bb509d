//! What a node has of one address family: a name, a table, and an idea of how others see it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use ccbt_policy::Time;

use super::super::id::{NodeId, is_local};
use super::super::table::{BUCKET, Table};

/// So often it searches for nodes when it knows enough, and when it knows few.
const REFRESH: Duration = Duration::from_secs(10 * 60);
const SEARCH: Duration = Duration::from_secs(60);
/// The last hosts that told our address, and how many of them must tell the same.
const VOTES: usize = 10;
const MAJORITY: usize = 6;

#[derive(Debug)]
pub(super) struct Network {
    is_ipv4: bool,
    pub(super) table: Table,
    looked_at: Option<Time>,
    /// Who told which address of ours, the latest last.
    votes: VecDeque<(IpAddr, IpAddr)>,
}

impl Network {
    pub(super) fn new(is_ipv4: bool, ours: NodeId) -> Self {
        Self { is_ipv4, table: Table::new(ours), looked_at: None, votes: VecDeque::new() }
    }

    pub(super) fn is_ipv4(&self) -> bool {
        self.is_ipv4
    }

    /// Whether it is time to search for nodes; if it is, the search counts as made.
    pub(super) fn is_due(&mut self, now: Time) -> bool {
        let period = if self.table.len() < BUCKET { SEARCH } else { REFRESH };
        let due = self.looked_at.is_none_or(|at| now.saturating_since(at) >= period);
        if due {
            self.looked_at = Some(now);
        }
        due
    }

    /// What to search for: our own place first, then any.
    pub(super) fn next_target(&self, rng: &mut fastrand::Rng) -> NodeId {
        let ours = self.table.ours();
        // Beyond this there is hardly anybody in a network of millions.
        const DEEPEST: usize = 20;
        if self.table.len() < BUCKET { ours } else { ours.sharing(rng.usize(..DEEPEST), rng) }
    }

    /// Somebody told which address of ours he sees. When most agree, our name has to fit it (BEP 42).
    pub(super) fn seen_as(&mut self, voter: IpAddr, ip: IpAddr, rng: &mut fastrand::Rng) {
        if ip.is_ipv4() != self.is_ipv4 || is_local(ip) || ip.is_unspecified() {
            return;
        }
        self.votes.retain(|(other, _)| *other != voter);
        if self.votes.len() >= VOTES {
            self.votes.pop_front();
        }
        self.votes.push_back((voter, ip));
        let agree = self.votes.iter().filter(|(_, said)| *said == ip).count();
        if agree >= MAJORITY && !self.table.ours().fits(ip) {
            self.table.move_to(NodeId::of_address(ip, rng));
        }
    }
}
