use std::time::Duration;

use super::Outcome;
use crate::{Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict};

/// One watched peer: its facts, the last verdict about it, and what of that was reported.
#[derive(Debug)]
pub(super) struct Entry {
    view: PeerView,
    /// `None` is [`Verdict::keep`].
    // Boxed: about most peers there is nothing to say, and what there could be is large.
    verdict: Option<Box<Verdict>>,
    asked_at: Time,
    /// Since when `verdict.evict` has the reason it has.
    stands_since: Time,
    /// The eviction last reported as scheduled and not pardoned since.
    reported: Option<Box<(Eviction, Evidence)>>,
    interest_lost: bool,
    shadow_reported: bool,
    evicted: bool,
}

/// An outcome that has its peer still to be named.
pub(super) enum Step {
    LoseInterest,
    Pardoned(Eviction, Evidence),
    Scheduled(Eviction, Evidence),
    Shadow(Eviction, Evidence),
    Evict(Eviction, Evidence),
}

impl Step {
    /// The outcome for this peer.
    pub(super) fn of<K>(self, key: K) -> Outcome<K> {
        match self {
            Self::LoseInterest => Outcome::LoseInterest { key },
            Self::Scheduled(eviction, evidence) => Outcome::Scheduled { key, eviction, evidence },
            Self::Pardoned(eviction, evidence) => Outcome::Pardoned { key, eviction, evidence },
            Self::Shadow(eviction, evidence) => Outcome::Shadow { key, eviction, evidence },
            Self::Evict(eviction, evidence) => Outcome::Evict { key, eviction, evidence },
        }
    }
}

impl Entry {
    pub(super) fn new(view: PeerView) -> Self {
        Self {
            view,
            verdict: None,
            asked_at: Time::ZERO,
            stands_since: Time::ZERO,
            reported: None,
            interest_lost: false,
            shadow_reported: false,
            evicted: false,
        }
    }

    pub(super) fn view(&self) -> &PeerView {
        &self.view
    }

    pub(super) fn view_mut(&mut self) -> &mut PeerView {
        &mut self.view
    }

    pub(super) fn into_view(self) -> PeerView {
        self.view
    }

    /// Judges the peer; once reported for eviction it is not asked about again.
    pub(super) fn ask(&mut self, policy: &dyn EvictionPolicy, swarm: &SwarmView, now: Time) {
        if self.evicted {
            return;
        }
        let before = self.verdict();
        let lost = before.lose_interest;
        let (evict, shadow) = (reason(before.evict), reason(before.shadow));
        let verdict = policy.judge(&self.view, swarm, now);
        self.asked_at = now;
        if verdict.lose_interest != lost {
            self.interest_lost = verdict.lose_interest;
        }
        if reason(verdict.evict) != evict {
            self.stands_since = now;
        }
        if reason(verdict.shadow) != shadow {
            self.shadow_reported = false;
        }
        match &mut self.verdict {
            _ if verdict == Verdict::keep() => self.verdict = None,
            Some(place) => **place = verdict,
            None => self.verdict = Some(Box::new(verdict)),
        }
    }

    fn verdict(&self) -> &Verdict {
        const KEEP: Verdict = Verdict::keep();
        self.verdict.as_deref().unwrap_or(&KEEP)
    }

    /// When [`step`](Self::step) next has something to say, or the policy wants to be asked again.
    pub(super) fn deadline(&self, notice: Duration) -> Option<Time> {
        if self.evicted {
            return None;
        }
        let at_once = (self.interest_lost || self.is_pardoned()).then_some(self.asked_at);
        at_once.into_iter().chain(self.instants(notice)).min()
    }

    /// Whether an instant has come at which the policy is to be asked before anything is done.
    pub(super) fn is_due(&self, now: Time, notice: Duration) -> bool {
        !self.evicted && self.instants(notice).any(|at| at <= now)
    }

    /// What the last verdict has changed for the better or the worse, whatever the time.
    pub(super) fn news(&mut self) -> Option<Step> {
        if std::mem::take(&mut self.interest_lost) {
            return Some(Step::LoseInterest);
        }
        if self.is_pardoned() {
            return self.reported.take().map(|report| Step::Pardoned(report.0, report.1));
        }
        None
    }

    /// The next outcome of the last verdict, if one is due.
    pub(super) fn step(
        &mut self,
        policy: &dyn EvictionPolicy,
        swarm: &SwarmView,
        now: Time,
        notice: Duration,
    ) -> Option<Step> {
        if self.evicted {
            return None;
        }
        if let Some(news) = self.news() {
            return Some(news);
        }
        let due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        let evict_due = due(self.verdict().evict.map(|eviction| eviction.at));
        if let Some(eviction) =
            self.verdict().evict.filter(|_| !evict_due && due(self.report_at(notice)))
        {
            let evidence = policy.explain(&self.view, swarm, &eviction);
            self.reported = Some(Box::new((eviction, evidence.clone())));
            return Some(Step::Scheduled(eviction, evidence));
        }
        if let Some(eviction) = self.verdict().shadow.filter(|_| due(self.shadow_at())) {
            self.shadow_reported = true;
            return Some(Step::Shadow(eviction, policy.explain(&self.view, swarm, &eviction)));
        }
        let eviction = self.verdict().evict.filter(|_| evict_due)?;
        self.evicted = true;
        self.reported = None;
        Some(Step::Evict(eviction, policy.explain(&self.view, swarm, &eviction)))
    }

    pub(super) fn spare(&self) -> Option<Eviction> {
        self.verdict().spare.filter(|_| !self.evicted)
    }

    pub(super) fn spare_at(&self) -> Option<Time> {
        self.spare().map(|spare| spare.at)
    }

    /// The instants at which the policy is asked again.
    fn instants(&self, notice: Duration) -> impl Iterator<Item = Time> {
        let evict_at = self.verdict().evict.map(|eviction| eviction.at);
        // It was asked for and given: without this a policy that names a past instant would be
        // asked for ever.
        let look_again = self.verdict().look_again.filter(|&at| at > self.asked_at);
        [self.report_at(notice), evict_at, self.shadow_at(), look_again].into_iter().flatten()
    }

    /// When the eviction is to be reported as scheduled, if it is not yet and will not have
    /// happened by then.
    fn report_at(&self, notice: Duration) -> Option<Time> {
        let eviction = self.verdict().evict?;
        let reported =
            self.reported.as_ref().is_some_and(|report| report.0.reason == eviction.reason);
        let at = self.stands_since.checked_add(notice)?;
        (!reported && at < eviction.at).then_some(at)
    }

    fn shadow_at(&self) -> Option<Time> {
        self.verdict().shadow.filter(|_| !self.shadow_reported).map(|eviction| eviction.at)
    }

    fn is_pardoned(&self) -> bool {
        self.reported.is_some() && self.verdict().evict.is_none()
    }
}

fn reason(eviction: Option<Eviction>) -> Option<Reason> {
    eviction.map(|eviction| eviction.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_little_more_than_its_view() {
        let more = size_of::<Entry>() - size_of::<PeerView>();
        assert!(more <= 40, "{more} bytes");
        assert!(size_of::<PeerView>() <= 320, "{} bytes", size_of::<PeerView>());
    }
}
