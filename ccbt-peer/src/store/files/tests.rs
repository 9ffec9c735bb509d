use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::store::fixtures::{self, Torrent};

const PIECE: u32 = 16_384;

fn write(store: &FileStore, torrent: &Torrent, from: usize, to: usize) -> Result<(), StoreError> {
    let piece = u32::try_from(from).unwrap() / torrent.metainfo.piece_length();
    let begin = u32::try_from(from).unwrap() % torrent.metainfo.piece_length();
    store.write_run(PieceIndex(piece), begin, &[IoSlice::new(&torrent.payload[from..to])])
}

fn write_all(store: &FileStore, torrent: &Torrent) {
    write(store, torrent, 0, torrent.payload.len()).unwrap();
    store.finish().unwrap();
}

fn have(have: &Bitfield) -> Vec<u32> {
    have.iter_ones().map(|piece| piece.0).collect()
}

fn foreign(result: Result<(FileStore, Bitfield), StoreError>) -> (PathBuf, String) {
    match result {
        Err(StoreError::Foreign { path, why }) => (path, why),
        other => panic!("not refused as foreign: {other:?}"),
    }
}

fn names(root: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Three small files in one piece, then one of several pieces, then an empty one.
fn mixed() -> Torrent {
    let files = [("a", 100), ("sub/b", 200), ("c", 300), ("d", 70_000), ("sub/empty", 0)];
    fixtures::multi(&files, PIECE)
}

#[test]
fn a_download_over_file_borders_lies_as_the_torrent_says() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    let (store, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    assert!(found.none());
    write_all(&store, &torrent);
    let read = |path: &str| fs::read(root.path().join("t").join(path)).unwrap();
    assert_eq!(read("sub/b"), torrent.payload[100..300]);
    assert_eq!(read("d"), torrent.payload[600..]);
    assert_eq!(read("sub/empty"), []);
    assert_eq!(names(&root), ["t"], "the note is removed");
    assert!(FileStore::resume(root.path(), &torrent.metainfo).unwrap().1.all());
}

#[test]
fn a_file_is_created_when_its_first_byte_is_written() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    let store = FileStore::open(root.path().join("new/er"), &torrent.metainfo).unwrap();
    let folder = root.path().join("new/er");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    write(&store, &torrent, 310, 320).unwrap();
    assert!(folder.join("t/c").exists());
    assert!(!folder.join("t/a").exists() && !folder.join("t/sub").exists());
}

