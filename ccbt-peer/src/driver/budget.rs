//! What several swarms of one process may have together, and how they hear of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::budget::{Amount, Ledger, Member, Usage, Use};

/// Connections and dials of several swarms together.
///
/// Each swarm has its fair share, and what one does not use others may borrow: with N connections for T
/// swarms, one that wants N/T has them, however long the others are there. A swarm whose share becomes
/// smaller lets those peers go that are worth least to it. The limits of each swarm
/// ([`SwarmBuilder::max_peers`](crate::SwarmBuilder::max_peers)) hold beside it.
///
/// With fewer connections than swarms, some swarms have none. Clones are the same budget.
///
/// ```
/// use ccbt_peer::Budget;
///
/// let budget = Budget::new(200, 50);
/// assert_eq!((budget.connections(), budget.half_open()), (200, 50));
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    inner: Arc<Mutex<Books>>,
}

#[derive(Debug)]
struct Books {
    connections: Ledger,
    half_open: Ledger,
    grants: Vec<Option<watch::Sender<Amount>>>,
}

impl Budget {
    /// So many connections, dials and those that wait for a slot among them, and so many of them half open.
    #[must_use]
    pub fn new(connections: u32, half_open: u32) -> Self {
        let books = Books {
            connections: Ledger::new(connections, 1),
            // Who has nobody to dial takes no dial from others.
            half_open: Ledger::new(half_open, 0),
            grants: Vec::new(),
        };
        Self { inner: Arc::new(Mutex::new(books)) }
    }

    /// Connections of all swarms together.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.books().connections.limit()
    }

    /// Dials and handshakes of all swarms that are under way together.
    #[must_use]
    pub fn half_open(&self) -> u32 {
        self.books().half_open.limit()
    }

    /// A place for one more swarm, which would use so much at the most by itself.
    pub(crate) fn join(&self, most: Amount) -> Account {
        let (tell, grants) = watch::channel(Amount::default());
        let mut books = self.books();
        let member = books.connections.join(most.connections);
        books.half_open.join(most.half_open);
        // It may have the place of one that left, before others.
        let places = books.grants.len().max(member.0 + 1);
        books.grants.resize_with(places, || None);
        books.grants[member.0] = Some(tell);
        books.settle();
        drop(books);
        Account { budget: self.clone(), member, grants, keeps_to: Amount::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Tells those whose share is another now.
    fn settle(&mut self) {
        self.connections.settle();
        self.half_open.settle();
        for (index, grants) in self.grants.iter().enumerate() {
            let (Some(grants), member) = (grants, Member(index)) else { continue };
            let (connections, half_open) =
                (self.connections.granted(member), self.half_open.granted(member));
            let grant = Amount { connections, half_open };
            grants.send_if_modified(|known| std::mem::replace(known, grant) != grant);
        }
    }
}

/// A swarm's part in a budget; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Budget,
    member: Member,
    grants: watch::Receiver<Amount>,
    /// What the swarm was given last.
    keeps_to: Amount,
}

impl Account {
    /// What the swarm may have from now on.
    pub(crate) fn grant(&mut self) -> Amount {
        self.keeps_to = *self.grants.borrow_and_update();
        self.keeps_to
    }

    /// Resolves when that is something else.
    pub(crate) async fn changed(&mut self) {
        if self.grants.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// The swarm keeps to what it was given, and this is what it has and wants.
    pub(crate) fn report(&self, usage: Usage) {
        let part = |of: fn(Amount) -> u32| Use {
            limit: of(self.keeps_to),
            has: of(usage.has),
            wants: of(usage.wants),
            most: of(usage.most),
        };
        let (connections, half_open) = (part(|all| all.connections), part(|all| all.half_open));
        let mut books = self.budget.books();
        let news = books.connections.report(self.member, connections);
        if books.half_open.report(self.member, half_open) || news {
            books.settle();
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut books = self.budget.books();
        books.connections.leave(self.member);
        books.half_open.leave(self.member);
        books.grants[self.member.0] = None;
        books.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(connections: u32, half_open: u32) -> Amount {
        Amount { connections, half_open }
    }

    /// The swarm has this much, and wants a lot.
    fn greedy(account: &Account, has: Amount) {
        let most = amount(320, 100);
        account.report(Usage { has, wants: most, most });
    }

    #[tokio::test]
    async fn a_swarm_that_comes_later_gets_its_share_when_the_first_gives_it_back() {
        let budget = Budget::new(60, 10);
        let mut first = budget.join(amount(320, 100));
        assert_eq!(first.grant(), amount(60, 10));
        greedy(&first, amount(60, 4));
        let mut second = budget.join(amount(320, 100));
        second.grant();
        greedy(&second, amount(0, 0));
        first.changed().await;
        assert_eq!(first.grant(), amount(30, 5));
        greedy(&first, amount(30, 4));
        second.changed().await;
        assert_eq!(second.grant(), amount(30, 5));
        drop(first);
        second.changed().await;
        assert_eq!(second.grant(), amount(60, 10));
    }

    #[tokio::test]
    async fn who_joins_in_the_place_of_one_that_left_disturbs_nobody_behind_it() {
        let budget = Budget::new(60, 10);
        let first = budget.join(amount(320, 100));
        let mut second = budget.join(amount(320, 100));
        drop(first);
        second.grant();
        greedy(&second, amount(60, 0));
        let third = budget.join(amount(320, 100));
        second.changed().await;
        assert_eq!(
            second.grant(),
            amount(59, 9),
            "of a newcomer nothing is known but that it is there"
        );
        greedy(&third, amount(0, 0));
        second.changed().await;
        assert_eq!(second.grant(), amount(30, 5));
        drop(second);
        drop(third);
        assert_eq!(budget.join(amount(320, 100)).grant(), amount(60, 10));
    }

    #[tokio::test]
    async fn a_swarm_with_nobody_to_dial_leaves_the_only_dial_to_the_other() {
        let budget = Budget::new(60, 1);
        let (mut first, second) = (budget.join(amount(320, 100)), budget.join(amount(320, 100)));
        let idle = Usage { has: amount(0, 0), wants: amount(0, 0), most: amount(320, 100) };
        second.report(idle);
        first.report(Usage { wants: amount(1, 1), ..idle });
        assert_eq!(first.grant().half_open, 1);
    }

    #[test]
    fn a_swarm_alone_is_bounded_by_itself() {
        let budget = Budget::new(1_000, 200);
        let mut only = budget.join(amount(320, 100));
        assert_eq!(only.grant(), amount(320, 100));
    }
}
