//! Which block of the metadata is asked of whom, and what becomes of the answers.
//!
//! Peers that claim the same size work on one copy together, each on what the fewest are asked for. If that
//! copy is wrong and several had a part in it, each of them, and everybody else of that size, makes one of
//! its own: so each proves itself, and whoever lies is known. A block that is late is asked of three times as
//! many others each second, so that those who say nothing cannot keep us from one who does.

mod attempt;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use ccbt_policy::Time;
use ccbt_wire::{InfoHash, MAX_METADATA_LEN, MetadataMessage, metadata_block_len};
use sha1::{Digest, Sha1};

use super::super::PeerKey;
use attempt::{Attempt, Put};

/// A block that does not come for so long is late, and whoever owes it is asked for nothing more.
const LATE: Duration = Duration::from_secs(1);
/// It will not come any more; the peer may be asked for it again.
const LOST: Duration = Duration::from_secs(60);
/// Who refuses a block is asked again after this.
const REFUSED: Duration = Duration::from_secs(5);
/// Blocks that a peer is asked for at once.
const WINDOW: usize = 4;
/// Peers that are asked for the same block at once, if nobody is late with it.
const COPIES: usize = 3;
/// A copy on which nothing happens for so long gives its place to another.
const STALLED: Duration = Duration::from_secs(2);
/// Copies of single peers that are made at once.
const ALONE: usize = 8;
/// Bytes that all copies may take together.
const BUDGET: u64 = 4 * MAX_METADATA_LEN as u64;
/// Second answers that differ from the first and are kept in mind.
const DOUBTS: usize = 4096;

/// What came of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The dictionary, whole and right.
    Whole(Bytes),
    /// It sent what is not in the dictionary.
    Liar(PeerKey),
    /// It broke the rules of BEP 9, in words.
    Broke(PeerKey, String),
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::swarm) struct State {
    /// Bytes that are here of the copy that has most.
    pub(in crate::swarm) have: u32,
    /// Bytes of the dictionary as that copy's peers say; 0 if nobody said anything.
    pub(in crate::swarm) size: u32,
    /// Peers that say they have it.
    pub(in crate::swarm) peers: u32,
}

/// The metadata while it is unknown.
#[derive(Debug)]
pub(in crate::swarm) struct Fetch {
    info_hash: InfoHash,
    givers: BTreeMap<PeerKey, Giver>,
    copies: Vec<Attempt>,
    /// Sizes of which a common copy was wrong.
    apart: BTreeSet<u32>,
    /// Whose copy gave its place to another, and how often.
    passed: BTreeMap<(u32, Option<PeerKey>), u32>,
    /// Blocks that differ from those that came before them: sender, size, block and digest.
    doubts: Vec<(PeerKey, u32, u32, [u8; 20])>,
    wake_at: Option<Time>,
}

/// A peer that may have the metadata.
#[derive(Debug)]
struct Giver {
    speaks: bool,
    /// Bytes of the dictionary, as it says.
    size: u32,
    asked: Vec<(u32, Time)>,
    refused_until: Time,
    /// Since when it refuses, if nothing came from it since.
    refused_at: Option<Time>,
    /// When it sent a block last.
    gave_at: Option<Time>,
}

impl Giver {
    fn gives(&self) -> bool {
        self.speaks && self.size > 0
    }

    /// Whether it may be asked for more at `now`.
    fn room(&self, now: Time) -> usize {
        let late = self.asked.iter().any(|(_, at)| *at + LATE <= now);
        if !self.gives() || late || now < self.refused_until {
            return 0;
        }
        WINDOW.saturating_sub(self.asked.len())
    }
}

impl Fetch {
    pub(in crate::swarm) fn new(info_hash: InfoHash) -> Self {
        Self {
            info_hash,
            givers: BTreeMap::new(),
            copies: Vec::new(),
            apart: BTreeSet::new(),
            passed: BTreeMap::new(),
            doubts: Vec::new(),
            wake_at: None,
        }
    }

