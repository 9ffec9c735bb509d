use std::fmt;
use std::time::Duration;

use super::facts::{self, Form};
use crate::registry::format_duration;
use crate::{
    Availability, Clears, Cooldown, Eviction, EvictionPolicy, Evidence, PeerView, Reason,
    SwarmView, Time, Verdict,
};

/// Nothing changes for such a pair by waiting, so only a change of what either wants clears it.
const COOLDOWN: Cooldown = Cooldown::new(facts::minutes(30), facts::minutes(30));

/// What a peer has just announced may be completed by HAVEs at once (lazy bitfields).
const SETTLE: Duration = Duration::from_secs(2);

/// When we are complete, a peer that downloads nothing either goes at once (or after a delay).
///
/// Such a peer has announced every piece, or says that it is upload-only (BEP 21). One without the
/// metadata stays: it may still ask us for that (BEP 9). The rule made to go for
/// [`uninteresting`](Self::uninteresting) peers also acts while we download.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redundant {
    delay: Duration,
    uninteresting: bool,
    pex: bool,
}

impl Redundant {
    /// Its name in the registry.
    pub const NAME: &'static str = "redundant";

    /// The rule with a wait of `delay`, for instance to exchange peers before (BEP 11).
    pub const fn new(delay: Duration) -> Self {
        Self { delay, uninteresting: false, pex: false }
    }

    /// The same, and while we download a peer goes, too, that says that it is upload-only and has
    /// nothing that we need: it never will be of use, unless we come to need more.
    #[must_use]
    pub const fn uninteresting(self) -> Self {
        Self { uninteresting: true, ..self }
    }

    /// The same, but the delay is only for peers with which peers can be exchanged, while the swarm
    /// is not crowded. The others go at once when both are complete, and after 2 s when they are
    /// uninteresting.
    #[must_use]
    pub const fn pex(self) -> Self {
        Self { pex: true, ..self }
    }

    fn delay(&self, peer: &PeerView, swarm: &SwarmView) -> Duration {
        if !self.pex || (peer.pex && !swarm.private && !swarm.crowded) {
            self.delay
        } else if swarm.leeching() {
            SETTLE
        } else {
            Duration::ZERO
        }
    }

    fn both_complete_since(peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        let complete = (peer.availability == Availability::All)
            .then(|| peer.availability_at.unwrap_or(peer.connected_at));
        let peer_since = [complete, peer.upload_only_since].into_iter().flatten().min()?;
        let swarm_since = swarm.upload_only_since?.max(swarm.metadata_at?).max(swarm.checked_at?);
        Some(peer_since.max(swarm_since))
    }

    fn uninteresting_since(&self, peer: &PeerView, swarm: &SwarmView) -> Option<Time> {
        let upload_only_since = peer.upload_only_since.filter(|_| self.uninteresting)?;
        let unwanted = peer.availability.is_known() && facts::is_unwanted(peer, swarm);
        let useless_since = Form::Mutual.useless_since(peer, swarm).filter(|_| unwanted)?;
        Some(useless_since.max(upload_only_since))
    }
}

impl EvictionPolicy for Redundant {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, _: Time) -> Verdict {
        if !peer.metadata_done {
            return Verdict::keep();
        }
        let since = match swarm.leeching() {
            true => self.uninteresting_since(peer, swarm),
            false => Self::both_complete_since(peer, swarm),
        };
        let Some(since) = since else { return Verdict::keep() };
        let due = since.checked_add(self.delay(peer, swarm));
        let clears = if swarm.leeching() { Clears::WantedGrew } else { Clears::ModeChanged };
        let eviction =
            |at| Eviction::new(at, Reason::REDUNDANT).with_cooldown(COOLDOWN.cleared_by(clears));
        Verdict { evict: due.map(eviction), lose_interest: swarm.leeching(), ..Verdict::keep() }
    }

    fn explain(&self, peer: &PeerView, swarm: &SwarmView, _: &Eviction) -> Evidence {
        let text = match (swarm.leeching(), peer.availability) {
            (true, _) => "the peer is upload-only and has nothing that we need",
            (false, Availability::All) => "we are complete and so is the peer",
            (false, _) => "we are complete and the peer is upload-only",
        };
        Evidence::new(Self::NAME, text)
    }
}

/// As in a specification: `redundant=0s` or `redundant=30s,uninteresting,pex`.
impl fmt::Display for Redundant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", Self::NAME, format_duration(self.delay))?;
        if self.uninteresting {
            f.write_str(",uninteresting")?;
        }
        if self.pex {
            f.write_str(",pex")?;
        }
        Ok(())
    }
}
