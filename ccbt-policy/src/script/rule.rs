use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::cel::Compiled;
use super::error::Problem;
use super::test::{Failure, When};
use crate::verdict::earliest;
use crate::{
    Cooldown, Eviction, EvictionPolicy, Evidence, PeerView, Reason, SwarmView, Time, Verdict,
};

/// How often a rule is asked that names a [sampled](super::Fact::sampled) fact.
pub const SAMPLE_PERIOD: Duration = Duration::from_secs(5);

/// What a rule does with a peer for which it is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// `evict`: the peer is closed.
    #[default]
    Evict,
    /// `spare`: the peer may be taken for a newcomer.
    Spare,
    /// `lose-interest`: the peer is told NOT_INTERESTED.
    LoseInterest,
    /// `report`: what `evict` would do is reported, nothing is done.
    Report,
}

impl FromStr for Action {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "evict" => Ok(Self::Evict),
            "spare" => Ok(Self::Spare),
            "lose-interest" => Ok(Self::LoseInterest),
            "report" => Ok(Self::Report),
            _ => Err(Problem::UnknownAction { action: text.to_owned() }),
        }
    }
}

/// That a rule had no answer for a peer, and kept it. Told once for a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trouble {
    /// The name of the rule.
    pub rule: String,
    /// The first peer for which it happened.
    pub peer: SocketAddr,
    failure: Failure,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, peer, failure } = self;
        write!(f, "rule {rule} fails for {peer}: {failure}; peers for which it fails are kept")
    }
}

/// One rule of a file, as a policy.
#[derive(Debug)]
pub struct ScriptRule {
    plan: Plan,
    reason: Reason,
    compiled: Compiled,
    sampled: bool,
    trouble: OnceLock<Trouble>,
    trouble_told: AtomicBool,
}

/// What a table says beside its expression.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: Box<str>,
    pub(super) because: Box<str>,
    pub(super) action: Action,
    pub(super) cooldown: Cooldown,
}

impl ScriptRule {
    pub(super) fn new(plan: Plan, compiled: Compiled) -> Self {
        Self {
            reason: Reason::new(kept(&plan.name)),
            sampled: compiled.facts.iter().any(|fact| fact.sampled),
            plan,
            compiled,
            trouble: OnceLock::new(),
            trouble_told: AtomicBool::new(false),
        }
    }

    pub(super) fn name_str(&self) -> &str {
        &self.plan.name
    }

    /// What it does.
    pub fn action(&self) -> Action {
        self.plan.action
    }

    /// Why, as the file says it: its `reason`, or the expression.
    pub fn because(&self) -> &str {
        &self.plan.because
    }

    /// The first trouble, if there was one and nobody has taken it yet.
    pub(super) fn new_trouble(&self) -> Option<&Trouble> {
        let trouble = self.trouble.get()?;
        (!self.trouble_told.swap(true, Ordering::Relaxed)).then_some(trouble)
    }

    /// The next instant after `now` on the grid that begins with the handshake.
    fn next_sample(&self, peer: &PeerView, now: Time) -> Option<Time> {
        let period = u64::try_from(SAMPLE_PERIOD.as_micros()).ok()?;
        let age = u64::try_from(now.saturating_since(peer.connected_at).as_micros()).ok()?;
        let next = (age / period).checked_add(1)?.checked_mul(period)?;
        peer.connected_at.checked_add(Duration::from_micros(next)).filter(|_| self.sampled)
    }
}

impl EvictionPolicy for ScriptRule {
    fn name(&self) -> &str {
        &self.plan.name
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        let sample = self.next_sample(peer, now);
        let keep = |again| Verdict { look_again: earliest(sample, again), ..Verdict::keep() };
        match self.compiled.test.when(peer, swarm, now) {
            When::Never => keep(None),
            When::NotBefore(at) => keep(Some(at)),
            When::Failed(failure) => {
                let rule = self.plan.name.to_string();
                self.trouble.get_or_init(|| Trouble { rule, peer: peer.addr, failure });
                keep(None)
            }
            When::From { at, again } => {
                let cooldown = self.plan.cooldown;
                let eviction = Some(Eviction { at, reason: self.reason, cooldown });
                match self.plan.action {
                    Action::Evict => Verdict { evict: eviction, ..keep(again) },
                    Action::Spare => Verdict { spare: eviction, ..keep(again) },
                    Action::Report => Verdict { shadow: eviction, ..keep(again) },
                    Action::LoseInterest if at <= now => {
                        Verdict { lose_interest: true, ..keep(again) }
                    }
                    Action::LoseInterest => keep(Some(at)),
                }
            }
        }
    }

    /// The reason of the file, and what each fact was that the rule names.
    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let facts: Vec<String> = self
            .compiled
            .facts
            .iter()
            .map(|fact| format!("{} {}", fact.name, fact.show(peer, swarm, eviction.at)))
            .collect();
        let because = self.because();
        let text = if facts.is_empty() {
            because.to_owned()
        } else {
            format!("{because}: {}", facts.join(", "))
        };
        Evidence::new(self.name(), text)
    }
}

/// The same name for as long as the program runs, as a [`Reason`] needs it. Each is kept once, so
/// reading a file again costs nothing.
fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

#[cfg(test)]
mod tests;
