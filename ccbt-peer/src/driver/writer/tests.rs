use ccbt_wire::{BLOCK_LEN, Bitfield, Metainfo, metainfo::build};

use super::*;
use crate::MemoryStore;
use crate::swarm::Print;

const A: PeerKey = PeerKey(1);
const B: PeerKey = PeerKey(2);
const PIECE: PieceIndex = PieceIndex(0);
/// Longer than a step of reading back.
const BLOCKS: u32 = 20;

/// Writes a copy of the piece block by block and has it verified; gives what is reported.
fn verify(
    writer: &Writer,
    reports: &mut mpsc::Receiver<Report>,
    payload: &[u8],
    senders: Vec<PeerKey>,
) -> (Option<Vec<Print>>, bool) {
    for (n, bytes) in (0..).zip(payload.chunks(BLOCK_LEN as usize)) {
        let block = Block { piece: PIECE, begin: n * BLOCK_LEN, length: BLOCK_LEN };
        let job = Job::Block(block, Bytes::copy_from_slice(bytes));
        writer.jobs.send(vec![job]).unwrap();
    }
    // Three blocks are in the hash already.
    let hashed = 3 * BLOCK_LEN;
    let hasher = Box::new(Sha1::new().chain_update(&payload[..hashed as usize]));
    let job = Job::Verify { piece: PIECE, hasher, hashed, senders };
    writer.jobs.send(vec![job]).unwrap();
    let mut prints = None;
    loop {
        match reports.blocking_recv().unwrap() {
            Report::Prints(PIECE, told) => prints = Some(told),
            Report::Stored(pieces) => {
                assert_eq!(pieces, [PIECE]);
                return (prints, true);
            }
            Report::PieceFailed(PIECE) => return (prints, false),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn copies_of_a_piece_in_the_store_differ_in_the_print_of_the_wrong_block() {
    let right: Vec<u8> = (0..BLOCKS * BLOCK_LEN).map(|n| (n / 100).to_le_bytes()[0]).collect();
    let bytes = build::single_file("payload", BLOCKS * BLOCK_LEN, &right, None);
    let metainfo = Arc::new(Metainfo::parse(&bytes).unwrap());
    let store = Arc::new(MemoryStore::new(&metainfo));
    let assemblies = Arc::new(Assemblies::new(metainfo.clone(), &Bitfield::new(1)));
    let (sender, mut reports) = mpsc::channel(16);
    let geometry = Geometry::of(&metainfo);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let (writer, thread) = Writer::start(geometry, store, assemblies.clone(), sender).unwrap();

    let mut wrong = right.clone();
    wrong[18 * BLOCK_LEN as usize + 5] ^= 1;
    let mut senders = vec![A; BLOCKS as usize];
    senders[18] = B;
    let (first, stored) = verify(&writer, &mut reports, &wrong, senders.clone());
    assert!(!stored);
    assemblies.start_over(PIECE);
    let (second, stored) = verify(&writer, &mut reports, &right, vec![A; BLOCKS as usize]);
    assert!(stored);

    let (first, second) = (first.unwrap(), second.unwrap());
    let from: Vec<PeerKey> = first.iter().map(|print| print.from).collect();
    assert_eq!(from, senders);
    let pairs = (0..BLOCKS).zip(first.iter().zip(&second));
    let differ: Vec<u32> =
        pairs.filter(|(_, (a, b))| a.digest != b.digest).map(|(n, _)| n).collect();
    assert_eq!((differ, second.len()), (vec![18], BLOCKS as usize));
    drop(writer);
    thread.join().unwrap();
}

#[test]
fn of_a_piece_that_is_right_at_once_nothing_is_told() {
    let right = vec![7; (BLOCKS * BLOCK_LEN) as usize];
    let bytes = build::single_file("payload", BLOCKS * BLOCK_LEN, &right, None);
    let metainfo = Arc::new(Metainfo::parse(&bytes).unwrap());
    let store = Arc::new(MemoryStore::new(&metainfo));
    let assemblies = Arc::new(Assemblies::new(metainfo.clone(), &Bitfield::new(1)));
    let (sender, mut reports) = mpsc::channel(16);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let (writer, _thread) =
        Writer::start(Geometry::of(&metainfo), store, assemblies, sender).unwrap();
    let told = verify(&writer, &mut reports, &right, vec![A; BLOCKS as usize]);
    assert_eq!(told, (None, true));
}
