use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use ccbt_wire::{BLOCK_LEN, metadata_blocks};

/// What a peer does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Honest,
    Lies,
    Mute,
    Rejects,
    /// Sends blocks without a byte.
    Empty,
}

/// Peers that answer after a time, and what became of them.
struct Table {
    fetch: Fetch,
    now: Time,
    whole: Bytes,
    peers: BTreeMap<PeerKey, (Way, Duration)>,
    answers: BTreeMap<(Time, u32), (PeerKey, MetadataMessage)>,
    count: u32,
    /// Who was asked for what, and when.
    asked: Vec<(Time, PeerKey, u32)>,
    liars: Vec<PeerKey>,
    broke: Vec<PeerKey>,
    done: Option<Time>,
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

impl Table {
    fn new(size: u32) -> Self {
        let whole: Bytes = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
        Self {
            fetch: Fetch::new(InfoHash(Sha1::digest(&whole).into())),
            now: Time::ZERO,
            whole,
            peers: BTreeMap::new(),
            answers: BTreeMap::new(),
            count: 0,
            asked: Vec::new(),
            liars: Vec::new(),
            broke: Vec::new(),
            done: None,
        }
    }

    /// One more peer, which claims the right size and answers after so long.
    fn sit(&mut self, way: Way, after: Duration) -> PeerKey {
        let size = u32::try_from(self.whole.len()).unwrap();
        self.sit_with(way, after, size)
    }

    fn sit_with(&mut self, way: Way, after: Duration, size: u32) -> PeerKey {
        let key = PeerKey(u32::try_from(self.peers.len()).unwrap());
        self.peers.insert(key, (way, after));
        self.fetch.offer(self.now, key, Some(true), Some(size));
        self.ask();
        key
    }

    fn ask(&mut self) {
        for (key, pieces) in self.fetch.ask(self.now) {
            let (way, after) = self.peers[&key];
            let claimed = self.fetch.givers[&key].size;
            for piece in pieces {
                self.asked.push((self.now, key, piece));
                let length = metadata_block_len(claimed, piece) as usize;
                let data = match way {
                    Way::Mute => continue,
                    Way::Rejects | Way::Empty => Bytes::new(),
                    Way::Lies => vec![0xee; length].into(),
                    Way::Honest => self.whole.slice_ref(block(&self.whole, piece)),
                };
                let message = if way == Way::Rejects {
                    MetadataMessage::Reject { piece }
                } else {
                    MetadataMessage::Data { piece, total_size: claimed, data }
                };
                self.count += 1;
                self.answers.insert((self.now + after, self.count), (key, message));
            }
        }
    }

    /// Lets the time go on until the metadata is here, or until `end`.
    fn run(&mut self, end: Time) -> Option<Time> {
        while self.done.is_none() {
            let answer = self.answers.first_key_value().map(|((at, _), _)| *at);
            let wake = self.fetch.deadline();
            let next = [answer, wake].into_iter().flatten().min().filter(|at| *at <= end)?;
            assert!(next >= self.now);
            assert!(wake != Some(self.now), "a deadline that stays");
            self.now = next;
            if answer == Some(next)
                && let Some((_, (key, message))) = self.answers.pop_first()
                && self.peers.contains_key(&key)
            {
                self.hear(key, message);
            }
            if self.done.is_none() {
                self.ask();
            }
        }
        self.done
    }

    fn hear(&mut self, key: PeerKey, message: MetadataMessage) {
        for finding in self.fetch.take(self.now, key, message) {
            match finding {
                Finding::Whole(whole) => {
                    assert_eq!(whole, self.whole);
                    self.done = Some(self.now);
                }
                Finding::Liar(key) => {
                    self.liars.push(key);
                    self.go(key);
                }
                Finding::Broke(key, _) => {
                    self.broke.push(key);
                    self.go(key);
                }
            }
        }
    }

