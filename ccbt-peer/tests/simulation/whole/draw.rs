//! From a number to a swarm: who is in it, what they are like, and what befalls them.

use std::time::Duration;

use ccbt_peer::Geometry;
use ccbt_peer::core::SwarmConfig;
use ccbt_peer::policy::Time;
use ccbt_peer::wire::{BLOCK_LEN, Bitfield, PeerId, PieceIndex};

use super::fate::Fate;
use super::foe::{Claim, Hand, Leave, Nature, Noise, Serve};
use super::node::Pace;
use crate::ms;

/// From here on the numbers stand for small swarms, whose trouble is soon over.
pub(super) const SMALL: u64 = 1 << 32;

/// How much there is of everything.
#[derive(Clone, Copy)]
struct Size {
    small: bool,
    /// Nothing goes wrong from then on.
    trouble: Duration,
    /// Who is away is back after so long at the most.
    away: Duration,
}

const LARGE: Size = Size { small: false, trouble: secs(100), away: secs(40) };
const LITTLE: Size = Size { small: true, trouble: secs(25), away: secs(15) };

const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A swarm as it is drawn.
pub(super) struct Plan {
    pub(super) geometry: Geometry,
    pub(super) nodes: Vec<NodePlan>,
    pub(super) foes: Vec<Nature>,
    /// So many of them share a network.
    pub(super) neighbours: bool,
    /// From then on nothing goes wrong, and nobody is away.
    pub(super) quiet_at: Time,
    pub(super) fates: Vec<(Duration, Fate)>,
    pub(super) least_rate: u64,
    pub(super) finest_cut: bool,
    /// Addresses where nobody is, named by the sources.
    pub(super) ghosts: u32,
}

pub(super) struct NodePlan {
    pub(super) config: SwarmConfig,
    pub(super) pace: Pace,
    pub(super) have: Bitfield,
    pub(super) starts: Duration,
}

/// Draws a swarm.
pub(super) fn swarm(seed: u64, rng: &mut fastrand::Rng) -> Plan {
    let size = if seed < SMALL { LARGE } else { LITTLE };
    let geometry = geometry(rng);
    let (crowd, count) = match (size.small, rng.u32(..8)) {
        (true, _) => (rng.usize(..6), rng.usize(2..4)),
        (false, 0) => (rng.usize(20..60), rng.usize(2..6)),
        (false, _) => (rng.usize(..12), rng.usize(2..6)),
    };
    let mut nodes: Vec<NodePlan> =
        (0..count).map(|n| node(seed, n, geometry, crowd + count, size, rng)).collect();
    // The first is the honest seed that everybody can reach. It may go, and comes back.
    nodes[0].have = Bitfield::full(geometry.pieces());
    nodes[0].config.super_seed = rng.u32(..10) == 0;
    let ids: Vec<PeerId> = nodes.iter().map(|node| node.config.peer_id).collect();
    let foes: Vec<Nature> = (0..crowd).map(|_| nature(&ids, geometry, rng)).collect();
    let mut fates = Vec::new();
    for _ in 0..rng.u32(..12) {
        fates.push((up_to(size.trouble, rng), fate(count, size, rng)));
    }
    Plan {
        geometry,
        nodes,
        foes,
        neighbours: rng.bool(),
        quiet_at: Time::ZERO + size.trouble + secs(10) + size.away,
        fates,
        least_rate: rng.u64(20_000..200_000),
        finest_cut: rng.u32(..10) == 0,
        ghosts: if size.small { 10 } else { 12_000 }
            .min([0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 20, 20, 20, 200, 200, 12_000][rng.usize(..16)]),
    }
}

fn up_to(most: Duration, rng: &mut fastrand::Rng) -> Duration {
    ms(rng.u64(..u64::try_from(most.as_millis()).unwrap()))
}

fn geometry(rng: &mut fastrand::Rng) -> Geometry {
    let length = [700, BLOCK_LEN, BLOCK_LEN + 5, 2 * BLOCK_LEN, 5 * BLOCK_LEN][rng.usize(..5)];
    let most = (1 << 20) / u64::from(length);
    let total = rng.u64(1..=u64::from(length) * most.clamp(1, 40));
    Geometry::new(total, length)
}

