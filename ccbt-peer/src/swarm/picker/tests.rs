use super::*;

const A: PeerKey = PeerKey(1);
const B: PeerKey = PeerKey(2);
const C: PeerKey = PeerKey(3);

/// A picker and the peers that it picks for.
struct Desk {
    picker: Picker,
    has: BTreeMap<PeerKey, Bitfield>,
    working: BTreeMap<PeerKey, Option<PieceIndex>>,
    have: u32,
}

impl Desk {
    /// So many pieces, each of so many blocks.
    fn new(pieces: u32, blocks: u32) -> Self {
        let length = blocks * ccbt_wire::BLOCK_LEN;
        let geometry = Geometry::new(u64::from(pieces) * u64::from(length), length);
        let rng = fastrand::Rng::with_seed(7);
        let picker = Picker::new(geometry, &Bitfield::new(pieces), &PieceChoice::default(), rng);
        Self { picker, has: BTreeMap::new(), working: BTreeMap::new(), have: RANDOM_FIRST }
    }

    fn peer(&mut self, key: PeerKey, pieces: impl IntoIterator<Item = u32>) {
        let mut bits = Bitfield::new(self.picker.geometry.pieces());
        pieces.into_iter().for_each(|piece| _ = bits.set(PieceIndex(piece), true));
        self.picker.rarity.add_all(&bits);
        self.has.insert(key, bits);
    }

    fn pick_with(&mut self, key: PeerKey, room: usize, in_flight: usize) -> Vec<(u32, u32)> {
        let working = self.working.entry(key).or_default();
        let has = self.has.get(&key);
        let asker = Asker { key, has, working, in_flight, may_double: true };
        let blocks = self.picker.pick(asker, room, self.have);
        blocks.into_iter().map(|block| (block.piece.0, block.begin / 16384)).collect()
    }

    fn pick(&mut self, key: PeerKey, room: usize) -> Vec<(u32, u32)> {
        self.pick_with(key, room, 0)
    }

    fn block(&self, (piece, n): (u32, u32)) -> Block {
        self.picker.geometry.block(PieceIndex(piece), n)
    }

    fn give_back(&mut self, key: PeerKey, block: (u32, u32), overdue: bool) {
        self.picker.give_back(key, self.block(block), overdue);
    }

    fn receive(&mut self, key: PeerKey, block: (u32, u32)) -> Option<Receipt> {
        self.picker.receive(key, self.block(block))
    }

    fn pieces(blocks: &[(u32, u32)]) -> Vec<u32> {
        let mut pieces: Vec<u32> = blocks.iter().map(|(piece, _)| *piece).collect();
        pieces.dedup();
        pieces
    }
}

#[test]
fn a_peer_is_asked_for_whole_pieces_in_order_and_only_for_what_it_has() {
    let mut desk = Desk::new(4, 3);
    desk.peer(A, [2]);
    assert_eq!(desk.pick(A, 2), [(2, 0), (2, 1)]);
    assert_eq!(desk.pick(A, 9), [(2, 2)]);
    assert_eq!(desk.pick(A, 9), []);
}

#[test]
fn the_rarest_piece_comes_first() {
    let mut desk = Desk::new(40, 64);
    desk.peer(A, 0..40);
    desk.peer(B, (0..40).filter(|piece| *piece != 17));
    desk.peer(C, (0..40).filter(|piece| *piece != 17 && *piece != 30));
    let pieces = Desk::pieces(&desk.pick(A, 3 * 64));
    assert_eq!(pieces[..2], [17, 30]);
}

#[test]
fn the_first_pieces_are_random_ones() {
    let mut firsts = BTreeSet::new();
    for seed in 0..20 {
        let mut desk = Desk::new(40, 64);
        desk.picker.rng = fastrand::Rng::with_seed(seed);
        desk.have = 0;
        desk.peer(A, 0..40);
        desk.peer(B, 1..40);
        firsts.insert(desk.pick(A, 1)[0].0);
    }
    assert!(firsts.len() > 5, "{firsts:?}");
}