    fn go(&mut self, key: PeerKey) {
        self.peers.remove(&key);
        self.fetch.leave(key);
    }
}

#[test]
fn a_peer_is_asked_for_all_blocks_four_at_a_time() {
    let mut table = Table::new(5 * BLOCK_LEN + 7);
    table.sit(Way::Honest, ms(100));
    assert_eq!(table.asked.len(), 4);
    assert_eq!(table.run(at(1000)), Some(at(200)));
    let pieces: Vec<u32> = table.asked.iter().map(|(.., piece)| *piece).collect();
    assert_eq!(pieces, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn several_peers_share_the_work_before_they_double_it() {
    let mut table = Table::new(12 * BLOCK_LEN);
    (0..3).for_each(|_| _ = table.sit(Way::Honest, ms(100)));
    assert_eq!(table.run(at(1000)), Some(at(100)), "twelve blocks in one go");
    assert_eq!(table.fetch.state().peers, 3);
}

#[test]
fn who_says_nothing_delays_an_honest_peer_by_a_second() {
    for mutes in [1, 3, 12] {
        let mut table = Table::new(3 * BLOCK_LEN);
        (0..mutes).for_each(|_| _ = table.sit(Way::Mute, ms(0)));
        table.sit(Way::Honest, ms(100));
        let done = table.run(at(10_000)).unwrap();
        assert!(done <= at(3_100), "{mutes}: {done}");
    }
}

#[test]
fn a_hundred_who_say_nothing_delay_an_honest_peer_by_less_than_5_s() {
    for size in [1, 20 * BLOCK_LEN] {
        let mut table = Table::new(size);
        (0..100).for_each(|_| _ = table.sit(Way::Mute, ms(0)));
        table.sit(Way::Honest, ms(50));
        let done = table.run(at(20_000)).unwrap();
        assert!(done < at(5_000), "{size}: {done}");
    }
}

#[test]
fn a_liar_that_is_alone_is_named() {
    let mut table = Table::new(2 * BLOCK_LEN);
    let liar = table.sit(Way::Lies, ms(10));
    assert_eq!(table.run(at(5_000)), None);
    assert_eq!(table.liars, [liar]);
}

#[test]
fn a_liar_beside_an_honest_peer_is_named_and_costs_little() {
    for (liar_after, honest_after) in [(10, 100), (100, 10), (50, 50)] {
        for blocks in [1, 2, 7, 40] {
            let mut alone = Table::new(blocks * BLOCK_LEN);
            alone.sit(Way::Honest, ms(honest_after));
            let without = alone.run(at(60_000)).unwrap();
            let mut table = Table::new(blocks * BLOCK_LEN);
            let liar = table.sit(Way::Lies, ms(liar_after));
            table.sit(Way::Honest, ms(honest_after));
            let with = table.run(at(60_000)).unwrap();
            assert!(with <= without + ms(1_000), "{with}, without {without}");
            assert!(table.liars.iter().all(|named| *named == liar));
            if blocks > 1 && liar_after <= honest_after {
                assert_eq!(table.liars, [liar], "{blocks} blocks");
            }
        }
    }
}

#[test]
fn twenty_liars_cost_an_honest_peer_less_than_5_s_and_are_all_named() {
    let mut table = Table::new(6 * BLOCK_LEN);
    let liars: Vec<PeerKey> = (0..20).map(|_| table.sit(Way::Lies, ms(20))).collect();
    let honest = table.sit(Way::Honest, ms(100));
    let done = table.run(at(20_000)).unwrap();
    assert!(done < at(5_000), "{done}");
    assert!(!table.liars.contains(&honest));
    assert!(table.liars.iter().all(|named| liars.contains(named)));
}

#[test]
fn liars_and_mutes_together_cost_less_than_5_s() {
    let mut table = Table::new(6 * BLOCK_LEN);
    (0..10).for_each(|_| _ = table.sit(Way::Lies, ms(20)));
    (0..10).for_each(|_| _ = table.sit(Way::Mute, ms(0)));
    let honest = table.sit(Way::Honest, ms(100));
    let done = table.run(at(20_000)).unwrap();
    assert!(done < at(5_000), "{done}");
    assert!(!table.liars.contains(&honest));
}

#[test]
fn a_block_without_bytes_ends_it_with_that_peer() {
    let mut table = Table::new(2 * BLOCK_LEN);
    let empty = table.sit(Way::Empty, ms(10));
    table.sit(Way::Honest, ms(100));
    let done = table.run(at(5_000)).unwrap();
    assert!(done <= at(1_200), "{done}");
    assert_eq!(table.broke, [empty]);
}

#[test]
fn who_refuses_is_asked_again_after_5_s() {
    let mut table = Table::new(1);
    table.sit(Way::Rejects, ms(10));
    assert_eq!(table.run(at(11_000)), None);
    let times: Vec<Time> = table.asked.iter().map(|(at, ..)| *at).collect();
    assert_eq!(times, [at(0), at(5_010), at(10_020)]);
}

#[test]
fn what_never_came_is_asked_for_again_after_a_minute() {
    let mut table = Table::new(1);
    table.sit(Way::Mute, ms(0));
    assert_eq!(table.run(at(61_000)), None);
    let times: Vec<Time> = table.asked.iter().map(|(at, ..)| *at).collect();
    assert_eq!(times, [at(0), at(60_000)]);
}

#[test]
fn sizes_that_differ_are_fetched_apart() {
    let mut table = Table::new(3 * BLOCK_LEN);
    let liar = table.sit_with(Way::Lies, ms(10), 2 * BLOCK_LEN);
    table.sit(Way::Honest, ms(100));
    assert_eq!(table.run(at(5_000)), Some(at(100)));
    assert_eq!(table.liars, [liar]);
}

#[test]
fn nobody_is_asked_who_does_not_say_how_long_it_is_or_does_not_speak_it() {
    let mut fetch = Fetch::new(InfoHash([0; 20]));
    fetch.offer(Time::ZERO, PeerKey(0), Some(true), None);
    fetch.offer(Time::ZERO, PeerKey(1), None, Some(100));
    fetch.offer(Time::ZERO, PeerKey(2), Some(true), Some(MAX_METADATA_LEN + 1));
    assert_eq!(fetch.ask(Time::ZERO), []);
    assert_eq!(fetch.state(), State::default());
    // A later handshake makes up for it.
    fetch.offer(Time::ZERO, PeerKey(1), Some(true), None);
    assert_eq!(fetch.ask(Time::ZERO), [(PeerKey(1), vec![0])]);
    fetch.offer(Time::ZERO, PeerKey(1), Some(false), None);
    assert_eq!(fetch.state().peers, 0);
}

#[test]
fn large_claims_take_no_more_than_the_budget_and_keep_nobody_out_for_long() {
    let mut table = Table::new(BLOCK_LEN);
    for n in 0..20 {
        table.sit_with(Way::Mute, ms(0), MAX_METADATA_LEN - n);
    }
    let bytes: u64 = table.fetch.copies.iter().map(|copy| u64::from(copy.size)).sum();
    assert!(bytes <= BUDGET, "{bytes}");
    table.sit(Way::Honest, ms(100));
    let done = table.run(at(20_000)).unwrap();
    assert!(done < at(5_000), "{done}");
}

#[test]
fn a_peer_that_leaves_takes_nothing_with_it() {
    let mut table = Table::new(8 * BLOCK_LEN);
    let first = table.sit(Way::Honest, ms(100));
    assert_eq!(table.run(at(150)), None);
    table.go(first);
    assert_eq!(table.fetch.state().have, 4 * BLOCK_LEN);
    table.sit(Way::Honest, ms(100));
    assert_eq!(table.run(at(5_000)).map(|done| done <= at(400)), Some(true));
    assert_eq!(metadata_blocks(8 * BLOCK_LEN), 8);
}
