//! What the decisions about one block cost: which to ask for and of whom, with few peers and with many.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::collections::VecDeque;
use std::time::Duration;

use ccbt_peer::Geometry;
use ccbt_peer::core::{
    Action, Announced, Input, PeerKey, SessionEvent, SwarmConfig, SwarmCore, Tell,
};
use ccbt_peer::policy::{Direction, PolicySet, Time};
use ccbt_peer::wire::{Bitfield, Block, PeerId, PieceIndex};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const PIECES: u32 = 10_000;
const PIECE: u32 = 256 << 10;
/// Blocks that come in one measurement.
const BLOCKS: u32 = 4096;

/// A swarm that downloads, and the requests that are yet to be answered.
struct Hand {
    core: SwarmCore,
    now: Time,
    peers: Vec<PeerKey>,
    asked: VecDeque<(PeerKey, Block)>,
    missing: Vec<u32>,
}

impl Hand {
    /// With so many unchoked peers, each of which has what `has` says.
    fn new(peers: u32, has: impl Fn(u32) -> Announced) -> Self {
        let geometry = Geometry::new(u64::from(PIECES) * u64::from(PIECE), PIECE);
        let mut config = SwarmConfig::new(geometry);
        config.max_peers = peers;
        let core = SwarmCore::new(config, Bitfield::new(PIECES), PolicySet::default());
        let missing = vec![geometry.blocks(PieceIndex(0)); PIECES as usize];
        let now = Time::from_secs(1);
        let (peers, asked) = ((0..peers).collect::<Vec<_>>(), VecDeque::new());
        let mut hand = Self { core, now, peers: Vec::new(), asked, missing };
        for number in peers {
            let [_, high, middle, low] = number.to_be_bytes();
            let key = hand.core.admit(now, ([10, high, middle, low], 6881).into());
            let key = key.expect("a swarm with room");
            let mut id = [0; 20];
            id[..4].copy_from_slice(&number.to_be_bytes());
            hand.session(
                key,
                SessionEvent::Opened {
                    direction: Direction::Incoming,
                    peer_id: PeerId(id),
                    fast: true,
                    extended: false,
                    dht: false,
                },
            );
            hand.session(key, SessionEvent::Has(has(number)));
            hand.session(key, SessionEvent::Unchoked);
            hand.peers.push(key);
        }
        hand
    }

    fn session(&mut self, key: PeerKey, event: SessionEvent) {
        self.handle(Input::Session { key, event });
    }

    fn handle(&mut self, input: Input) {
        self.core.handle(self.now, input);
        while let Some(action) = self.core.poll_action() {
            if let Action::Tell { key, tell: Tell::Request(blocks) } = action {
                self.asked.extend(blocks.into_iter().map(|block| (key, block)));
            }
        }
    }

    /// The oldest requests are answered, and finished pieces stored.
    fn receive(&mut self, blocks: u32) {
        for _ in 0..blocks {
            let (key, block) = self.asked.pop_front().expect("peers that are asked");
            self.now = self.now + Duration::from_micros(100);
            self.session(key, SessionEvent::Received { block, fresh: true, attempt: 0 });
            let missing = &mut self.missing[block.piece.0 as usize];
            *missing -= 1;
            if *missing == 0 {
                self.handle(Input::Stored(block.piece));
            }
        }
    }
}

/// Half of the pieces, others for each peer.
fn half(number: u32) -> Announced {
    let mut bits = Bitfield::new(PIECES);
    for piece in 0..PIECES {
        let mixed = (piece ^ number.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
        bits.set(PieceIndex(piece), mixed.count_ones().is_multiple_of(2));
    }
    Announced::Some(bits)
}

fn blocks(c: &mut Criterion) {
    let mut group = c.benchmark_group("a block of 10,000 pieces comes");
    group.throughput(Throughput::Elements(BLOCKS.into())).sample_size(20);
    let mut bench = |name: &str, hand: &dyn Fn() -> Hand| {
        group.bench_function(name, |b| {
            b.iter_batched(
                hand,
                |mut hand| {
                    hand.receive(BLOCKS);
                    hand
                },
                BatchSize::PerIteration,
            );
        });
    };
    bench("from one seed", &|| Hand::new(1, |_| Announced::All));
    bench("from 100 seeds", &|| Hand::new(100, |_| Announced::All));
    bench("from 100 peers with half", &|| Hand::new(100, half));
    group.finish();
}

fn haves(c: &mut Criterion) {
    let mut group = c.benchmark_group("a HAVE of 10,000 pieces comes");
    for peers in [10, 2000] {
        let mut hand = Hand::new(peers, |_| Announced::None);
        let mut count = 0_u32;
        group.bench_function(format!("from one of {peers} peers"), |b| {
            b.iter(|| {
                count = count.wrapping_add(1);
                let key = hand.peers[(count % peers) as usize];
                let piece = PieceIndex(count.wrapping_mul(7919) % PIECES);
                hand.session(key, SessionEvent::Have(piece));
                hand.asked.clear();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, blocks, haves);
criterion_main!(benches);