#[test]
fn small_pieces_follow_each_other_in_runs_of_a_mebibyte() {
    // 32 pieces of two blocks are 1 MiB.
    let mut desk = Desk::new(128, 2);
    let pieces = Desk::pieces(&desk.pick(A, 200));
    for (n, pair) in pieces.windows(2).enumerate() {
        let next = pair[0] + 1;
        let ends = next % 32 == 0 || pieces[..n].contains(&next);
        assert!(pair[1] == next || ends, "{pieces:?}");
    }
    assert_eq!(pieces.len(), 100);
}

#[test]
fn a_run_breaks_off_where_rarity_does() {
    let mut desk = Desk::new(32, 2);
    desk.peer(A, 0..32);
    desk.peer(B, [4, 5]);
    desk.working.insert(A, Some(PieceIndex(2)));
    let pieces = Desk::pieces(&desk.pick(A, 64));
    let at = pieces.iter().position(|piece| *piece == 3).unwrap();
    assert_eq!(at, 0, "the neighbour of the last one");
    assert_ne!(pieces[1], 4, "others are rarer");
}

#[test]
fn each_peer_works_on_a_piece_of_its_own_while_there_are_few() {
    let mut desk = Desk::new(10, 8);
    let (a, b) = (desk.pick(A, 2), desk.pick(B, 2));
    assert_ne!(a[0].0, b[0].0);
}

#[test]
fn peers_share_pieces_when_too_many_are_open() {
    // Eight pieces of 1 MiB are all that may be open.
    let mut desk = Desk::new(20, 64);
    let mut pieces = BTreeSet::new();
    for key in 10..30 {
        pieces.extend(Desk::pieces(&desk.pick(PeerKey(key), 1)));
    }
    assert_eq!(pieces.len(), 8);
}

#[test]
fn a_piece_whose_peer_is_gone_goes_on_before_a_new_one_begins() {
    let mut desk = Desk::new(10, 3);
    let [first, second] = desk.pick(A, 2)[..] else { panic!() };
    desk.receive(A, first).unwrap();
    desk.give_back(A, second, false);
    assert_eq!(desk.pick(B, 2), [second, (first.0, 2)]);
}

#[test]
fn a_piece_given_back_untouched_is_as_if_never_begun() {
    let mut desk = Desk::new(10, 2);
    let before = desk.picker.version();
    let blocks = desk.pick(A, 2);
    blocks.iter().for_each(|block| desk.give_back(A, *block, false));
    assert!(desk.picker.partials.is_empty() && desk.picker.open == 0);
    assert!(desk.picker.rarity.contains(PieceIndex(blocks[0].0)));
    assert_ne!(desk.picker.version(), before, "who found nothing may look again");
    assert!(!desk.picker.involves(A));
}

#[test]
fn what_is_overdue_is_asked_elsewhere_and_not_of_the_debtor() {
    let mut desk = Desk::new(1, 2);
    assert_eq!(desk.pick(A, 2), [(0, 0), (0, 1)]);
    desk.give_back(A, (0, 1), true);
    assert_eq!(desk.pick_with(A, 9, 2), [], "it owes the block already");
    assert_eq!(desk.pick(B, 1), [(0, 1)]);
    let receipt = desk.receive(B, (0, 1)).unwrap();
    assert_eq!(receipt.others, [A], "which need not send it any more");
}

#[test]
fn a_late_block_of_the_debtor_itself_counts() {
    let mut desk = Desk::new(1, 1);
    desk.pick(A, 1);
    desk.give_back(A, (0, 0), true);
    desk.pick(B, 1);
    let receipt = desk.receive(A, (0, 0)).unwrap();
    assert_eq!(receipt, Receipt { others: vec![B] });
    assert_eq!(desk.receive(B, (0, 0)), None);
}

