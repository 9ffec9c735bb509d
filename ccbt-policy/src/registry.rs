//! The rules by name: what there is, with which numbers, from where, and how a person chooses among
//! them.
//!
//! ```
//! use ccbt_policy::registry::{RULES, Selection};
//!
//! let mut selection = Selection::standard();
//! selection.apply("bitfield-timeout=90s")?;
//! selection.apply("no-interest=10s,one-sided")?;
//! selection.apply("redundant=off")?;
//! assert_eq!(
//!     selection.to_string(),
//!     "bitfield-timeout=90s no-interest=10s,one-sided health=30s/30s redundant=off"
//! );
//! let policy = selection.build();
//!
//! for rule in RULES {
//!     println!("{:18} {}", rule.name, rule.summary);
//! }
//! # Ok::<(), ccbt_policy::registry::SpecError>(())
//! ```

mod duration;
mod selection;
mod spec_error;

pub use duration::{DurationError, format_duration, parse_duration};
pub use selection::Selection;
pub use spec_error::SpecError;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::EvictionPolicy;
use crate::rules::{BitfieldTimeout, Health, NoInterest, Redundant};

/// Every rule that comes with the crate, in the order in which they are shown.
pub static RULES: &[RuleInfo] = &[
    RuleInfo {
        name: BitfieldTimeout::NAME,
        summary: "closes a peer that does not say what it has",
        parameters: &[Parameter {
            name: "timeout",
            default: "60s",
            meaning: "wait after the handshake",
        }],
        options: &[],
        source: "first of the three founding rules of ccbt; BEP 3, BEP 6",
        make: |times, _| match *times {
            [timeout] => Ok(Arc::new(BitfieldTimeout::new(timeout))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: NoInterest::NAME,
        summary: "closes a peer that never had a piece that we need and takes nothing from us",
        parameters: &[Parameter {
            name: "grace",
            default: "10s",
            meaning: "wait since it is useless",
        }],
        options: &[ONE_SIDED],
        source: "second of the three founding rules of ccbt; BEP 3, BEP 11",
        make: |times, options| match *times {
            [grace] if options.contains(&ONE_SIDED.name) => {
                Ok(Arc::new(NoInterest::new(grace).one_sided()))
            }
            [grace] => Ok(Arc::new(NoInterest::new(grace))),
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Health::NAME,
        summary: "closes a peer that has no piece that we still need and takes nothing from us",
        parameters: &[
            Parameter {
                name: "period",
                default: "30s",
                meaning: "time between two checks of a peer, above zero",
            },
            Parameter {
                name: "grace",
                default: "30s",
                meaning: "wait since it is useless, until the next check",
            },
        ],
        options: &[ONE_SIDED],
        source: "third of the three founding rules of ccbt",
        make: |times, options| match *times {
            [period, grace] => {
                let rule = Health::new(period, grace).map_err(|_| Misfit::ZeroPeriod)?;
                Ok(Arc::new(if options.contains(&ONE_SIDED.name) {
                    rule.one_sided()
                } else {
                    rule
                }))
            }
            _ => Err(Misfit::Count),
        },
    },
    RuleInfo {
        name: Redundant::NAME,
        summary: "when we are complete, closes a peer that downloads nothing either",
        parameters: &[Parameter {
            name: "delay",
            default: "0s",
            meaning: "wait since both sides only upload",
        }],
        options: &[],
        source: "common practice; BEP 21",
        make: |times, _| match *times {
            [delay] => Ok(Arc::new(Redundant::new(delay))),
            _ => Err(Misfit::Count),
        },
    },
];

const ONE_SIDED: OptionInfo =
    OptionInfo { name: "one-sided", meaning: "whether the peer takes from us does not matter" };

/// What a person should know about a rule.
#[derive(Debug)]
#[non_exhaustive]
pub struct RuleInfo {
    /// Its name, as in `NAME=VALUE`.
    pub name: &'static str,
    /// What it does, on one line.
    pub summary: &'static str,
    /// Its numbers, which a specification gives all and in this order, joined by `/`.
    pub parameters: &'static [Parameter],
    /// Words that may follow the numbers, each behind a comma.
    pub options: &'static [OptionInfo],
    /// Where it comes from.
    pub source: &'static str,
    make: Make,
}

/// Makes the rule of its numbers and options.
type Make = fn(&[Duration], &[&str]) -> Result<Arc<dyn Rule>, Misfit>;

/// A number of a rule; all are durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// Its default, as [`parse_duration`] reads it.
    pub default: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// A word that changes a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The word.
    pub name: &'static str,
    /// What it changes.
    pub meaning: &'static str,
}

/// A policy that can write itself down as a specification.
trait Rule: EvictionPolicy + fmt::Display {}

impl<T: EvictionPolicy + fmt::Display> Rule for T {}

/// Why numbers do not make a rule.
enum Misfit {
    Count,
    ZeroPeriod,
}
