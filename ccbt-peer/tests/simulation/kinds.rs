//! The kinds of peers that a swarm is made of. All see a torrent of `pieces` pieces.

use std::time::Duration;

use ccbt_peer::wire::{Bitfield, Message, PieceIndex};

use super::host::{Answer, Drip, Greeting, Host, Line};
use super::{ms, secs};

/// Says nothing behind its handshake.
pub(crate) fn mute(pieces: u32) -> Host {
    Host {
        answer: Answer::Handshake,
        fast: true,
        upload_only: false,
        greeting: Greeting::Nothing,
        has: Bitfield::new(pieces),
        script: Vec::new(),
        unchokes: None,
        block_every: None,
        mute_after: None,
        drips: None,
        lies_about: Vec::new(),
        wants: false,
        requests: false,
        super_seeds: false,
        allows: Vec::new(),
        metadata: None,
        queue: 2000,
    }
}

/// Sends everything that says nothing about pieces.
pub(crate) fn chatter(pieces: u32) -> Host {
    let noise =
        [Message::KeepAlive, Message::Port(6881), Message::Choke, Message::Unchoke, Message::Choke];
    let lines = noise.into_iter().cycle().take(200).map(Line::Say);
    let script = lines.zip(1..).map(|(line, n)| (ms(n * 1500), line)).collect();
    Host { script, ..mute(pieces) }
}

/// Its bitfield is empty; it does not speak the fast extension.
pub(crate) fn empty(pieces: u32) -> Host {
    Host { fast: false, greeting: Greeting::Bitfield, ..mute(pieces) }
}

pub(crate) fn have_none(pieces: u32) -> Host {
    Host { greeting: Greeting::HaveNone, ..mute(pieces) }
}

/// Has everything and sends a block every `block_every`.
pub(crate) fn seed(pieces: u32, block_every: Duration) -> Host {
    Host {
        greeting: Greeting::HaveAll,
        has: Bitfield::full(pieces),
        unchokes: Some(ms(50)),
        block_every: Some(block_every),
        ..mute(pieces)
    }
}

/// Has these pieces and sends a block every `block_every`.
pub(crate) fn partial(
    pieces: u32,
    has: impl IntoIterator<Item = u32>,
    block_every: Duration,
) -> Host {
    let mut bits = Bitfield::new(pieces);
    has.into_iter().for_each(|piece| _ = bits.set(PieceIndex(piece), true));
    Host { greeting: Greeting::Bitfield, has: bits, ..seed(pieces, block_every) }
}

/// Has these pieces, wants no others and says so.
pub(crate) fn partial_seed(
    pieces: u32,
    has: impl IntoIterator<Item = u32>,
    block_every: Duration,
) -> Host {
    Host { upload_only: true, ..partial(pieces, has, block_every) }
}

/// Comes without a piece and gets one at `at`, which it gives to us.
pub(crate) fn late_bloomer(pieces: u32, piece: u32, at: Duration) -> Host {
    Host { script: vec![(at, Line::Gain(piece))], ..partial(pieces, [], ms(100)) }
}

/// Has everything and chokes us for ever.
pub(crate) fn choker(pieces: u32) -> Host {
    Host { unchokes: None, ..seed(pieces, secs(1)) }
}

/// Has everything, unchokes us and sends nothing.
pub(crate) fn snubber(pieces: u32) -> Host {
    Host { block_every: None, ..seed(pieces, secs(1)) }
}

/// Hides that it has everything.
pub(crate) fn super_seed(pieces: u32, block_every: Duration) -> Host {
    Host {
        fast: false,
        greeting: Greeting::Nothing,
        super_seeds: true,
        ..seed(pieces, block_every)
    }
}

/// Begins without a piece and takes what we have. Without the fast extension it says nothing about its
/// pieces, as BEP 3 allows.
pub(crate) fn leecher(pieces: u32, fast: bool) -> Host {
    let greeting = if fast { Greeting::HaveNone } else { Greeting::Nothing };
    Host { fast, greeting, wants: true, requests: true, ..mute(pieces) }
}

/// Says that it is interested, and that is all that ever comes of it.
pub(crate) fn idler(pieces: u32) -> Host {
    Host { requests: false, ..leecher(pieces, true) }
}

/// Has everything; what it sends of these pieces is wrong.
pub(crate) fn liar(
    pieces: u32,
    about: impl IntoIterator<Item = u32>,
    block_every: Duration,
) -> Host {
    Host { lies_about: about.into_iter().collect(), ..seed(pieces, block_every) }
}

/// Has everything, lies in every block that it sends, and falls silent after `blocks` of them.
pub(crate) fn muting_liar(pieces: u32, blocks: usize, block_every: Duration) -> Host {
    Host { mute_after: Some(blocks), ..liar(pieces, 0..pieces, block_every) }
}

/// Has everything and sends 50 bytes of its blocks a second. Without the fast extension it says nothing in
/// between, where nothing can be said.
pub(crate) fn trickler(pieces: u32) -> Host {
    Host {
        fast: false,
        greeting: Greeting::Bitfield,
        drips: Some(Drip::Blocks(50)),
        ..snubber(pieces)
    }
}

/// Begins a message and sends so many bytes of it a second, for ever.
pub(crate) fn dripper(pieces: u32, bytes: u32) -> Host {
    Host { drips: Some(Drip::Message(bytes)), ..choker(pieces) }
}

/// Has everything and changes its mind `times` times, every `every`.
pub(crate) fn flooder(pieces: u32, times: u32, every: Duration) -> Host {
    let flips = [Message::Interested, Message::NotInterested].into_iter().cycle().map(Line::Say);
    let script = flips.zip(1..=times).map(|(line, n)| (every * n, line)).collect();
    Host { script, ..choker(pieces) }
}

/// Breaks the protocol at `at`.
pub(crate) fn breaker(pieces: u32, at: Duration) -> Host {
    let line = Line::Say(Message::Have(PieceIndex(pieces)));
    Host { script: vec![(at, line)], ..choker(pieces) }
}

/// Hangs up at `at`.
pub(crate) fn resetter(pieces: u32, at: Duration) -> Host {
    Host { script: vec![(at, Line::Leave)], ..choker(pieces) }
}

/// Nobody listens there.
pub(crate) fn refuser(pieces: u32) -> Host {
    Host { answer: Answer::Refusal, ..mute(pieces) }
}

/// Accepts the connection and never shakes hands.
pub(crate) fn silent(pieces: u32) -> Host {
    Host { answer: Answer::Silence, ..mute(pieces) }
}
