//! What is known of one address.

use std::borrow::Cow;
use std::net::SocketAddr;

use ccbt_policy::{Clears, Cooldown, Past, Source, Time};

use super::{LOST, Rank};
pub(super) use crate::addresses::WaitKind as Kind;

/// Reasons for which an address waits at once; beyond them the one that ends first is forgotten.
const REASONS: usize = 8;

#[derive(Debug)]
pub(super) struct Record {
    pub(super) source: Source,
    /// We know that somebody listens there: a source said so, or the peer did.
    pub(super) dialable: bool,
    pub(super) busy: bool,
    /// Its place in the queues.
    pub(super) spot: Option<Spot>,
    pub(super) good: bool,
    pub(super) waits: Vec<Wait>,
    /// The address at which the peer that is connected here listens.
    pub(super) also: Option<SocketAddr>,
    pub(super) past: Past,
}

/// A wait for one reason. It is kept when it is over: the next one for the same reason is longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) reason: Cow<'static, str>,
    pub(super) until: Time,
    /// How often in a row it was for this reason.
    pub(super) times: u32,
    pub(super) clears: Clears,
    pub(super) kind: Kind,
}

/// Where an address that may be dialed some day stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    Waiting(Time, u64),
    Due(Rank),
}

/// Who is dialed first. Addresses of one standing are equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// The person wants it, or it gave us verified pieces.
    Dear,
    /// Nothing speaks against it.
    New,
    /// It failed, or was not worth its slot.
    Tried,
}

impl Spot {
    pub(super) fn arrival(self) -> u64 {
        match self {
            Self::Waiting(_, arrival) => arrival,
            Self::Due(rank) => rank.arrival,
        }
    }
}

impl Record {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            dialable: false,
            busy: false,
            spot: None,
            good: false,
            waits: Vec::new(),
            also: None,
            past: Past::default(),
        }
    }

    /// The person wants it, or it has proved itself.
    pub(super) fn is_dear(&self) -> bool {
        self.good || self.source == Source::Given
    }

    pub(super) fn standing(&self) -> Standing {
        if self.waits.iter().any(|wait| wait.kind != Kind::Other) {
            Standing::Tried
        } else if self.is_dear() {
            Standing::Dear
        } else if self.waits.is_empty() {
            Standing::New
        } else {
            Standing::Tried
        }
    }

    /// How many dials in a row came to nothing.
    pub(super) fn failures(&self) -> u32 {
        self.waits.iter().find(|wait| wait.reason == LOST).map_or(0, |wait| wait.times)
    }

    pub(super) fn banned_until(&self) -> Option<Time> {
        self.waits.iter().filter(|wait| wait.kind == Kind::Ban).map(|wait| wait.until).max()
    }

    /// One more wait, longer than the last one for the same reason, unless that is long over.
    pub(super) fn add_wait(
        &mut self,
        now: Time,
        reason: &'static str,
        cooldown: Cooldown,
        kind: Kind,
    ) {
        let before = self.waits.iter().position(|wait| wait.reason == reason);
        let before = before.map(|at| self.waits.swap_remove(at));
        let recent = before.filter(|wait| now.saturating_since(wait.until) <= cooldown.cap);
        let times = recent.map_or(0, |wait| wait.times).saturating_add(1);
        let (until, clears) = (now + cooldown.wait(times), cooldown.clears);
        self.keep(Wait { reason: Cow::Borrowed(reason), until, times, clears, kind });
    }

    /// Takes in a wait for a reason of which there is none yet.
    pub(super) fn keep(&mut self, wait: Wait) {
        let first = (0..self.waits.len()).min_by_key(|at| self.waits[*at].until);
        if let Some(first) = first.filter(|_| self.waits.len() >= REASONS) {
            self.waits.swap_remove(first);
        }
        self.waits.push(wait);
    }
}
