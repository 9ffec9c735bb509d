use std::sync::Arc;

use ccbt_policy::registry::Selection;
use ccbt_policy::{Cooldown, Outcome, PeerView, Reason, SwarmView, Time, Watch};

/// A swarm under a preset, and what happened in it.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) watch: Watch<u32>,
    pub(crate) selection: Selection,
    pub(crate) gone: Vec<Gone>,
    /// Who was told NOT_INTERESTED, and when.
    pub(crate) told: Vec<(u32, Time)>,
    now: Time,
}

/// A peer that was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) key: u32,
    pub(crate) at: Time,
    pub(crate) reason: Reason,
    pub(crate) cooldown: Cooldown,
}

/// Plays a story under each of `presets`, in a swarm that needs 100 pieces, has 20 and plenty of
/// slots.
pub(crate) fn under(presets: &[&str], story: impl Fn(&mut Scene)) {
    for preset in presets {
        // Shown when the story fails.
        println!("under {preset}");
        story(&mut Scene::new(preset));
    }
}

pub(crate) const fn s(secs: u64) -> Time {
    Time::from_secs(secs)
}

pub(crate) const fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

impl Scene {
    pub(crate) fn new(preset: &str) -> Self {
        let mut selection = Selection::standard();
        selection.apply(&format!("preset={preset}")).expect("there is such a preset");
        let swarm = SwarmView::new().with(|swarm| {
            (swarm.have, swarm.need) = (20, 100);
            (swarm.peers, swarm.limit, swarm.free_slots) = (1, 50, 49);
        });
        let watch = Watch::new(Arc::new(selection.build()), swarm);
        Self { watch, selection, gone: Vec::new(), told: Vec::new(), now: Time::ZERO }
    }

    /// Lets time pass until `now`; everything is done at the instant at which it is due.
    pub(crate) fn until(&mut self, now: Time) {
        while let Some(at) = self.watch.next_deadline().filter(|&at| at <= now) {
            // What was due before its cause was told is done when it is told.
            let at = at.max(self.now);
            while let Some(outcome) = self.watch.poll(at) {
                self.carry_out(at, outcome);
            }
        }
        self.now = self.now.max(now);
    }

    fn carry_out(&mut self, at: Time, outcome: Outcome<u32>) {
        match outcome {
            Outcome::LoseInterest { key } => self.told.push((key, at)),
            Outcome::Evict { key, eviction, .. } => {
                let (reason, cooldown) = (eviction.reason, eviction.cooldown);
                self.gone.push(Gone { key, at, reason, cooldown });
                self.watch.remove(key);
            }
            Outcome::Pardoned { .. } | Outcome::Scheduled { .. } | Outcome::Shadow { .. } => {}
        }
    }

    /// A peer whose handshake was complete at `now`.
    pub(crate) fn connect(&mut self, key: u32, now: Time, change: impl FnOnce(&mut PeerView)) {
        self.until(now);
        let [.., c, d] = key.to_be_bytes();
        let view = PeerView::new(([192, 0, c, d], 6881).into(), now).with(change);
        self.watch.insert(key, view, now);
        self.until(now);
    }

    /// Something about peer 1 changes at `now`.
    pub(crate) fn peer(&mut self, now: Time, change: impl FnOnce(&mut PeerView)) {
        self.change(1, now, change);
    }

    pub(crate) fn change(&mut self, key: u32, now: Time, change: impl FnOnce(&mut PeerView)) {
        self.until(now);
        self.watch.update(key, now, change);
        self.until(now);
    }

    pub(crate) fn swarm(&mut self, now: Time, change: impl FnOnce(&mut SwarmView)) {
        self.until(now);
        self.watch.update_swarm(now, change);
        self.until(now);
    }

    /// All slots are taken.
    pub(crate) fn fill(&mut self, now: Time) {
        self.swarm(now, |swarm| {
            (swarm.peers, swarm.free_slots, swarm.crowded) = (swarm.limit, 0, true);
        });
    }

    /// Whom a newcomer would take the slot of at `now`.
    pub(crate) fn spare(&mut self, now: Time) -> Option<(u32, Reason)> {
        self.until(now);
        let immune = |key, view: &PeerView| {
            view.is_immune(now, self.watch.spare(key).map(|eviction| eviction.reason))
        };
        self.watch.earliest_spare(now, immune).map(|(key, eviction)| (key, eviction.reason))
    }

    #[track_caller]
    pub(crate) fn assert_alive(&mut self, now: Time) {
        self.until(now);
        assert_eq!(self.gone, [], "everybody should be there at {now}");
    }

    /// Peer 1 is there 1 ms before `at`, and gone at `at`.
    #[track_caller]
    pub(crate) fn assert_goes(&mut self, at: Time, reason: Reason) {
        self.assert_alive(ms(at.as_millis() - 1));
        self.until(at);
        let gone: Vec<_> = self.gone.iter().map(|gone| (gone.key, gone.at, gone.reason)).collect();
        assert_eq!(gone, [(1, at, reason)]);
    }

    /// How many are gone, and that all of them went at `at` for `reason`.
    #[track_caller]
    pub(crate) fn gone_at(&mut self, at: Time, reason: Reason) -> usize {
        self.until(at);
        for gone in &self.gone {
            assert_eq!((gone.at, gone.reason), (at, reason), "peer {}", gone.key);
        }
        self.gone.len()
    }
}
