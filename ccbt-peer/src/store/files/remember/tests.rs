use std::fs::{self, FileTimes};
use std::io::IoSlice;
use std::path::Path;
use std::time::Duration;

use ccbt_wire::{Bitfield, PieceIndex};
use tempfile::TempDir;

use crate::store::fixtures::{self, Torrent};
use crate::store::{Allocation, FileStore, Recall, StoreError};
use crate::{Choice, PieceStore};

/// Folders for payload and states.
struct Folders {
    root: TempDir,
}

impl Folders {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> std::path::PathBuf {
        self.root.path().join("data")
    }

    fn states(&self) -> std::path::PathBuf {
        self.root.path().join("deep/states")
    }

    fn resume(&self, torrent: &Torrent) -> (FileStore, Bitfield) {
        let builder = FileStore::builder(self.data(), &torrent.metainfo);
        builder.remember(self.states()).resume().unwrap()
    }

    /// The one state there is.
    fn state(&self) -> std::path::PathBuf {
        let mut states = fs::read_dir(self.states()).unwrap().map(|state| state.unwrap().path());
        let state = states.next().unwrap();
        assert_eq!(states.next(), None);
        state
    }
}

fn torrent() -> Torrent {
    fixtures::multi(&[("a", 50_000), ("b", 70_000), ("sub/c", 30_000)], 16_384)
}

fn write(store: &FileStore, torrent: &Torrent, pieces: impl IntoIterator<Item = u32>) {
    let pieces: Vec<PieceIndex> = pieces.into_iter().map(PieceIndex).collect();
    for piece in &pieces {
        let start = usize::try_from(torrent.metainfo.piece_offset(*piece)).unwrap();
        let end = start + torrent.metainfo.piece_len(*piece) as usize;
        store.write_run(*piece, 0, &[IoSlice::new(&torrent.payload[start..end])]).unwrap();
    }
    store.keep(&pieces).unwrap();
}

fn numbers(pieces: &Bitfield) -> Vec<u32> {
    pieces.iter_ones().map(|piece| piece.0).collect()
}

/// As a killed process leaves it: nothing is closed, nothing is written any more.
fn kill(store: FileStore, folders: &Folders) -> std::path::PathBuf {
    let kept = folders.root.path().join("kept");
    fs::copy(folders.state(), &kept).unwrap();
    drop(store);
    fs::rename(&kept, folders.state()).unwrap();
    folders.state()
}

#[test]
fn what_was_written_before_a_kill_is_known_without_hashing() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, have) = folders.resume(&torrent);
    assert!(have.none());
    store.remember.get().unwrap().write_base();
    write(&store, &torrent, 0..4);
    write(&store, &torrent, [8]);
    kill(store, &folders);
    let (store, have) = folders.resume(&torrent);
    assert_eq!(numbers(&have), [0, 1, 2, 3, 8]);
    let recalled = store.recalled();
    if cfg!(target_os = "linux") {
        assert_eq!((recalled.known, recalled.hashed), (5, 0));
    }
    assert_eq!(recalled.unusable, None);
}

#[test]
fn what_is_written_while_the_medium_takes_its_time_is_known_after_a_kill() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    let remember = store.remember.get().unwrap();
    remember.write_base();
    write(&store, &torrent, 0..2);
    // So it is from the beginning of a base until the medium has everything.
    remember.keeper.lock().pending = Some(Vec::new());
    write(&store, &torrent, 2..4);
    kill(store, &folders);
    let (_, have) = folders.resume(&torrent);
    assert_eq!(numbers(&have), [0, 1, 2, 3]);
}

#[test]
fn of_a_file_that_the_medium_refused_nothing_is_believed_later() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..10);
    let remember = store.remember.get().unwrap();
    remember.keeper.lock().doubt(&[1].into());
    write(&store, &torrent, [4]);
    drop(store);
    let (store, have) = folders.resume(&torrent);
    assert_eq!(numbers(&have), (0..10).collect::<Vec<_>>());
    assert_eq!(store.recalled().hashed, 5, "the pieces of the second file");
}

