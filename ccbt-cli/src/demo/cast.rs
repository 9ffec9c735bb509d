//! Who plays along in the demo, and what should become of each.

use std::net::SocketAddr;

/// A kind of peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Has everything, and is slow.
    Seed,
    /// Says nothing after its handshake.
    Mute,
    /// Never says what it has, but sends keep-alives all the time.
    Chatter,
    /// Has nothing.
    Empty,
    /// Has two pieces from `first` on, serves them, and is of no use after that.
    Spent { first: u32 },
    /// Has everything, and never unchokes us.
    Choking,
}

/// A peer of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Actor {
    pub(super) role: Role,
    pub(super) addr: SocketAddr,
}

impl Role {
    /// The rule that is made for it; none if it should be kept.
    pub(super) fn rule(self) -> Option<&'static str> {
        match self {
            Self::Mute | Self::Chatter => Some("bitfield-timeout"),
            Self::Empty => Some("no-interest"),
            Self::Spent { .. } => Some("health"),
            Self::Seed | Self::Choking => None,
        }
    }

    /// One word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Mute => "mute",
            Self::Chatter => "chatter",
            Self::Empty => "empty",
            Self::Spent { .. } => "spent",
            Self::Choking => "choking",
        }
    }

    /// What it does.
    pub(super) fn deed(self) -> &'static str {
        match self {
            Self::Seed => "has all pieces, but is slow at first",
            Self::Mute => "says nothing",
            Self::Chatter => "sends keep-alives, and nothing else",
            Self::Empty => "has no piece",
            Self::Spent { .. } => "serves its two pieces, and is of no use then",
            Self::Choking => "has all pieces, and never unchokes us",
        }
    }
}

/// How many of each kind there are, and what they do: a line for each.
pub(super) fn census(cast: &[Actor]) -> Vec<String> {
    let mut kinds: Vec<(Role, usize)> = Vec::new();
    for Actor { role, .. } in cast {
        match kinds.iter_mut().find(|(kind, _)| kind.name() == role.name()) {
            Some((_, count)) => *count += 1,
            None => kinds.push((*role, 1)),
        }
    }
    kinds
        .iter()
        .map(|(role, count)| format!("  {count} {:7}  {}", role.name(), role.deed()))
        .collect()
}
