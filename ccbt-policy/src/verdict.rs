mod eviction;

pub use eviction::{Clears, Cooldown, Eviction, Evidence, Reason};

use crate::Time;

/// What a policy says about one peer.
///
/// Verdicts of several policies are [joined](Verdict::join), each part by the earliest. The default
/// keeps the peer.
///
/// ```
/// use ccbt_policy::{Eviction, Reason, Time, Verdict};
///
/// let at = |secs| Eviction::new(Time::from_secs(secs), Reason::new("too-slow"));
/// let joined = Verdict::evict(at(60)).join(Verdict::evict(at(30)));
/// assert_eq!(joined, Verdict::evict(at(30)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// The peer is closed at that instant; before, it is only on notice.
    pub evict: Option<Eviction>,
    /// From that instant on the peer may be taken for a waiting newcomer.
    pub spare: Option<Eviction>,
    /// Reported when due, never done.
    pub shadow: Option<Eviction>,
    /// The peer has nothing that we need: it is told NOT_INTERESTED, once per change to `true`.
    pub lose_interest: bool,
    /// Ask again then, even if no fact changes.
    pub look_again: Option<Time>,
}

impl Verdict {
    /// Nothing is to be done about the peer.
    pub const fn keep() -> Self {
        Self { evict: None, spare: None, shadow: None, lose_interest: false, look_again: None }
    }

    /// The peer is to be closed as `eviction` says.
    pub const fn evict(eviction: Eviction) -> Self {
        Self { evict: Some(eviction), ..Self::keep() }
    }

    /// The peer may be taken for a newcomer as `eviction` says.
    pub const fn spare(eviction: Eviction) -> Self {
        Self { spare: Some(eviction), ..Self::keep() }
    }

    /// Both verdicts in one: of each part the earliest, of two at the same instant the lesser
    /// [`Eviction`].
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.merge(&other);
        self
    }

    /// [Joins](Self::join) in place: a verdict is large, and most of it is usually empty.
    pub(crate) fn merge(&mut self, other: &Self) {
        merge(&mut self.evict, &other.evict);
        merge(&mut self.spare, &other.spare);
        merge(&mut self.shadow, &other.shadow);
        self.lose_interest |= other.lose_interest;
        merge(&mut self.look_again, &other.look_again);
    }

    /// The evictions that it contains, in whichever part.
    pub(crate) fn evictions(&self) -> impl Iterator<Item = Eviction> {
        [self.evict, self.spare, self.shadow].into_iter().flatten()
    }
}

/// The lesser of what is there; `None` is not less, it is nothing.
pub(crate) fn earliest<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn merge<T: Ord + Copy>(part: &mut Option<T>, other: &Option<T>) {
    if other.is_some() {
        *part = earliest(*part, *other);
    }
}