#[test]
fn room_that_is_taken_already_is_not_taken_again() {
    let (folders, torrent) = (Folders::new(), torrent());
    let open = || {
        let builder = FileStore::builder(folders.data(), &torrent.metainfo);
        let builder = builder.allocation(Allocation::Full).remember(folders.states());
        let (store, have) = builder.resume().unwrap();
        store.allocate().unwrap();
        (store, have)
    };
    let (store, _) = open();
    write(&store, &torrent, 0..2);
    drop(store);
    for _ in 0..2 {
        let (store, have) = open();
        assert_eq!((numbers(&have), store.recalled().hashed), (vec![0, 1], 0));
    }
}

#[test]
fn a_base_is_as_good_as_the_records_before_it() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..2);
    store.remember.get().unwrap().write_base();
    let (store_again, have) = folders.resume(&torrent);
    assert_eq!((numbers(&have), store_again.recalled().hashed), (vec![0, 1], 0));
    drop((store, store_again));
    let (store, have) = folders.resume(&torrent);
    assert_eq!((numbers(&have), store.recalled().hashed), (vec![0, 1], 0));
}

#[test]
fn a_file_that_somebody_changed_is_hashed_and_its_neighbours_are_not() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..10);
    store.finish().unwrap();
    drop(store);
    let path = folders.data().join("t/b");
    let mut bytes = fs::read(&path).unwrap();
    bytes[40_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    // Whatever the clock of the file system can tell.
    let time = fs::metadata(&path).unwrap().modified().unwrap() + Duration::from_secs(1);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
    let (store, have) = folders.resume(&torrent);
    assert_eq!(have.iter_zeros().map(|piece| piece.0).collect::<Vec<_>>(), [5]);
    let recalled = store.recalled();
    assert_eq!((recalled.known, recalled.hashed), (5, 5), "pieces 3 to 7 are in b");
}

#[test]
fn a_shorter_and_a_missing_file_are_noticed() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..10);
    drop(store);
    fs::File::options()
        .write(true)
        .open(folders.data().join("t/a"))
        .unwrap()
        .set_len(20_000)
        .unwrap();
    fs::remove_file(folders.data().join("t/sub/c")).unwrap();
    let (_store, have) = folders.resume(&torrent);
    assert_eq!(numbers(&have), [0, 4, 5, 6]);
}

#[test]
fn flips_that_no_clock_shows_are_for_a_check_of_everything() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..10);
    drop(store);
    let path = folders.data().join("t/b");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[40_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
    drop(file);
    assert!(folders.resume(&torrent).1.all(), "the state is trusted");
    let builder = FileStore::builder(folders.data(), &torrent.metainfo);
    let (store, have) = builder.remember(folders.states()).check_all().resume().unwrap();
    assert_eq!(have.iter_zeros().map(|piece| piece.0).collect::<Vec<_>>(), [5]);
    drop(store);
    assert!(!folders.resume(&torrent).1.all(), "the check corrected the state");
}

#[test]
fn a_state_that_cannot_be_used_is_told_and_written_anew() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..4);
    drop(store);
    let right = fs::read(folders.state()).unwrap();
    let newer = [&right[..12], &[0, 0, 0, 9], &right[16..]].concat();
    for wrong in [b"what is this".to_vec(), right[..right.len() - 1].to_vec(), newer, Vec::new()] {
        fs::write(folders.state(), wrong).unwrap();
        let (store, have) = folders.resume(&torrent);
        assert_eq!(numbers(&have), [0, 1, 2, 3]);
        let why = store.recalled().unusable.clone().unwrap();
        assert!(why.starts_with(folders.state().to_str().unwrap()), "{why}");
        assert_eq!(store.recalled().known, 0);
        drop(store);
        let (store, _) = folders.resume(&torrent);
        assert_eq!((store.recalled().known, &store.recalled().unusable), (4, &None));
    }
}

#[test]
fn where_no_state_can_be_written_the_store_works_and_says_so() {
    let (folders, torrent) = (Folders::new(), torrent());
    fs::write(folders.root.path().join("deep"), "a file").unwrap();
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 0..10);
    store.remember.get().unwrap().write_base();
    assert!(store.trouble().is_some());
    store.finish().unwrap();
    drop(store);
    assert!(folders.resume(&torrent).1.all());
}

