//! Rules without Rust: expressions over the facts of a peer and its swarm, read from TOML.
//!
//! ```
//! use ccbt_policy::script::Rules;
//! use ccbt_policy::{EvictionPolicy, PeerView, SwarmView, Time};
//!
//! let rules = Rules::parse("rules.toml", r#"
//! [[rule]]
//! name = "never-gives"
//! when = 'client starts_with "-XL" && downloaded == 0 && age > 2m'
//! "#)?;
//! let rule = rules.iter().next().unwrap();
//! let peer = PeerView::new(([192, 0, 2, 7], 6881).into(), Time::ZERO)
//!     .with(|peer| peer.client = Some("-XL0019-".into()));
//! let verdict = rule.judge(&peer, &SwarmView::new(), Time::ZERO);
//! assert_eq!(verdict.evict.unwrap().at, Time::from_micros(120_000_001));
//! # Ok::<(), ccbt_policy::script::ScriptError>(())
//! ```
//!
//! The language is the Common Expression Language (CEL): expressions alone, so there is nothing that
//! could loop, wait or reach outside. Three things are added, so that a rule reads as it is said:
//! durations (`2m`), sizes (`16MiB`) and the infix words `starts_with`, `ends_with` and `contains`.
//! The facts that it may name are [`FACTS`].
//!
//! # When a rule is asked
//!
//! Facts are steps, but for the ages, and an age can only change a rule's mind at the instant at
//! which it crosses what it is compared with. So a deadline is exact to the microsecond, at whatever
//! time one asks. Facts that change without a cause to judge ([`Fact::sampled`]) are looked at every
//! [`SAMPLE_PERIOD`] too, counted from the handshake.
//!
//! # What can go wrong
//!
//! Syntax, unknown names and types are checked when the text is read: a [`ScriptError`] names file,
//! line and column. What is left for later is arithmetic (a division by zero): the rule keeps that
//! peer then, and says so once ([`Rules::new_troubles`]).

mod address;
mod cel;
mod document;
mod error;
mod facts;
mod lower;
mod place;
mod rule;
mod rules;
mod sugar;
mod test;
mod typing;

pub use error::{Problem, ScriptError};
pub use facts::{FACTS, Fact, facts_table};
pub use rule::{Action, SAMPLE_PERIOD, ScriptRule, Trouble};
pub use rules::Rules;
