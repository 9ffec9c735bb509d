//! Connections that have not said yet what they want: a bounded number, and nobody fills it for others.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};

/// So many at once.
const MOST: usize = 1024;

/// Who waits, each with the means to let it go: dropping that.
#[derive(Debug)]
pub(super) struct Strangers<T> {
    hosts: HashMap<IpAddr, VecDeque<(u64, T)>>,
    count: usize,
    next: u64,
}

impl<T> Default for Strangers<T> {
    fn default() -> Self {
        Self { hosts: HashMap::new(), count: 0, next: 0 }
    }
}

impl<T> Strangers<T> {
    /// One more, under a number. If there are too many, the oldest of the host that has most gives way: who
    /// says what it wants at once is hardly ever that one.
    pub(super) fn enter(&mut self, ip: IpAddr, hold: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.hosts.entry(host(ip)).or_default().push_back((number, hold));
        self.count += 1;
        if self.count > MOST {
            self.let_one_go();
        }
        number
    }

    /// Lets all of them go.
    pub(super) fn clear(&mut self) {
        self.hosts.clear();
        self.count = 0;
    }

    /// Lets one go if there are more than so many; false if not.
    pub(super) fn thin_out(&mut self, few: usize) -> bool {
        let many = self.count > few;
        if many {
            self.let_one_go();
        }
        many
    }

    /// Of equals, the host whose oldest is the oldest of all.
    fn let_one_go(&mut self) {
        let rank = |waiting: &VecDeque<(u64, T)>| {
            (waiting.len(), Reverse(waiting.front().map(|(number, _)| *number)))
        };
        let most = self.hosts.values_mut().max_by_key(|waiting| rank(waiting));
        let gone = most.and_then(VecDeque::pop_front);
        self.count -= usize::from(gone.is_some());
    }

    /// It has said what it wants, or is gone.
    pub(super) fn leave(&mut self, ip: IpAddr, number: u64) {
        let Some(of_host) = self.hosts.get_mut(&host(ip)) else { return };
        if let Some(at) = of_host.iter().position(|(other, _)| *other == number) {
            of_host.remove(at);
            self.count -= 1;
        }
        if of_host.is_empty() {
            self.hosts.remove(&host(ip));
        }
    }
}

/// Who has one address of a /64 has all of them.
fn host(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_oldest_of_the_host_that_has_most_gives_way() {
        let mut strangers = Strangers::default();
        let (good, crowd) = (Rc::new(()), Rc::new(()));
        strangers.enter(ip("192.0.2.1"), Rc::downgrade(&good).upgrade());
        let first = Rc::new(());
        strangers.enter(ip("2001:db8::1"), Some(first.clone()));
        for n in 0..5 * MOST {
            let other = format!("2001:db8::{:x}", n % 0xffff);
            strangers.enter(ip(&other), Some(crowd.clone()));
        }
        assert_eq!(Rc::strong_count(&good), 2, "it is still held");
        assert_eq!(Rc::strong_count(&first), 1, "it was let go");
        assert_eq!(Rc::strong_count(&crowd), MOST, "with the good one there are as many as may be");
    }

    #[test]
    fn among_hosts_with_one_each_the_oldest_gives_way_and_few_are_left_in_peace() {
        let mut strangers = Strangers::default();
        let held: Vec<Rc<()>> = (0..4).map(|_| Rc::new(())).collect();
        for (n, held) in held.iter().enumerate() {
            strangers.enter(ip(&format!("192.0.2.{n}")), held.clone());
        }
        assert!(strangers.thin_out(2) && strangers.thin_out(2));
        assert!(!strangers.thin_out(2));
        let left: Vec<usize> = held.iter().map(Rc::strong_count).collect();
        assert_eq!(left, [1, 1, 2, 2]);
    }

    #[test]
    fn who_leaves_makes_room_and_leaves_nothing_behind() {
        let mut strangers = Strangers::default();
        let held = Rc::new(());
        let here = ip("192.0.2.1");
        for _ in 0..3 * MOST {
            let number = strangers.enter(here, held.clone());
            strangers.leave(here, number);
            strangers.leave(here, number);
        }
        assert_eq!((strangers.count, strangers.hosts.len(), Rc::strong_count(&held)), (0, 0, 1));
    }
}
