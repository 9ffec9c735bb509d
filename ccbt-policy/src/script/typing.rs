//! What the parts of an expression can be, and the words for it.

use super::facts::{AddressOf, AgeOf, TextOf};
use super::test::{Number, Test};

pub(super) const TEST: &str = "yes or no";
pub(super) const NUMBER: &str = "number";
pub(super) const AGE: &str = "age";
pub(super) const DURATION: &str = "duration";
pub(super) const TEXT: &str = "text";
pub(super) const ADDRESS: &str = "address";
pub(super) const LIST: &str = "list";

/// A part of an expression, by what it is.
#[derive(Clone, Debug)]
pub(super) enum Typed<'e> {
    Test(Test),
    Number(Number),
    Age(AgeOf),
    /// Microseconds.
    Duration(u64),
    Text(TextFact),
    Address(AddressOf),
    Literal(&'e str),
    /// Its parts and the byte of each.
    List(Vec<(usize, Typed<'e>)>),
}

/// A text that is a fact.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextFact {
    pub(super) name: &'static str,
    pub(super) of: TextOf,
    pub(super) values: &'static [&'static str],
    /// Its ASCII letters are taken in lower case.
    pub(super) lower: bool,
}

impl Typed<'_> {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Test(_) => TEST,
            Self::Number(_) => NUMBER,
            Self::Age(_) => AGE,
            Self::Duration(_) => DURATION,
            Self::Text(_) | Self::Literal(_) => TEXT,
            Self::Address(_) => ADDRESS,
            Self::List(_) => LIST,
        }
    }
}
