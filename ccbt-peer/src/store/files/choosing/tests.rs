use std::collections::BTreeSet;
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::store::files::Allocation;
use crate::store::fixtures::{self, Torrent};
use crate::{Choice, PieceStore};

const PIECE: u32 = 1_000;

/// Pieces: a 0-1, b 1, c 1-3, d 3-5, an empty file.
fn torrent() -> Torrent {
    let files = [("a", 1_500), ("b", 100), ("sub/c", 1_700), ("d", 2_500), ("empty", 0)];
    fixtures::multi(&files, PIECE)
}

fn only(torrent: &Torrent, files: &[usize]) -> Choice {
    Choice::only(&torrent.metainfo, files.iter().copied())
}

fn resume(root: &TempDir, torrent: &Torrent, files: &[usize]) -> (FileStore, Vec<u32>) {
    let store = FileStore::builder(root.path(), &torrent.metainfo).choice(&only(torrent, files));
    let (store, have) = store.resume().unwrap();
    (store, have.iter_ones().map(|piece| piece.0).collect())
}

fn write(store: &FileStore, torrent: &Torrent, pieces: impl IntoIterator<Item = u32>) {
    for piece in pieces {
        let start = (piece * PIECE) as usize;
        let end = (start + PIECE as usize).min(torrent.payload.len());
        let data = [IoSlice::new(&torrent.payload[start..end])];
        store.write_run(PieceIndex(piece), 0, &data).unwrap();
    }
}

fn check(store: &FileStore, torrent: &Torrent) -> Vec<u32> {
    let have = crate::store::check(store, &torrent.metainfo).unwrap();
    have.iter_ones().map(|piece| piece.0).collect()
}

/// Everything in the folder, hidden or not.
fn names(root: &TempDir) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.path().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else {
                names.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    names
}

