//! When peers hear of finished pieces.
//!
//! A HAVE wakes a task and is a write of its own. Told to thousands of peers piece by piece, that is more work
//! than the rest of a download, so in a large swarm pieces are gathered. Whom we unchoke can ask at once and hears
//! soon. Whom we choke cannot: it hears in rounds, the rarer the more peers there are, and with its UNCHOKE.

use std::time::Duration;

use ccbt_policy::Time;

/// With so many peers every piece is announced at once.
const FEW: usize = 16;
/// With more, a finished piece waits so long for others.
const SOON: Duration = Duration::from_millis(20);
/// And for each peer in a round of all: a fiftieth of the work of one core.
const EACH: Duration = Duration::from_micros(500);
/// The last peer hears of a piece after so long, however many there are.
const MOST: Duration = Duration::from_secs(2);

/// Who is to be told of what is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Unchoked,
    All,
}

/// When whoever has not heard yet is told.
#[derive(Debug, Default)]
pub(super) struct Announcer {
    soon: Option<Time>,
    all: Option<Time>,
}

impl Announcer {
    /// A piece is finished, and there are so many peers to hear of it.
    pub(super) fn finished(&mut self, now: Time, peers: usize) {
        let each = EACH.saturating_mul(u32::try_from(peers).unwrap_or(u32::MAX));
        let (soon, all) =
            if peers <= FEW { (now, now) } else { (now + SOON, now + each.clamp(SOON, MOST)) };
        // Peers may have left since it was decided to wait.
        self.all = Some(self.all.map_or(all, |before| before.min(all)));
        self.soon.get_or_insert(soon);
    }

    /// When to ask who is [due](Self::due).
    pub(super) fn next(&self) -> Option<Time> {
        [self.soon, self.all].into_iter().flatten().min()
    }

    /// Who is to be told at `now`, once.
    pub(super) fn due(&mut self, now: Time) -> Option<Whom> {
        if self.all.is_some_and(|at| at <= now) {
            *self = Self::default();
            return Some(Whom::All);
        }
        self.soon.take_if(|at| *at <= now).map(|_| Whom::Unchoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn among_few_peers_every_piece_is_told_to_all_at_once() {
        let mut announcer = Announcer::default();
        assert_eq!((announcer.next(), announcer.due(ms(9))), (None, None));
        announcer.finished(ms(10), FEW);
        assert_eq!((announcer.next(), announcer.due(ms(10))), (Some(ms(10)), Some(Whom::All)));
        assert_eq!((announcer.next(), announcer.due(ms(11))), (None, None));
    }

    #[test]
    fn among_many_the_unchoked_hear_in_20_ms_and_the_others_when_it_is_worth_a_round() {
        let mut announcer = Announcer::default();
        announcer.finished(ms(0), 2000);
        announcer.finished(ms(15), 2000);
        assert_eq!((announcer.due(ms(19)), announcer.next()), (None, Some(ms(20))));
        assert_eq!((announcer.due(ms(20)), announcer.due(ms(20))), (Some(Whom::Unchoked), None));
        announcer.finished(ms(990), 2000);
        assert_eq!((announcer.due(ms(999)), announcer.next()), (None, Some(ms(1000))));
        assert_eq!(announcer.due(ms(1000)), Some(Whom::All));
        assert_eq!(announcer.next(), None, "the last piece was among them");
    }

    #[test]
    fn nobody_waits_for_more_than_2_seconds_and_no_round_comes_in_less_than_20_ms() {
        for (peers, wait) in [(FEW + 1, 20), (60, 30), (1_000_000, 2000)] {
            let mut announcer = Announcer::default();
            announcer.finished(ms(7), peers);
            assert_eq!(announcer.all, Some(ms(7 + wait)), "{peers}");
        }
    }

    #[test]
    fn when_many_become_few_the_wait_is_over() {
        let mut announcer = Announcer::default();
        announcer.finished(ms(0), 2000);
        announcer.finished(ms(5), 3);
        assert_eq!(announcer.due(ms(5)), Some(Whom::All));
    }
}