#[test]
fn bytes_that_were_never_written_are_absent() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
    let read = |begin, length| {
        store.read_run(PieceIndex(0), begin, &mut [IoSliceMut::new(&mut vec![0; length])])
    };
    assert_eq!(read(0, 10).unwrap_err().kind(), ErrorKind::NotFound);
    write(&store, &torrent, 0, 50).unwrap();
    read(0, 50).unwrap();
    assert_eq!(read(0, 51).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(read(0, 150).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn what_an_earlier_run_wrote_is_taken_up_even_if_no_piece_is_whole() {
    let (root, torrent) = (tempdir().unwrap(), fixtures::single("f", 100_000, PIECE));
    let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
    write(&store, &torrent, 20_000, 21_000).unwrap();
    drop(store);
    let (store, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    assert!(found.none());
    write_all(&store, &torrent);
    assert_eq!(fs::read(root.path().join("f")).unwrap(), torrent.payload);
    assert_eq!(names(&root), ["f"]);
}

#[test]
fn progress_reaches_the_end_whether_there_is_something_to_read_or_not() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    for _ in 0..2 {
        let mut last = (0, 0);
        let tell = |checked, pieces| last = (checked, pieces);
        let (store, _) = FileStore::resume_with(root.path(), &torrent.metainfo, tell).unwrap();
        assert_eq!(last, (5, 5));
        write_all(&store, &torrent);
    }
}

#[test]
fn right_pieces_of_a_partial_file_are_kept_and_the_rest_is_written() {
    let (root, torrent) = (tempdir().unwrap(), fixtures::single("f", 100_000, PIECE));
    let mut bytes = torrent.payload[..60_000].to_vec();
    bytes[0] ^= 0xff;
    fs::write(root.path().join("f"), bytes).unwrap();
    let (store, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    assert_eq!(have(&found), [1, 2]);
    write_all(&store, &torrent);
    assert_eq!(fs::read(root.path().join("f")).unwrap(), torrent.payload);
}

#[test]
fn a_file_in_which_no_piece_is_right_is_foreign_and_stays_as_it_is() {
    let (root, torrent) = (tempdir().unwrap(), fixtures::single("f", 100_000, PIECE));
    let path = root.path().join("f");
    for bytes in [b"diary".to_vec(), vec![7; 100_000]] {
        fs::write(&path, &bytes).unwrap();
        let (at, why) = foreign(FileStore::resume(root.path(), &torrent.metainfo));
        assert_eq!(
            (at, &*why),
            (path.clone(), "it does not belong to this torrent: no piece of it is right")
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_file_that_is_too_long_is_foreign_even_if_it_begins_right() {
    let (root, torrent) = (tempdir().unwrap(), fixtures::single("f", 100_000, PIECE));
    let mut bytes = torrent.payload.clone();
    bytes.push(1);
    fs::write(root.path().join("f"), bytes).unwrap();
    let (_, why) = foreign(FileStore::resume(root.path(), &torrent.metainfo));
    assert_eq!(why, "it has 100001 bytes, the torrent's file has 100000");
}

#[test]
fn empty_files_and_files_of_zeros_are_written_to() {
    let torrent = fixtures::single("f", 100_000, PIECE);
    for zeros in [0, 5, 100_000] {
        let root = tempdir().unwrap();
        fs::write(root.path().join("f"), vec![0; zeros]).unwrap();
        let (store, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
        assert!(found.none());
        write_all(&store, &torrent);
        assert_eq!(fs::read(root.path().join("f")).unwrap(), torrent.payload);
    }
}

#[test]
fn a_small_file_whose_neighbour_is_missing_is_kept_and_completed_around() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    torrent.lay_out(root.path(), |path| !path.ends_with("/a"));
    let (store, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    assert_eq!(have(&found), [1, 2, 3, 4]);
    write_all(&store, &torrent);
    assert!(FileStore::resume(root.path(), &torrent.metainfo).unwrap().1.all());
}

#[test]
fn a_small_file_that_cannot_be_proven_is_not_overwritten_with_other_bytes() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    let path = root.path().join("t/sub/b");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "my own words").unwrap();
    let (store, _) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    let error = write(&store, &torrent, 0, 600).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: its byte 0 differs from the torrent's; move it away or choose another folder",
            path.display()
        )
    );
    assert_eq!(fs::read(&path).unwrap(), b"my own words");
}

#[test]
fn a_file_that_appears_while_we_download_is_not_overwritten() {
    let (root, torrent) = (tempdir().unwrap(), fixtures::single("f", 100_000, PIECE));
    let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
    fs::write(root.path().join("f"), "new").unwrap();
    assert!(matches!(write(&store, &torrent, 0, 10), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(root.path().join("f")).unwrap(), b"new");
}

#[test]
fn what_is_no_regular_file_stands_in_the_way() {
    let torrent = mixed();
    let in_the_way = |prepare: &dyn Fn(PathBuf)| {
        let root = tempdir().unwrap();
        prepare(root.path().join("t"));
        foreign(FileStore::resume(root.path(), &torrent.metainfo)).1
    };
    let folder = in_the_way(&|t| fs::create_dir_all(t.join("a")).unwrap());
    assert_eq!(folder, "it is a folder");
    let file = in_the_way(&|t| fs::write(t, "x").unwrap());
    assert_eq!(file, "a file stands where the torrent has a folder");
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_in_the_place_of_a_file_is_foreign() {
        let (root, torrent) = (tempdir().unwrap(), mixed());
        fs::create_dir(root.path().join("t")).unwrap();
        fs::write(root.path().join("other"), "mine").unwrap();
        symlink("../other", root.path().join("t/a")).unwrap();
        let (_, why) = foreign(FileStore::resume(root.path(), &torrent.metainfo));
        assert_eq!(why, "it is a symbolic link");
    }

    #[test]
    fn a_folder_that_leads_outside_is_refused_at_the_start() {
        let (root, outside, torrent) = (tempdir().unwrap(), tempdir().unwrap(), mixed());
        symlink(outside.path(), root.path().join("t")).unwrap();
        let (_, why) = foreign(FileStore::resume(root.path(), &torrent.metainfo));
        assert_eq!(why, "a link leads out of the output folder");
    }

    #[test]
    fn a_folder_that_comes_to_lead_outside_is_refused_when_it_is_written_to() {
        let (root, outside, torrent) = (tempdir().unwrap(), tempdir().unwrap(), mixed());
        let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
        symlink(outside.path(), root.path().join("t")).unwrap();
        assert!(matches!(write(&store, &torrent, 0, 10), Err(StoreError::Foreign { .. })));
        fs::remove_file(root.path().join("t")).unwrap();
        fs::create_dir(root.path().join("t")).unwrap();
        symlink(outside.path().join("x"), root.path().join("t/a")).unwrap();
        assert!(matches!(write(&store, &torrent, 0, 10), Err(StoreError::Foreign { .. })));
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_output_folder_itself_may_be_a_link_and_so_may_folders_that_stay_inside() {
        let (root, torrent) = (tempdir().unwrap(), mixed());
        fs::create_dir_all(root.path().join("real/store")).unwrap();
        symlink("real", root.path().join("link")).unwrap();
        symlink("store", root.path().join("real/t")).unwrap();
        let store = FileStore::open(root.path().join("link"), &torrent.metainfo).unwrap();
        write_all(&store, &torrent);
        assert_eq!(fs::read(root.path().join("real/store/a")).unwrap(), torrent.payload[..100]);
    }

    #[test]
    fn a_pipe_neither_blocks_nor_is_written_to() {
        let (root, torrent) = (tempdir().unwrap(), fixtures::single("f", 1_000, PIECE));
        let pipe = root.path().join("f");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
        let (_, why) = foreign(FileStore::resume(root.path(), &torrent.metainfo));
        assert_eq!(why, "it is no regular file");
    }
}

#[test]
fn a_torrent_may_not_pose_as_a_note() {
    let root = tempdir().unwrap();
    let torrent = fixtures::single(".ccbt-0123456789abcdef.part", 1_000, PIECE);
    foreign(FileStore::resume(root.path(), &torrent.metainfo));
}

#[test]
fn pad_files_are_zeros_and_never_created() {
    let root = tempdir().unwrap();
    let files = [("a", 1_000), (".pad/15384", 15_384), ("b", 500)];
    let torrent = fixtures::multi(&files, PIECE);
    let (store, _) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    write_all(&store, &torrent);
    assert!(!root.path().join("t/.pad").exists());
    assert!(FileStore::resume(root.path(), &torrent.metainfo).unwrap().1.all());
    let mut bytes = [7; 100];
    store.read_run(PieceIndex(0), 16_000, &mut [IoSliceMut::new(&mut bytes)]).unwrap();
    assert_eq!(bytes, [0; 100]);
}

#[test]
fn a_truncated_file_of_a_finished_torrent_loses_only_what_is_cut() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    write_all(&FileStore::open(root.path(), &torrent.metainfo).unwrap(), &torrent);
    let file = File::options().write(true).open(root.path().join("t/d")).unwrap();
    file.set_len(69_999).unwrap();
    fs::remove_file(root.path().join("t/c")).unwrap();
    let (_, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
    assert_eq!(have(&found), [1, 2, 3]);
}

#[test]
fn errors_name_the_path_and_the_cause() {
    let root = tempdir().unwrap();
    let path = root.path().join("file");
    fs::write(&path, "").unwrap();
    let torrent = mixed();
    let error = FileStore::open(path.join("folder"), &torrent.metainfo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    assert!(error.to_string().starts_with(&*path.join("folder").to_string_lossy()), "{error}");
}

#[test]
fn no_more_files_are_open_than_the_pool_may_hold() {
    let root = tempdir().unwrap();
    let files: Vec<(String, usize)> = (0..300).map(|i| (format!("f{i}"), 100)).collect();
    let files: Vec<(&str, usize)> = files.iter().map(|(path, n)| (&**path, *n)).collect();
    let torrent = fixtures::multi(&files, PIECE);
    let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
    write_all(&store, &torrent);
    assert_eq!(store.pool.len(), OPEN_FILES);
    assert!(crate::store::check(&store, &torrent.metainfo).unwrap().all());
    assert_eq!(store.pool.len(), OPEN_FILES);
}

#[test]
fn threads_may_write_and_read_at_the_same_time() {
    let root = tempdir().unwrap();
    let files: Vec<(String, usize)> = (0..200).map(|i| (format!("s{i}/f"), 1_777)).collect();
    let files: Vec<(&str, usize)> = files.iter().map(|(path, n)| (&**path, *n)).collect();
    let torrent = fixtures::multi(&files, PIECE);
    let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
    let starts: Vec<usize> = (0..torrent.payload.len()).step_by(3_000).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, torrent, starts) = (&store, &torrent, &starts);
            scope.spawn(move || {
                for from in starts.iter().skip(thread).step_by(4) {
                    let to = (from + 3_000).min(torrent.payload.len());
                    write(store, torrent, *from, to).unwrap();
                }
            });
        }
    });
    assert!(crate::store::check(&store, &torrent.metainfo).unwrap().all());
}

#[test]
fn what_is_at_hand_is_what_is_read_and_what_would_take_a_while_is_not_at_hand() {
    let (root, torrent) = (tempdir().unwrap(), mixed());
    write_all(&FileStore::open(root.path(), &torrent.metainfo).unwrap(), &torrent);
    let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
    let at_hand = |from: u32, length: usize| {
        let mut got = vec![0; length];
        let piece = PieceIndex(from / PIECE);
        let read = store.read_at_hand(piece, from % PIECE, &mut [IoSliceMut::new(&mut got)]);
        read.then_some(got)
    };
    assert_eq!(at_hand(1_000, 40_000), None, "the file has to be opened first");
    store.read_run(PieceIndex(1), 0, &mut [IoSliceMut::new(&mut [0])]).unwrap();
    // Some file systems cannot tell what is in memory.
    if let Some(got) = at_hand(1_000, 40_000) {
        assert_eq!(got, torrent.payload[1_000..41_000]);
    }
    assert_eq!(at_hand(500, 200), None, "two files");
    assert_eq!(at_hand(70_500, 200), None, "behind the end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn runs_over_any_borders_behave_as_one_row_of_bytes(
        lengths in prop::collection::vec(0_usize..3_000, 1..12),
        pads in prop::collection::vec(any::<bool>(), 12),
        piece_length in 1_024_u32..5_000,
        runs in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6_000, 1_usize..900), 1..20),
    ) {
        prop_assume!(lengths.iter().sum::<usize>() > 0);
        let name = |i: usize| {
            if pads[i] { format!(".pad/{i}") } else { format!("d{}/{i}", i % 3) }
        };
        let names: Vec<String> = (0..lengths.len()).map(name).collect();
        let files: Vec<(&str, usize)> = names.iter().map(|name| &**name).zip(lengths).collect();
        let torrent = fixtures::multi(&files, piece_length);
        let root = tempdir().unwrap();
        let store = FileStore::open(root.path(), &torrent.metainfo).unwrap();
        let payload = &torrent.payload;
        let mut model: Vec<Option<u8>> = vec![None; payload.len()];
        for file in torrent.metainfo.files().iter().filter(|file| file.pad) {
            let start = usize::try_from(file.offset).unwrap();
            model[start..][..usize::try_from(file.length).unwrap()].fill(Some(0));
        }
        for (start, length, buffer) in runs {
            let from = start.index(payload.len());
            let to = (from + length).min(payload.len());
            let position = u32::try_from(from).unwrap();
            let place = (PieceIndex(position / piece_length), position % piece_length);
            let buffers: Vec<IoSlice> = payload[from..to].chunks(buffer).map(IoSlice::new).collect();
            store.write_run(place.0, place.1, &buffers).unwrap();
            for i in from..to {
                model[i] = Some(payload[i]);
            }
            let mut read = vec![0; to - from];
            let mut buffers: Vec<IoSliceMut> = read.chunks_mut(buffer + 7).map(IoSliceMut::new).collect();
            store.read_run(place.0, place.1, &mut buffers).unwrap();
            prop_assert_eq!(&read[..], &payload[from..to]);
        }
        let expected: Vec<bool> = model
            .chunks(piece_length as usize)
            .map(|piece| piece.iter().all(Option::is_some))
            .collect();
        let (_, found) = FileStore::resume(root.path(), &torrent.metainfo).unwrap();
        let found: Vec<bool> =
            (0..torrent.metainfo.piece_count()).map(|i| found.get(PieceIndex(i))).collect();
        prop_assert_eq!(found, expected);
    }
}
