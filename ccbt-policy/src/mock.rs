// The macro makes public items (one `expect_…` per method) that cannot be given words here.
#![allow(missing_docs)]

use crate::{
    Candidate, Eviction, EvictionPolicy, Evidence, PeerView, Ranking, SwarmView, Time, Verdict,
    Worth,
};

mockall::mock! {
    /// A policy that does what a test tells it to, and notes how it is called.
    ///
    /// Set up with `expect_name`, `expect_judge` and `expect_explain`; see the `mockall` crate.
    #[derive(Debug)]
    pub Policy {}

    impl EvictionPolicy for Policy {
        fn name(&self) -> &str;
        fn judge(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Verdict;
        fn explain(&self, peer: &PeerView, swarm: &SwarmView, eviction: &Eviction) -> Evidence;
    }
}

mockall::mock! {
    /// A ranking that does what a test tells it to, and notes how it is called.
    ///
    /// Set up with `expect_name`, `expect_worth` and `expect_promise`; see the `mockall` crate.
    #[derive(Debug)]
    pub Ranking {}

    impl Ranking for Ranking {
        fn name(&self) -> &str;
        fn worth(&self, peer: &PeerView, swarm: &SwarmView, now: Time) -> Worth;
        fn promise(&self, candidate: &Candidate, swarm: &SwarmView) -> Worth;
    }
}
