//! What stands in the way on the disk ends with exit code 4 and its path, and is left as it is.

use std::fs;

use crate::support::{Stage, assert_exit, run, text};

#[test]
fn an_output_folder_that_is_a_file_is_named() {
    let stage = Stage::new(None);
    fs::write(stage.output(), "mine").expect("a file");
    let output = run(stage.get(&[]));
    assert_exit(&output, 4);
    assert!(text(&output.stderr).contains(&*stage.output().to_string_lossy()));
}

/// Nobody can create a file there, root included; and nobody is there who could send a piece.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_to_is_told_before_the_first_piece() {
    let stage = Stage::new(None);
    std::os::unix::fs::symlink("/sys", stage.output()).expect("a link");
    let output = run(stage.get(&[]));
    assert_exit(&output, 4);
    let told = text(&output.stderr);
    assert!(told.contains("probe.part: cannot open: "), "{told}");
}

#[test]
fn a_file_of_something_else_is_never_overwritten() {
    let stage = Stage::new(None);
    fs::create_dir(stage.output()).expect("a folder");
    let file = stage.output().join("payload.bin");
    fs::write(&file, "mine").expect("a file");
    let output = run(stage.get(&[]));
    assert_exit(&output, 4);
    assert!(text(&output.stderr).contains("payload.bin"));
    assert_eq!(fs::read(&file).expect("the file"), b"mine");
}