#[test]
fn shared_pieces_of_unwanted_files_are_known_too() {
    let (folders, torrent) = (Folders::new(), torrent());
    let choice = Choice::only(&torrent.metainfo, [1]);
    let resume = || {
        let builder = FileStore::builder(folders.data(), &torrent.metainfo).choice(&choice);
        builder.remember(folders.states()).resume().unwrap()
    };
    let (store, _) = resume();
    write(&store, &torrent, 3..8);
    store.finish().unwrap();
    drop(store);
    let (store, have) = resume();
    assert_eq!((numbers(&have), store.recalled().hashed), ((3..8).collect(), 0));
    drop(store);
    // All is wanted now: what the part file has goes to its place, and is still there.
    let (store, have) = folders.resume(&torrent);
    assert_eq!((numbers(&have), store.recalled().hashed), ((3..8).collect(), 0));
    write(&store, &torrent, [0, 1, 2, 8, 9]);
    drop(store);
    let (store, have) = folders.resume(&torrent);
    assert!(have.all());
    assert_eq!(crate::store::check(&store, &torrent.metainfo).unwrap().count_ones(), 10);
}

#[test]
fn a_file_that_is_ours_by_the_state_alone_is_written_to() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    // Half a piece that is wrong, and is to be replaced.
    store.write_run(PieceIndex(9), 0, &[IoSlice::new(&[1; 2_000])]).unwrap();
    store.keep(&[]).unwrap();
    drop(store);
    let note = fs::read_dir(folders.data()).unwrap().map(|entry| entry.unwrap().path());
    let note = note.into_iter().find(|path| path.extension().is_some()).unwrap();
    fs::write(note, "damaged").unwrap();
    let (store, have) = folders.resume(&torrent);
    assert!(have.none());
    write(&store, &torrent, 0..10);
}

#[test]
fn a_removed_file_is_an_error_that_names_it_and_its_pieces_are_not_kept() {
    let (folders, torrent) = (Folders::new(), torrent());
    let (store, _) = folders.resume(&torrent);
    write(&store, &torrent, 3..5);
    let path = folders.data().join("t/b");
    fs::remove_file(&path).unwrap();
    let at = 5 * 16_384;
    store.write_run(PieceIndex(5), 0, &[IoSlice::new(&torrent.payload[at..at + 16_384])]).unwrap();
    let error = store.keep(&[PieceIndex(5)]).unwrap_err();
    let StoreError::Io { path: culprit, .. } = &error else { panic!("{error}") };
    assert_eq!(culprit, &path);
    assert!(store.keep(&[PieceIndex(5)]).is_err(), "as long as it is gone");
}

#[test]
fn a_look_beside_the_store_knows_the_same_and_corrects_it() {
    let (folders, torrent) = (Folders::new(), torrent());
    torrent.lay_out(&folders.data(), |_| true);
    let look = || Recall::of(folders.states(), folders.data(), &torrent.metainfo).unwrap();
    let first = look();
    assert!(first.unsure().all() && first.have().none() && first.unusable().is_none());
    first.keep(&torrent.metainfo, &Bitfield::full(10)).unwrap();
    let second = look();
    assert!(second.have().all() && second.unsure().none());
    // What changes between the look and the end of the check is not known.
    fs::write(folders.data().join("t/a"), "short").unwrap();
    second.keep(&torrent.metainfo, &Bitfield::full(10)).unwrap();
    assert_eq!(numbers(look().unsure()), [0, 1, 2, 3]);
    fs::write(folders.state(), "nonsense").unwrap();
    assert!(look().unusable().is_some_and(|why| why.contains("no resume state")));
    assert!(Recall::of(folders.states(), Path::new("/nowhere"), &torrent.metainfo).is_err());
}

#[test]
fn two_folders_of_one_torrent_have_a_state_each() {
    let (folders, torrent) = (Folders::new(), torrent());
    torrent.lay_out(&folders.data(), |_| true);
    drop(folders.resume(&torrent));
    let other = folders.root.path().join("other");
    let builder = FileStore::builder(&other, &torrent.metainfo).remember(folders.states());
    assert!(builder.resume().unwrap().1.none());
    assert_eq!(fs::read_dir(folders.states()).unwrap().count(), 2);
    assert!(folders.resume(&torrent).1.all());
}