    /// What a peer says of itself in its extension handshake: whether it speaks `ut_metadata`, and how long
    /// the dictionary is. What it does not mention stays.
    pub(in crate::swarm) fn offer(
        &mut self,
        now: Time,
        key: PeerKey,
        speaks: Option<bool>,
        size: Option<u32>,
    ) {
        let giver = self.givers.entry(key).or_insert_with(|| Giver {
            speaks: false,
            size: 0,
            asked: Vec::new(),
            refused_until: now,
            refused_at: None,
            gave_at: None,
        });
        giver.speaks = speaks.unwrap_or(giver.speaks);
        let size = size.filter(|size| *size <= MAX_METADATA_LEN).unwrap_or(giver.size);
        if size != giver.size {
            giver.size = size;
            giver.asked.clear();
            self.drop_copy_of(key);
        }
    }

    /// A peer is gone.
    pub(in crate::swarm) fn leave(&mut self, key: PeerKey) {
        if self.givers.remove(&key).is_some() {
            self.drop_copy_of(key);
        }
        self.passed.retain(|(_, of), _| *of != Some(key));
    }

    /// Whether the peer says that it has the metadata and gives it.
    pub(super) fn has(&self, key: PeerKey) -> bool {
        self.givers.get(&key).is_some_and(Giver::gives)
    }

    /// Since when a peer that is here since `here` has been of no use: it does not say that it gives, or it
    /// refuses, or owes us a block, and has sent none since. `None` if it may give.
    pub(super) fn in_vain_since(&self, key: PeerKey, here: Time) -> Option<Time> {
        let Some(giver) = self.givers.get(&key).filter(|giver| giver.gives()) else {
            return Some(here);
        };
        let owes = giver.asked.iter().map(|(_, at)| *at).min();
        let since = [owes, giver.refused_at].into_iter().flatten().min()?;
        Some(giver.gave_at.map_or(since, |gave_at| since.max(gave_at)))
    }

    fn drop_copy_of(&mut self, key: PeerKey) {
        self.copies.retain(|copy| copy.of != Some(key));
    }

    /// How far it is.
    pub(in crate::swarm) fn state(&self) -> State {
        let peers = self.givers.values().filter(|giver| giver.gives()).count();
        let best = self.copies.iter().max_by_key(|copy| copy.have());
        State {
            have: best.map_or(0, Attempt::have),
            size: best.map_or(0, |copy| copy.size),
            peers: u32::try_from(peers).unwrap_or(u32::MAX),
        }
    }

    /// When [`ask`](Self::ask) has something to do, if nothing happens before.
    pub(in crate::swarm) fn deadline(&self) -> Option<Time> {
        self.wake_at
    }

    /// Takes an answer.
    pub(super) fn take(
        &mut self,
        now: Time,
        key: PeerKey,
        message: MetadataMessage,
    ) -> Vec<Finding> {
        let Some(giver) = self.givers.get_mut(&key) else { return Vec::new() };
        let (MetadataMessage::Data { piece, .. } | MetadataMessage::Reject { piece }) = message
        else {
            return Vec::new();
        };
        giver.asked.retain(|(asked, _)| *asked != piece);
        let MetadataMessage::Data { total_size, data, .. } = message else {
            giver.refused_until = now + REFUSED;
            giver.refused_at.get_or_insert(now);
            return Vec::new();
        };
        let size = giver.size;
        if let Err(why) = check(size, piece, total_size, &data) {
            return vec![Finding::Broke(key, why)];
        }
        (giver.gave_at, giver.refused_at) = (Some(now), None);
        let own = self.copies.iter().position(|copy| copy.of == Some(key));
        let common = || self.copies.iter().position(|copy| copy.of.is_none() && copy.size == size);
        let Some(at) = own.or_else(common) else { return Vec::new() };
        match self.copies[at].put(now, key, piece, &data) {
            Put::Differs if self.doubts.len() < DOUBTS => {
                self.doubts.push((key, size, piece, Sha1::digest(&data).into()));
                Vec::new()
            }
            Put::Complete => self.judge(at),
            Put::Differs | Put::More | Put::Same => Vec::new(),
        }
    }