#[test]
fn in_the_endgame_idle_peers_are_asked_for_the_same_blocks() {
    let mut desk = Desk::new(1, 4);
    assert_eq!(desk.pick(A, 9).len(), 4);
    assert!(desk.picker.is_endgame());
    // From the other end, since the first one is asked from the front.
    assert_eq!(desk.pick(B, 2), [(0, 3), (0, 2)]);
    assert_eq!(desk.pick_with(A, 2, 4), [], "nobody is asked twice");
    let receipt = desk.receive(B, (0, 3)).unwrap();
    assert_eq!(receipt.others, [A]);
    assert_eq!(desk.pick(C, 9), [(0, 1), (0, 0)], "two at most are asked for a block");
}

#[test]
fn a_busy_peer_takes_no_part_in_the_endgame() {
    let mut desk = Desk::new(1, 4);
    desk.pick(A, 9);
    assert_eq!(desk.pick_with(B, 9, ENDGAME_WINDOW), []);
}

#[test]
fn it_is_no_endgame_while_a_block_is_asked_of_nobody() {
    let mut desk = Desk::new(2, 2);
    desk.pick(A, 3);
    assert!(!desk.picker.is_endgame());
    desk.pick(A, 1);
    assert!(desk.picker.is_endgame());
    desk.give_back(A, (0, 0), false);
    assert!(!desk.picker.is_endgame());
}

#[test]
fn a_stored_piece_names_its_senders_and_is_asked_for_no_more() {
    let mut desk = Desk::new(1, 2);
    desk.pick(A, 1);
    desk.pick(B, 1);
    desk.receive(A, (0, 0)).unwrap();
    assert!(desk.receive(B, (0, 1)).is_some());
    let senders = desk.picker.stored(PieceIndex(0));
    assert_eq!((senders.known, senders.all), (vec![A, B], true));
    assert_eq!(desk.pick(C, 9), []);
}

#[test]
fn a_wrong_piece_of_one_sender_is_asked_of_anybody() {
    let mut desk = Desk::new(1, 2);
    desk.pick(A, 2);
    desk.receive(A, (0, 0));
    desk.receive(A, (0, 1));
    let senders = desk.picker.failed(PieceIndex(0));
    assert_eq!(senders, Senders { known: vec![A], all: true });
    assert_eq!((desk.pick(B, 1), desk.pick(C, 1)), (vec![(0, 0)], vec![(0, 1)]));
}

#[test]
fn of_a_wrong_piece_those_are_known_whose_word_is_here() {
    let mut desk = Desk::new(1, 2);
    desk.pick(A, 1);
    desk.pick(B, 1);
    desk.receive(B, (0, 1));
    assert_eq!(desk.picker.failed(PieceIndex(0)), Senders { known: vec![B], all: false });
}

/// A piece of three blocks that two senders got wrong, entrusted to B.
fn suspect() -> Desk {
    let mut desk = Desk::new(1, 3);
    desk.pick(A, 2);
    desk.pick(B, 1);
    for (key, n) in [(A, 0), (A, 1), (B, 2)] {
        desk.receive(key, (0, n)).unwrap();
    }
    desk.picker.failed(PieceIndex(0));
    desk.picker.withhold(PieceIndex(0));
    assert_eq!((desk.pick(A, 1), desk.pick(C, 1)), (vec![], vec![]), "it waits for its one sender");
    assert!(desk.picker.entrust(PieceIndex(0), B));
    desk
}

#[test]
fn a_withheld_piece_goes_to_one_peer_alone() {
    let mut desk = suspect();
    assert_eq!(desk.pick(A, 9), []);
    assert_eq!(desk.pick(B, 1), [(0, 0)]);
    assert_eq!((desk.picker.owner(PieceIndex(0)), desk.pick(A, 9)), (Some(B), vec![]));
    assert_eq!(desk.pick(B, 9), [(0, 1), (0, 2)]);
    assert_eq!(desk.pick(A, 9), [], "there is no endgame for it");
    assert!(!desk.picker.entrust(PieceIndex(0), A), "it is under way");
    (0..3).for_each(|n| _ = desk.receive(B, (0, n)));
    assert_eq!(desk.picker.failed(PieceIndex(0)), Senders { known: vec![B], all: true });
}

