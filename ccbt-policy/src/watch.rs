mod entry;
mod outcome;

pub use outcome::Outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Eviction, EvictionPolicy, Evidence, PeerView, SwarmView, Time};
use entry::Entry;

/// The scheduler: views go in under a key, due verdicts come out, each exactly once.
///
/// It needs no swarm of ours and no clock. Tell it what changes ([`insert`](Self::insert),
/// [`update`](Self::update), [`update_swarm`](Self::update_swarm)), then take what is due with
/// [`poll`](Self::poll) until that gives `None`, and come back at
/// [`next_deadline`](Self::next_deadline) or at the next change, whichever is first. An update and
/// an outcome cost O(log n); a change of the swarm's mode judges all n.
///
/// ```
/// use ccbt_policy::{Outcome, PeerView, PolicySet, SwarmView, Time, Watch};
/// use std::sync::Arc;
///
/// let mut watch = Watch::new(Arc::new(PolicySet::standard()), SwarmView::new());
/// let mute = PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO);
/// watch.insert(7, mute, Time::ZERO);
/// assert!(matches!(watch.poll(Time::ZERO), Some(Outcome::Scheduled { key: 7, .. })));
/// assert_eq!(watch.poll(Time::ZERO), None);
///
/// let deadline = watch.next_deadline().unwrap();
/// assert_eq!(deadline, Time::from_secs(60));
/// let Some(Outcome::Evict { key, evidence, .. }) = watch.poll(deadline) else { panic!() };
/// assert_eq!((key, evidence.policy.as_str()), (7, "bitfield-timeout"));
/// watch.remove(key);
/// ```
#[derive(Debug)]
pub struct Watch<K> {
    policy: Arc<dyn EvictionPolicy>,
    swarm: SwarmView,
    notice: Duration,
    // Boxed, so that the tree moves pointers about and not views.
    peers: BTreeMap<K, Box<Entry>>,
    /// When each entry needs to be looked at next: at most one instant per key.
    deadlines: BTreeSet<(Time, K)>,
    /// From when on each entry is spare: at most one instant per key.
    spares: BTreeSet<(Time, K)>,
}

impl<K: Copy + Ord + fmt::Debug> Watch<K> {
    /// A scheduler without peers that asks `policy`.
    pub fn new(policy: Arc<dyn EvictionPolicy>, swarm: SwarmView) -> Self {
        Self {
            policy,
            swarm,
            notice: Duration::ZERO,
            peers: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            spares: BTreeSet::new(),
        }
    }

    /// The same, but an eviction is reported as scheduled only when it has stood for `notice`; the
    /// default is zero.
    ///
    /// This spares reports about peers that are pardoned a moment later. No eviction is delayed by
    /// it.
    #[must_use]
    pub fn with_notice(mut self, notice: Duration) -> Self {
        self.notice = notice;
        self
    }

    /// Watches a peer under `key` from now on, in place of whom that key meant before.
    pub fn insert(&mut self, key: K, view: PeerView, now: Time) {
        self.remove(key);
        self.peers.insert(key, Box::new(Entry::new(view)));
        self.touch(key, |entry, policy, swarm| entry.ask(policy, swarm, now));
    }

    /// Watches that peer no longer, and says nothing more about it.
    pub fn remove(&mut self, key: K) -> Option<PeerView> {
        let entry = self.peers.remove(&key)?;
        file(&mut self.deadlines, key, entry.deadline(self.notice), None);
        file(&mut self.spares, key, entry.spare_at(), None);
        Some(entry.into_view())
    }

    /// The facts about a peer.
    pub fn get(&self, key: K) -> Option<&PeerView> {
        self.peers.get(&key).map(|entry| entry.view())
    }

    /// How many peers are watched, those reported for eviction and not yet removed included.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether no peer is watched.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// All peers, by key.
    pub fn iter(&self) -> impl Iterator<Item = (K, &PeerView)> {
        self.peers.iter().map(|(&key, entry)| (key, entry.view()))
    }

    /// Changes the facts about a peer and judges it again; does nothing for an unknown key.
    pub fn update(&mut self, key: K, now: Time, change: impl FnOnce(&mut PeerView)) {
        self.touch(key, |entry, policy, swarm| {
            change(entry.view_mut());
            entry.ask(policy, swarm, now);
        });
    }

    /// Changes facts that alone are no cause to judge again: rates, bytes, the last message. Rules
    /// see them when they are asked for another cause.
    pub fn note(&mut self, key: K, change: impl FnOnce(&mut PeerView)) {
        if let Some(entry) = self.peers.get_mut(&key) {
            change(entry.view_mut());
        }
    }

    /// Changes facts about all peers, by key, that alone are no cause to judge again. Costs a walk over them,
    /// where a [`note`](Self::note) for each would cost a search for each.
    pub fn note_each(&mut self, mut change: impl FnMut(K, &mut PeerView)) {
        for (&key, entry) in &mut self.peers {
            change(key, entry.view_mut());
        }
    }

    /// The facts about the swarm.
    pub fn swarm(&self) -> &SwarmView {
        &self.swarm
    }

