use ccbt_wire::metainfo::build;

use super::*;

const A: PeerKey = PeerKey(1);
const B: PeerKey = PeerKey(2);
const FIRST: PieceIndex = PieceIndex(0);

/// A torrent of pieces of this length, and its payload. The last piece is a block and a half.
fn torrent(pieces: u32, piece_length: u32) -> (Assemblies, Vec<u8>) {
    let length = (pieces - 1) * piece_length + BLOCK_LEN + BLOCK_LEN / 2;
    let mut rng = fastrand::Rng::with_seed(1);
    let payload: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(length as usize).collect();
    let bytes = build::single_file("payload", piece_length, &payload, None);
    let metainfo = Arc::new(Metainfo::parse(&bytes).unwrap());
    let nothing = Bitfield::new(metainfo.piece_count());
    (Assemblies::new(metainfo, &nothing), payload)
}

fn block(assemblies: &Assemblies, piece: u32, n: u32) -> Block {
    assemblies.geometry.block(PieceIndex(piece), n)
}

fn bytes<'a>(assemblies: &Assemblies, payload: &'a [u8], block: Block) -> &'a [u8] {
    let begin = block.piece.0 as usize * assemblies.geometry.piece_length() as usize;
    let begin = begin + block.begin as usize;
    &payload[begin..begin + block.length as usize]
}

/// Lands a block and brings it where it belongs.
fn deliver(assemblies: &Assemblies, payload: &[u8], peer: PeerKey, block: Block) -> Added {
    let bytes = bytes(assemblies, payload, block);
    match assemblies.land(peer, block, false) {
        Landing::Buffer(shared) => {
            let mut assembly = lock(&shared);
            let begin = block.begin as usize;
            let buffer = assembly.buffer_for(peer, block).unwrap();
            buffer[begin..begin + bytes.len()].copy_from_slice(bytes);
            assembly.landed(peer, block)
        }
        Landing::Aside(shared) => lock(&shared).put(B, block, bytes),
        Landing::Waste => Added::Waste,
        Landing::NoBuffer => panic!("no buffer"),
    }
}

fn buffer(landing: Landing) -> Shared {
    match landing {
        Landing::Buffer(shared) => shared,
        other => panic!("{other:?}"),
    }
}

fn aside(landing: Landing) -> Shared {
    match landing {
        Landing::Aside(shared) => shared,
        other => panic!("{other:?}"),
    }
}

#[test]
fn in_whatever_order_blocks_come_the_hash_is_the_same() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
        let (assemblies, payload) = torrent(2, 4 * BLOCK_LEN);
        let mut last = Added::Waste;
        for n in order {
            last = deliver(&assemblies, &payload, A, block(&assemblies, 0, n));
        }
        let Added::Complete(Complete::Buffer(buffer, hash)) = last else { panic!("{order:?}") };
        assert!(assemblies.is_right(FIRST, hash) && !assemblies.is_right(PieceIndex(1), hash));
        assert_eq!(buffer.bytes, payload[..4 * BLOCK_LEN as usize]);
    }
}

#[test]
fn the_last_piece_is_short_and_reuses_a_longer_buffer() {
    let (assemblies, payload) = torrent(2, 4 * BLOCK_LEN);
    let mut last = Added::Waste;
    for n in 0..4 {
        last = deliver(&assemblies, &payload, A, block(&assemblies, 0, n));
    }
    let Added::Complete(Complete::Buffer(buffer, _)) = last else { panic!() };
    assemblies.reuse(buffer);
    let mut last = Added::Waste;
    for n in [1, 0] {
        last = deliver(&assemblies, &payload, A, block(&assemblies, 1, n));
    }
    let Added::Complete(Complete::Buffer(buffer, hash)) = last else { panic!() };
    assert_eq!(buffer.bytes.len(), (BLOCK_LEN + BLOCK_LEN / 2) as usize);
    assert!(assemblies.is_right(PieceIndex(1), hash));
}

#[test]
fn a_block_is_claimed_by_one_and_whoever_else_brings_it_keeps_it_aside() {
    let (assemblies, payload) = torrent(2, 4 * BLOCK_LEN);
    let first = block(&assemblies, 0, 0);
    let claimed = buffer(assemblies.land(A, first, false));
    let other = aside(assemblies.land(B, first, false));
    // The other is done first. What the claimant has is waste then, and it cannot write any more.
    assert!(matches!(
        lock(&other).put(B, first, bytes(&assemblies, &payload, first)),
        Added::Fresh
    ));
    assert!(lock(&claimed).buffer_for(A, first).is_none());
    assert!(matches!(lock(&claimed).landed(A, first), Added::Waste));
    assert!(matches!(assemblies.land(B, first, false), Landing::Waste));
}

#[test]
fn a_block_that_is_done_is_never_overwritten() {
    let (assemblies, payload) = torrent(2, 2 * BLOCK_LEN);
    let first = block(&assemblies, 0, 0);
    buffer(assemblies.land(A, first, false));
    let late = aside(assemblies.land(B, first, false));
    assert!(matches!(deliver(&assemblies, &payload, A, first), Added::Fresh));
    assert!(matches!(lock(&late).put(B, first, &[0; BLOCK_LEN as usize]), Added::Waste));
    let last = deliver(&assemblies, &payload, A, block(&assemblies, 0, 1));
    let Added::Complete(Complete::Buffer(_, hash)) = last else { panic!() };
    assert!(assemblies.is_right(FIRST, hash));
}