    /// Whether a copy that is whole is right.
    fn judge(&mut self, at: usize) -> Vec<Finding> {
        let copy = self.copies.swap_remove(at);
        let whole = copy.join();
        if Sha1::digest(&whole).as_slice() == self.info_hash.0 {
            let mut findings: Vec<Finding> =
                self.liars_by(&whole).into_iter().map(Finding::Liar).collect();
            findings.push(Finding::Whole(whole));
            return findings;
        }
        let senders = copy.senders();
        if let [liar] = senders[..] {
            return vec![Finding::Liar(liar)];
        }
        // Each of them goes on by itself, from what it gave.
        self.apart.insert(copy.size);
        self.copies.extend(senders.into_iter().map(|sender| copy.part_of(sender)));
        Vec::new()
    }

    /// Who sent what differs from the dictionary.
    fn liars_by(&self, whole: &Bytes) -> BTreeSet<PeerKey> {
        let fits = |size: u32| size as usize == whole.len();
        let doubts = self.doubts.iter().filter(|(_, size, piece, digest)| {
            fits(*size) && Sha1::digest(block(whole, *piece)).as_slice() != digest
        });
        let mut liars: BTreeSet<PeerKey> = doubts.map(|(key, ..)| *key).collect();
        for copy in self.copies.iter().filter(|copy| fits(copy.size)) {
            liars.extend(copy.differing(whole));
        }
        liars
    }

    /// Whom to ask for what at `now`.
    pub(super) fn ask(&mut self, now: Time) -> Vec<(PeerKey, Vec<u32>)> {
        for giver in self.givers.values_mut() {
            giver.asked.retain(|(_, at)| *at + LOST > now);
        }
        let waiting = self.take_places(now);
        let mut asks: BTreeMap<PeerKey, Vec<u32>> = BTreeMap::new();
        let mut open: Vec<PeerKey> = self.givers.keys().copied().collect();
        // Who has shown that it gives comes first.
        open.sort_by_key(|key| self.givers[key].gave_at.is_none());
        while !open.is_empty() {
            // One block each, and round again.
            open.retain(|key| {
                let Some(piece) = self.pick(now, *key) else { return false };
                let Some(giver) = self.givers.get_mut(key) else { return false };
                giver.asked.push((piece, now));
                asks.entry(*key).or_default().push(piece);
                true
            });
        }
        self.wake_at = self.next_wake(now, waiting);
        asks.into_iter().collect()
    }

    /// The next block for this peer.
    fn pick(&self, now: Time, key: PeerKey) -> Option<u32> {
        let giver = self.givers.get(&key)?;
        if giver.room(now) == 0 {
            return None;
        }
        let fits = |copy: &&Attempt| match copy.of {
            Some(of) => of == key,
            None => copy.size == giver.size,
        };
        let copy = self.copies.iter().find(fits)?;
        let missing = copy.missing().filter(|piece| giver.asked.iter().all(|(p, _)| p != piece));
        if copy.of.is_some() {
            return missing.min();
        }
        let of_size = || self.givers.values().filter(|giver| giver.size == copy.size);
        let mut asked: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for (piece, at) in of_size().flat_map(|giver| &giver.asked) {
            let (fresh, late) = asked.entry(*piece).or_default();
            *if *at + LATE > now { fresh } else { late } += 1;
        }
        let counts = missing.map(|piece| (asked.get(&piece).copied().unwrap_or_default(), piece));
        let allowed = counts.filter(|((fresh, late), _)| *fresh < COPIES + 2 * late);
        allowed.map(|((fresh, late), piece)| (fresh + late, piece)).min().map(|(_, piece)| piece)
    }