    /// Changes the facts about the swarm, and judges all peers again if its mode changed: its
    /// instants, `private` or `crowded`.
    pub fn update_swarm(&mut self, now: Time, change: impl FnOnce(&mut SwarmView)) {
        let before = self.swarm.clone();
        change(&mut self.swarm);
        if self.swarm.differs_in_mode(&before) {
            self.sweep(now);
        }
    }

    /// Judges all peers again.
    pub fn sweep(&mut self, now: Time) {
        for (&key, entry) in &mut self.peers {
            let sets = (&mut self.deadlines, &mut self.spares);
            keep_filed(sets, key, entry, self.notice, |entry| {
                entry.ask(&*self.policy, &self.swarm, now);
            });
        }
    }

    /// The policy in use.
    pub fn policy(&self) -> &Arc<dyn EvictionPolicy> {
        &self.policy
    }

    /// Asks `policy` from now on, and judges all peers by it.
    pub fn set_policy(&mut self, policy: Arc<dyn EvictionPolicy>, now: Time) {
        self.policy = policy;
        self.sweep(now);
    }

    /// When [`poll`](Self::poll) next has something to do, unless a fact changes before; it may be
    /// due already.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// The next outcome that is due at `now`. Call it until it gives `None`.
    ///
    /// At a deadline the policy is asked again first, so a peer that has become useful in the
    /// meantime is pardoned, even if nobody said so but by [`note`](Self::note).
    pub fn poll(&mut self, now: Time) -> Option<Outcome<K>> {
        loop {
            let &(at, key) = self.deadlines.first()?;
            if at > now {
                return None;
            }
            let notice = self.notice;
            let step = self.touch(key, |entry, policy, swarm| {
                if entry.is_due(now, notice) {
                    entry.ask(policy, swarm, now);
                }
                entry.step(policy, swarm, now, notice)
            });
            if let Some(step) = step.flatten() {
                return Some(step.of(key));
            }
        }
    }

    /// What the last change of this peer's facts has brought: lost interest, or a pardon. Call it until it gives
    /// `None`.
    ///
    /// [`poll`](Self::poll) tells the same. This is for callers who take in several changes before they poll, and
    /// would miss a peer that becomes useful and useless again in between.
    pub fn news(&mut self, key: K) -> Option<Outcome<K>> {
        let step = self.touch(key, |entry, _, _| entry.news())?;
        step.map(|step| step.of(key))
    }

    /// The peer that has been spare the longest at `now`, leaving out those who are `immune`.
    ///
    /// Whoever takes it removes it; why it was spare is told by [`explain`](Self::explain).
    pub fn earliest_spare(
        &self,
        now: Time,
        immune: impl Fn(K, &PeerView) -> bool,
    ) -> Option<(K, Eviction)> {
        self.spares.iter().take_while(|&&(at, _)| at <= now).find_map(|&(_, key)| {
            let entry = self.peers.get(&key)?;
            let spare = entry.spare()?;
            (!immune(key, entry.view())).then_some((key, spare))
        })
    }

    /// From when on this peer is spare, and why; `None` if it is not, and for an unknown key.
    pub fn spare(&self, key: K) -> Option<Eviction> {
        self.peers.get(&key)?.spare()
    }

    /// When, after `now`, another peer becomes spare unless a fact changes before.
    pub fn next_spare_after(&self, now: Time) -> Option<Time> {
        self.spares.iter().map(|&(at, _)| at).find(|&at| at > now)
    }

    /// The facts behind `eviction` of a peer, in words; `None` for an unknown key.
    pub fn explain(&self, key: K, eviction: &Eviction) -> Option<Evidence> {
        let entry = self.peers.get(&key)?;
        Some(self.policy.explain(entry.view(), &self.swarm, eviction))
    }

    /// Lets `work` at an entry and keeps the two ordered sets true to it.
    fn touch<R>(
        &mut self,
        key: K,
        work: impl FnOnce(&mut Entry, &dyn EvictionPolicy, &SwarmView) -> R,
    ) -> Option<R> {
        let entry = self.peers.get_mut(&key)?;
        let sets = (&mut self.deadlines, &mut self.spares);
        let work = |entry: &mut Entry| work(entry, &*self.policy, &self.swarm);
        Some(keep_filed(sets, key, entry, self.notice, work))
    }
}

/// Instants at which something is due for a key.
type Agenda<K> = BTreeSet<(Time, K)>;

/// Lets `work` at an entry and keeps the sets of deadlines and of spares true to it.
fn keep_filed<K: Copy + Ord, R>(
    (deadlines, spares): (&mut Agenda<K>, &mut Agenda<K>),
    key: K,
    entry: &mut Entry,
    notice: Duration,
    work: impl FnOnce(&mut Entry) -> R,
) -> R {
    let before = (entry.deadline(notice), entry.spare_at());
    let result = work(entry);
    let after = (entry.deadline(notice), entry.spare_at());
    file(deadlines, key, before.0, after.0);
    file(spares, key, before.1, after.1);
    result
}

/// Moves `key` in an ordered set from one instant to another.
fn file<K: Copy + Ord>(
    set: &mut BTreeSet<(Time, K)>,
    key: K,
    before: Option<Time>,
    after: Option<Time>,
) {
    if before == after {
        return;
    }
    if let Some(at) = before {
        set.remove(&(at, key));
    }
    if let Some(at) = after {
        set.insert((at, key));
    }
}

#[cfg(test)]
mod tests;