fn node(
    seed: u64,
    n: usize,
    geometry: Geometry,
    all: usize,
    size: Size,
    rng: &mut fastrand::Rng,
) -> NodePlan {
    let mut id = *b"-CC0100-            ";
    id[8..].fill_with(|| rng.alphanumeric() as u8);
    let mut config = SwarmConfig::new(geometry);
    config.seed = seed ^ n as u64;
    config.peer_id = PeerId(id);
    config.info_hash = super::node::TORRENT;
    config.listen = Some(super::addr_of(n));
    config.max_peers =
        if rng.u32(..3) == 0 { rng.u32(4..20) } else { u32::try_from(2 * all).unwrap() + 10 };
    config.lobby = rng.u32(1..65);
    config.half_open = rng.u32(2..100);
    config.unchoked = rng.u32(1..9);
    let mut have = Bitfield::new(geometry.pieces());
    if rng.u32(..3) == 0 {
        for piece in 0..geometry.pieces() {
            have.set(PieceIndex(piece), rng.u32(..3) == 0);
        }
    }
    let quick = rng.bool();
    NodePlan {
        config,
        pace: Pace {
            lag: if quick { Duration::ZERO } else { ms(rng.u64(1..80)) },
            store: ms(rng.u64(0..300)),
        },
        have,
        starts: up_to(size.away, rng),
    }
}

fn fate(nodes: usize, size: Size, rng: &mut fastrand::Rng) -> Fate {
    let place = rng.usize(..nodes);
    let back = ms(100) + up_to(size.away - ms(100), rng);
    match rng.u32(..9) {
        0..=2 => Fate::Cut(place),
        3 => Fate::Dead(place),
        4 => Fate::Stall(place, ms(rng.u64(100..20_000))),
        5 | 6 => Fate::Crash(place, back),
        7 => Fate::DiskBreaks(place, back),
        _ => Fate::FewDescriptors(place, 24 + 4 * rng.usize(1..10)),
    }
}

fn nature(ids: &[PeerId], geometry: Geometry, rng: &mut fastrand::Rng) -> Nature {
    let pieces = geometry.pieces();
    let mut bits = Bitfield::new(pieces);
    (0..pieces).for_each(|piece| _ = bits.set(PieceIndex(piece), rng.bool()));
    let hand = match rng.u32(..16) {
        0 => Hand::Silent,
        1 => Hand::Slow,
        2 => Hand::Garbage,
        3 => Hand::WrongTorrent,
        4 => Hand::Stolen(ids[rng.usize(..ids.len())]),
        _ => Hand::Good,
    };
    let claim = match rng.u32(..12) {
        0 => Claim::Nothing,
        1 => Claim::None,
        2 | 3 => Claim::Some(bits),
        4 => Claim::ByAndBy,
        5 => Claim::WrongSize,
        6 => Claim::SpareBits,
        _ => Claim::All,
    };
    let serve = match rng.u32(..12) {
        0 => Serve::Nothing,
        1 => Serve::Right,
        2 => Serve::Wrong(1),
        3 => Serve::Wrong(rng.u32(2..20)),
        4 | 5 => Serve::Until(rng.u32(1..60)),
        6 => Serve::Half,
        7 => Serve::Trickle(rng.usize(1..600)),
        8 => Serve::Reject,
        9 => Serve::Twice,
        10 => Serve::Other,
        _ => Serve::Wrong(1),
    };
    let noise = match rng.u32(..30) {
        0 => Noise::Requests,
        1 => Noise::Cancels,
        2 => Noise::KeepAlives,
        3 => Noise::Haves,
        4 => Noise::Interests,
        5 => Noise::Chokes,
        6 => Noise::Bitfields,
        7 => Noise::Extended,
        8 => Noise::Ports,
        9 => Noise::Rejects,
        10 => Noise::AllowedFast,
        11 => Noise::Garbage,
        12 => Noise::FourGiB,
        13 => Noise::Endless,
        14 => Noise::Pex,
        _ => Noise::None,
    };
    let leave = match rng.u32(..9) {
        0 => Some(Leave::Cut),
        1 => Some(Leave::Close),
        2 => Some(Leave::Half),
        _ => None,
    };
    let comes = rng.bool().then(|| ms(rng.u64(500..40_000)));
    Nature {
        hand,
        claim,
        serve,
        noise,
        loud: 1 << rng.u32(..8),
        turn: ms(rng.u64(100..2_000)),
        fast: rng.bool(),
        extended: rng.bool(),
        reads: rng.u32(..12) > 0,
        unchokes: rng.u32(..6) > 0,
        wants: rng.bool(),
        asks: rng.bool(),
        leave: leave.map(|leave| (ms(rng.u64(..60_000)), leave)),
        comes,
        listens: comes.is_none() || rng.bool(),
    }
}

/// How often a source names addresses.
pub(super) fn announce_every(rng: &mut fastrand::Rng) -> Duration {
    secs(30) + ms(rng.u64(..30_000))
}