fn part(torrent: &Torrent) -> String {
    format!(".ccbt-{}.pieces.part", &torrent.metainfo.info_hash().to_string()[..16])
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn neighbours_stay_out_of_the_folder_and_their_bytes_in_the_part_file() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let (store, have) = resume(&root, &torrent, &[1]);
    assert!(have.is_empty());
    write(&store, &torrent, [1]);
    store.finish().unwrap();
    assert_eq!(names(&root), set(["t/b", &part(&torrent)]));
    assert_eq!(fs::read(root.path().join("t/b")).unwrap(), torrent.payload[1_500..1_600]);
    let mut piece = vec![0; 1_000];
    store.read_run(PieceIndex(1), 0, &mut [IoSliceMut::new(&mut piece)]).unwrap();
    assert_eq!(piece, torrent.payload[1_000..2_000]);
    // The next run knows the piece, whatever is chosen.
    assert_eq!(resume(&root, &torrent, &[1]).1, [1]);
    let (_, have) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    assert_eq!(have.iter_ones().map(|piece| piece.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_file_whose_ends_are_its_own_needs_no_part_file() {
    let (root, torrent) =
        (tempdir().unwrap(), fixtures::multi(&[("a", 2_000), ("b", 3_000)], PIECE));
    let (store, _) = resume(&root, &torrent, &[1]);
    write(&store, &torrent, 2..5);
    store.finish().unwrap();
    assert_eq!(names(&root), set(["t/b"]));
}

#[test]
fn what_is_chosen_later_is_moved_into_its_place_and_the_part_file_goes() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let (store, _) = resume(&root, &torrent, &[1]);
    write(&store, &torrent, [1]);
    store.choose(&[true, true, false, false, false]).unwrap();
    assert!(names(&root).contains(&part(&torrent)), "c is still aside");
    assert_eq!(fs::read(root.path().join("t/a")).unwrap()[1_000..], torrent.payload[1_000..1_500]);
    store.choose(&[true; 5]).unwrap();
    assert!(!names(&root).contains(&part(&torrent)));
    assert_eq!(check(&store, &torrent), [1]);
    write(&store, &torrent, [0, 2, 3, 4, 5]);
    store.finish().unwrap();
    assert_eq!(names(&root), set(["t/a", "t/b", "t/sub/c", "t/d", "t/empty"]));
    assert_eq!(resume(&root, &torrent, &[0, 1, 2, 3, 4]).1, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_later_run_may_choose_more_or_something_else() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let (store, _) = resume(&root, &torrent, &[2]);
    write(&store, &torrent, 1..4);
    store.finish().unwrap();
    drop(store);
    let (store, have) = resume(&root, &torrent, &[3]);
    assert_eq!(have, [1, 2, 3]);
    write(&store, &torrent, 4..6);
    store.finish().unwrap();
    // a and b still have a share of piece 1.
    assert_eq!(names(&root), set(["t/sub/c", "t/d", &part(&torrent)]));
    drop(store);
    let (store, have) = resume(&root, &torrent, &[0, 1]);
    assert_eq!(have, [1, 2, 3, 4, 5]);
    assert!(!names(&root).contains(&part(&torrent)));
    write(&store, &torrent, [0]);
    assert_eq!(check(&store, &torrent), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_file_that_is_no_longer_wanted_keeps_what_it_has() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let (store, _) = resume(&root, &torrent, &[0, 1, 2, 3]);
    write(&store, &torrent, [0, 1, 4]);
    store.choose(&[false, true, false, false, false]).unwrap();
    store.finish().unwrap();
    drop(store);
    let (store, have) = resume(&root, &torrent, &[1]);
    assert_eq!(have, [0, 1, 4]);
    assert_eq!(fs::read(root.path().join("t/a")).unwrap(), torrent.payload[..1_500]);
    // Begun files are still known as ours, though nothing of theirs is verified yet.
    assert!(names(&root).iter().any(|name| name.ends_with(".part")));
    store.choose(&[true; 5]).unwrap();
    write(&store, &torrent, [2, 3, 5]);
    store.finish().unwrap();
    assert_eq!(names(&root), set(["t/a", "t/b", "t/sub/c", "t/d", "t/empty"]));
}

#[test]
fn foreign_files_in_the_place_of_unwanted_ones_are_left_alone() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    fs::create_dir_all(root.path().join("t/sub/c")).unwrap();
    fs::write(root.path().join("t/a"), "my own words").unwrap();
    fs::write(root.path().join("t/d"), vec![1; 9_999]).unwrap();
    let (store, _) = resume(&root, &torrent, &[1]);
    write(&store, &torrent, [1]);
    store.finish().unwrap();
    assert_eq!(check(&store, &torrent), [1]);
    assert_eq!(fs::read(root.path().join("t/a")).unwrap(), b"my own words");
    let mut words = [0; 12];
    assert!(!store.read_at_hand(PieceIndex(0), 0, &mut [IoSliceMut::new(&mut words)]));
    // Wanted after all, it stands in the way, and nothing is changed.
    let before = names(&root);
    for files in [[false, true, true, false, false], [false, true, false, true, false]] {
        let error = store.choose(&files).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    }
    let error = store.choose(&[true, true, false, false, false]).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert_eq!(names(&root), before);
    assert_eq!(fs::read(root.path().join("t/a")).unwrap(), b"my own words");
    assert_eq!(check(&store, &torrent), [1]);
}

#[test]
fn a_piece_that_comes_after_its_file_was_given_up_lies_in_its_place() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let (store, _) = resume(&root, &torrent, &[1]);
    write(&store, &torrent, [1, 4]);
    assert_eq!(check(&store, &torrent), [1, 4]);
    assert!(names(&root).contains("t/d") && !names(&root).contains("t/a"));
}

#[test]
fn what_is_no_part_file_is_refused() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    fs::write(root.path().join(part(&torrent)), vec![1; 99_999]).unwrap();
    let error = FileStore::open(root.path(), &torrent.metainfo).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    fs::write(root.path().join(part(&torrent)), vec![1; 100]).unwrap();
    // Nothing in it is right, so it holds nothing.
    resume(&root, &torrent, &[0]);
    assert_eq!(names(&root), set([]));
}

#[test]
fn room_is_needed_for_what_is_wanted_and_missing() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let (store, _) = resume(&root, &torrent, &[1, 2]);
    let nothing = Bitfield::new(6);
    assert_eq!(store.room(&nothing).unwrap().needed, 1_800);
    let mut have = nothing.clone();
    have.set(PieceIndex(1), true);
    let room = store.room(&have).unwrap();
    assert_eq!(room.needed, 1_300);
    #[cfg(unix)]
    assert!(room.free.is_some());
}

