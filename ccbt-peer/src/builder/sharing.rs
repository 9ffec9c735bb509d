//! What a swarm may use, by itself or together with others.

use super::SwarmBuilder;
use crate::driver::{Budget, Limits};

impl SwarmBuilder {
    /// Receive at most so many bytes a second. The default is no limit. Limits that are shared change
    /// for all.
    #[must_use]
    pub fn limit_down(self, rate: u64) -> Self {
        self.limits.set_down(Some(rate));
        self
    }

    /// Send at most so many bytes a second. The default is no limit. Limits that are shared change for
    /// all.
    #[must_use]
    pub fn limit_up(self, rate: u64) -> Self {
        self.limits.set_up(Some(rate));
        self
    }

    /// Share limits with other swarms: together they keep them, and each gets as much as the others, however
    /// many peers it has. It replaces what
    /// [`limit_down`](Self::limit_down) and [`limit_up`](Self::limit_up) said before.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.limits = limits.of_swarm();
        self
    }

    /// Share connections and dials with other swarms: together they keep to `budget`. The default is none.
    #[must_use]
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.budget = Some(budget.clone());
        self
    }
}