    /// Makes the copies that are wanted, as far as there is room; true if one has to wait.
    fn take_places(&mut self, now: Time) -> bool {
        let mut claims: BTreeMap<u32, u32> = BTreeMap::new();
        for giver in self.givers.values().filter(|giver| giver.gives()) {
            *claims.entry(giver.size).or_default() += 1;
        }
        self.apart.retain(|size| claims.contains_key(size));
        self.passed.retain(|(size, _), _| claims.contains_key(size));
        // Nobody is left to finish those.
        self.copies.retain(|copy| copy.of.is_some() || claims.contains_key(&copy.size));
        let (givers, apart, passed) = (&self.givers, &self.apart, &self.passed);
        let common = claims.keys().filter(|size| !apart.contains(size)).map(|size| (*size, None));
        let alone = givers
            .iter()
            .filter(|(_, giver)| giver.gives() && apart.contains(&giver.size))
            .map(|(key, giver)| (giver.size, Some(*key)));
        let mut wants: Vec<(u32, Option<PeerKey>)> = common.chain(alone).collect();
        wants.retain(|(size, of)| {
            !self.copies.iter().any(|copy| copy.of == *of && (of.is_some() || copy.size == *size))
        });
        wants.sort_by_key(|want| {
            let (size, of) = *want;
            let gave = of.is_none_or(|key| givers[&key].gave_at.is_some());
            let claimed = std::cmp::Reverse(claims[&size]);
            (passed.get(want).copied().unwrap_or(0), !gave, claimed, size)
        });
        let mut waiting = false;
        for (size, of) in wants {
            if !self.make_room(now, size, of.is_some()) {
                waiting = true;
                continue;
            }
            self.copies.push(Attempt::new(now, size, of));
        }
        waiting
    }

    /// Whether there is room for one more copy; one that stalls gives way.
    fn make_room(&mut self, now: Time, size: u32, alone: bool) -> bool {
        let full = |copies: &[Attempt]| {
            let bytes: u64 = copies.iter().map(|copy| u64::from(copy.size)).sum();
            let singles = copies.iter().filter(|copy| copy.of.is_some()).count();
            bytes + u64::from(size) > BUDGET || (alone && singles >= ALONE)
        };
        while full(&self.copies) {
            let stalled = self
                .copies
                .iter()
                .position(|copy| copy.moved_at + STALLED <= now && (copy.of.is_some() || !alone));
            let Some(at) = stalled else { return false };
            let copy = self.copies.swap_remove(at);
            *self.passed.entry((copy.size, copy.of)).or_default() += 1;
        }
        true
    }

    fn next_wake(&self, now: Time, waiting: bool) -> Option<Time> {
        let givers = self.givers.values().filter(|giver| giver.gives());
        let asked = givers.clone().flat_map(|giver| &giver.asked);
        let late = asked.flat_map(|(_, at)| [*at + LATE, *at + LOST]);
        let refused = givers.map(|giver| giver.refused_until);
        let stalled = self.copies.iter().filter(|_| waiting).map(|copy| copy.moved_at + STALLED);
        late.chain(refused).chain(stalled).filter(|at| *at > now).min()
    }
}

/// Bytes of a block of the dictionary.
pub(super) fn block(whole: &Bytes, piece: u32) -> &[u8] {
    let size = u32::try_from(whole.len()).unwrap_or(u32::MAX);
    let length = metadata_block_len(size, piece) as usize;
    let begin = if length == 0 { 0 } else { piece as usize * ccbt_wire::BLOCK_LEN as usize };
    &whole[begin..begin + length]
}

/// Whether a block has the length that it must have in a dictionary of `size` bytes.
pub(super) fn check(size: u32, piece: u32, total_size: u32, data: &[u8]) -> Result<(), String> {
    if total_size != size {
        return Err(format!("{total_size} bytes in all, after {size} in the handshake"));
    }
    let expected = metadata_block_len(size, piece);
    if data.len() != expected as usize {
        return Err(format!("block {piece} of {} bytes, not {expected}", data.len()));
    }
    Ok(())
}