#[test]
fn what_a_peer_is_entrusted_with_comes_before_what_it_works_on() {
    let mut desk = Desk::new(3, 4);
    let first = desk.pick(B, 1)[0].0;
    let other = PieceIndex((first + 1) % 3);
    desk.picker.withhold(other);
    desk.picker.entrust(other, B);
    assert_eq!(Desk::pieces(&desk.pick(B, 6)), [other.0, first]);
}

#[test]
fn a_withheld_piece_that_its_peer_leaves_starts_over_with_another() {
    let mut desk = suspect();
    desk.pick(B, 2);
    desk.receive(B, (0, 0));
    desk.give_back(B, (0, 1), false);
    assert_eq!(desk.pick(A, 9), []);
    assert_eq!(desk.picker.progress(PieceIndex(0)), (1, 3));
    assert_eq!(desk.picker.release(B), [PieceIndex(0)]);
    assert_eq!(desk.pick(A, 9), []);
    assert!(desk.picker.entrust(PieceIndex(0), A));
    assert_eq!(desk.pick(A, 9), [(0, 0), (0, 1), (0, 2)]);
    assert_eq!(desk.picker.release(B), []);
    desk.picker.take_from(B, PieceIndex(0));
    assert_eq!(desk.picker.owner(PieceIndex(0)), Some(A), "it is not taken from somebody else");
    desk.picker.take_from(A, PieceIndex(0));
    assert_eq!(desk.picker.owner(PieceIndex(0)), None);
}

#[test]
fn a_withheld_piece_that_is_whole_is_not_taken_from_its_peer() {
    let mut desk = suspect();
    desk.pick(B, 3);
    (0..3).for_each(|n| _ = desk.receive(B, (0, n)));
    assert_eq!(desk.picker.release(B), []);
    assert_eq!(desk.picker.stored(PieceIndex(0)).known, [B]);
    assert!(desk.picker.withheld.is_empty());
}

#[test]
fn pieces_with_a_block_of_a_liar_start_over_for_anybody() {
    let mut desk = Desk::new(2, 2);
    let [first, second] = desk.pick(A, 2)[..] else { panic!() };
    desk.receive(A, first).unwrap();
    let other = desk.pick(B, 1)[0];
    desk.receive(B, other).unwrap();
    assert_eq!(desk.picker.discard(A), [PieceIndex(first.0)]);
    assert_eq!(desk.pick(B, 9).len(), 3, "one of its own piece, and two of the other");
    assert_eq!(desk.receive(A, second), Some(Receipt { others: vec![B] }));
}

#[test]
fn a_block_of_a_piece_that_was_given_back_whole_begins_it_again() {
    let mut desk = Desk::new(1, 2);
    desk.pick(A, 1);
    desk.give_back(A, (0, 0), false);
    assert_eq!(desk.receive(A, (0, 0)), Some(Receipt { others: vec![] }));
    assert_eq!(desk.pick(B, 9), [(0, 1)]);
}

#[test]
fn blocks_that_no_piece_has_are_nothing() {
    let mut desk = Desk::new(1, 2);
    let odd = Block { piece: PieceIndex(0), begin: 1, length: 16384 };
    assert_eq!(desk.picker.receive(A, odd), None);
    desk.picker.give_back(A, odd, false);
    desk.picker.give_back(A, Block { piece: PieceIndex(9), ..odd }, true);
    assert!(desk.picker.partials.is_empty());
}

#[test]
fn who_names_other_pieces_than_before_is_asked_for_no_more_of_the_piece_it_worked_on() {
    for entrusted in [false, true] {
        let mut desk = Desk::new(8, 4);
        desk.peer(A, 0..8);
        let (piece, _) = desk.pick(A, 1)[0];
        if entrusted {
            desk.give_back(A, (piece, 0), false);
            desk.picker.withhold(PieceIndex(piece));
            assert!(desk.picker.entrust(PieceIndex(piece), A));
        }
        let other = (piece + 3) % 8;
        desk.peer(A, [other]);
        assert_eq!(Desk::pieces(&desk.pick(A, 8)), [other], "entrusted: {entrusted}");
    }
}
