//! Who has how much of one thing. A share that becomes smaller is promised to others at once, and given to them
//! when it has come back: at no time have all together more than there is.

use super::divide::divide_and_lend;

/// One of those who share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member(pub(crate) usize);

/// What a member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// What it keeps to.
    pub(crate) limit: u32,
    pub(crate) has: u32,
    /// What it could use now, with what it has.
    pub(crate) wants: u32,
    /// What it could use at the most.
    pub(crate) most: u32,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    limit: u32,
    /// What everybody wants at the least.
    least: u32,
    members: Vec<Option<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    says: Use,
    /// What it was told last.
    granted: u32,
}

impl Entry {
    /// What it has, or may take before it hears of anything else.
    fn holds(&self) -> u32 {
        self.says.has.max(self.says.limit).max(self.granted)
    }
}

impl Ledger {
    /// A whole to be shared, of which everybody wants `least`, whatever he says.
    pub(crate) fn new(limit: u32, least: u32) -> Self {
        Self { limit, least, members: Vec::new() }
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Somebody who could use so much; it has nothing yet, and wants something.
    pub(crate) fn join(&mut self, most: u32) -> Member {
        let says = Use { limit: 0, has: 0, wants: most.min(1), most };
        let entry = Some(Entry { says, granted: 0 });
        match self.members.iter().position(Option::is_none) {
            Some(free) => {
                self.members[free] = entry;
                Member(free)
            }
            None => {
                self.members.push(entry);
                Member(self.members.len() - 1)
            }
        }
    }

    pub(crate) fn leave(&mut self, member: Member) {
        self.members[member.0] = None;
    }

    /// Takes down what it says; tells whether that is news.
    pub(crate) fn report(&mut self, member: Member, says: Use) -> bool {
        let Some(entry) = &mut self.members[member.0] else { return false };
        let wants = says.wants.max(says.has).clamp(says.most.min(self.least), says.most);
        let says = Use { wants, ..says };
        std::mem::replace(&mut entry.says, says) != says
    }

    /// What it was told last that it may have.
    pub(crate) fn granted(&self, member: Member) -> u32 {
        self.members[member.0].as_ref().map_or(0, |entry| entry.granted)
    }

    /// Divides anew. Who is to have less hears of it now; who is to have more gets what is free by now.
    pub(crate) fn settle(&mut self) {
        let mut members: Vec<&mut Entry> = self.members.iter_mut().flatten().collect();
        let wants: Vec<u32> = members.iter().map(|entry| entry.says.wants).collect();
        let most: Vec<u32> = members.iter().map(|entry| entry.says.most).collect();
        let shares = divide_and_lend(self.limit, &wants, &most);
        let held: u64 = members.iter().map(|entry| u64::from(entry.holds())).sum();
        let mut free = u64::from(self.limit).saturating_sub(held);
        for (entry, share) in members.iter_mut().zip(shares) {
            if share <= entry.granted {
                entry.granted = share;
                continue;
            }
            // What it has not given back yet, of a greater share before, it may keep.
            let before = entry.holds();
            let more = u64::from(share.saturating_sub(before)).min(free);
            free -= more;
            let reach = before.min(share) + u32::try_from(more).unwrap_or(u32::MAX);
            entry.granted = entry.granted.max(reach.min(share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The member keeps to what it was told, and has and wants so much.
    fn says(ledger: &mut Ledger, member: Member, has: u32, wants: u32) {
        let limit = ledger.granted(member);
        ledger.report(member, Use { limit, has, wants, most: 320 });
        ledger.settle();
    }

    fn two(limit: u32) -> (Ledger, Member, Member) {
        let mut ledger = Ledger::new(limit, 1);
        let one = ledger.join(320);
        ledger.settle();
        says(&mut ledger, one, limit, 320);
        let other = ledger.join(320);
        ledger.settle();
        (ledger, one, other)
    }

    #[test]
    fn who_is_alone_has_everything() {
        let mut ledger = Ledger::new(100, 1);
        let one = ledger.join(320);
        ledger.settle();
        assert_eq!(ledger.granted(one), 100);
    }

    #[test]
    fn a_share_is_given_when_it_has_come_back_and_not_before() {
        let (mut ledger, one, other) = two(100);
        assert_eq!((ledger.granted(one), ledger.granted(other)), (99, 0), "one for a beginning");
        says(&mut ledger, one, 99, 320);
        assert_eq!(ledger.granted(other), 1);
        says(&mut ledger, other, 1, 320);
        assert_eq!((ledger.granted(one), ledger.granted(other)), (50, 1));
        // It has heard of it, but its peers are not gone yet.
        says(&mut ledger, one, 80, 320);
        assert_eq!(ledger.granted(other), 20);
        says(&mut ledger, one, 50, 320);
        assert_eq!(ledger.granted(other), 50);
    }

    #[test]
    fn what_is_not_used_is_lent_and_comes_back() {
        let (mut ledger, one, other) = two(100);
        says(&mut ledger, one, 3, 3);
        assert_eq!(ledger.granted(one), 51, "three, and half of what nobody wants");
        says(&mut ledger, one, 3, 3);
        assert_eq!(ledger.granted(other), 49);
        says(&mut ledger, other, 49, 320);
        says(&mut ledger, one, 3, 3);
        says(&mut ledger, other, 97, 320);
        assert_eq!((ledger.granted(one), ledger.granted(other)), (3, 97));
        says(&mut ledger, one, 3, 50);
        assert_eq!((ledger.granted(one), ledger.granted(other)), (3, 50));
        says(&mut ledger, other, 50, 320);
        assert_eq!((ledger.granted(one), ledger.granted(other)), (50, 50));
    }

    #[test]
    fn who_leaves_leaves_everything() {
        let (mut ledger, one, other) = two(100);
        ledger.leave(one);
        ledger.settle();
        assert_eq!((ledger.granted(one), ledger.granted(other)), (0, 100));
        assert_eq!(ledger.join(1), one, "its place is free");
    }

    #[test]
    fn all_together_never_have_more_than_there_is() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let limit = rng.u32(0..60);
            let mut ledger = Ledger::new(limit, 1);
            // What each keeps to, and has.
            let mut members: Vec<(Member, u32, u32)> = Vec::new();
            for _ in 0..300 {
                match rng.u32(0..20) {
                    0 => members.push((ledger.join(rng.u32(0..50)), 0, 0)),
                    1 if !members.is_empty() => {
                        let gone = members.swap_remove(rng.usize(..members.len()));
                        ledger.leave(gone.0);
                    }
                    _ if members.is_empty() => continue,
                    _ => {
                        let index = rng.usize(..members.len());
                        let (member, kept, has) = &mut members[index];
                        *kept = ledger.granted(*member);
                        // Whoever goes needs a while.
                        let takes = rng.u32(0..=*kept);
                        *has = if rng.bool() { takes } else { (*has).max(takes) };
                        let wants = rng.u32(0..60);
                        let (limit, has, most) = (*kept, *has, rng.u32(0..50));
                        ledger.report(*member, Use { limit, has, wants, most });
                    }
                }
                ledger.settle();
                let sum: u32 = members.iter().map(|(_, kept, has)| (*has).max(*kept)).sum();
                let told: u32 = members.iter().map(|(member, ..)| ledger.granted(*member)).sum();
                assert!(sum <= limit && told <= limit, "{sum} and {told} of {limit}");
            }
        }
    }
}
