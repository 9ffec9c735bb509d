//! `ccbt verify` tells which files and pieces are right, and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use ccbt_peer::wire::metainfo::build;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Stage, assert_exit, ccbt, run, text};

const PIECE: usize = 16 << 10;

/// A torrent of three files, and all of its content.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn whole() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let a = vec![1; PIECE * 2];
        let b = vec![2; PIECE + 1];
        let files: [(&str, &[u8]); 3] = [("a", &a), ("s/b", &b), ("s/empty", b"")];
        let length = u32::try_from(PIECE).expect("a length");
        let torrent = build::multi_file("n", length, &files, None);
        fs::write(folder.path().join("n.torrent"), torrent).expect("a torrent");
        fs::create_dir_all(folder.path().join("data/n/s")).expect("folders");
        for (name, content) in files {
            fs::write(folder.path().join("data/n").join(name), content).expect("a file");
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/n").join(name)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn verify(&self, more: &[&str]) -> Output {
        self.verify_in(&self.data(), more)
    }

    fn verify_in(&self, data: &Path, more: &[&str]) -> Output {
        let mut command = ccbt();
        command.arg("verify").arg(self.folder.path().join("n.torrent"));
        command.arg("--data").arg(data).args(more);
        run(command)
    }

    /// What is told with exit code 1.
    fn bad(&self) -> (String, Value) {
        let output = self.verify(&[]);
        assert_exit(&output, 1);
        let json = self.verify(&["--json"]);
        assert_exit(&json, 1);
        let json: Value = serde_json::from_slice(&json.stdout).expect("one JSON object");
        assert_eq!(json["complete"], false);
        (text(&output.stdout) + &text(&output.stderr), json)
    }
}

#[test]
fn a_whole_copy_is_right() {
    let copy = Copy::whole();
    let output = copy.verify(&[]);
    assert_exit(&output, 0);
    assert_eq!(text(&output.stdout), "n: all right, 4 pieces\n");
    let output = copy.verify(&["--json", "-q"]);
    assert_exit(&output, 0);
    assert!(output.stderr.is_empty());
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&json["complete"], &json["right"]), (&json!(true), &json!(4)));
}

#[test]
fn a_wrong_byte_is_found_in_its_file_and_piece() {
    let copy = Copy::whole();
    let mut content = fs::read(copy.file("a")).expect("a file");
    content[PIECE] ^= 1;
    fs::write(copy.file("a"), content).expect("a file");
    let (told, json) = copy.bad();
    assert!(told.contains("wrong      n/a: bad pieces: 1\n"), "{told}");
    assert!(
        told.contains("n: 1 wrong and 0 missing of 4 pieces, 1 not right of 3 files"),
        "{told}"
    );
    assert_eq!(json["wrong_pieces"], json!([[1, 1]]));
    assert_eq!(json["files"][0]["state"], "wrong");
    assert_eq!(json["files"][1]["state"], "right");
}

#[test]
fn a_missing_file_is_named_even_if_it_is_empty() {
    let copy = Copy::whole();
    fs::remove_dir_all(copy.file("s")).expect("a folder");
    let (told, json) = copy.bad();
    assert!(told.contains("missing    n/s/b\n"), "{told}");
    assert!(told.contains("missing    n/s/empty\n"), "{told}");
    assert_eq!(json["missing_pieces"], json!([[2, 3]]));
    assert_eq!(json["files"][2]["found"], Value::Null);
}

#[test]
fn a_file_of_another_length_is_named_with_both() {
    let copy = Copy::whole();
    fs::write(copy.file("s/b"), vec![2; PIECE]).expect("a file");
    fs::write(copy.file("s/empty"), "x").expect("a file");
    let (told, json) = copy.bad();
    assert!(told.contains("too short  n/s/b: length 16384, not 16385; bad pieces: 3\n"), "{told}");
    assert!(told.contains("too long   n/s/empty: length 1, not 0; bad pieces: none\n"), "{told}");
    assert_eq!(json["files"][1]["state"], "too-short");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_opened() {
    let copy = Copy::whole();
    fs::remove_file(copy.file("a")).expect("a file");
    // Whoever opened it would wait for a writer.
    let made = std::process::Command::new("mkfifo").arg(copy.file("a")).status();
    assert!(made.expect("mkfifo").success());
    let (told, _) = copy.bad();
    assert!(told.contains("no file    n/a: it is no regular file\n"), "{told}");
}

#[test]
fn nothing_on_the_disk_is_changed() {
    let copy = Copy::whole();
    fs::remove_file(copy.file("a")).expect("a file");
    copy.bad();
    assert!(!copy.file("a").exists());
    let left = fs::read_dir(copy.data()).expect("a folder").count();
    assert_eq!(left, 1);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_of_the_disk_and_not_made() {
    let copy = Copy::whole();
    let nowhere = copy.folder.path().join("nowhere");
    let output = copy.verify_in(&nowhere, &[]);
    assert_exit(&output, 4);
    assert!(text(&output.stderr).contains("nowhere: "));
    assert!(!nowhere.exists());
    assert_exit(&copy.verify_in(&copy.file("a"), &[]), 4);
}

#[test]
fn whoever_names_the_content_itself_is_told_what_data_means() {
    let copy = Copy::whole();
    let output = copy.verify_in(&copy.data().join("n"), &[]);
    assert_exit(&output, 1);
    let told = text(&output.stderr);
    assert!(told.ends_with("/n; --data is the folder that holds n\n"), "{told}");
}

#[test]
fn a_torrent_that_is_none_is_refused() {
    let copy = Copy::whole();
    fs::write(copy.folder.path().join("n.torrent"), "x").expect("a file");
    assert_exit(&copy.verify(&[]), 2);
}

#[test]
fn what_create_made_verify_finds_right() {
    let stage = Stage::new(None);
    let folder = stage.folder();
    fs::write(folder.join("payload.bin"), &stage.payload).expect("a file");
    let mut create = ccbt();
    create.arg("create").arg("payload.bin").current_dir(folder);
    assert_exit(&run(create), 0);
    let mut verify = ccbt();
    verify.args(["verify", "payload.bin.torrent", "--data", "."]).current_dir(folder);
    assert_exit(&run(verify), 0);
}
