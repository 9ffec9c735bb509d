//! What cannot be used is refused with exit code 2 and a line that names the culprit, before anything
//! is created.

use std::fs;

use crate::support::{Stage, assert_exit, ccbt, run, text};

fn refused(torrent: &[u8]) -> String {
    let stage = Stage::new(None);
    fs::write(stage.torrent(), torrent).expect("a file");
    let output = run(stage.get(&[]));
    assert_exit(&output, 2);
    assert!(!stage.output().exists());
    let error = text(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&*stage.torrent().to_string_lossy()), "{error}");
    error
}

#[test]
fn a_torrent_that_leaves_its_folder_is_refused() {
    let info = "d5:filesld6:lengthi1e4:pathl2:..4:evileee4:name1:n12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";
    let error = refused(format!("d4:info{info}e").as_bytes());
    assert!(error.contains("path"), "{error}");
}

#[test]
fn what_is_nearly_an_info_hash_or_a_url_is_not_taken_for_a_file() {
    for (word, why) in [
        ("d0d14c926e6e99761a2fdcff27b403d96376ef", "an info hash has 40 hexadecimal digits"),
        ("ftp://a.example/x.torrent", "\"ftp\" is none of http, https"),
    ] {
        let output = run(Stage::new(None).get_from(word, &[]));
        assert_exit(&output, 2);
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

/// A torrent of one piece with these files, in bencode.
fn torrent(files: &str, length: &str) -> Vec<u8> {
    let pieces = "6:pieces20:aaaaaaaaaaaaaaaaaaaa";
    format!("d4:infod5:filesl{files}e4:name1:n12:piece lengthi{length}e{pieces}ee").into_bytes()
}

/// One of its files, of five bytes.
fn file(path: &[&str]) -> String {
    let path: String = path.iter().map(|part| format!("{}:{part}", part.len())).collect();
    format!("d6:lengthi5e4:pathl{path}ee")
}

#[test]
fn each_hostile_torrent_is_refused_with_its_field_and_its_rule() {
    let first = |path: &[&str]| torrent(&file(path), "16384");
    let both = |one: &[&str], other: &[&str]| torrent(&[file(one), file(other)].concat(), "16384");
    let many = "d4:attr1:p6:lengthi0ee".repeat(200_001);
    let long = "x".repeat(256);
    for (torrent, why) in [
        (first(&["..", "evil"]), "info.files[0].path: component \"..\" is not allowed"),
        (first(&["."]), "info.files[0].path: component \".\" is not allowed"),
        (first(&["/etc/passwd"]), "info.files[0].path: component \"/etc/passwd\" has a separator"),
        (first(&["a\\b"]), "info.files[0].path: component \"a\\\\b\" has a separator"),
        (first(&["a\0"]), "info.files[0].path: component \"a\\0\" has a control character"),
        (first(&["", "a"]), "info.files[0].path: an empty component is not allowed"),
        (first(&["nul.txt"]), "info.files[0].path: component \"nul.txt\" is a reserved name"),
        (first(&[&long]), "info.files[0].path: a component of 256 bytes is over the limit of 255"),
        (both(&["A"], &["a"]), "info.files[1].path: the same as that of info.files[0]: \"n/a\""),
        (
            both(&["e\u{301}"], &["\u{e9}"]),
            "info.files[1].path: the same as that of info.files[0]: \"n/\u{e9}\"",
        ),
        (
            both(&["d"], &["d", "x"]),
            "info.files[0].path: \"n/d\" is a folder on the path of info.files[1]",
        ),
        (
            torrent("d4:attr1:l6:lengthi5e4:pathl1:aee", "16384"),
            "info.files[0].path: symbolic links are not allowed",
        ),
        (
            torrent(
                &[file(&["a"]), file(&["b"]).replace("i5e", "i9223372036854775807e")].concat(),
                "1",
            ),
            "info.files[1].length: the sum of all lengths overflows",
        ),
        (torrent(&file(&["a"]), "0"), "info.piece length: 0 is not in 1 to 268435456"),
        (
            torrent(&file(&["a"]), "4294967296"),
            "info.piece length: 4294967296 is not in 1 to 268435456",
        ),
        (torrent(&many, "16384"), "info.files: 200001 are over the limit of 200000"),
        (
            ["l".repeat(10_000), "e".repeat(10_000)].concat().into_bytes(),
            "not a metainfo file: nested deeper than 64 at byte 64",
        ),
        (
            b"d4:info18446744073709551615:x".to_vec(),
            "not a metainfo file: the string at byte 7 has 18446744073709551615 bytes, but only 1 are left",
        ),
    ] {
        let error = refused(&torrent);
        assert!(error.ends_with(&format!(".torrent: {why}\n")), "{error}");
    }
}

#[test]
fn what_is_no_torrent_is_refused() {
    refused(b"");
    refused(b"<html>not found</html>");
    refused("l".repeat(200_000).as_bytes());
    refused(b"d4:infod4:name1:nee");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let stage = Stage::new(None);
    let output = run(stage.get_from("/nowhere/a.torrent", &[]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("/nowhere/a.torrent: "));
}

#[test]
fn a_rule_that_does_not_exist_is_named() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--evict", "no-such-rule=1s"]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("no-such-rule"));
    assert!(!stage.output().exists());
}

#[test]
fn an_event_file_that_cannot_be_opened_is_named() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--events", "/nowhere/events.jsonl"]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).contains("/nowhere/events.jsonl: "));
    assert!(!stage.output().exists());
}

#[test]
fn a_command_line_without_sense_is_refused() {
    for line in [
        &["get"][..],
        &["get", "magnet:?xt=urn:btih:0"],
        &["get", "a.torrent", "--peer", "nobody"],
        &["get", "a.torrent", "--listen", "nowhere"],
        &["get", "a.torrent", "--stop-timeout", "10"],
        &["get", "a.torrent", "--max-peers", "many"],
        &["get", "a.torrent", "--dht-bootstrap", "somewhere"],
        &["fetch"],
    ] {
        let mut command = ccbt();
        command.args(line);
        assert_exit(&run(command), 2);
    }
}

#[test]
fn an_interface_that_is_not_there_is_refused_by_name() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--interface", "nosuch0"]));
    assert_exit(&output, 2);
    let expected = "--interface: there is no network interface nosuch0, or it has no address";
    assert!(text(&output.stderr).contains(expected));
    assert!(!stage.output().exists());
}

#[test]
fn help_and_version_are_no_errors() {
    let commands = ["get", "seed", "create", "show", "verify", "demo", "completions"];
    let commands = commands.map(|name| [name, "--help"]);
    let lines = commands.iter().map(|line| &line[..]);
    for line in lines.chain([&["--help"][..], &["--version"]]) {
        let mut command = ccbt();
        command.args(line);
        assert_exit(&run(command), 0);
    }
}
