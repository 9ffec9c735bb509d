use std::fs::{self, FileTimes};
use std::io::{IoSlice, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ccbt_wire::{Bitfield, PieceIndex};
use tempfile::TempDir;

use crate::PieceStore;
use crate::store::fixtures::{self, Torrent};
use crate::store::{Allocation, FileStore, StoreError};

const PIECE: u32 = 16_384;

/// A store of two files, and what is around it. Pieces 0 to 5 are in the first file, 6 to 9 in the second, and both have
/// a part of the sixth.
struct Stage {
    root: TempDir,
    torrent: Torrent,
}

impl Stage {
    fn new() -> Self {
        let torrent = fixtures::multi(&[("a", 90_000), ("b", 70_000)], PIECE);
        Self { root: tempfile::tempdir().unwrap(), torrent }
    }

    fn open(&self) -> (FileStore, Bitfield) {
        let builder = FileStore::builder(self.root.path().join("data"), &self.torrent.metainfo);
        builder.remember(self.root.path().join("states")).resume().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("data/t").join(name)
    }

    fn write(
        &self,
        store: &FileStore,
        pieces: impl IntoIterator<Item = u32>,
    ) -> Result<(), StoreError> {
        for piece in pieces.into_iter().map(PieceIndex) {
            let start = usize::try_from(self.torrent.metainfo.piece_offset(piece)).unwrap();
            let end = start + self.torrent.metainfo.piece_len(piece) as usize;
            store.write_run(piece, 0, &[IoSlice::new(&self.torrent.payload[start..end])])?;
        }
        Ok(())
    }

    /// As a batch of the writer.
    fn batch(&self, store: &FileStore, pieces: impl IntoIterator<Item = u32>) {
        let pieces: Vec<u32> = pieces.into_iter().collect();
        self.write(store, pieces.iter().copied()).unwrap();
        store.keep(&pieces.into_iter().map(PieceIndex).collect::<Vec<_>>()).unwrap();
    }
}

/// The clock is coarser than a test is fast.
fn touch(path: &Path) {
    let later = fs::metadata(path).unwrap().modified().unwrap() + Duration::from_secs(3_600);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(later)).unwrap();
}

/// As `dd conv=notrunc` does.
fn scribble(path: &Path) {
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.write_all(&[7; 20_000]).unwrap();
    drop(file);
    touch(path);
}

fn cut(path: &Path) {
    fs::File::options().write(true).open(path).unwrap().set_len(1_000).unwrap();
}

fn is_changed(result: Result<(), StoreError>, culprit: &Path) -> bool {
    match result {
        Err(StoreError::Changed { path }) => path == culprit,
        _ => false,
    }
}

fn numbers(pieces: &Bitfield) -> Vec<u32> {
    pieces.iter_ones().map(|piece| piece.0).collect()
}

#[test]
fn a_file_that_was_cut_short_is_written_to_no_more_and_hashed_at_the_next_start() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, [0, 1, 2, 7]);
    cut(&stage.path("a"));
    for _ in 0..2 {
        assert!(is_changed(stage.write(&store, [3]), &stage.path("a")));
    }
    stage.batch(&store, [8]);
    drop(store);
    let (store, have) = stage.open();
    assert_eq!(numbers(&have), [7, 8]);
    assert_eq!(store.recalled().hashed, 6, "the pieces of the first file");
}

#[test]
fn a_cut_between_a_write_and_the_look_behind_it_is_seen_as_well() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, [0, 1, 2]);
    stage.write(&store, [3]).unwrap();
    cut(&stage.path("a"));
    store.keep(&[PieceIndex(3)]).unwrap();
    assert!(is_changed(stage.write(&store, [4]), &stage.path("a")));
    drop(store);
    let (store, have) = stage.open();
    assert!(have.none());
    assert_eq!(store.recalled().hashed, 6);
}

