use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::address::Ranges;
use super::facts::{AddressOf, AgeOf, FlagOf, NumberOf, TextOf, UntilOf};
use crate::verdict::earliest;
use crate::{PeerView, SwarmView, Time};

/// An expression that is true or false, with every type checked.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Constant(bool),
    Flag(FlagOf),
    Until(UntilOf),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
    Same(Box<Test>, Box<Test>),
    Numbers(Relation, Number, Number),
    /// An age and microseconds.
    Age(Relation, AgeOf, u64),
    Ages(Relation, AgeOf, AgeOf),
    Text {
        of: TextOf,
        lower: bool,
        how: How,
        parts: Arc<[Box<str>]>,
    },
    Address(AddressOf, Ranges),
}

/// An expression that is a number.
#[derive(Clone, Debug)]
pub(super) enum Number {
    Constant(f64),
    Fact(NumberOf),
    Minus(Box<Number>),
    Sum(Arithmetic, Box<Number>, Box<Number>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Equal,
    Unequal,
    GreaterOrEqual,
    Greater,
}

impl Relation {
    /// The same said from the other side.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Greater => Self::Less,
            Self::Equal | Self::Unequal => self,
        }
    }

    fn holds<T: PartialOrd>(self, a: &T, b: &T) -> bool {
        match self {
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Equal => a == b,
            Self::Unequal => a != b,
            Self::GreaterOrEqual => a >= b,
            Self::Greater => a > b,
        }
    }
}

/// How a text is held against another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Equals,
    StartsWith,
    EndsWith,
    Contains,
}

/// Why a rule has no answer for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Failure {
    DivisionByZero,
    TooLarge,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DivisionByZero => "a division by zero",
            Self::TooLarge => "a number too large to be told",
        })
    }
}

/// From when on a test holds as long as no fact changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It does not, and will not.
    Never,
    /// From `at` on, perhaps in the past. It is worth asking again at `again`.
    From {
        at: Time,
        again: Option<Time>,
    },
    /// It cannot be told before that instant.
    NotBefore(Time),
    Failed(Failure),
}

/// The facts at an instant, and when next an age that was looked at crosses something.
struct Moment<'a> {
    peer: &'a PeerView,
    swarm: &'a SwarmView,
    at: Time,
    next: Cell<Option<Time>>,
}

impl Moment<'_> {
    /// Whether `instant` has come; if not, the answer may be another one then.
    fn has_come(&self, instant: Option<Time>) -> bool {
        let Some(instant) = instant else { return false };
        if instant <= self.at {
            return true;
        }
        self.next.set(earliest(self.next.get(), Some(instant)));
        false
    }
}

impl Test {
    /// Walks from the handshake along the instants at which an age crosses something, to the run of
    /// true answers that `now` lies in, or else to the next one.
    ///
    /// It ends, because each comparison has three such instants at most.
    pub(super) fn when(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> When {
        let mut since = None;
        let mut at = peer.connected_at;
        loop {
            let moment = Moment { peer, swarm, at, next: Cell::new(None) };
            let answer = self.holds(&moment);
            let next = moment.next.get();
            let lasts = next.is_none_or(|next| next > now);
            match answer {
                Ok(true) => {
                    let since = *since.get_or_insert(at);
                    if lasts {
                        return When::From { at: since, again: next };
                    }
                }
                Err(failure) if lasts && at <= now => return When::Failed(failure),
                Err(_) if lasts => return When::NotBefore(at),
                Ok(false) | Err(_) => since = None,
            }
            match next {
                Some(next) => at = next,
                None => return When::Never,
            }
        }
    }

    fn holds(&self, moment: &Moment<'_>) -> Result<bool, Failure> {
        let &Moment { peer, swarm, .. } = moment;
        Ok(match self {
            Self::Constant(value) => *value,
            Self::Flag(of) => of(peer, swarm),
            Self::Until(of) => of(peer, swarm).is_none_or(|end| !moment.has_come(Some(end))),
            Self::Not(test) => !test.holds(moment)?,
            Self::All(tests) => {
                for test in tests {
                    if !test.holds(moment)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Any(tests) => {
                for test in tests {
                    if test.holds(moment)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Same(a, b) => a.holds(moment)? == b.holds(moment)?,
            Self::Numbers(relation, a, b) => match (a.value(moment)?, b.value(moment)?) {
                (Some(a), Some(b)) => relation.holds(&a, &b),
                _ => false,
            },
            Self::Age(relation, of, micros) => {
                of(peer, swarm).is_some_and(|since| crossed(moment, *relation, since, *micros))
            }
            Self::Ages(relation, a, b) => match (a(peer, swarm), b(peer, swarm)) {
                // Who began later is younger.
                (Some(a), Some(b)) => moment.has_come(Some(a.max(b))) && relation.holds(&b, &a),
                _ => false,
            },
            Self::Text { of, lower, how, parts } => {
                let (name, other) = of(peer);
                [Some(name), other]
                    .into_iter()
                    .flatten()
                    .any(|text| parts.iter().any(|part| how.holds(text, part.as_bytes(), *lower)))
            }
            Self::Address(of, ranges) => ranges.contains(of(peer)),
        })
    }
}

/// `age relation micros`, for an age that runs since `since`; before, nothing holds.
fn crossed(moment: &Moment<'_>, relation: Relation, since: Time, micros: u64) -> bool {
    let after = |micros: u64| since.checked_add(Duration::from_micros(micros));
    let reached = || moment.has_come(after(micros));
    let passed = || moment.has_come(micros.checked_add(1).and_then(after));
    moment.has_come(Some(since))
        && match relation {
            Relation::Less => !reached(),
            Relation::LessOrEqual => !passed(),
            Relation::Equal => reached() && !passed(),
            Relation::Unequal => !reached() || passed(),
            Relation::GreaterOrEqual => reached(),
            Relation::Greater => passed(),
        }
}

impl Number {
    /// The value; `None` for a fact that is not there, and whatever is made of it.
    fn value(&self, moment: &Moment<'_>) -> Result<Option<f64>, Failure> {
        let value = match self {
            Self::Constant(value) => Some(*value),
            Self::Fact(of) => of(moment.peer, moment.swarm),
            Self::Minus(number) => number.value(moment)?.map(|value| -value),
            Self::Sum(arithmetic, a, b) => {
                let (Some(a), Some(b)) = (a.value(moment)?, b.value(moment)?) else {
                    return Ok(None);
                };
                Some(match arithmetic {
                    Arithmetic::Add => a + b,
                    Arithmetic::Subtract => a - b,
                    Arithmetic::Multiply => a * b,
                    Arithmetic::Divide if b == 0.0 => return Err(Failure::DivisionByZero),
                    Arithmetic::Divide => a / b,
                })
            }
        };
        if value.is_none_or(f64::is_finite) { Ok(value) } else { Err(Failure::TooLarge) }
    }
}

impl How {
    /// Whether `text`, with its ASCII letters in lower case if `lower`, is so to `part`.
    fn holds(self, text: &[u8], part: &[u8], lower: bool) -> bool {
        let same = |text: &[u8]| {
            text.len() == part.len()
                && text.iter().zip(part).all(|(&byte, &part)| {
                    (if lower { byte.to_ascii_lowercase() } else { byte }) == part
                })
        };
        match self {
            Self::Equals => same(text),
            Self::StartsWith => text.get(..part.len()).is_some_and(same),
            Self::EndsWith => {
                text.len().checked_sub(part.len()).is_some_and(|start| same(&text[start..]))
            }
            Self::Contains => part.is_empty() || text.windows(part.len()).any(same),
        }
    }
}
