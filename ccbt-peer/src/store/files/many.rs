//! A torrent of very many files.

use std::io::IoSlice;

use ccbt_wire::PieceIndex;

use super::{FileStore, OPEN_FILES};
use crate::PieceStore;
use crate::store::fixtures;

const PIECE: u32 = 1 << 16;

#[test]
fn thousands_of_files_are_written_and_known_with_few_of_them_open() {
    write_and_resume(3_000);
}

#[test]
#[ignore = "takes minutes where the file system is slow"]
fn a_hundred_thousand_files_are_written_and_known_with_few_of_them_open() {
    write_and_resume(100_000);
}

fn write_and_resume(count: usize) {
    // Every tenth is empty.
    let names: Vec<String> = (0..count).map(|n| format!("{}/{n}", n / 1_000)).collect();
    let files: Vec<(&str, usize)> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), n % 10)).collect();
    let torrent = fixtures::multi(&files, PIECE);
    let root = tempfile::tempdir().unwrap();
    let (data, states) = (root.path().join("data"), root.path().join("states"));
    let resume = || FileStore::builder(&data, &torrent.metainfo).remember(&states).resume();
    let (store, have) = resume().unwrap();
    assert!(have.none());
    for (piece, bytes) in (0..).map(PieceIndex).zip(torrent.payload.chunks(PIECE as usize)) {
        store.write_run(piece, 0, &[IoSlice::new(bytes)]).unwrap();
        assert!(store.pool.len() <= OPEN_FILES);
        store.keep(&[piece]).unwrap();
    }
    store.finish().unwrap();
    drop(store);
    let (store, have) = resume().unwrap();
    assert!(have.all());
    assert_eq!(store.recalled().hashed, 0);
    assert_eq!(std::fs::read_dir(data.join("t")).unwrap().count(), count / 1_000);
    assert!(data.join("t/0/990").exists(), "an empty one");
}
