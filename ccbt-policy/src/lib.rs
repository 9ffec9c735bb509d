//! When is a BitTorrent peer no longer worth its slot? Facts go in, verdicts come out.
//!
//! A [policy](EvictionPolicy) looks at plain facts about one connection ([`PeerView`]) and its
//! swarm ([`SwarmView`]) and gives a [`Verdict`]. Policies are asked together in a [`PolicySet`]
//! and changed by wrappers ([`Exempt`], [`OnlyWhile`], [`WhenCrowded`], [`NearLimit`], [`DryRun`]).
//! [`Watch`] schedules: it takes the facts as they change and says, exactly once each, what is due.
//! The [`rules`] that come with the crate can be chosen by name in the [`registry`]. When all are
//! fair but one is better, a [`Ranking`] compares, and [`Turnover`] says who is displaced.
//!
//! Nothing here does I/O, has a runtime or reads a clock: the [`Time`] is an argument. So
//! everything runs in virtual time, and the same code serves a client, a simulator and a replayed
//! trace.
//!
//! ```
//! use ccbt_policy::{Availability, Outcome, PeerView, PolicySet, SwarmView, Time, Watch};
//! use std::sync::Arc;
//!
//! let mut watch = Watch::new(Arc::new(PolicySet::standard()), SwarmView::new());
//! let start = Time::ZERO;
//! watch.insert("b", PeerView::new("192.0.2.7:6881".parse()?, start), start);
//!
//! // It says that it has no piece: it is told that we are not interested, and is on notice.
//! watch.update("b", start, |peer| peer.set_availability(start, Availability::None));
//! assert_eq!(watch.poll(start), Some(Outcome::LoseInterest { key: "b" }));
//! assert!(matches!(watch.poll(start), Some(Outcome::Scheduled { .. })));
//! assert_eq!(watch.next_deadline(), Some(Time::from_secs(10)));
//!
//! // It gets a piece that we need: it is pardoned.
//! let have = Time::from_secs(9);
//! watch.update("b", have, |peer| {
//!     peer.new_have(have);
//!     peer.set_wanted(have, 1);
//! });
//! assert!(matches!(watch.poll(have), Some(Outcome::Pardoned { .. })));
//! assert_eq!(watch.next_deadline(), None);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! With the feature `mock` there are a `MockPolicy` and a `MockRanking`, for tests of code that
//! asks one.

#[cfg(feature = "mock")]
mod mock;
mod policy;
mod ranking;
pub mod registry;
pub mod rules;
#[cfg(feature = "script")]
pub mod script;
mod set;
mod time;
mod verdict;
mod view;
mod watch;
mod wrap;

#[cfg(feature = "mock")]
pub use mock::{MockPolicy, MockRanking};
pub use policy::{EvictionPolicy, PolicyFn, policy_fn};
pub use ranking::{
    ByExchange, Candidate, Displaced, LikeLibtorrent, Ranking, Turnover, Worth, median_worth,
    worst_first,
};
pub use set::PolicySet;
pub use time::Time;
pub use verdict::{Clears, Cooldown, Eviction, Evidence, Reason, Verdict};
pub use view::{Availability, Direction, Past, PeerView, Source, SwarmView};
pub use watch::{Outcome, Watch};
pub use wrap::{DryRun, Exempt, NearLimit, OnlyWhile, WhenCrowded};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/policies.md")]
struct Page;
