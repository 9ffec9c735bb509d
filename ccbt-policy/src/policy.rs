use std::fmt;
use std::sync::Arc;

use crate::{Eviction, Evidence, PeerView, SwarmView, Time, Verdict};

/// Decides from facts when a peer is no longer worth its slot.
///
/// A policy has no state, does no I/O and reads no clock: what it needs to know is in the views,
/// and history is a fact in them (`…_since`, `last_…_at`, [`Past`](crate::Past)). That makes it
/// testable as a table, lets it be replayed on a trace, and lets it be replaced while the swarm
/// runs.
///
/// # How to judge
/// - Compute deadlines from the facts (`since + grace`), never from `now`: equal facts shall give
///   the same deadline at every `now`. Use [`Time::checked_add`]; `None` means never.
/// - Return the verdict as long as its cause lasts, before the deadline and after it. It is asked
///   for again at the deadline, so a cause that has gone by then pardons the peer with no code of
///   its own.
/// - Continuous facts, such as rates, cause no question by themselves. A policy that lives on them
///   says with [`Verdict::look_again`] when it wants to be asked.
///
/// ```
/// use ccbt_policy::{Eviction, EvictionPolicy, PeerView, Reason, SwarmView, Time, Verdict};
/// use std::time::Duration;
///
/// /// A peer that has kept us snubbed for a minute goes.
/// #[derive(Debug)]
/// struct Snubbed;
///
/// impl EvictionPolicy for Snubbed {
///     fn name(&self) -> &str {
///         "snubbed"
///     }
///
///     fn judge(&self, peer: &PeerView, _: &SwarmView, _: Time) -> Verdict {
///         let due = peer.snubbed_since.and_then(|since| since.checked_add(Duration::from_secs(60)));
///         due.map_or(Verdict::keep(), |at| Verdict::evict(Eviction::new(at, Reason::new("snubbed"))))
///     }
/// }
///
/// let peer = PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO);
/// assert_eq!(Snubbed.judge(&peer, &SwarmView::new(), Time::from_secs(9)), Verdict::keep());
/// ```
pub trait EvictionPolicy: fmt::Debug + Send + Sync {
    /// A short stable name, in lower case with hyphens, that events and logs show.
    fn name(&self) -> &str;

    /// What is to happen to `peer`, as of `now`. It is called often: once per change of a fact.
    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict;

    /// The facts behind `eviction`, which `judge` gave for the same views. It is called only when
    /// something is reported, and may allocate.
    ///
    /// The default names the policy and the reason.
    fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
        let _ = (peer, swarm);
        Evidence::new(self.name(), format!("{} at {}", eviction.reason, eviction.at))
    }
}

// The whole crate stands on `dyn EvictionPolicy`: this line stops compiling if a change forbids it.
const _: Option<&dyn EvictionPolicy> = None;

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: EvictionPolicy + ?Sized> EvictionPolicy for $pointer {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
                (**self).judge(peer, swarm, now)
            }

            fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence {
                (**self).explain(peer, swarm, eviction)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);

/// A policy made of a closure, by [`policy_fn`].
#[derive(Clone)]
pub struct PolicyFn<F> {
    name: Box<str>,
    judge: F,
}

/// Makes a policy called `name` of a closure.
///
/// ```
/// use ccbt_policy::{policy_fn, Eviction, EvictionPolicy, PeerView, Reason, SwarmView, Time, Verdict};
///
/// let liars = policy_fn("liars", |peer, _swarm, now| match peer.proven_liar {
///     true => Verdict::evict(Eviction::new(peer.connected_at, Reason::new("lied"))),
///     false => Verdict::keep(),
/// });
/// let peer = PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO);
/// assert_eq!(liars.judge(&peer, &SwarmView::new(), Time::ZERO), Verdict::keep());
/// ```
pub fn policy_fn<F>(name: impl Into<Box<str>>, judge: F) -> PolicyFn<F>
where
    F: Fn(&PeerView, &SwarmView, Time) -> Verdict + Send + Sync,
{
    PolicyFn { name: name.into(), judge }
}

impl<F> fmt::Debug for PolicyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFn").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<F> EvictionPolicy for PolicyFn<F>
where
    F: Fn(&PeerView, &SwarmView, Time) -> Verdict + Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict {
        (self.judge)(peer, swarm, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    fn view() -> PeerView {
        PeerView::new(([192, 0, 2, 1], 6881).into(), Time::ZERO)
    }

    fn at_its_birth() -> impl EvictionPolicy {
        policy_fn("never-born", |peer, _, _| {
            Verdict::evict(Eviction::new(peer.connected_at, Reason::new("born")))
        })
    }

    #[test]
    fn pointers_to_a_policy_are_policies() {
        let policy = at_its_birth();
        let expected = policy.judge(&view(), &SwarmView::new(), Time::ZERO);
        let by_reference: &dyn EvictionPolicy = &&policy;
        assert_eq!(by_reference.judge(&view(), &SwarmView::new(), Time::ZERO), expected);
        let boxed: Box<dyn EvictionPolicy> = Box::new(at_its_birth());
        let shared: Arc<dyn EvictionPolicy> = Arc::new(boxed);
        assert_eq!(
            EvictionPolicy::judge(&shared, &view(), &SwarmView::new(), Time::ZERO),
            expected
        );
        assert_eq!(EvictionPolicy::name(&shared), "never-born");
    }

    #[test]
    fn without_words_of_its_own_a_policy_gives_its_name_and_reason() {
        let policy = at_its_birth();
        let eviction = Eviction::new(Time::from_secs(3), Reason::new("born"));
        let evidence = policy.explain(&view(), &SwarmView::new(), &eviction);
        assert_eq!(evidence, Evidence::new("never-born", "born at 3.000s"));
    }
}
