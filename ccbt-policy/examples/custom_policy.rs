//! A policy of one's own beside the standard rules, tried on a small swarm in virtual time.
//!
//! `cargo run -p ccbt-policy --example custom_policy`

use std::sync::Arc;
use std::time::Duration;

use ccbt_policy::{
    Availability, DryRun, Eviction, EvictionPolicy, Evidence, Exempt, Outcome, PeerView, PolicySet,
    Reason, SwarmView, Time, Verdict, Watch,
};

/// A peer that never unchoked us within `patience` goes, however many pieces it has.
#[derive(Debug)]
struct NeverUnchoked {
    patience: Duration,
}

impl EvictionPolicy for NeverUnchoked {
    fn name(&self) -> &str {
        "never-unchoked"
    }

    fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
        let never = peer.peer_choking && peer.peer_choking_since == peer.connected_at;
        match peer.connected_at.checked_add(self.patience) {
            Some(at) if never => Verdict::evict(Eviction::new(at, Reason::new("never-unchoked"))),
            _ => Verdict::keep(),
        }
    }

    fn explain(&self, peer: &PeerView, _: &SwarmView, eviction: &Eviction) -> Evidence {
        let waited = eviction.at - peer.connected_at;
        Evidence::new(
            self.name(),
            format!("choked us for all of {waited:?}, with {} pieces that we need", peer.wanted),
        )
    }
}

fn main() {
    let patience = Duration::from_secs(45);
    let set = PolicySet::standard()
        .with(Exempt::new(NeverUnchoked { patience }, |peer| peer.pinned))
        // A stricter one on trial: it is reported what it would do, and not done.
        .with(DryRun::new(NeverUnchoked { patience: patience / 3 }));
    let mut watch = Watch::new(Arc::new(set), SwarmView::new());

    let start = Time::ZERO;
    let peer = |host| PeerView::new(([192, 0, 2, host], 6881).into(), start);
    let seed = |p: &mut PeerView| {
        p.set_availability(start, Availability::All);
        p.set_wanted(start, 120);
    };
    watch.insert("mute", peer(1), start);
    watch.insert("empty", peer(2).with(|p| p.set_availability(start, Availability::None)), start);
    watch.insert("miser", peer(3).with(seed), start);
    watch.insert("pinned miser", peer(4).with(seed).with(|p| p.pinned = true), start);
    watch.insert("seed", peer(5).with(seed), start);

    let unchoked = Time::from_secs(4);
    watch.update("seed", unchoked, |p| p.set_peer_choking(unchoked, false));

    while let Some(now) = watch.next_deadline() {
        while let Some(outcome) = watch.poll(now) {
            match outcome {
                Outcome::LoseInterest { key } => println!("{now:>8}  {key}: not interested"),
                Outcome::Scheduled { key, eviction, .. } => {
                    println!("{now:>8}  {key}: to go at {}", eviction.at)
                }
                Outcome::Pardoned { key, .. } => println!("{now:>8}  {key}: pardoned"),
                Outcome::Shadow { key, evidence, .. } => {
                    println!("{now:>8}  {key}: would go: {evidence}")
                }
                Outcome::Evict { key, evidence, .. } => {
                    println!("{now:>8}  {key}: goes by {}: {evidence}", evidence.policy);
                    watch.remove(key);
                }
            }
        }
    }
    println!("left: {:?}", watch.iter().map(|(key, _)| key).collect::<Vec<_>>());
}
