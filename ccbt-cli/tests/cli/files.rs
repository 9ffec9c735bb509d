//! Some files of a torrent: what there is, what is refused before anything is done, what is checked.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ccbt_peer::Choice;
use ccbt_peer::store::{FileStore, PieceStore};
use ccbt_peer::wire::metainfo::build::{self, Builder};
use ccbt_peer::wire::{Metainfo, PieceIndex};

use crate::support::{Stage, assert_exit, ccbt, run, text};

const FILES: [(&str, &[u8]); 3] =
    [("a.txt", &[1; 20_000]), ("sub/b.txt", &[2; 9]), ("c.bin", &[3; 50_000])];

/// A torrent of three files whose pieces reach over their borders.
fn several(stage: &Stage) -> (PathBuf, Metainfo) {
    let bytes = build::multi_file("n", 16 << 10, &FILES, None);
    let path = stage.folder().join("several.torrent");
    fs::write(&path, &bytes).expect("a torrent");
    (path, Metainfo::parse(&bytes).expect("a torrent"))
}

fn get(stage: &Stage, torrent: &PathBuf, options: &[&str]) -> Command {
    let mut command = ccbt();
    command.arg("get").arg(torrent).arg("-o").arg(stage.output());
    command.args(["--no-tracker", "--no-state", "--listen", "127.0.0.1:0"]).args(options);
    command
}

#[test]
fn the_files_are_listed_and_nothing_is_done() {
    let stage = Stage::new(None);
    let (torrent, _) = several(&stage);
    let output = run(get(&stage, &torrent, &["--list"]));
    assert_exit(&output, 0);
    let expected = "0  19.5 KiB  n/a.txt\n1       9 B  n/sub/b.txt\n2  48.8 KiB  n/c.bin\n";
    assert_eq!(text(&output.stdout), expected);
    let output = run(get(&stage, &torrent, &["--list", "--files", "*.txt"]));
    assert_eq!(text(&output.stdout).lines().count(), 2);
    assert!(!stage.output().exists());
}

#[test]
fn what_names_no_file_is_refused_before_anything_is_done() {
    let stage = Stage::new(None);
    let (torrent, _) = several(&stage);
    for spec in ["7", "*.mkv", "2-5"] {
        let output = run(get(&stage, &torrent, &["--files", spec]));
        assert_exit(&output, 2);
        assert!(text(&output.stderr).contains(&format!("--files {spec}: ")));
    }
    assert!(!stage.output().exists());
}

#[test]
fn a_disk_with_too_little_room_is_told_before_the_first_byte() {
    let stage = Stage::new(None);
    let pieces = 1 << 18;
    let builder = Builder::multi("huge", 256 << 20, [("small", 5), ("large", (64 << 40) - 5)]);
    let torrent = stage.folder().join("huge.torrent");
    fs::write(&torrent, builder.pieces(vec![[0; 20]; pieces]).encode()).expect("a torrent");
    let output = run(get(&stage, &torrent, &[]));
    assert_exit(&output, 4);
    let told = text(&output.stderr);
    assert!(told.contains("64.0 TiB needed, ") && told.contains("--no-space-check"), "{told}");
    assert!(told.contains(&*stage.output().to_string_lossy()));
    assert_eq!(fs::read_dir(stage.output()).expect("the folder").count(), 0);
    // The small one fits; nobody has it, and that is another matter.
    let options = ["--files", "small", "--stop-timeout", "100ms"];
    assert_exit(&run(get(&stage, &torrent, &options)), 3);
}

#[test]
fn chosen_files_are_verified_with_what_lies_in_the_part_file() {
    let stage = Stage::new(None);
    let (torrent, metainfo) = several(&stage);
    let choice = Choice::only(&metainfo, [1]);
    let store = FileStore::builder(stage.output(), &metainfo).choice(&choice).open();
    let store = store.expect("a store");
    let payload = FILES.map(|(_, bytes)| bytes).concat();
    let piece = std::io::IoSlice::new(&payload[16 << 10..32 << 10]);
    store.write_run(PieceIndex(1), 0, &[piece]).expect("room");
    store.finish().expect("an end");
    let verify = |options: &[&str]| {
        let mut command = ccbt();
        command.arg("verify").arg(&torrent).arg("-d").arg(stage.output()).args(options);
        run(command)
    };
    let output = verify(&["--files", "b.txt"]);
    assert_exit(&output, 0);
    assert_eq!(text(&output.stdout), "n: all right, 1 file; 2 not chosen\n");
    assert_exit(&verify(&[]), 1);
    let output = verify(&["--files", "b.txt", "--files", "0"]);
    assert_exit(&output, 1);
    assert!(text(&output.stdout).contains("missing    n/a.txt"));
    // And a download of these alone has nothing to do.
    let output = run(get(&stage, &torrent, &["--files", "1"]));
    assert_exit(&output, 0);
    assert!(text(&output.stdout).contains("complete already"));
}