#[test]
fn what_a_peer_claimed_is_free_when_it_is_gone() {
    let (assemblies, payload) = torrent(2, 2 * BLOCK_LEN);
    let [first, second] = [0, 1].map(|n| block(&assemblies, 0, n));
    let shared = buffer(assemblies.land(A, first, false));
    assert!(lock(&shared).claim_ahead(A, second));
    assert!(!lock(&shared).claim_ahead(B, second));
    deliver(&assemblies, &payload, A, first);
    lock(&shared).release(A);
    assert!(lock(&shared).claim_ahead(B, second));
    assert!(!lock(&shared).claim_ahead(B, first), "what is done stays done");
    assert!(lock(&shared).buffer_for(A, second).is_none());
    let last = deliver(&assemblies, &payload, B, second);
    assert!(matches!(last, Added::Complete(_)));
}

#[test]
fn blocks_of_no_piece_and_of_sealed_pieces_are_waste() {
    let (assemblies, _) = torrent(2, 2 * BLOCK_LEN);
    let odd = Block { piece: FIRST, begin: 1, length: BLOCK_LEN };
    assert!(matches!(assemblies.land(A, odd, true), Landing::Waste));
    let beyond = Block { piece: PieceIndex(2), begin: 0, length: BLOCK_LEN };
    assert!(matches!(assemblies.land(A, beyond, true), Landing::Waste));
    assemblies.seal(FIRST);
    assert!(matches!(assemblies.land(A, block(&assemblies, 0, 0), true), Landing::Waste));
}

#[test]
fn a_piece_that_starts_over_is_another_attempt_and_what_came_before_is_waste() {
    let (assemblies, payload) = torrent(2, 2 * BLOCK_LEN);
    let first = block(&assemblies, 0, 0);
    let before = buffer(assemblies.land(A, first, false));
    let other = aside(assemblies.land(B, first, false));
    assert_eq!(lock(&before).attempt(), 0);
    let free = assemblies.buffers.available_permits();
    assemblies.start_over(FIRST);
    assert_eq!(assemblies.buffers.available_permits(), free + 1, "its buffer is free");
    assert!(matches!(lock(&before).landed(A, first), Added::Waste));
    assert!(matches!(
        lock(&other).put(B, first, bytes(&assemblies, &payload, first)),
        Added::Waste
    ));
    assert!(!lock(&before).claim_ahead(A, first));
    let again = buffer(assemblies.land(A, first, false));
    assert_eq!(lock(&again).attempt(), 1);
    // Also when it was complete before its hash turned out wrong.
    assemblies.seal(FIRST);
    assemblies.start_over(FIRST);
    assert_eq!(lock(&buffer(assemblies.land(B, first, false))).attempt(), 2);
}

/// Opens as many pieces as there are buffers.
fn fill(assemblies: &Assemblies) -> u32 {
    let count = u32::try_from(assemblies.buffers.available_permits()).unwrap();
    for piece in 0..count {
        buffer(assemblies.land(A, block(assemblies, piece, 0), false));
    }
    count
}

#[test]
fn of_larger_pieces_there_are_two_mebibytes_more() {
    for (piece, count) in [(1 << 14, 384), (2 << 20, 4), (4 << 20, 2), (8 << 20, 1), (16 << 20, 0)]
    {
        let (assemblies, _) = torrent(1, piece);
        assert_eq!(assemblies.buffers.available_permits(), count, "{piece}");
    }
}

#[test]
fn beyond_the_budget_a_piece_waits_for_a_buffer_or_goes_to_the_store() {
    let (assemblies, payload) = torrent(12, 1 << 20);
    let count = fill(&assemblies);
    assert_eq!(count, 6, "6 MiB of pieces of 1 MiB");
    let next = block(&assemblies, count, 0);
    assert!(matches!(assemblies.land(A, next, false), Landing::NoBuffer));
    let shared = aside(assemblies.land(A, next, true));
    assert!(lock(&shared).is_in_store());
    assert!(matches!(lock(&shared).put(B, next, bytes(&assemblies, &payload, next)), Added::Waste));
    // Another one has a buffer as soon as one is free.
    assemblies.start_over(FIRST);
    buffer(assemblies.land(A, block(&assemblies, count + 1, 0), false));
}

#[test]
fn a_piece_in_the_store_hashes_what_comes_in_order_and_leaves_the_rest_to_be_read_back() {
    let (assemblies, payload) = torrent(600, 2 * BLOCK_LEN);
    let piece = fill(&assemblies);
    for (order, hashed) in [([0, 1], 2 * BLOCK_LEN), ([1, 0], BLOCK_LEN)] {
        let mut last = Added::Waste;
        for n in order {
            let block = block(&assemblies, piece, n);
            let shared = aside(assemblies.land(A, block, true));
            let mut assembly = lock(&shared);
            assert!(assembly.reserve(block));
            assert!(!assembly.reserve(block), "one alone writes it");
            last = assembly.written(A, block, bytes(&assemblies, &payload, block));
        }
        let Added::Complete(Complete::Store(_, front)) = last else { panic!("{order:?}") };
        assert_eq!(front, hashed);
        assemblies.start_over(PieceIndex(piece));
    }
}

#[test]
fn a_piece_larger_than_the_budget_goes_to_the_store_at_once() {
    let (assemblies, _) = torrent(2, 16 << 20);
    let shared = aside(assemblies.land(A, block(&assemblies, 0, 0), false));
    assert!(lock(&shared).is_in_store());
}
