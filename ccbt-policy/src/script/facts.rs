//! The names that an expression may use, and how each is read from the views.

mod peer;
mod swarm;

use std::net::IpAddr;
use std::sync::LazyLock;

use super::typing;
use crate::{PeerView, SwarmView, Time};

pub(super) type FlagOf = fn(&PeerView, &SwarmView) -> bool;
/// When it stops to be so; `None` while it is so until a fact changes.
pub(super) type UntilOf = fn(&PeerView, &SwarmView) -> Option<Time>;
pub(super) type NumberOf = fn(&PeerView, &SwarmView) -> Option<f64>;
pub(super) type AgeOf = fn(&PeerView, &SwarmView) -> Option<Time>;
pub(super) type AddressOf = fn(&PeerView) -> IpAddr;
/// A text, and another that stands for the same.
pub(super) type TextOf = for<'a> fn(&'a PeerView) -> (&'a [u8], Option<&'a [u8]>);

/// Every fact that an expression may name, those of the peer first.
///
/// Each is read from a field of [`PeerView`] or [`SwarmView`], and every field has a fact.
pub static FACTS: LazyLock<Vec<&'static Fact>> =
    LazyLock::new(|| peer::FACTS.iter().chain(swarm::FACTS).collect());

/// A fact that an expression may name.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fact {
    /// Its name in expressions.
    pub name: &'static str,
    /// The field it is read from: one of [`PeerView`], or behind `swarm.` one of [`SwarmView`].
    pub field: &'static str,
    /// What it counts, for a number: `bytes`, `pieces` ...
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// It changes without a cause to judge, so rules that name it are asked every
    /// [`SAMPLE_PERIOD`](super::SAMPLE_PERIOD) too.
    pub sampled: bool,
    pub(super) read: Read,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Flag(FlagOf),
    Until(UntilOf),
    Number(NumberOf),
    Age(AgeOf),
    /// The second part are all values it can have; empty if there is no saying.
    Text(TextOf, &'static [&'static str]),
    Address(AddressOf),
}

impl Fact {
    /// What it can be compared with: `yes or no`, `number`, `age`, `text` or `address`.
    pub fn kind(&self) -> &'static str {
        match self.read {
            Read::Flag(_) | Read::Until(_) => typing::TEST,
            Read::Number(_) => typing::NUMBER,
            Read::Age(_) => typing::AGE,
            Read::Text(..) => typing::TEXT,
            Read::Address(_) => typing::ADDRESS,
        }
    }

    const fn new(
        name: &'static str,
        field: &'static str,
        read: Read,
        meaning: &'static str,
    ) -> Self {
        Self { name, field, unit: "", meaning, sampled: false, read }
    }

    const fn flag(
        name: &'static str,
        field: &'static str,
        of: FlagOf,
        meaning: &'static str,
    ) -> Self {
        Self::new(name, field, Read::Flag(of), meaning)
    }

    const fn number(
        name: &'static str,
        field: &'static str,
        unit: &'static str,
        of: NumberOf,
        meaning: &'static str,
    ) -> Self {
        Self { unit, ..Self::new(name, field, Read::Number(of), meaning) }
    }

    const fn age(
        name: &'static str,
        field: &'static str,
        of: AgeOf,
        meaning: &'static str,
    ) -> Self {
        Self::new(name, field, Read::Age(of), meaning)
    }

    const fn text(
        name: &'static str,
        field: &'static str,
        of: TextOf,
        values: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self::new(name, field, Read::Text(of, values), meaning)
    }

    const fn and_sampled(self) -> Self {
        Self { sampled: true, ..self }
    }

    /// What it is at `now`, for a person.
    pub(super) fn show(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> String {
        let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        match self.read {
            Read::Flag(of) => yes_or_no(of(peer, swarm)),
            Read::Until(of) => yes_or_no(of(peer, swarm).is_none_or(|end| now < end)),
            Read::Number(of) => of(peer, swarm).map_or("unknown".to_owned(), |value| {
                // A share is told in thousandths, the rest is whole.
                let text = format!("{value:.3}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }),
            Read::Age(of) => match of(peer, swarm) {
                Some(since) if since <= now => format!("{}", Time::ZERO + (now - since)),
                _ => "never".to_owned(),
            },
            Read::Text(of, _) => format!("\"{}\"", of(peer).0.escape_ascii()),
            Read::Address(of) => of(peer).to_canonical().to_string(),
        }
    }
}

/// The facts as a table in Markdown, one row each: name, what it is compared with, unit, field,
/// meaning.
pub fn facts_table() -> String {
    let mut table = String::from("| fact | is | read from | says |\n|---|---|---|---|\n");
    for fact in FACTS.iter() {
        let Fact { name, field, meaning, .. } = fact;
        let is = if fact.unit.is_empty() {
            fact.kind().to_owned()
        } else {
            format!("{}, {}", fact.kind(), fact.unit)
        };
        let mark = if fact.sampled { " ~" } else { "" };
        let values = match fact.read {
            Read::Text(_, values) if !values.is_empty() => format!(": {}", values.join(", ")),
            _ => String::new(),
        };
        table += &format!("| `{name}`{mark} | {is} | `{field}` | {meaning}{values} |\n");
    }
    table
}

#[cfg(test)]
mod tests;