#[test]
fn full_files_have_their_length_before_a_byte_is_written() {
    let (root, torrent) = (tempdir().unwrap(), torrent());
    let open = || {
        let builder = FileStore::builder(root.path(), &torrent.metainfo);
        builder.choice(&only(&torrent, &[1, 3])).allocation(Allocation::Full).resume().unwrap()
    };
    let (store, have) = open();
    store.allocate().unwrap();
    assert_eq!(names(&root).len(), 3, "two files and the note");
    assert_eq!(fs::metadata(root.path().join("t/d")).unwrap().len(), 2_500);
    assert_eq!(store.room(&have).unwrap().needed, 0, "it is taken");
    write(&store, &torrent, 1..6);
    store.finish().unwrap();
    assert_eq!(fs::read(root.path().join("t/d")).unwrap(), torrent.payload[3_300..]);
    assert!(open().1.get(PieceIndex(4)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn no_verified_piece_is_ever_lost_whatever_is_chosen(
        lengths in prop::collection::vec(0_usize..2_500, 1..8),
        turns in prop::collection::vec(
            (prop::collection::vec(any::<bool>(), 8), prop::collection::vec(any::<prop::sample::Index>(), 0..4), any::<bool>()),
            1..8,
        ),
    ) {
        prop_assume!(lengths.iter().sum::<usize>() > 0);
        let named: Vec<String> = (0..lengths.len()).map(|i| format!("d{}/{i}", i % 2)).collect();
        let files: Vec<(&str, usize)> = named.iter().map(|name| &**name).zip(lengths).collect();
        let torrent = fixtures::multi(&files, PIECE);
        let pieces = torrent.metainfo.piece_count();
        let root = tempdir().unwrap();
        let mut store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
        let mut have = BTreeSet::new();
        let mut ever_wanted = vec![false; files.len()];
        for (n, (chosen, writes, restart)) in turns.into_iter().enumerate() {
            let chosen = &chosen[..files.len()];
            if restart || n == 0 {
                let numbers: Vec<usize> = (0..files.len()).filter(|i| chosen[*i]).collect();
                drop(store);
                let (next, found) = resume(&root, &torrent, &numbers);
                prop_assert_eq!(found, have.iter().copied().collect::<Vec<_>>());
                store = next;
            } else {
                store.choose(chosen).unwrap();
            }
            for (ever, now) in ever_wanted.iter_mut().zip(chosen) {
                *ever |= now;
            }
            let wanted = Choice::only(&torrent.metainfo, (0..files.len()).filter(|i| chosen[*i]));
            let wanted = wanted.pieces(&torrent.metainfo);
            for piece in writes.iter().map(|piece| piece.index(pieces as usize)) {
                let piece = u32::try_from(piece).unwrap();
                if wanted.wants(PieceIndex(piece)) {
                    write(&store, &torrent, [piece]);
                    have.insert(piece);
                }
            }
            prop_assert_eq!(check(&store, &torrent), have.iter().copied().collect::<Vec<_>>());
            for (name, ever) in named.iter().zip(&ever_wanted) {
                let there = root.path().join("t").join(name).exists();
                prop_assert!(*ever || !there, "{} is there and was never wanted", name);
            }
        }
        store.choose(&vec![true; files.len()]).unwrap();
        let there = names(&root).contains(&part(&torrent));
        prop_assert!(!there, "everything is wanted, so nothing is aside");
    }
}