#[test]
fn a_file_that_another_program_wrote_to_is_not_complete_and_is_hashed_at_the_next_start() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, 0..4);
    scribble(&stage.path("a"));
    stage.batch(&store, 4..10);
    for _ in 0..2 {
        assert!(is_changed(store.finish(), &stage.path("a")));
    }
    drop(store);
    let (store, have) = stage.open();
    assert_eq!(numbers(&have), (2..10).collect::<Vec<_>>());
    assert!(store.recalled().hashed >= 6, "the pieces of the first file");
    stage.batch(&store, 0..2);
    store.finish().unwrap();
}

#[test]
fn a_file_that_is_changed_behind_the_last_write_to_it_is_not_complete() {
    type Change = fn(&Path);
    for (change, wrong) in [(scribble as Change, 2), (cut, 6)] {
        let stage = Stage::new();
        let (store, _) = stage.open();
        stage.batch(&store, 0..6);
        change(&stage.path("a"));
        stage.batch(&store, 6..10);
        assert!(is_changed(store.finish(), &stage.path("a")));
        drop(store);
        assert_eq!(stage.open().1.iter_zeros().count(), wrong);
    }
}

#[test]
fn what_an_earlier_run_left_is_looked_at_too() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, 0..6);
    drop(store);
    let (store, have) = stage.open();
    assert_eq!(have.count_ones(), 6);
    scribble(&stage.path("a"));
    stage.batch(&store, 6..10);
    assert!(is_changed(store.finish(), &stage.path("a")));
}

#[test]
fn a_file_that_was_put_in_the_place_of_ours_is_hashed_as_it_lies_there() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, 0..10);
    let (path, other) = (stage.path("a"), stage.path("other"));
    fs::copy(&path, &other).unwrap();
    scribble(&other);
    fs::rename(&other, &path).unwrap();
    assert!(is_changed(store.finish(), &path));
    fs::write(&other, &stage.torrent.payload[..90_000]).unwrap();
    fs::rename(&other, &path).unwrap();
    store.finish().unwrap();
}

#[test]
fn a_new_time_alone_costs_a_hash_and_nothing_is_hashed_at_the_next_start() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, 0..4);
    touch(&stage.path("a"));
    stage.batch(&store, 4..10);
    assert_eq!(store.touched().seen.suspects.len(), 1);
    store.finish().unwrap();
    assert_eq!(store.touched().seen.suspects.len(), 0);
    drop(store);
    let (store, have) = stage.open();
    assert!(have.all());
    if cfg!(target_os = "linux") {
        assert_eq!(store.recalled().hashed, 0);
    }
}

#[test]
fn a_run_that_ends_early_leaves_a_suspect_file_to_be_hashed() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    stage.batch(&store, 0..4);
    scribble(&stage.path("a"));
    stage.batch(&store, [4]);
    drop(store);
    assert_eq!(numbers(&stage.open().1), [2, 3, 4]);
}

#[test]
fn our_own_writes_are_no_suspicion() {
    for allocation in [Allocation::Sparse, Allocation::Full] {
        let stage = Stage::new();
        let folder = stage.root.path().join("data");
        let builder = FileStore::builder(folder, &stage.torrent.metainfo).allocation(allocation);
        let (store, _) = builder.resume().unwrap();
        store.allocate().unwrap();
        for pieces in [vec![5, 9], vec![0, 1], vec![6], vec![2, 3, 4], vec![7, 8]] {
            stage.batch(&store, pieces);
        }
        store.finish().unwrap();
        stage.batch(&store, [9]);
        store.finish().unwrap();
        assert_eq!(store.touched().seen.suspects.len(), 0, "{allocation:?}");
    }
}

#[test]
fn writes_on_many_threads_are_at_the_most_a_suspicion() {
    let stage = Stage::new();
    let (store, _) = stage.open();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (stage, store) = (&stage, &store);
            scope.spawn(move || {
                for piece in (0..40).map(|n| (n + thread) % 10) {
                    stage.batch(store, [piece]);
                }
            });
        }
    });
    store.finish().unwrap();
}
